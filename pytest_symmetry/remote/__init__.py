"""One student's code in a process of its own, called as if it were here."""
