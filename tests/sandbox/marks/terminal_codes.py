"""Escape sequences in what is printed, raised, and named.

outcome: died|failed
points: 3.0
"""

import numpy as np


CODES = "\x1b]0;pwned\x07\x1b[2J\x9b31m\u202e::set-output name=a::b\r\n##vso[task.complete]"


def gradients(X, Y, parameters):
    print(CODES)
    raise type(CODES, (Exception,), {})(CODES)
