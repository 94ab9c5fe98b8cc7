"""A thread that speaks after the answer.

outcome: failed|died
points: 3.0
"""

import numpy as np


import json
import os
import struct


def say(header, tail=b""):
    text = json.dumps(header).encode()
    os.write(4, struct.pack("<II", len(text), len(tail)) + text + tail)


import threading


def gradients(X, Y, parameters):
    def late():
        say({"body": {"result": None, "printed": ""}, "arrays": []})

    threading.Timer(0.001, late).start()
    return {"d" + name: np.zeros_like(value) for name, value in parameters.items()}
