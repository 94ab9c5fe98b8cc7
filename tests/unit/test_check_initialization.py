"""check_initialization: each planted mistake gets its code, and no correct function is accused."""

import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_symmetry.checks.initialization import check_initialization
from pytest_symmetry.context import Call, Context, entered
from pytest_symmetry.diagnosis.causes import code_page
from pytest_symmetry.errors import CheckFailed, SymmetryError
from pytest_symmetry.findings import InitializationEvidence, Place
from pytest_symmetry.laws import Fans, Sample, bounds, fits, shape_of_law, slope, spreads

SCALES = {
    "he": lambda i, o: math.sqrt(2 / i),
    "lecun": lambda i, o: math.sqrt(1 / i),
    "glorot": lambda i, o: math.sqrt(2 / (i + o)),
    "fixed:0.01": lambda i, o: 0.01,
}


def normal(rng, shape):
    """Return normal numbers of std 1."""
    return rng.normal(size=shape)


def uniform(rng, shape):
    """Return uniform numbers of std 1."""
    return rng.uniform(-math.sqrt(3), math.sqrt(3), size=shape)


def truncated(rng, shape):
    """Return normal numbers with those beyond 2 drawn again, as some libraries do: std 0.88."""
    values = rng.normal(size=shape)
    while np.any(far := np.abs(values) > 2):
        values[far] = rng.normal(size=int(far.sum()))
    return values


def maker(weights, biases=lambda n: np.zeros((n, 1))):
    """Return ``initialize(*widths, seed)`` whose weight arrays are ``weights(rng, n_out, n_in)``."""

    def initialize(*widths, seed=0):
        rng = np.random.default_rng(seed)
        parameters = {}
        for number, (i, o) in enumerate(itertools.pairwise(widths), start=1):
            parameters[f"W{number}"], parameters[f"b{number}"] = weights(rng, o, i), biases(o)
        return parameters

    return initialize


def scaled(law, draw=normal):
    """Return the correct function for a law."""
    return maker(lambda rng, o, i: draw(rng, (o, i)) * SCALES[law](i, o))


def failure_of(initialize, **given_):
    """Return the failure that a check must raise."""
    with pytest.raises(CheckFailed) as raised:
        check_initialization(initialize, **given_)
    return raised.value


def shapes(*widths):
    """Return the shapes that the statement asks for."""
    pairs = list(itertools.pairwise(widths))
    return {f"W{n}": (o, i) for n, (i, o) in enumerate(pairs, 1)} | {
        f"b{n}": (o, 1) for n, (_, o) in enumerate(pairs, 1)
    }


# --- correct functions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("law", SCALES)
@pytest.mark.parametrize("draw", [normal, uniform, truncated])
def test_a_correct_law_passes(law, draw):
    """Whatever the distribution, truncated normals included."""
    evidence = check_initialization(scaled(law, draw), law=law, shapes=shapes, biases="zero")

    assert evidence.passed
    assert evidence.notes == ()


def test_xavier_is_either_of_its_two_laws():
    """Some statements divide by n_in, some by the mean of both fans."""
    for law in ("lecun", "glorot"):
        assert check_initialization(scaled(law), law="xavier").passed


def test_the_slope_over_the_fan_in_is_measured():
    """-1/2 for He, 0 for a fixed scale."""
    assert check_initialization(scaled("he"), law="he").slope == pytest.approx(-0.5, abs=0.05)
    assert check_initialization(scaled("fixed:0.01")).slope == pytest.approx(0.0, abs=0.05)


@settings(max_examples=25, derandomize=True)
@given(
    law=st.sampled_from(sorted(SCALES)),
    draw=st.sampled_from([normal, uniform, truncated]),
    sizes=st.lists(st.sampled_from([2, 3, 5, 11, 40]), min_size=2, max_size=4, unique=True),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_correct_function_is_accused(law, draw, sizes, seed):
    """Small widths, where few entries are drawn, included."""
    evidence = check_initialization(
        scaled(law, draw), sizes=[sizes], law=law, seeds=(seed, seed + 1, seed + 2)
    )

    assert evidence.notes == (), f"sizes {sizes}, seed {seed}"


@pytest.mark.sweep
def test_no_correct_function_is_accused_in_10000_checks():
    """Laws, distributions, widths and seeds at random."""
    wrong = []
    for seed in range(10_000):
        rng = np.random.default_rng(seed)
        law, draw = list(SCALES)[seed % 4], (normal, uniform, truncated)[seed % 3]
        sizes = [int(n) for n in rng.choice(60, size=int(rng.integers(2, 5)), replace=False) + 1]
        kind = {normal: "normal", uniform: "uniform", truncated: None}[draw]
        try:
            evidence = check_initialization(
                scaled(law, draw), sizes=[sizes], law=law, distribution=kind, seeds=(seed, seed + 1)
            )
        except CheckFailed as failure:
            wrong.append((seed, law, draw.__name__, sizes, failure.finding.code))
            continue
        if evidence.notes:
            wrong.append((seed, law, draw.__name__, sizes, [n.code for n in evidence.notes]))
    assert wrong == []


@pytest.mark.parametrize("law", ["he", None])
def test_a_function_without_a_seed_is_checked_too(law):
    """It draws from numpy's global generator, or from Python's."""

    def from_numpy(*widths):
        pairs = itertools.pairwise(widths)
        return [np.random.randn(i, o) * np.sqrt(2 / i) for i, o in pairs]

    def from_python(*widths):
        pairs = itertools.pairwise(widths)
        return [[[random.gauss(0, math.sqrt(2 / i)) for _ in range(i)] for _ in range(o)] for i, o in pairs]

    for initialize in (from_numpy, from_python):
        evidence = check_initialization(initialize, law=law)
        assert evidence.passed
        assert evidence.notes == ()


def test_the_global_generators_are_put_back():
    """A check leaves no trace in the caller's random numbers."""
    np.random.seed(11)
    random.seed(11)
    check_initialization(lambda *w: [np.random.randn(o, i) for i, o in itertools.pairwise(w)])
    after = np.random.rand(), random.random()
    np.random.seed(11)
    random.seed(11)

    assert after == (np.random.rand(), random.random())


def test_a_generator_argument_is_understood():
    """``rng`` gets a numpy Generator."""

    def initialize(n_x, n_h, n_y, rng):
        return {"W1": rng.normal(size=(n_h, n_x)), "W2": rng.normal(size=(n_y, n_h))}

    assert check_initialization(initialize, law="fixed:1").passed


def test_evidence_goes_to_json_and_back():
    """Records survive the gradebook."""
    evidence = check_initialization(scaled("he"), law="he")

    assert InitializationEvidence.from_json(evidence.to_json()) == evidence
    assert "expected" in str(evidence)


# --- planted mistakes ---------------------------------------------------------------------------------------


def scaled_he_with(biases):
    """Return He's law with other biases."""
    return maker(lambda r, o, i: r.normal(size=(o, i)) * np.sqrt(2 / i), biases)


def with_power(rng, o, i):
    """Return the root of negative numbers."""
    with np.errstate(invalid="ignore"):
        return rng.normal(size=(o, i)) ** 0.5


with_nan = maker(with_power)
one_row = maker(lambda r, o, i: np.broadcast_to(r.normal(size=(1, i)), (o, i)))
positive = maker(lambda r, o, i: r.random(size=(o, i)) * np.sqrt(2 / i))
global_numbers = maker(lambda r, o, i: np.random.randn(o, i) * np.sqrt(2 / i))


PLANTED = {
    "transposed": ("INI301", "shape-turned", maker(lambda r, o, i: r.normal(size=(i, o)) * np.sqrt(2 / i))),
    "bias as a vector": ("INI301", None, scaled_he_with(np.zeros)),
    "power for product": ("INI302", None, with_nan),
    "2/n without root": ("INI303", "law-not-rooted", maker(lambda r, o, i: r.normal(size=(o, i)) * (2 / i))),
    "no scale": ("INI303", "scale-missing", maker(lambda r, o, i: r.normal(size=(o, i)))),
    "fixed scale": ("INI303", "scale-fixed", scaled("fixed:0.01")),
    "xavier for he": ("INI303", "law-other", scaled("lecun")),
    "fan out": ("INI303", "law-fan-out", maker(lambda r, o, i: r.normal(size=(o, i)) * np.sqrt(2 / o))),
    "times ten": ("INI303", None, maker(lambda r, o, i: r.normal(size=(o, i)) * 10)),
    "rand for randn": ("INI304", "all-positive", positive),
    "uniform for normal": ("INI305", None, scaled("he", uniform)),
    "seed not used everywhere": ("INI306", None, global_numbers),
    "seed ignored": ("INI307", None, lambda *w, seed: scaled("he")(*w, seed=0)),
    "one row broadcast": ("INI309", "broadcast-view", one_row),
    "biases of ones": ("INI311", None, scaled_he_with(lambda n: np.ones((n, 1)))),
    "zeros": ("SYM201", "zero-start", maker(lambda r, o, i: np.zeros((o, i)))),
    "ones": ("SYM201", "constant-start", maker(lambda r, o, i: np.ones((o, i)))),
}  # fmt: skip


@pytest.mark.parametrize("mistake", PLANTED)
def test_a_planted_mistake_gets_its_code_and_cause(mistake):
    """The first finding names the mistake, and its words can be made."""
    code, cause, initialize = PLANTED[mistake]
    failure = failure_of(initialize, law="he", shapes=shapes, distribution="normal", biases="zero")

    assert (failure.finding.code, failure.finding.cause) == (code, cause)
    assert str(failure).startswith(code)


def test_a_seed_set_for_each_unit_makes_the_units_one():
    """Every unit gets the same numbers, and so do the outputs."""

    def initialize(n_x, n_h, n_y, seed):
        def unit(n):
            return np.random.default_rng(seed).normal(size=n)

        return {"W1": np.array([unit(n_x) for _ in range(n_h)]), "W2": np.full((n_y, n_h), unit(1)[0])}

    assert failure_of(initialize).finding.code == "SYM201"


def test_a_seed_set_for_each_layer_is_a_warning():
    """The layers begin with the same numbers."""
    evidence = check_initialization(
        lambda *w, seed: [np.random.default_rng(seed).normal(size=(o, i)) for i, o in itertools.pairwise(w)]
    )

    assert [(n.code, n.severity) for n in evidence.notes] == [("SYM209", "warn")]


def test_setting_the_global_seed_is_a_remark():
    """Courses do it on purpose."""

    def initialize(*widths, seed):
        np.random.seed(seed)
        return [np.random.randn(o, i) for i, o in itertools.pairwise(widths)]

    evidence = check_initialization(initialize)
    assert [(n.code, n.severity) for n in evidence.notes] == [("INI308", "note")]


def test_a_seed_inside_a_function_without_seed_is_a_remark():
    """Every run is the same run."""

    def initialize(*widths):
        np.random.seed(2)
        return [np.random.randn(o, i) for i, o in itertools.pairwise(widths)]

    evidence = check_initialization(initialize)
    assert [(n.code, n.severity) for n in evidence.notes] == [("INI307", "note")]


def test_one_number_for_all_inputs_of_a_unit():
    """[uniform()] * n_in: the units differ, their inputs do not."""
    initialize = maker(lambda r, o, i: np.tile(r.normal(size=(o, 1)), (1, i)) * np.sqrt(2 / i))

    assert "INI312" in [n.code for n in check_initialization(initialize).notes]
    assert failure_of(initialize, law="he").finding.code == "INI312"


def test_rows_that_are_one_list_are_seen():
    """[row] * n is one list n times."""

    def initialize(n_x, n_h, n_y, seed):
        rng = random.Random(seed)
        rows = [[rng.gauss(0, 1) for _ in range(n_h)] for _ in range(n_y)]
        return {"W1": [[rng.gauss(0, 1) for _ in range(n_x)]] * n_h, "W2": rows}

    failure = failure_of(initialize)
    assert (failure.finding.code, failure.finding.cause) == ("INI309", "same-list")


def test_arrays_in_the_same_memory_are_seen():
    """b1 = b2 = zeros, here and in the student's own process."""

    def initialize(n_x, n_h, n_y, seed):
        rng = np.random.default_rng(seed)
        shared = np.zeros(max(n_h, n_y))
        weights = {"W1": rng.normal(size=(n_h, n_x)), "W2": rng.normal(size=(n_y, n_h))}
        return weights | {"b1": shared[:n_h], "b2": shared[:n_y]}

    assert failure_of(initialize).finding.cause == "same-memory"

    context = Context()

    def from_elsewhere(*widths, seed):
        result = scaled("he")(*widths, seed=seed)
        context.calls.append(Call("initialize", result=result, shared_paths=("b1", "b2")))
        return result

    with entered(context):
        failure = failure_of(from_elsewhere)
    assert (failure.finding.code, failure.finding.facts["other"]) == ("INI309", "b2")


def test_whole_numbers_are_a_warning():
    """np.array([0, 0]) is an array of ints."""
    evidence = check_initialization(
        maker(lambda r, o, i: r.normal(size=(o, i)), lambda n: np.zeros(n, dtype=int))
    )

    assert {(n.code, n.severity) for n in evidence.notes} == {("INI310", "warn")}


def test_an_unknown_law_is_the_callers_mistake():
    """The sentence lists the laws there are."""
    with pytest.raises(SymmetryError, match="he, lecun, glorot, xavier"):
        check_initialization(scaled("he"), law="kaiming-ish")


def test_widths_that_the_arrays_do_not_have_are_one_finding():
    """Arrays of other widths cannot be judged."""
    failure = failure_of(lambda *w, seed: {"W1": np.random.default_rng(seed).normal(size=(9, 9))})

    assert failure.finding.code == "SYM291"


def test_every_code_of_this_check_has_a_page():
    """No page is missing a head."""
    for number in range(301, 313):
        assert code_page(f"INI{number}").why


# --- laws ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entries", [1, 2, 6, 30, 1000])
def test_the_bounds_hold_six_standard_scores(entries):
    """20,000 samples stay inside; the exact quantiles of chi square agree."""
    from scipy.stats import chi2

    rng = np.random.default_rng(entries)
    low, high = bounds(1.0, entries)
    rms = np.sqrt(rng.chisquare(entries, size=20_000) / entries)

    assert np.all((rms >= low) & (rms <= high))
    outside = chi2.cdf(low**2 * entries, entries) + chi2.sf(high**2 * entries, entries)
    assert outside < 1e-8


def test_a_law_of_the_callers_own():
    """A function of both fans."""
    sample = Sample("W1", (2, 3), Fans(3, 2), np.full(500, 0.5))

    assert fits(sample, spreads(lambda n_in, n_out: n_in / (3 * n_out))[0])
    assert slope([sample]) is None


def test_the_kind_of_law_is_told_from_the_largest_entry():
    """Uniform, normal, and too few to tell."""
    rng = np.random.default_rng(0)

    assert shape_of_law(rng.normal(size=500)) == "normal"
    assert shape_of_law(rng.uniform(-1, 1, size=5000)) == "uniform"
    assert shape_of_law(rng.normal(size=50)) is None


def test_the_place_of_a_finding_is_the_function():
    """Its name here; for a submission's function also the cell and the line, from the log of calls."""

    def start_of_zeros(n_x, n_h, n_y):
        return {"W1": np.zeros((n_h, n_x)), "W2": np.zeros((n_y, n_h))}

    def elsewhere(*widths):
        context.calls.append(Call("initialize", args=widths, cell=4, line=7))
        return start_of_zeros(*widths)

    context = Context()
    with pytest.raises(CheckFailed) as here:
        check_initialization(start_of_zeros)
    with entered(context), pytest.raises(CheckFailed) as there:
        check_initialization(elsewhere)

    assert here.value.finding.place == Place(function="start_of_zeros", array="W1")
    assert there.value.finding.place == Place(function="initialize", cell=4, line=7, array="W1")
