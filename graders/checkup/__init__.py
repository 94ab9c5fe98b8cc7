"""What is wrong with an assignment, before a class meets it."""
