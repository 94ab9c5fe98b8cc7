"""Scores into a learning platform over LTI 1.3, Assignment and Grade Services 2.0 (1EdTech).

``settings`` and ``keys`` are what staff give; ``clocks`` is time, here and there; ``connection`` asks the
platform; ``columns`` finds the column of its gradebook; ``scores`` is what may be sent of a mark; ``journal``
is what was sent; ``pushing`` does it. No format of ``graders.exports`` knows of it.
"""
