"""A gradient with a name of a megabyte.

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
    return {"d" + n + "x" * 1_000_000: np.zeros_like(v) for n, v in parameters.items()}
