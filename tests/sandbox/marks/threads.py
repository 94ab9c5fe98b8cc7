"""Ten thousand threads.

outcome: failed|died|timed out
points: 3.0
"""

import numpy as np


import threading
import time


def gradients(X, Y, parameters):
    for _ in range(10_000):
        threading.Thread(target=time.sleep, args=(1e6,), daemon=True).start()
