"""As many threads as there is memory for, each of them small.

outcome: failed|died|timed out
points: 3.0
"""

import threading
import time

import numpy as np


def gradients(X, Y, parameters):
    threading.stack_size(32768)
    count = 0
    try:
        for _ in range(100_000):
            threading.Thread(target=time.sleep, args=(1e6,), daemon=True).start()
            count += 1
    except RuntimeError:
        raise RuntimeError(f"{count} threads") from None
