"""One array of a megabyte, named a hundred thousand times.

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
    copies = {"l": [{"a": 0}] * 100_000}
    say(
        {
            "body": {"result": {"d": [["d" + n, copies] for n in parameters]}, "printed": ""},
            "arrays": [["|u1", [1 << 20]]],
        },
        bytes(1 << 20),
    )
    return {"d" + name: np.zeros_like(value) for name, value in parameters.items()}
