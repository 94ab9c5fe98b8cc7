"""Sleep for ever.

outcome: timed out
points: 3.0
"""

import numpy as np


import time


def gradients(X, Y, parameters):
    time.sleep(1e6)
