"""Ready-made autograders: one file that a platform takes, and what runs inside it.

``making`` writes a bundle; ``__main__`` is what a bundle's run script starts, ``one`` for the work of one
student, ``clones`` for a class of repositories. ``templates`` holds what is not Python.
"""
