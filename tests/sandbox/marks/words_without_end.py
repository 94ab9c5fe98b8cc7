"""An error whose words take all memory.

outcome: failed|died
points: 3.0
"""


class Talker(Exception):
    def __str__(self):
        return "x" * 10**12


def gradients(X, Y, parameters):
    raise Talker
