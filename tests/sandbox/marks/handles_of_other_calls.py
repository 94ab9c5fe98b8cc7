"""Handles of objects that this call never made.

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
    made = {"d": [["d" + n, {"h": [i * 10**6, "ndarray"]}] for i, n in enumerate(parameters)]}
    say({"body": {"result": made, "printed": ""}, "arrays": []})
    os._exit(0)
