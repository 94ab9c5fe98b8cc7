"""Paths of changed arguments that lead nowhere or far away.

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
    paths = ["args[", "args[0]" * 1000, "kwargs['__class__']", "args[99999999999999999999]", "args[-1][0][0]"]
    gradients = {"d": [["d" + n, 0.0] for n in parameters]}
    say(
        {
            "body": {"result": gradients, "changed": {"l": paths}, "shared": {"l": paths}, "printed": ""},
            "arrays": [],
        }
    )
    os._exit(0)
