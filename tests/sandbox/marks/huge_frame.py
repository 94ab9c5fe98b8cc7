"""Announce four gigabytes.

outcome: died
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
    os.write(4, b"\xff" * 8)
    while True:
        os.write(4, b"x" * 65536)
