"""What a fault dictionary holds: its rows, its fingerprints, its key, its file and its memory."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_symmetry.assignment import PLANTED
from pytest_symmetry.diagnosis import dictionary as module
from pytest_symmetry.diagnosis.dictionary import (
    BY_COURSE,
    Entry,
    build,
    content_key,
    dictionary_for,
    measure,
    print_of,
    read,
    write,
)
from pytest_symmetry.diagnosis.mutations import mutations
from pytest_symmetry.diagnosis.operators import OPERATORS
from pytest_symmetry.diagnosis.replay import Earlier, Program, Step

SOURCE = """
import numpy as np

def forward(W, b, X):
    total = 0
    for k in range(3):
        total = total + k
    return np.tanh(W @ X + b), total

def cost(A, Y):
    m = Y.shape[1]
    return np.sum((A - Y) ** 2) / m
"""
SIZES = {7: "m", 4: "the size of a layer"}
rng = np.random.default_rng(3)
W, b, X, Y = (rng.normal(size=shape) for shape in ((4, 3), (4, 1), (3, 7), (4, 7)))
STEPS = [Step("forward", (W, b), {"X": X}), Step("cost", (Earlier(0, (0,)), Y))]
A = np.tanh(W @ X + b)
COST = np.sum((A - Y) ** 2) / 7
RIGHT = {(0, "[0]"): A, (0, "[1]"): np.array(3), (1, ""): np.array(COST)}


@pytest.fixture(scope="module")
def built():
    return build(SOURCE, STEPS, SIZES)


@pytest.fixture(autouse=True)
def forgetful(monkeypatch):
    """Dictionaries that other tests built are not remembered here."""
    monkeypatch.setattr(module, "_MEMORY", module.OrderedDict())


def planted(*entries):
    """Return the source with mistakes of the course: a name and what to replace in it."""
    found = [
        {
            "name": name,
            "title": f"{name}: title",
            "hint": f"{name}: hint",
            "cause": f"{name}: cause",
            "source": SOURCE.replace(old, new),
        }
        for name, old, new in entries
    ]
    return f"{SOURCE}\n{PLANTED} = {found!r}\n"


# --- fingerprints ---------------------------------------------------------------------------------------


def test_results_are_measured_with_their_places():
    """The step, the path within its result, and the array."""
    found = measure(Program(SOURCE).run(STEPS))

    assert list(found) == list(RIGHT)
    assert all(np.allclose(found[leaf], RIGHT[leaf], rtol=1e-12) for leaf in RIGHT)
    assert measure([(1.5, "text", None), {"a": True}]) == {(0, "[0]"): 1.5, (1, ".a"): 1}


def test_a_fingerprint_has_the_size_of_what_it_stands_for():
    """Its norm, its shape, and -1 where nothing was seen."""
    seen = print_of({(0, "[0]"): A, (9, "x"): A}, tuple(RIGHT))

    assert seen.norms.tolist() == [pytest.approx(np.linalg.norm(A), rel=1e-12), 0, 0]
    assert (seen.shapes >= 0).tolist() == [True, False, False]
    assert not seen.prints[4:].any()
    assert np.array_equal(seen.prints, print_of({(0, "[0]"): A}, tuple(RIGHT)).prints)
    assert seen.shapes[0] != print_of({(0, "[0]"): A.T}, tuple(RIGHT)).shapes[0]
    assert seen.shapes[0] == print_of({(0, "[0]"): 2 * A}, tuple(RIGHT)).shapes[0]


@given(st.integers(0, 2**31), st.sampled_from([(), (1,), (3,), (4, 2), (2, 3, 2)]))
def test_fingerprints_are_linear_and_tell_entries_apart(seed, shape):
    """Four random combinations: of a sum their sum, and another one for every entry."""
    draw = np.random.default_rng(seed)
    one, other = draw.normal(size=shape), draw.normal(size=shape)
    leaf = ((0, ""),)
    prints = [print_of({leaf[0]: array}, leaf).prints for array in (one, other, one + other)]

    assert np.allclose(prints[0] + prints[1], prints[2], atol=1e-12)
    assert len(set(print_of({leaf[0]: np.ones(shape)}, leaf).prints.tolist())) == 4
    single = np.eye(max(one.size, 1))
    rows = {tuple(print_of({leaf[0]: row.reshape(shape)}, leaf).prints.tolist()) for row in single}
    assert len(rows) == max(one.size, 1)


def test_fingerprints_are_the_same_in_every_process(monkeypatch):
    """A pack holds those that another process made, with another version perhaps."""
    monkeypatch.setattr(module, "_DIRECTIONS", {})
    seen = print_of({(0, ""): np.ones((4, 7))}, ((0, ""),))

    assert seen.shapes.tolist() == [42041552829366028]
    assert seen.prints.tolist() == pytest.approx([0.31868896, -4.39653648, 9.50465573, -1.88200739])
    assert np.array_equal(seen.prints, print_of({(0, ""): np.ones((4, 7))}, ((0, ""),)).prints)


@pytest.mark.parametrize("kind", ["uint8", "int8", "bool", "float16"])
def test_numbers_of_any_type_have_the_fingerprint_of_their_value(kind):
    """Nothing overflows, as a square of small integers would."""
    array = np.array([100, 120, 1, 0]).astype(kind)
    found, expected = (print_of({(0, ""): a}, ((0, ""),)) for a in (array, array.astype(float)))

    assert np.array_equal(found.prints, expected.prints)
    assert np.array_equal(found.norms, expected.norms)


def test_numbers_too_large_for_a_norm_have_a_fingerprint_without_a_warning():
    """Infinite, NaN and very large results are results too."""
    for value in (np.inf, np.nan, 1e300):
        seen = print_of({(0, ""): np.array([value, value])}, ((0, ""),))

        assert not np.isfinite(seen.norms[0])


# --- rows and leaves ---------------------------------------------------------------------------------------


def test_every_entry_looks_like_itself(built):
    """Its row is found by what it shows, agrees on every leaf, and differs from the reference."""
    changes = built.changes()
    assert changes.shape == (len(built.entries), len(built.leaves))
    for number, entry in enumerate(built.entries):
        seen = built.shown(number)
        agrees = built.explaining(seen)

        assert entry in built.matching(seen)
        assert agrees[number].all()
        assert agrees.shape == changes.shape
        assert changes[number].any()
        assert (~changes[number]).tolist() == built.explaining_reference(seen).tolist()
        assert [leaf for leaf, new in zip(built.leaves, changes[number], strict=True) if new] == (
            built.differing(seen)
        )


def test_what_a_row_shows_is_about_as_large_as_the_results(built):
    """The norms are estimated from four projections."""
    norms = built.shown(-1).norms  # the row before the first entry is the reference
    right = np.array([np.linalg.norm(np.asarray(array)) for array in RIGHT.values()])

    assert built.leaves == tuple(RIGHT)
    assert np.all((norms > right / 3) & (norms < right * 3))


def test_the_first_row_is_the_reference(built):
    """What is right agrees with it, in every leaf or in those that were seen."""
    seen = built.print_of(RIGHT)

    assert built.differing(seen) == []
    assert built.explaining_reference(seen).tolist() == [True, True, True]
    assert built.differing(built.print_of({(1, ""): np.array(1.01 * COST)})) == [(1, "")]
    assert built.differing(built.print_of({(0, "[0]"): A.T, (1, ""): np.array(COST)})) == [(0, "[0]")]


def test_results_agree_up_to_the_noise_that_is_allowed(built):
    """Ten times the noise, relative to the size of the results."""
    for scale, noise, same in ((1e-10, 1e-9, True), (1e-7, 1e-9, False), (1e-7, 1e-7, True)):
        off = {leaf: array * (1 + scale) for leaf, array in RIGHT.items()}
        seen = built.print_of(off)

        assert (built.differing(seen, noise) == []) is same
        assert bool(built.explaining_reference(seen, noise).all()) is same
    assert built.differing(built.print_of({(1, ""): np.array(COST * (1 + 1e-7))})) == [(1, "")]
    number = next(n for n, entry in enumerate(built.entries) if entry.function == "cost")
    shown = built.shown(number)
    near = module.Print(shown.shapes, shown.prints * (1 + 1e-7), shown.norms)
    assert built.entries[number] not in built.matching(near)
    assert built.entries[number] in built.matching(near, 1e-6)
    assert not built.explaining(near)[number].all()
    assert built.explaining(near, 1e-6)[number].all()
    assert built.changes().sum() > built.changes(1e-2).sum()


@pytest.mark.parametrize(("off", "same"), [(9.9e-9, True), (10.1e-9, False)])
def test_ten_times_the_noise_is_the_limit(built, off, same):
    """In each projection, relative to the norm."""
    shown = built.shown(0)
    prints = shown.prints + off * np.repeat(shown.norms, 4) * (np.arange(shown.prints.size) % 4 == 2)

    assert built.explaining(module.Print(shown.shapes, prints, shown.norms))[0].all() == same


def test_small_results_are_told_apart_as_well():
    """A part in a hundred of a very small number is no noise."""
    small = build("def f(x):\n    return 1e-10 * x\n", [Step("f", (X,))])

    assert small.differing(small.print_of({(0, ""): 1.01e-10 * X})) == [(0, "")]
    assert small.differing(small.print_of({(0, ""): (1 + 1e-10) * 1e-10 * X})) == []


def test_a_result_of_zeros_is_compared_too(built):
    """A norm of 0 leaves no room: zeros agree with zeros, not with the reference."""
    zeros = {leaf: np.zeros(np.shape(array)) for leaf, array in RIGHT.items()}

    assert built.differing(built.print_of(zeros)) == list(built.leaves)


# --- building -------------------------------------------------------------------------------------------


def test_a_dictionary_counts_what_was_tried():
    """All that operators planted, of which those are kept that change a result; each with its number."""
    tried = list(mutations(Program(SOURCE), STEPS, SIZES))
    built = build(SOURCE, STEPS, SIZES)

    assert built.tried == len(tried)
    assert 0 < len(built.entries) < len(tried)
    assert built.operators == tuple(OPERATORS)
    numbers = [entry.number for entry in built.entries]
    assert numbers == sorted(set(numbers))
    for entry in built.entries:
        mutation = tried[entry.number]
        assert entry == Entry(
            mutation.function,
            mutation.line,
            mutation.cause,
            dict(mutation.facts),
            mutation.specific,
            mutation.operator,
            entry.number,
        )
    assert build(SOURCE, STEPS, SIZES, OPERATORS[:3]).operators == OPERATORS[:3]
    assert built.prints.shape == (len(numbers) + 1, 4 * len(built.leaves))
    assert built.shapes.shape == (len(numbers) + 1, len(built.leaves))
    assert np.isfinite(built.prints).all()


def test_mistakes_of_the_course_follow_those_of_the_operators(built):
    """With their words; what changes nothing, breaks, or gives no number is left out."""
    source = planted(
        ("nothing", "import numpy as np", "import numpy as np  # changed"),
        ("breaks", "np.tanh(W @ X + b)", "np.tanh(X @ W + b)"),
        ("nan", "np.sum((A - Y) ** 2)", "np.nan"),
        ("abs", "(A - Y) ** 2", "np.abs(A - Y) ** 3"),
        ("rounding", "/ m", "* (1 / m)"),
        ("shape", "np.sum((A - Y) ** 2) / m", "np.array([np.sum((A - Y) ** 2) / m])"),
        ("a little", "/ m", "/ (m + 1e-8)"),
        ("sinh", "np.tanh", "np.sinh"),
    )
    found = build(source, STEPS, SIZES)
    own = found.entries[len(built.entries) :]

    assert [entry.cause for entry in found.entries[: len(built.entries)]] == [e.cause for e in built.entries]
    assert [(e.function, e.line, e.cause, e.specific, e.operator, e.number) for e in own] == [
        ("cost", 10, "course:abs", True, "course", BY_COURSE),
        ("cost", 10, "course:shape", True, "course", BY_COURSE),
        ("cost", 10, "course:a little", True, "course", BY_COURSE),
        ("forward", 4, "course:sinh", True, "course", BY_COURSE),
    ]
    assert own[0].facts == {
        "target": "",
        "course_title": "abs: title",
        "course_hint": "abs: hint",
        "course_cause": "abs: cause",
    }
    seen = found.print_of({**RIGHT, (1, ""): np.array(np.sum(np.abs(A - Y) ** 3) / 7)})
    assert "course:abs" in [entry.cause for entry in found.matching(seen)]


def test_a_mistake_that_changes_a_zero_is_kept():
    """However little: beside 0 there is no rounding."""
    source = "def f(x):\n    return 0.0 * x\n"
    entry = {"name": "n", "title": "", "hint": "", "cause": "", "source": source.replace("0.0", "1e-30")}
    found = build(f"{source}\n{PLANTED} = {[entry]!r}\n", [Step("f", (X,))], None, ())

    assert [entry.cause for entry in found.entries] == ["course:n"]


def test_a_program_of_many_rounds_gets_the_mistakes_of_the_field_alone(monkeypatch, built):
    """And one of very many rounds none, with a sentence that says so."""
    program = Program(SOURCE)
    rounds = program.rounds_of(STEPS)
    tried = list(mutations(program, STEPS, SIZES))
    specific = [mutation for mutation in tried if mutation.specific]
    assert rounds > 1
    assert 0 < len(specific) < len(tried)

    monkeypatch.setattr(module, "MOST_ROUNDS", rounds * len(tried))
    assert build(SOURCE, STEPS, SIZES).entries == built.entries
    for most in (rounds * len(tried) - 1, rounds * len(specific)):
        monkeypatch.setattr(module, "MOST_ROUNDS", most)
        assert build(SOURCE, STEPS, SIZES).entries == tuple(e for e in built.entries if e.specific)
    monkeypatch.setattr(module, "MOST_ROUNDS", rounds * len(specific) - 1)
    with pytest.raises(ValueError, match=f"^one run takes {rounds} rounds: too many to plant mistakes in$"):
        build(SOURCE, STEPS, SIZES)


def test_a_reference_that_cannot_be_run_says_why():
    """The error of the program is part of the message."""
    with pytest.raises(ValueError, match=r"^the reference cannot be run on these calls: .*matmul") as caught:
        build(SOURCE, [Step("forward", (W, b, X.T))])

    assert isinstance(caught.value.__cause__, ValueError)


# --- key ------------------------------------------------------------------------------------------------

plain = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0, -2.5, "", "1", "a"])
arrays = st.builds(
    lambda shape, kind, start: (np.arange(int(np.prod(shape))) + start).reshape(shape).astype(kind),
    st.sampled_from([(), (1,), (2,), (2, 1), (1, 2), (4,), (2, 2)]),
    st.sampled_from(["<f8", "<f4", "<i8", "|b1"]),
    st.integers(0, 2),
)
values = st.recursive(
    plain | arrays,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


def told(value):
    """Return a text that two values share only where they are equal, order and types included."""
    if isinstance(value, np.ndarray):
        return f"array({value.dtype}, {value.tolist()!r}, {value.shape})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {told(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(told, value)) + "]"
    return f"{type(value).__name__} {value!r}"


@given(values, values)
def test_two_calls_have_one_key_where_they_are_equal(one, other):
    """Types, shapes, keys and nesting decide, beside the numbers."""
    keys = [content_key(SOURCE, [Step("f", (value,))], {}) for value in (one, other)]

    assert (keys[0] == keys[1]) == (told(one) == told(other))


def test_everything_that_decides_is_in_the_key():
    """The function, positional and named arguments, the order of steps, sizes, sources."""
    step = Step("f", (W, 1), {"b": b, "c": (Earlier(0), np.float32(1))})
    others = [
        [],
        [Step("g", step.args, step.kwargs)],
        [Step("f", (W,), step.kwargs)],
        [Step("f", step.args, {"b": b})],
        [Step("f", step.args, {"x": b, "c": (Earlier(0), np.float32(1))})],
        [Step("f", step.args, {"b": b, "c": (Earlier(1), np.float32(1))})],
        [Step("f", step.args, {"b": b, "c": (Earlier(0, (1,)), np.float32(1))})],
        [Step("f", step.args, {"b": b, "c": (Earlier(0), np.float64(1))})],
        [Step("f", (W, [1]), step.kwargs)],
        [step, step],
    ]
    keys = {content_key(SOURCE, steps, SIZES) for steps in ([step], *others)}

    assert len(keys) == 1 + len(others)
    assert content_key(SOURCE, [step], SIZES) == content_key(SOURCE, [step], dict(reversed(SIZES.items())))
    assert content_key(SOURCE, [step], SIZES) != content_key(SOURCE, [step], {})
    assert content_key(SOURCE, [step], SIZES) != content_key(SOURCE + " ", [step], SIZES)
    again = Step("f", (W.copy(), 1), {"b": b.copy(), "c": (Earlier(0), np.float32(1))})
    assert content_key(SOURCE, [step], SIZES) == content_key(SOURCE, [again], SIZES)
    assert len(content_key("", [], {})) == 2 * hashlib.sha256().digest_size


def test_the_layout_of_an_array_in_memory_is_not_in_the_key():
    """Two arrays of one content are one argument; of one memory in two orders they are two."""
    keys = [
        content_key("", [Step("f", (array,))], {}) for array in (W, np.asfortranarray(W), W[:, ::-1].copy())
    ]

    assert keys[0] == keys[1] != keys[2]


def test_a_generator_is_known_by_its_state():
    """Of two alike the key is the same; after one draw it is another."""
    keys = [
        content_key("", [Step("f", (generator,))], {})
        for generator in (np.random.default_rng(0), np.random.default_rng(0), np.random.default_rng(1))
    ]

    assert keys[0] == keys[1] != keys[2]


def test_an_object_of_unknown_inside_is_never_taken_for_another_one():
    """It is known by what it is, not by how it looks."""

    class Plain:
        def __repr__(self):
            return "plain"

    one, other = Plain(), Plain()
    keys = [content_key("", [Step("f", (value,))], {}) for value in (one, other, one)]

    assert keys[0] == keys[2] != keys[1]


def test_the_version_and_the_operators_are_in_the_key(monkeypatch):
    """Another version of the package builds its own dictionaries."""
    before = content_key(SOURCE, STEPS, SIZES)
    monkeypatch.setattr(module, "__version__", "0")
    module._workmanship.cache_clear()
    try:
        assert before != content_key(SOURCE, STEPS, SIZES)
    finally:
        monkeypatch.undo()
        module._workmanship.cache_clear()
    assert before == content_key(SOURCE, STEPS, SIZES)


# --- file and memory ----------------------------------------------------------------------------------------


def test_a_file_gives_back_all_that_was_written(tmp_path, built):
    """In folders that need not be there, over an earlier file, and with nothing left beside it."""
    file = tmp_path / "some" / "folder" / "kept.npz"
    write(built, file)
    write(built, file)
    found = read(file)

    assert (built.leaves, built.entries, built.tried) == (found.leaves, found.entries, found.tried)
    assert np.array_equal(built.shapes, found.shapes)
    assert np.array_equal(built.prints, found.prints)
    assert (found.shapes.dtype, found.prints.dtype) == (np.int64, np.float64)
    assert found.operators == OPERATORS
    assert [path.name for path in file.parent.iterdir()] == ["kept.npz"]


def npz(file, **parts):
    """Write a file as :func:`write` does, of other parts."""
    about = b'{"leaves": [[0, ""]], "entries": [], "tried": 2}'
    given = {"about": np.frombuffer(about, np.uint8), "shapes": np.zeros((1, 1)), "prints": np.zeros((1, 4))}
    np.savez(file, **{name: value for name, value in (given | parts).items() if value is not None})
    return read(file)


@pytest.mark.parametrize(
    "parts",
    [
        {"shapes": np.array([None], dtype=object)},
        {"prints": None},
        {"about": np.frombuffer(b"{}", np.uint8)},
        {"about": np.frombuffer(b"[", np.uint8)},
        {"about": np.frombuffer(b'{"leaves": [], "entries": [{"x": 1}], "tried": 0}', np.uint8)},
        {"about": np.frombuffer(b'{"leaves": [], "entries": [], "tried": "many"}', np.uint8)},
    ],
    ids=["a pickle", "a part missing", "no keys", "no JSON", "an entry of another version", "no number"],
)
def test_a_file_of_another_making_is_no_dictionary(tmp_path, parts):
    """Nothing in it is executed, and nothing of it is used."""
    assert npz(tmp_path / "kept.npz").tried == 2
    assert npz(tmp_path / "kept.npz", **parts) is None


def test_a_folder_or_another_file_is_no_dictionary(tmp_path):
    """As little as an empty one."""
    (tmp_path / "text.npz").write_text("PK no zip")
    (tmp_path / "empty.npz").write_bytes(b"")

    assert [read(tmp_path / name) for name in ("", "text.npz", "empty.npz")] == [None, None, None]


def test_dictionaries_are_remembered_and_the_one_used_least_is_forgotten(monkeypatch):
    """Built once each, up to so many, failures too."""
    calls = []

    def counted(source, steps, sizes):
        calls.append((source, sizes))
        if source == "bad":
            raise ValueError(source)
        return f"built from {source}"

    monkeypatch.setattr(module, "build", counted)
    monkeypatch.setattr(module, "_REMEMBERED", 2)
    asked = ["one", "bad", "one", "bad", "one", "two", "one", "bad", "two"]
    found = [dictionary_for(source, []) for source in asked]

    assert found == [None if source == "bad" else f"built from {source}" for source in asked]
    assert calls == [("one", None), ("bad", None), ("two", None), ("bad", None), ("two", None)]
    assert len(module._MEMORY) == 2


def test_a_dictionary_in_the_folder_is_read_and_one_that_is_not_is_kept(monkeypatch, tmp_path, built):
    """Under its key; a reference that cannot be run leaves nothing."""
    folder = tmp_path / "new" / "folder"
    file = folder / f"{content_key(SOURCE, STEPS, SIZES)}.npz"
    assert dictionary_for(SOURCE, STEPS, SIZES, folder).entries == built.entries
    assert list(folder.iterdir()) == [file]
    assert dictionary_for("def f(:", STEPS, SIZES, folder) is None
    assert list(folder.iterdir()) == [file]

    module._MEMORY.clear()
    monkeypatch.setattr(module, "build", lambda *_: pytest.fail("it was there"))
    assert dictionary_for(SOURCE, STEPS, SIZES, folder).entries == built.entries


def test_as_many_dictionaries_are_kept_as_a_folder_may_hold(monkeypatch, tmp_path):
    """No other file is touched."""
    monkeypatch.setattr(module, "MOST_KEPT", 3)
    (tmp_path / "notes.txt").write_text("")
    for number in range(5):
        dictionary_for(SOURCE + "\n" * number, STEPS, SIZES, tmp_path)

    assert len(list(tmp_path.glob("*.npz"))) == 3
    assert (tmp_path / "notes.txt").exists()
