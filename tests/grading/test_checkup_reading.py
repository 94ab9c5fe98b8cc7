"""What `symmetry check` says of an assignment before it runs anything."""

import ast
from pathlib import Path

import pytest

from graders.checkup.reading import _clocks_and_dice, _points

LOOSE = [
    "import time\ntime.time()",
    "from time import perf_counter\nperf_counter()",
    "from datetime import datetime\ndatetime.now()",
    "import datetime as d\nd.datetime.now()",
    "import numpy as np\nnp.random.rand(3)",
    "import numpy\nnumpy.random.default_rng()",
    "from numpy.random import normal\nnormal()",
    "import random\nrandom.random()",
    "import uuid\nuuid.uuid4()",
]
FIXED = [
    "import numpy as np\nnp.random.default_rng(3).normal()",
    "import numpy as np\nnp.random.seed(1)\nnp.random.randn(3)",
    "import numpy as np\nnp.random.RandomState(seed=2)",
    "import random\nrandom.Random(1).random()",
    "probe_rng.normal()",
    "def time(): pass\ntime()",
    "import numpy as np\nnp.mean(submission.time())",
]


@pytest.mark.parametrize("text", LOOSE)
def test_clocks_and_dice_are_found_by_whatever_name(text):
    """One sentence for each."""
    assert 1 == len(list(_clocks_and_dice(Path("test_a.py"), ast.parse(text))))


@pytest.mark.parametrize("text", FIXED)
def test_numbers_that_a_seed_fixes_are_left_alone(text):
    """No sentence."""
    assert [] == list(_clocks_and_dice(Path("test_a.py"), ast.parse(text)))


@pytest.mark.parametrize(
    "marker", ["points(2)", "points(0.5, parts=True)", "points(n=1)", "points(HALF)", "skip"]
)
def test_points_that_are_a_number_are_left_alone(marker):
    """As are those that are worked out."""
    tree = ast.parse(f"@pytest.mark.{marker}\ndef test_a(submission): pass")

    assert [] == list(_points(Path("test_a.py"), tree))


@pytest.mark.parametrize(
    "marker", ["points(True)", "points(-1)", "points('2')", "points()", "points", "points(0)"]
)
def test_points_that_are_none_are_told_with_their_line(marker):
    """One sentence for each."""
    (said,) = _points(Path("test_a.py"), ast.parse(f"\n@pytest.mark.{marker}\ndef test_a(submission): pass"))

    assert said.startswith("test_a.py, line 2: test_a: ")
