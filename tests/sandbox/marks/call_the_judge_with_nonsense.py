"""A callback with a name for a number.

outcome: failed|died|timed out
points: 3.0
"""

import numpy as np


import json
import os
import struct


def say(header, tail=b""):
    text = json.dumps(header).encode()
    os.write(4, struct.pack("<II", len(text), len(tail)) + text + tail)


def gradients(X, Y, parameters):
    say({"body": {"callback": "eval", "args": 3, "kwargs": None}, "arrays": []})
    os.read(3, 65536)
    return {"d" + name: np.zeros_like(value) for name, value in parameters.items()}
