"""Escape sequences as names of gradients.

outcome: died|failed
points: 3.0
"""

import numpy as np


def gradients(X, Y, parameters):
    return {"d" + n + "\x1b[2J<script>alert(1)</script>": np.zeros_like(v) for n, v in parameters.items()}
