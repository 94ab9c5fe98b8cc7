"""Which functions take a step, and which function a piece of code stands in."""

import sys

import pytest

from pytest_symmetry.diagnosis.stepping import takes_step
from pytest_symmetry.namespace import function_of


@pytest.mark.parametrize(
    ("function", "arguments", "steps"),
    [
        ("update", ["parameters", "W1"], True),
        ("move", ["w", "grads.dW1"], True),
        ("new_weights", ["w", "learning_rate"], True),
        ("train", ["X", "Y"], True),
        ("swap", ["parameters", "parameters.W1", "parameters.b2", "i", "j"], False),
        ("normalise", ["X", "data"], False),
    ],
)
def test_a_step_is_told_by_names(function, arguments, steps):
    assert takes_step(function, arguments) is steps


def test_code_without_a_name_stands_in_the_function_around_it():
    codes = []

    def look():
        codes.append(sys._getframe(1).f_code)
        return 1

    class Net:
        def forward(self):
            return next(look() for _ in range(1))

    def roles():
        def best():
            return [(lambda: 0 + look())() for _ in range(1)]

        return best()

    roles(), Net().forward(), (lambda: 0 + look())()
    names = [function_of(code) for code in codes]

    assert names == ["best", "forward", "test_code_without_a_name_stands_in_the_function_around_it"]
