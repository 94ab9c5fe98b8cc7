"""Gradient checkers side by side, on networks with known mistakes: ``python -m benchmarks.gradients``."""
