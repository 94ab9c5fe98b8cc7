"""Scores into a learning platform over LTI 1.3, Assignment and Grade Services 2.0 (1EdTech).

``settings`` and ``keys`` are what staff give; ``clocks`` is time, here and there; ``connection`` asks the
platform, ``answers`` is what it says; ``columns`` finds the column of its gradebook, ``members`` its users;
``scores`` is what may be sent of a mark; ``journal`` is what was sent; ``delivery`` brings one score after
the other, ``pushing`` a class. No format of ``graders.exports`` knows of it.
"""
