"""How an assignment begins: from a template that works, or from a notebook of another grader."""
