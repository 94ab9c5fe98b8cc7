"""A student's functions in their own process."""

import os

import numpy as np
import pytest

from pytest_symmetry import errors
from pytest_symmetry.context import Context, entered
from pytest_symmetry.remote.process import InProcess, PlainProcess
from pytest_symmetry.remote.proxy import Limits, OpenedSubmission, StudentFunctions
from pytest_symmetry.submission import Submission

SOURCE = """
import os, time
import numpy as np
from collections import namedtuple, OrderedDict

Cache = namedtuple("Cache", "X scale")

class Layer:
    def __init__(self, width):
        self.W = np.ones(width)
    def forward(self, x):
        return self.W * x

def twice(x): return 2 * x
def pid(): return os.getpid()
def cached(X): return X * 2, Cache(X, 3)
def uses_cache(cache): return cache.X * cache.scale
def ordered(): return OrderedDict(W1=np.ones(2))
def first_key(p): return next(iter(p)), type(p).__name__
def layer(n): return Layer(n)
def layer_width(made): return made.W.size
def shift(parameters, by): parameters["W"] -= by; return parameters
def apply(function, x): return function(x)
def draw(): return np.random.normal()
def draws_an_integer(): import random; return random.randrange(9)
def seeds(): np.random.seed(1)
def seeds_the_other(): import random; random.seed(1)
def seeds_its_own(): return np.random.default_rng(1).normal()
def from_generator(rng): return rng.normal()
def fails(x): return x / undefined
def leaves(): raise SystemExit(3)
def vanishes(): os._exit(0)
def hogs(): return np.ones(1 << 33)
def loops():
    while True:
        pass
def meets_loop(x): return loops()
def trains():
    while True:
        twice(1)
def sleeps(): time.sleep(600)
def holds_the_interpreter(): return sum(range(10 ** 13))
def chatters():
    for _ in range(100_000): print("x" * 100)
    return 1
def odd(): return np.array(['2020-01-01'], 'datetime64[D]')
def unfinished(x):
    raise NotImplementedError
def environment(): return sorted(os.environ)
def counts(n): return n + 1
"""


@pytest.fixture(scope="module")
def shared():
    yield from opened()


@pytest.fixture
def own():
    yield from opened()


def opened(transport=PlainProcess, seconds=2.0):
    submission = Submission("ada", __import__("pathlib").Path("ada.ipynb"), "0", ((1, SOURCE),))
    made = OpenedSubmission(submission, transport(), Limits(seconds=seconds))
    yield StudentFunctions(made)
    made.close()


def trouble(call, *args):
    with pytest.raises(errors.StudentTrouble) as caught:
        call(*args)
    return caught.value


def test_a_function_runs_elsewhere_and_answers_here(shared):
    """Copies go there, copies come back."""
    assert np.array_equal([2.0, 4.0], shared.twice(np.array([1.0, 2.0])))
    assert os.getpid() != shared.pid()


def test_a_cache_goes_back_as_what_it_was(shared):
    """Named tuples and objects of the student's own classes."""
    _, cache = shared.cached(np.ones(2))

    assert np.array_equal([3.0, 3.0], shared.uses_cache(cache))
    assert 5 == shared.layer_width(shared.layer(5))
    assert ("W1", "OrderedDict") == shared.first_key(shared.ordered())


def test_attributes_and_methods_of_a_kept_object(shared):
    """Read and called where the object is."""
    layer = shared.layer(3)

    assert np.array_equal(np.ones(3), layer.W)
    assert np.array_equal([2.0, 2.0, 2.0], layer.forward(2.0))


def test_changes_in_place_are_seen_and_do_not_reach_the_judge(shared):
    """The caller's own array is named, and stays as it was."""
    W = np.ones(2)
    with entered(Context()) as context:
        result = shared.shift({"W": W}, 1.0)

    assert np.array_equal([0.0, 0.0], result["W"])
    assert np.array_equal([1.0, 1.0], W)
    assert context.calls[-1].changed[0] is W
    assert ("result['W'] is args[0]['W']",) == context.calls[-1].shared_paths


def test_callables_and_generators_cross(shared):
    """The judge's function is called back; a generator goes by its state; a student's function as itself."""
    assert 11 == shared.apply(lambda x: x + 1, 10)
    assert 6 == shared.apply(shared.twice, 3)
    assert np.random.default_rng(3).normal() == shared.from_generator(np.random.default_rng(3))


@pytest.mark.parametrize(
    ("name", "touched"),
    [
        ("draw", True),
        ("draws_an_integer", True),
        ("seeds", True),
        ("seeds_the_other", True),
        ("seeds_its_own", False),
        ("pid", False),
    ],
)
def test_it_is_seen_whether_a_function_touches_the_global_generators(shared, name, touched):
    """Both of them, by drawing and by seeding; a generator of its own is nobody's business."""
    with entered(Context(seed=3)) as context:
        getattr(shared, name)()

    assert context.calls[0].random_state_touched == touched


def test_unseeded_code_gives_the_same_answer_on_every_run(shared):
    """The global generators are seeded by the test and the number of the call."""

    def draws(seed):
        with entered(Context(seed=seed)) as context:
            values = shared.draw(), shared.draw()
        assert context.calls[0].random_state_touched
        return values

    assert draws(1) == draws(1)
    assert draws(1) != draws(2)
    assert draws(1)[0] != draws(1)[1]


CASES = [
    ("fails", (1.0,), errors.RaisedError, "SUB103", "NameError"),
    ("leaves", (), errors.RaisedError, "SUB103", "SystemExit"),
    ("hogs", (), errors.RaisedError, "SUB103", "MemoryError"),
    ("odd", (), errors.RaisedError, "SUB107", None),
    ("unfinished", (1,), errors.NotAttempted, "SUB102", None),
    ("missing", (), errors.FunctionMissing, "SUB101", None),
    ("vanishes", (), errors.ProcessDied, "SUB105", None),
]


@pytest.mark.parametrize(("name", "args", "kind", "code", "raised"), CASES, ids=[c[0] for c in CASES])
def test_every_trouble_has_its_own_finding(shared, name, args, kind, code, raised):
    """And the next call works."""
    error = trouble(getattr(shared, name), *args)

    assert type(error) is kind
    assert code == error.finding.code
    if raised:
        assert raised == error.finding.facts["type"]
        assert 1 == error.finding.place.cell
        assert raised in error.detail
    assert 4 == shared.twice(2)


def test_a_loop_is_found_and_costs_its_limit_once(own):
    """The function that never ends is named, also where another one called it."""
    own._opened.limits = Limits(seconds=0.3)
    first = trouble(own.meets_loop, 1)
    again = trouble(own.loops)

    assert "SUB104" == first.finding.code
    assert ("loops", 1) == (first.finding.place.function, first.finding.place.cell)
    assert "SUB104" == again.finding.code
    assert 4 == own.twice(2)
    assert {"meets_loop", "loops"} == set(own._opened.hung)


def test_a_training_loop_is_not_blamed_on_what_it_calls(own):
    """`twice` is on the stack each time one looks, but in another call of it."""
    own._opened.limits = Limits(seconds=0.3)

    assert "trains" == trouble(own.trains).finding.place.function
    assert 4 == own.twice(2)


@pytest.mark.parametrize("name", ["sleeps", "holds_the_interpreter"])
def test_the_judges_clock_is_the_backstop(own, name):
    """For code that uses no CPU time, or lets no other thread run."""
    own._opened.limits = Limits(seconds=0.1)

    assert "SUB104" == trouble(getattr(own, name)).finding.code


def test_endless_printing_is_capped(own):
    """The first 64 KiB are kept, the rest is counted."""
    assert 1 == own.chatters()
    (text,) = own._opened.printed

    assert len(text) < 70_000
    assert "more characters were printed" in text


def test_objects_of_a_lost_process_say_so(own):
    """A layer that died with its process is not silently another one."""
    layer = own.layer(3)
    trouble(own.vanishes)
    own.twice(1)

    assert "SUB105" == trouble(own.layer_width, layer).finding.code


def test_a_closed_process_leaves_no_reader_behind(own):
    """A late reader would take the frames of the next process, whose pipe may have the same number."""
    for _ in range(5):
        own.twice(1)
        reader = own._opened.transport._reader
        own._opened.close()

        assert not reader.is_alive()


def test_the_environment_of_the_judge_stays_with_the_judge(own, monkeypatch):
    """Tokens of a CI run are not for students' code."""
    monkeypatch.setenv("COURSE_TOKEN", "secret")

    assert "COURSE_TOKEN" not in own.environment()


def test_in_process_gives_the_same_answers():
    """For a debugger: the same code path without a process."""
    for functions in opened(InProcess):
        assert os.getpid() == functions.pid()
        assert 11 == functions.apply(lambda x: x + 1, 10)
        assert "SUB103" == trouble(functions.fails, 1.0).finding.code
        before = np.random.get_state()[1:3]
        functions.draw()
        assert str(before) == str(np.random.get_state()[1:3])


def test_a_frame_that_is_no_answer_ends_that_process(own, monkeypatch):
    """Garbage on the pipe is a death, not a verdict."""
    from pytest_symmetry.remote import wire

    own.twice(1)

    def garbage(*_):
        raise wire.WireError("not a frame")

    monkeypatch.setattr(own._opened.transport, "_receive", garbage)

    assert "SUB105" == trouble(own.twice, 1).finding.code
