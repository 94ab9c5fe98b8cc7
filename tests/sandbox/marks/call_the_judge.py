"""Call the judge back without end.

outcome: timed out|died
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
    while True:
        say({"body": {"callback": 0, "args": {"t": []}, "kwargs": {"d": []}}, "arrays": []})
        os.read(3, 65536)
