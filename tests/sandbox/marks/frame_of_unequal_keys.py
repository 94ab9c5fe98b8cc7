"""A dictionary with keys that are arrays, objects, nothing and not a number.

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
    keys = [{"h": [0, "x"]}, None, {"f": "nan"}, {"f": "nan"}, {"t": [1]}, True, {"b": "00"}]
    say({"body": {"result": {"d": [[k, 0.0] for k in keys]}, "printed": ""}, "arrays": []})
    os._exit(0)
