"""How long the diagnosis takes, and how often it names what was planted."""
