"""Programs in which a changed size makes something endless are stopped; others run as they are."""

import numpy as np
import pytest

from pytest_symmetry.diagnosis.replay import Program, Step, Stopped

ENDLESS = {
    "permutations": "from itertools import permutations as p\ndef f(n):\n    return len(list(p(range(n))))",
    "product": "import itertools\ndef f(n):\n    return max(itertools.product(range(n), repeat=n))",
    "range": "def f(n):\n    return sum(range(n**9))",
    "list": "def f(n):\n    return len(list(range(n**9)))",
    "zeros": "import numpy as np\ndef f(n):\n    return np.zeros((n**5, n**5)).sum()",
    "eye": "import numpy as np\ndef f(n):\n    return np.eye(n**5).sum()",
    "arange": "def f(n):\n    return np.arange(0, n**9).sum()",
    "tile": "import numpy\ndef f(n):\n    return numpy.tile(numpy.ones(n), (n**5, n**3)).sum()",
    "count": "from itertools import count\ndef f(n):\n    return sum(count())",
}


@pytest.mark.parametrize("source", ENDLESS.values(), ids=ENDLESS)
def test_what_never_ends_is_stopped(source):
    """Nothing huge is made before it is stopped."""
    with pytest.raises(Stopped):
        Program(source).run([Step("f", (20,))])


def test_a_small_program_gives_what_python_gives():
    """The functions that count give what the plain ones give."""
    source = (
        "import numpy as np\nimport itertools\nfrom itertools import permutations, product\n"
        "def f(n):\n"
        "    p = max(permutations(range(n)), key=lambda q: q[0])\n"
        "    q = list(itertools.product(range(2), repeat=n))\n"
        "    return p, len(q), np.zeros(shape=(n, 2)), np.arange(1, 7, 2), np.eye(n), np.tile([1, 2], n),"
        " np.full((2, n), 3.0), np.linspace(0, 1, n), list(range(5, 0, -2)), np.repeat([1, 2], [1, n])\n"
    )
    p, q, zeros, steps, eye, tiled, full, line, down, repeated = Program(source).run([Step("f", (3,))])[0]

    assert (p[0], q, down) == (2, 8, [5, 3, 1])
    for mine, theirs in (
        (zeros, np.zeros((3, 2))),
        (steps, np.arange(1, 7, 2)),
        (eye, np.eye(3)),
        (tiled, np.tile([1, 2], 3)),
        (full, np.full((2, 3), 3.0)),
        (line, np.linspace(0, 1, 3)),
        (repeated, np.repeat([1, 2], [1, 3])),
    ):
        assert np.array_equal(mine, theirs)
