"""Structures, dates, texts and objects where numbers belong.

outcome: died|failed
points: 3.0
"""

import numpy as np


def gradients(X, Y, parameters):
    kinds = [np.dtype([("a", "f8")]), np.dtype("M8[s]"), np.dtype("U3"), np.dtype("S3")]
    return {"d" + n: np.zeros(v.shape, kinds[i]) for i, (n, v) in enumerate(parameters.items())}
