"""Bytes that are no text, brackets without end, a key twice.

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
    for text in (b"\xff\xfe", b"[" * 100_000, b'{"body": {"result": NaN, "result": {"q": 1}}, "arrays": []}'):
        say(text)
    return {"d" + name: np.zeros_like(value) for name, value in parameters.items()}
