"""Arrays that answer otherwise to each who asks, deep in a result.

outcome: failed|died
points: 3.0
"""

import numpy as np


class Moody(np.ndarray):
    def __array_finalize__(self, other):
        self.calls = getattr(other, "calls", 0) + 1

    @property
    def shape(self):
        return (10**9,)

    @property
    def nbytes(self):
        return 0

    def tobytes(self, order="C"):
        return b""

    def __iter__(self):
        return iter(())

    def __len__(self):
        raise MemoryError


def gradients(X, Y, parameters):
    return {"d" + n: np.zeros(v.shape).view(Moody) for n, v in parameters.items()}
