"""The slopes of a function by plain central differences: the oldest check there is, and none of ours."""

import numpy as np


def central_differences(function, parameters):
    """Return the central differences of a function of the parameters, entry by entry."""
    found = {}
    for name, values in parameters.items():
        found[f"d{name}"] = np.zeros_like(values)
        for index in np.ndindex(values.shape):
            sides = []
            for step in (1e-6, -1e-6):
                moved = {k: v.copy() for k, v in parameters.items()}
                moved[name][index] += step
                sides.append(function(moved))
            found[f"d{name}"][index] = (sides[0] - sides[1]) / 2e-6
    return found
