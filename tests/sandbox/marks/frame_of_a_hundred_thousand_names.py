"""As many gradients as a page can never hold.

outcome: died|failed|timed out
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
    return {f"dW{i}": np.zeros(1) for i in range(20_000)}
