"""Shapes that are no numbers.

outcome: died
points: 3.0
"""

import json
import os
import struct

import numpy as np


def say(header, tail=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    os.write(4, struct.pack("<II", len(text), len(tail)) + text + tail)


def gradients(X, Y, parameters):
    for shape in ([float("nan")], [1e308, 1], [True], ["1"], [-0.0], [5e-324], None, 1, [[1]], {"0": 1}):
        say({"body": {"result": {"a": 0}, "printed": ""}, "arrays": [["<f8", shape]]}, bytes(8))
    return {"d" + name: np.zeros_like(value) for name, value in parameters.items()}
