"""Why: the named mistakes, the relations and the dictionary that recognise them, and their pages."""
