"""An object whose class has a name of seven megabytes.

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
    say({"body": {"result": {"h": [0, "x" * 7_000_000]}, "printed": ""}, "arrays": []})
    return {"d" + name: np.zeros_like(value) for name, value in parameters.items()}
