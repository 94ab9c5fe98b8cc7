"""An array of no entries whose sums would fill the memory.

outcome: died|failed
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
    shape = [2**40, 0]
    say(
        {
            "body": {"result": {"d": [["d" + n, {"a": 0}] for n in parameters]}, "printed": ""},
            "arrays": [["<f8", shape]],
        }
    )
    return {"d" + name: np.zeros_like(value) for name, value in parameters.items()}
