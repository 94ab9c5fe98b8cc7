"""The pack file, and what answers from it."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pytest_symmetry import packs, recording, sealing
from pytest_symmetry.assignment import Assignment
from pytest_symmetry.closeness import close
from pytest_symmetry.diagnosis.replay import program_of
from pytest_symmetry.errors import DecidedByStaff, PackError
from pytest_symmetry.packs import Pack, StoredDraws
from pytest_symmetry.recording import RecordedDraws, Recorder

NUMBERS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(allow_nan=False), st.text()
)
ARRAYS = hnp.arrays(
    dtype=st.sampled_from(["f8", "f4", "i8", "?", "c16", "u1"]),
    shape=hnp.array_shapes(min_dims=0, min_side=0),
)
VALUES = st.recursive(
    NUMBERS | ARRAYS,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def assignment(folder):
    return Assignment(folder, "tiny", "Tiny", "tiny.ipynb")


def written(file, text, writer=None):
    sealing.write(file, text, (writer or sealing.Writer()).members())
    return file


def same(a, b):
    """Return whether two values are equal in type and content, NaN being equal to itself."""
    if isinstance(a, np.ndarray):
        return (
            isinstance(b, np.ndarray)
            and a.dtype == b.dtype
            and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
        )
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b)))


@settings(max_examples=60)
@given(value=VALUES)
def test_a_value_comes_back_as_it_was(value, tmp_path_factory):
    """Numbers bit for bit, containers of the same kind."""
    file = tmp_path_factory.mktemp("pack") / "pack.npz"
    writer = sealing.Writer()
    written(file, {"value": writer.put(value)}, writer)
    text, members = sealing.read(file)

    assert same(value, sealing.Reader(members).get(text["value"]))


def test_a_pack_opens_without_pickle_and_shows_arrays_of_numbers(tmp_path):
    """Nothing in it can run."""
    writer = sealing.Writer()
    text = {"value": writer.put({"a": np.ones(3), "b": "x", "c": np.arange(2)})}
    with np.load(written(tmp_path / "pack.npz", text, writer), allow_pickle=False) as kept:
        kinds = {name: kept[name].dtype.kind for name in kept.files}

    assert {"text": "u", "numbers f8": "f", "numbers i8": "i"} == kinds


def test_the_same_contents_give_the_same_bytes(tmp_path):
    """A pack made twice is one pack."""
    one, two = (written(tmp_path / name, {"value": 1}).read_bytes() for name in ("a.npz", "b.npz"))

    assert one == two


def test_an_object_and_a_name_that_nobody_sees_are_withheld(tmp_path):
    """What stands in their place is no value of its own."""
    writer = sealing.Writer(keeps={"W1"}.__contains__)
    data = writer.put(({"W1": 1.0}, {"secret": 2.0}, object()))

    assert 2 == writer.withheld
    assert "secret" not in json.dumps(data)
    kept = sealing.Reader({}).get(data)
    assert [dict, sealing.Withheld, sealing.Withheld] == [type(part) for part in kept]


@pytest.mark.parametrize("version", [[1, 0], [1, 7]])
def test_a_pack_of_any_minor_version_is_read(version, tmp_path, monkeypatch):
    """What is new in it is not asked for."""
    monkeypatch.setattr(sealing, "FORMAT", version)
    file = written(tmp_path / "pack.npz", {"level": "hint", "something new": [1]})
    monkeypatch.undo()

    assert "hint" == sealing.read(file)[0]["level"]


@pytest.mark.parametrize(
    ("version", "what"), [([2, 0], "python -m pip install -U"), ([0, 9], "fetch the assignment")]
)
def test_a_pack_of_another_major_version_is_refused_in_one_sentence(version, what, tmp_path, monkeypatch):
    """It says what to do."""
    monkeypatch.setattr(sealing, "FORMAT", version)
    file = written(tmp_path / "pack.npz", {})
    monkeypatch.undo()
    with pytest.raises(PackError) as caught:
        sealing.read(file)

    assert what in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a pack", None])
def test_a_damaged_pack_is_told_in_one_sentence(content, tmp_path):
    """Half a download, another file, no file."""
    file = tmp_path / "pack.npz"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(PackError, match="fetch the assignment's folder again"):
        sealing.read(file)


def test_half_a_pack_is_damaged(tmp_path):
    """A download that broke off is no pack."""
    file = written(tmp_path / "pack.npz", {"value": list(range(1000))})
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(PackError):
        sealing.read(file)


@given(
    array=hnp.arrays("f8", hnp.array_shapes(min_dims=1), elements=st.floats(-1e6, 1e6)),
    seed=st.integers(0, 99),
)
def test_last_bits_do_not_count(array, seed):
    """Another BLAS moves the last digits of what a test computes, of small entries beside large ones too."""
    noise = np.random.default_rng(seed).uniform(-1, 1, size=array.shape)

    assert close(array, array + 1e-14 * noise * np.abs(array).max(initial=0.0))


@pytest.mark.parametrize(
    ("kept", "asked"),
    [
        (np.ones(3), np.array([1, 1, 1 + 1e-6])),
        (np.ones(3), np.ones((3, 1))),
        (np.ones(3), [1.0, 1.0, 1.0]),
        ({"a": 1}, {"b": 1}),
        ([1, 2], [1, 2, 3]),
        (1, "1"),
        (None, 0),
        (np.array([0.0, np.nan]), np.array([0.0, 1.0])),
        (np.array([1, 2]), np.array([1, 3])),
        (1.0, lambda: 1.0),
    ],
)
def test_other_arguments_are_another_question(kept, asked):
    """Values, shapes, kinds and keys count."""
    assert not close(kept, asked)


def test_equal_oddities_are_the_same_question():
    """NaN, infinities, None, texts, truth values, nested."""
    value = {"a": [np.array([np.nan, np.inf, -0.0]), None, "x", True], "b": (1, 2.5, 1 + 2j)}

    assert close(value, value)


def recorded(seed, draw):
    """Return what a test drew, as a pack keeps it."""
    drawn = []
    results = draw(RecordedDraws(np.random.default_rng(seed), drawn))
    kept = [
        {"method": d.method, "args": d.args, "kwargs": d.kwargs, "result": d.result, "state": d.state}
        for d in drawn
    ]
    return kept, results


def draw_some(rng):
    """Draw in several ways; the last asks the bit generator itself."""
    deck = np.arange(5)
    rng.shuffle(deck)
    return [
        rng.normal(size=(2, 3)),
        rng.integers(0, 9, size=4),
        deck,
        rng.permutation(4),
        rng.choice([1.0, 2.0, 5.0], size=3),
        rng.bit_generator.random_raw(2),
    ]


def test_probes_are_given_again_and_not_drawn_again():
    """Even where the generator would draw other numbers now."""
    kept, results = recorded(3, draw_some)
    again = draw_some(StoredDraws(np.random.default_rng(999), kept))

    assert all(np.array_equal(a, b) for a, b in zip(results, again, strict=True))


def test_other_draws_go_on_from_the_same_place():
    """A test that draws by what a submission returned gets what staff's run would draw."""

    def first_then(size):
        return lambda rng: [rng.normal(size=2), rng.normal(size=size), rng.normal()]

    kept, _ = recorded(3, first_then(4))
    mine = first_then(5)(StoredDraws(np.random.default_rng(3), kept))
    staff = first_then(5)(np.random.default_rng(3))

    assert all(np.array_equal(a, b) for a, b in zip(mine, staff, strict=True))


@pytest.fixture
def pack(tmp_path):
    """A pack with three answers of one function in one test, and one error."""
    writer = sealing.Writer(keeps={"W1"}.__contains__)

    def call(args, **answer):
        return {"args": writer.put(args), "kwargs": writer.put({}), **answer}

    calls = [call((np.full(2, float(i)),), result=writer.put(10.0 * i)) for i in range(3)]
    calls.append(call(("bad",), raised="ValueError", message=""))
    calls.append(call(("two",), result=writer.put((1.0, {"secret": 5.0}))))
    text = {
        "level": "hint",
        "functions": ["f", "g"],
        "outline": {"f": {"arguments": ["X"], "reads": {}, "returns": ["J"]}},
        "constants": {"RATE": writer.put(0.5)},
        "calls": {"test_a.py::test_one": {"f": calls}},
        "questions": [
            {"name": "test_one", "points": 6.0, "after": False},
            {"name": "", "points": 4.0, "after": True},
        ],
    }
    written(tmp_path / packs.FILE, text, writer)
    return Pack(assignment(tmp_path))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 1, 1), (2,)])
def test_answers_are_found_in_any_order(order, pack):
    """-k, --lf, an early failure and another order of calls do not shift them."""
    reference = pack.reference("test_a.py::test_one")

    assert [10.0 * i for i in order] == [reference.f(np.full(2, i * (1 + 1e-15))) for i in order]


def test_what_was_not_recorded_is_decided_by_staff(pack):
    """Other arguments, another test, another function."""
    with pytest.raises(DecidedByStaff):
        pack.reference("test_a.py::test_one").f(np.full(2, 0.5))
    with pytest.raises(DecidedByStaff):
        pack.reference("test_a.py::test_two").f(np.full(2, 1.0))
    with pytest.raises(DecidedByStaff):
        _ = pack.reference("test_a.py::test_one").unknown


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 0, 2), (1, 1, 0)])
def test_steps_of_a_finite_difference_are_told_apart(order, tmp_path):
    """They are closer to each other than rounding may be off, and much farther than it mostly is."""
    writer = sealing.Writer()
    points = [1.0 + 1e-12 * i for i in range(4)]
    calls = [
        {"args": writer.put((x,)), "kwargs": writer.put({}), "result": writer.put(float(i))}
        for i, x in enumerate(points)
    ]
    written(tmp_path / packs.FILE, {"functions": ["f"], "calls": {"t": {"f": calls}}}, writer)
    reference = Pack(assignment(tmp_path)).reference("t")

    assert [float(i) for i in order] == [reference.f(points[i]) for i in order]
    assert [float(i) for i in order] == [reference.f(points[i] * (1 + 5e-16)) for i in order]
    with pytest.raises(DecidedByStaff):
        reference.f(1.0 + 0.4e-12)


def test_errors_and_constants_are_answers_too(pack):
    """A test may expect the reference to raise."""
    reference = pack.reference("test_a.py::test_one")
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message stays with staff
        reference.f("bad")

    assert "" == str(caught.value)
    assert 0.5 == reference.RATE
    assert "f" == reference.f.__name__


@pytest.mark.parametrize(
    "use",
    [
        lambda part: part["secret"],
        lambda part: part == {"secret": 5.0},
        list,
        lambda part: part.keys(),
        lambda part: np.asarray(part) + 1,
        lambda part: 2 * part,
        len,
        bool,
    ],
)
def test_a_part_that_is_withheld_decides_nothing(use, pack):
    """Whoever looks into it is told; the rest of the answer can be used."""
    whole, part = pack.reference("test_a.py::test_one").f("two")

    assert 1.0 == whole
    with pytest.raises(DecidedByStaff):
        use(part)


def test_points_that_are_decided_here_are_counted(pack):
    """Hidden questions are decided after hand-in, and so are those that wait."""
    assert (6.0, 10.0) == pack.share(set())
    assert (0.0, 10.0) == pack.share({"test_one"})


def test_a_hint_pack_says_no_causes(pack):
    """However a student asks."""
    assert ("hint",) == pack.reveals


def test_an_outline_has_arguments_and_names_and_no_bodies(pack):
    """It is what the words of findings need."""
    assert "def f(X):\n    return J\n" == pack.source


CALLING = """
def hidden(x):
    return pieces(x) + 1

def pieces(x):
    return x / 3.25

def whole(x):
    return hidden(2 * x) + whole(x - 1)
"""


def test_an_outline_says_which_functions_lead_to_which_and_not_how():
    """A pack blames callers as staff do; the names of functions that students do not have stay out."""
    kept = recording.outline(CALLING, {"x", "whole", "pieces"}.__contains__)
    packed = program_of(packs.outline_text(kept))

    assert {"pieces": [], "whole": ["pieces"]} == {name: known["calls"] for name, known in kept.items()}
    assert {"pieces"} == packed.leads_to("whole")
    assert {"hidden", "pieces"} == program_of(CALLING).leads_to("whole")
    assert "3.25" not in str(kept)


class Source:
    """What a recorder asks: a reference of which one function is random."""

    def __init__(self):
        self.rng = np.random.default_rng(0)

    def twice(self, x):
        return 2 * x

    def noise(self, x):
        return x + self.rng.normal()


def test_a_random_answer_is_not_written_down(tmp_path, monkeypatch):
    """Nor one that a single submission with a mistake led to: its arguments may be its own."""
    source = Source()
    monkeypatch.setattr("pytest_symmetry.answers.load_reference", lambda folder: source)
    recorder = Recorder(assignment(tmp_path))
    for submission in range(3):
        reference = recorder.reference("t.py::test")
        assert 3.0 == reference.twice(1.5)
        reference.noise(1.0)
        reference.twice(float(submission + 10))
    kept = {
        name: [asked.args for asked in calls if recording.stays(asked)]
        for name, calls in recorder.calls["t.py::test"].items()
    }

    assert {"twice": [(1.5,), (10.0,)], "noise": []} == kept
