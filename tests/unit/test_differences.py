"""Slopes with their own error bar: the bar holds, kinks are told from mistakes, calls are counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_symmetry.differences import (
    EPS,
    LARGE,
    LONG_SEGMENTS,
    SEGMENTS,
    SIGMAS,
    STEP,
    TABLE,
    Copies,
    Difference,
    Neighbourhood,
    draw_direction,
    draw_table,
    length,
    repeated,
    table_size,
)
from pytest_symmetry.errors import ProcessDied, RaisedError
from pytest_symmetry.findings import Finding


def seen_from(
    function: Callable[[Any], Any], point: Any, seed: int = 0
) -> tuple[Neighbourhood, np.random.Generator]:
    random = np.random.default_rng(seed)
    point = {"x": np.asarray(point, dtype=float)}
    return Neighbourhood(lambda p: function(p["x"]), point, float(function(point["x"])), random), random


ANALYTIC: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "cubic": (lambda x: (x**3).sum(), lambda x: 3 * x**2),
    "sine": (lambda x: np.sin(3 * x).sum() + 2, lambda x: 3 * np.cos(3 * x)),
    "exponential": (lambda x: np.exp(x).sum(), np.exp),
    "softplus": (lambda x: np.log1p(np.exp(x)).sum(), lambda x: 1 / (1 + np.exp(-x))),
    "rational": (lambda x: (1 / (1 + x**2)).sum(), lambda x: -2 * x / (1 + x**2) ** 2),
    "product": (lambda x: np.prod(1 + 0.1 * x), lambda x: 0.1 * np.prod(1 + 0.1 * x) / (1 + 0.1 * x)),
}


@settings(max_examples=120)
@given(st.sampled_from(sorted(ANALYTIC)), st.integers(1, 40), st.integers(0, 10_000))
def test_error_bar_holds(name: str, size: int, seed: int) -> None:
    """The measured slope of an analytic function is within its own error bar of the true one."""
    function, gradient = ANALYTIC[name]
    x = np.random.default_rng(seed).normal(size=size)
    near, random = seen_from(function, x, seed)
    along = {"x": draw_direction(random, (size,))}
    true = {"x": gradient(x)}

    probe = near.careful(along, true, scale=1e-300, rtol=1e-300)

    assert probe.outcome == "agrees" or abs(probe.residual) <= probe.bar


@settings(max_examples=60)
@given(st.sampled_from(sorted(ANALYTIC)), st.floats(-5, -1), st.integers(0, 10_000))
def test_wrong_gradient_differs(name: str, power: float, seed: int) -> None:
    """A gradient wrong by a factor differs at every step, by just that much."""
    function, gradient = ANALYTIC[name]
    x = np.random.default_rng(seed).normal(size=9)
    near, random = seen_from(function, x, seed)
    along = {"x": draw_direction(random, (9,))}
    wrong = {"x": (1 + 10**power) * gradient(x)}
    slope = float(np.vdot(gradient(x), along["x"]))
    scale = float(np.linalg.norm(wrong["x"])) / 3

    probe = near.careful(along, wrong, scale, rtol=1e-6)

    if abs(slope) > 0.1 * scale:
        assert probe.outcome == "differs"
        assert probe.residual == pytest.approx(10**power * slope, abs=probe.bar)


@settings(max_examples=100)
@given(st.integers(0, 100_000), st.floats(-12, -2))
def test_kink_is_no_difference(seed: int, power: float) -> None:
    """Near a kink, at any distance, a right gradient is never called wrong."""
    random = np.random.default_rng(seed)
    weights = random.normal(size=(20, 6))
    x = random.normal(size=6)
    bias = -(weights @ x)
    bias[1:] += random.normal(size=19)
    bias[0] += 10**power * random.choice([-1, 1])

    def function(x: Any) -> Any:
        return np.maximum(weights @ x + bias, 0).sum()

    true = {"x": weights.T @ (weights @ x + bias > 0)}
    near, random = seen_from(function, x, seed)
    scale = float(np.linalg.norm(true["x"])) / 6**0.5

    probe = near.careful({"x": draw_direction(random, (6,))}, true, scale, rtol=1e-6)

    assert probe.outcome != "differs", (seed, power)


def test_exact_kink_is_called_a_kink() -> None:
    """At the kink itself the slope bends, however small the step."""
    near, random = seen_from(lambda x: np.abs(x).sum(), np.zeros(3))

    probe = near.careful({"x": draw_direction(random, (3,))}, {"x": np.ones(3)}, 1.0, rtol=1e-6)

    assert probe.outcome == "kink"


def test_noise_of_float32_is_measured() -> None:
    """A function rounded to float32 inside is as noisy as float32."""
    weights = np.random.default_rng(0).normal(size=50).astype(np.float32)

    def function(x: Any) -> Any:
        return float(np.tanh(x.astype(np.float32) * weights).sum())

    near, _ = seen_from(function, np.linspace(0.1, 2, 50))

    assert 1e-9 < near.measure_noise() / abs(near.value) < 1e-5
    assert near.calls <= 40


def test_noise_of_float64_is_tiny_and_measured_once() -> None:
    """A smooth float64 function has the noise of its last digits."""
    near, _ = seen_from(lambda x: np.sin(x).sum() + 3, np.linspace(0, 1, 30))

    assert near.measure_noise() < 1e-14
    calls = near.calls
    near.measure_noise()
    assert near.calls == calls == 8


def test_complex_step_is_exact() -> None:
    """Analytic code gives the slope to the last digit."""
    near, random = seen_from(lambda x: np.sin(x).sum(), np.linspace(0, 1, 5))
    along = draw_direction(random, (5,))

    assert near.complex_slope({"x": along}) == pytest.approx(
        float(np.cos(np.linspace(0, 1, 5)) @ along), rel=1e-15
    )


@pytest.mark.parametrize(
    "function",
    [
        lambda x: float(np.sum(x.real)),
        lambda x: np.add(x, 0.0, dtype=float, casting="same_kind").sum(),
        lambda x: x.astype(float).sum(),
    ],
)
def test_complex_step_is_not_available(function: Callable[[Any], Any]) -> None:
    """Code that drops or refuses the imaginary part gives None, not a number."""
    near, random = seen_from(function, np.ones(3))

    assert near.complex_slope({"x": draw_direction(random, (3,))}) is None


def test_complex_step_in_a_submission() -> None:
    """A submission may refuse complex numbers; a lost process is not hidden."""

    def refuses(x: Any) -> float:
        if np.iscomplexobj(x):
            raise RaisedError(Finding("SUB201"))
        return float(x.sum())

    def dies(x: Any) -> float:
        if np.iscomplexobj(x):
            raise ProcessDied(Finding("SUB202"))
        return float(x.sum())

    along = {"x": np.ones(2)}
    assert seen_from(refuses, np.ones(2))[0].complex_slope(along) is None
    with pytest.raises(ProcessDied):
        seen_from(dies, np.ones(2))[0].complex_slope(along)


@settings(max_examples=40)
@given(st.lists(st.integers(1, 200), max_size=2), st.integers(0, 10_000))
def test_directions(shape: list[int], seed: int) -> None:
    """Norm 1, no small entry."""
    along = draw_direction(np.random.default_rng(seed), tuple(shape))

    assert along.shape == tuple(shape)
    assert np.linalg.norm(along) == pytest.approx(1, rel=1e-5)
    assert np.abs(along).max() <= 3.001 * np.abs(along).min()


@pytest.mark.parametrize(
    "shape", [(784, 128), (128, 784), (16_380, 3), (3, 16_380), (40, 30, 20), (20_000, 2)]
)
def test_directions_of_large_arrays(shape: tuple[int, ...]) -> None:
    """The same, from one table over and over, and no two rows or columns are alike."""
    along = draw_direction(np.random.default_rng(1), shape)

    assert along.shape == shape
    assert np.linalg.norm(along) == pytest.approx(1, rel=1e-12)
    assert np.abs(along).max() <= 2 * np.abs(along).min()
    rows = along.reshape(shape[0], -1)
    assert len(np.unique(rows, axis=0)) == len(rows)
    assert len(np.unique(rows.T, axis=0)) == rows.shape[1]


@settings(max_examples=30)
@given(st.sampled_from([(), (7,), (40_000,), (130, 127), (200, 90), (3, 16_000)]), st.integers(0, 1000))
def test_a_table_serves_like_the_direction_it_fills(shape: tuple[int, ...], seed: int) -> None:
    """A difference along a table is the one along the whole direction."""
    point = np.random.default_rng(seed).normal(size=shape)
    near, _ = seen_from(lambda x: np.sin(x).sum(), point, seed)
    table = draw_table(np.random.default_rng(seed), shape, 2.0)
    along = draw_direction(np.random.default_rng(seed), shape, 2.0)
    gradient = {"x": np.cos(point)}

    short, whole = (near.difference({"x": v}, 1e-4, gradient) for v in (table, along))

    assert np.linalg.norm(along) == pytest.approx(2, rel=1e-12)
    assert short.claimed == pytest.approx(whole.claimed, rel=1e-9, abs=1e-9)
    assert short.slope == pytest.approx(whole.slope, rel=1e-6, abs=1e-6)


def test_differences_of_arrays_in_any_layout() -> None:
    """A Fortran-ordered point of any size moves along the direction's own axes."""
    for shape in ((3, 4), (200, 150)):
        point = np.asfortranarray(np.random.default_rng(0).normal(size=shape))
        weights = np.random.default_rng(1).normal(size=shape)
        near, random = seen_from(lambda x, w=weights: (w * x).sum(), point)
        measured = near.difference({"x": draw_table(random, shape)}, 1e-3, {"x": np.asfortranarray(weights)})

        assert measured.slope == pytest.approx(measured.claimed, rel=1e-8, abs=1e-9)


def test_copies_of_large_arrays_share_memory() -> None:
    """Large arrays are copied into one block; small ones are new every time."""
    copies = Copies()
    large, small = np.ones(100_000), np.ones(3)

    assert copies.of("a", large) is copies.of("a", 2 * large)
    assert copies.of("a", small) is not copies.of("a", small)
    assert not np.shares_memory(copies.of("a", large), large)


def test_function_may_spoil_what_it_gets() -> None:
    """Every call has its own copies."""
    point = {"x": np.arange(1.0, 4.0), "y": np.ones(20_000)}

    def spoils(p: Any) -> float:
        value = float((p["x"] ** 2).sum() + p["y"].sum())
        p["x"][:], p["y"][:] = 0, 0
        return value

    near = Neighbourhood(spoils, point, 20_014.0, np.random.default_rng(0))
    measured = near.difference({"x": np.array([1.0, 0, 0])}, 1e-4, {"x": np.array([2.0, 4, 6])})

    assert measured.slope == pytest.approx(2, abs=1e-6)
    assert measured.claimed == pytest.approx(2, abs=1e-9)
    assert SIGMAS * near.noise / 1e-4 < 1e-6


# --- what each measurement says ---------------------------------------------------------------------------


def two_arrays(value: float = 4.0, noise: float = 0.0) -> Neighbourhood:
    """Return a function of two arrays of norm 5 and 2, seen from one point."""
    point = {"x": np.array([3.0, -4.0]), "y": np.array([[2.0]])}
    return Neighbourhood(lambda p: p["x"].sum(), point, value, np.random.default_rng(0), noise)


def test_noise_is_half_an_ulp_until_it_is_measured() -> None:
    """Of the value's size, never 0, and never less than what is known already."""
    assert two_arrays(-8.0).noise == 4 * EPS
    assert two_arrays(0.0).noise == 1e-300
    assert two_arrays(-8.0, 1e-3).noise == 1e-3
    assert two_arrays().norms == {"x": 5.0, "y": 2.0}


def test_the_step_follows_the_size_of_what_moves_and_the_noise() -> None:
    """Times 1 + its norm, and the third root of how much noisier than float64 the function is, to a limit."""
    near = two_arrays()

    assert near.base_step(["x"]) == pytest.approx(6 * STEP)
    assert near.base_step(["y"]) == pytest.approx(3 * STEP)
    assert near.base_step(["x", "y"]) == pytest.approx((1 + 29**0.5) * STEP)
    assert near.base_step([]) == pytest.approx(STEP)
    for noisier, larger in ((1.0, 1.0), (8.0, 2.0), (1e9, 1e3), (1e15, 1e4)):
        assert two_arrays(4.0, noisier * EPS * 4).base_step(["y"]) == pytest.approx(3 * STEP * larger)
    assert two_arrays(0.0).base_step([]) == pytest.approx(1e4 * STEP)  # how noisy is not known


def test_a_difference_of_a_parabola() -> None:
    """Slope, bend and step in numbers that binary arithmetic holds exactly; two calls."""
    near, _ = seen_from(lambda x: (x**2).sum(), [1.0, 5.0])
    found = near.difference({"x": np.array([1.0, 0.0])}, 0.25, {"x": np.array([3.0, 7.0])})

    assert found == Difference(slope=2.0, claimed=3.0, bend=0.5, step=0.25)
    assert near.calls == 2


def test_several_arrays_move_at_once() -> None:
    """Each claims its own part; an array without a direction stays."""
    point = {"x": np.ones(2), "y": np.ones(20_000), "z": np.ones(1)}
    seen: list[dict[str, Any]] = []

    def function(p: Any) -> float:
        seen.append({name: array.copy() for name, array in p.items()})
        return float(p["x"].sum() + p["y"].sum() + 100 * p["z"].sum())

    near = Neighbourhood(function, point, function(point), np.random.default_rng(0))
    along = {"x": np.array([1.0, 0.5]), "y": np.full(20_000, 0.25)}
    found = near.difference(along, 0.5, {"x": np.array([2.0, 4.0]), "y": np.ones(20_000), "z": np.ones(1)})

    assert found == Difference(slope=5001.5, claimed=5004.0, bend=0.0, step=0.5)
    for name, moved in (("x", [1.5, 1.25]), ("y", 1.125), ("z", 1.0)):
        assert np.array_equal(seen[1][name], np.broadcast_to(moved, point[name].shape))
    for name, moved in (("x", [0.5, 0.75]), ("y", 0.875), ("z", 1.0)):
        assert np.array_equal(seen[2][name], np.broadcast_to(moved, point[name].shape))


def test_large_arrays_of_one_shape_do_not_mix() -> None:
    """Each has memory of its own, moved or not: what one holds is never seen in another."""
    point = {
        name: np.full((200, 150), value) for name, value in (("a", 1.0), ("b", 2.0), ("c", 4.0), ("d", 8.0))
    }

    def function(p: Any) -> float:
        return float((p["a"] + 10 * p["b"] + 100 * p["c"] * p["d"])[7, 7])

    near = Neighbourhood(function, point, function(point), np.random.default_rng(0))
    along = {"a": np.full((200, 150), 1.0), "b": np.full((200, 150), 0.5)}
    found = near.difference(along, 0.5, {"a": np.ones((200, 150)), "b": np.zeros((200, 150))})

    assert found == Difference(slope=6.0, claimed=30_000.0, bend=0.0, step=0.5)


def test_a_slope_is_claimed_for_the_displacement_that_was_made() -> None:
    """Beside 2^53 a step of 1 is lost on one side: half of it is measured, and half of it is claimed."""
    near, _ = seen_from(lambda x: x.sum(), [2.0**53])
    found = near.difference({"x": np.ones(1)}, 1.0, {"x": np.ones(1)})

    assert found.slope == found.claimed == 0.5


def test_a_complex_step_makes_every_array_complex() -> None:
    """The ones that stay too; one call."""
    seen: list[Any] = []

    def function(p: Any) -> Any:
        seen.append({name: array.copy() for name, array in p.items()})
        return (p["x"] * p["y"]).sum()

    point = {"x": np.array([2.0, 3.0]), "y": np.array([5.0, 7.0])}
    near = Neighbourhood(function, point, 31.0, np.random.default_rng(0))

    assert near.complex_slope({"x": np.array([1.0, -1.0])}) == pytest.approx(-2.0, rel=1e-15)
    assert near.calls == len(seen) == 1
    assert [array.dtype.kind for array in seen[0].values()] == ["c", "c"]
    assert np.array_equal(seen[0]["x"].real, point["x"])
    assert np.array_equal(seen[0]["y"], point["y"])


def test_a_complex_step_that_is_not_finite_is_none() -> None:
    """As where the code answers with NaN."""
    assert seen_from(lambda x: (x * np.nan).sum(), [1.0])[0].complex_slope({"x": np.ones(1)}) is None


@pytest.mark.parametrize("sigma", [1e-12, 1e-9, 1e-6])
def test_noise_of_a_known_size_is_measured(sigma: float) -> None:
    """Neither much less, which would accuse, nor much more, which would hide."""
    random = np.random.default_rng(1)
    near, _ = seen_from(lambda x: 1 + x.sum() + sigma * random.normal(), np.linspace(0.1, 1, 5))

    assert 0.4 * sigma < near.measure_noise() < 4 * sigma
    assert near.calls == 8


def test_a_function_of_whole_numbers_is_seen_to_be_one() -> None:
    """Nothing changes close by; further away it jumps by 1."""
    near, _ = seen_from(lambda x: np.round(x @ [5, -7, 9, 3, 1]), np.ones(5))

    assert 0.28 < near.measure_noise() < 2


@pytest.mark.parametrize("decimals", [2, 3, 4])
def test_a_function_on_a_grid_has_the_rounding_of_the_grid(decimals: int) -> None:
    """A value rounded to d decimals is off by 10^-d / sqrt(12) on average."""
    near, _ = seen_from(lambda x: np.round(x.sum(), decimals), 10 + np.linspace(0.1, 1, 9))
    grid = 10.0**-decimals

    assert 0.999 * grid / 12**0.5 <= near.measure_noise() < grid


def test_a_constant_function_has_the_noise_of_its_last_digit() -> None:
    """All segments are tried, and show nothing."""
    near, _ = seen_from(lambda x: 8.0, [1.0, 2.0])

    assert near.measure_noise() == 4 * EPS
    assert near.calls == 8 * len(SEGMENTS + LONG_SEGMENTS)


@pytest.mark.parametrize("room", [1e-2, 0.1, 0.3])
def test_a_function_that_is_constant_only_here_is_on_no_grid(room: float) -> None:
    """A margin that is kept: further away the values move, and go on moving."""
    near, _ = seen_from(lambda x: 8 + np.maximum(0, np.abs(x - 1).max() - room), [1.0, 1.0])

    assert near.measure_noise() == 4 * EPS
    assert near.calls > 8 * len(SEGMENTS) + 8


def test_noise_is_measured_close_to_the_point() -> None:
    """Entries move in proportion to their size, small ones hardly at all."""
    seen: list[Any] = []
    point = np.array([0.0, 1e-6, 1e3])

    def function(x: Any) -> Any:
        seen.append(x.copy())
        return np.sin(x).sum()

    near, _ = seen_from(function, point)
    seen.clear()
    near.measure_noise()
    moved = np.abs(np.array(seen) - point)

    assert len(seen) == 8
    assert np.array_equal(seen[0], point)
    assert np.all(moved <= 7e-8 * 6 * (np.abs(point) + 1e-3))
    assert np.all(np.diff(moved[:, 0]) > 0)


def test_noise_where_the_function_is_not_finite_is_not_measured() -> None:
    """It stays what it was, and nothing is tried further away."""
    near = Neighbourhood(lambda p: np.inf, {"x": np.ones(2)}, 4.0, np.random.default_rng(0))

    assert near.measure_noise() == 2 * EPS
    assert near.calls == 8


# --- verdicts ---------------------------------------------------------------------------------------------

ALONG = {"x": np.array([0.6, 0.8])}


def test_a_quick_look_agrees_with_all_it_says() -> None:
    """The residual, the bar of rounding beside it, and the scale that was given."""
    near, _ = seen_from(lambda x: 3 * x[0] + 4 * x[1], [0.5, 0.25])
    step = near.base_step(["x"])
    probe = near.quick(ALONG, {"x": np.array([3.0, 4.0])}, 2.0, 1e-6)

    assert probe is not None
    assert (probe.outcome, probe.scale, probe.kinks) == ("agrees", 2.0, 0)
    assert probe.bar == pytest.approx(SIGMAS * near.noise / step + 2e-13)
    assert abs(probe.residual) <= probe.bar
    assert near.calls == 2


@pytest.mark.parametrize(
    ("gradient", "scale", "rtol"),
    [([3.0, 4.00001], 2.0, 1e-6), ([3.0, 4.0], 2.0, 1e-12), ([3.0, 4.0], 1e-9, 1e-6)],
    ids=["another slope", "less is allowed than can be seen", "a small scale"],
)
def test_a_quick_look_that_settles_nothing_is_none(gradient: Any, scale: float, rtol: float) -> None:
    """A residual beyond rounding, or a bar beyond what is asked for."""
    near, _ = seen_from(lambda x: 3 * x[0] + 4 * x[1], [0.5, 0.25])

    assert near.quick(ALONG, {"x": np.array(gradient)}, scale, rtol) is None


def test_a_careful_look_says_what_it_measured() -> None:
    """Each outcome with residual, bar, scale and the kinks on the way."""
    near, _ = seen_from(lambda x: np.exp(x).sum(), [0.5, 0.25])
    right = np.exp([0.5, 0.25])
    agrees = near.careful(ALONG, {"x": right}, 2.0, 1e-6)
    differs = near.careful(ALONG, {"x": right + np.array([0.1, 0])}, 2.0, 1e-6)

    assert (agrees.outcome, agrees.scale, agrees.kinks) == ("agrees", 2.0, 0)
    assert abs(agrees.residual) <= agrees.bar < 1e-8
    assert (differs.outcome, differs.scale, differs.kinks) == ("differs", 2.0, 0)
    assert differs.residual == pytest.approx(0.06, rel=1e-8)
    assert 0 < differs.bar < 1e-8
    assert near.calls == 8 + 4 + 8


def test_the_bar_is_rounding_and_truncation() -> None:
    """Of x^3 two sizes of step give the slope exactly; the bar keeps a third of what they differ by."""
    near = Neighbourhood(lambda p: p["x"][0] ** 3, {"x": np.ones(1)}, 1.0, np.random.default_rng(0), 1e-5)
    near.measured = True
    step = near.base_step(["x"])
    probe = near.careful({"x": np.ones(1)}, {"x": np.full(1, 3.0)}, 1.0, 1e-6)

    assert probe.outcome == "agrees"
    assert abs(probe.residual) < 1e-12
    assert probe.bar == pytest.approx(SIGMAS * 1e-5 / step + step**2, rel=1e-9)


def test_the_bar_grows_with_the_scale() -> None:
    """Beside slopes of a million nothing below 1e-7 can be seen."""
    for look in ("quick", "careful"):
        near, _ = seen_from(lambda x: 3 * x[0] + 4 * x[1], [0.5, 0.25])
        probe = getattr(near, look)(ALONG, {"x": np.array([3.0, 4.0])}, 1e6, 1e-6)

        assert 1e-7 < probe.bar < 1.02e-7


def test_a_steep_bend_is_no_kink() -> None:
    """It shrinks as the step does: a slope that is wrong by little is found at the second size of step."""
    near, _ = seen_from(lambda x: 1 + 1000 * (x**2).sum(), [0.1])
    near.measured = True
    probe = near.careful({"x": np.ones(1)}, {"x": np.full(1, 200.05)}, 1.0, 1e-6)

    assert (probe.outcome, probe.kinks, near.calls) == ("differs", 0, 8)
    assert probe.residual == pytest.approx(0.05, rel=1e-4)


def test_a_mistake_beside_a_kink_is_found_within_it() -> None:
    """Once the steps are smaller than the way to the kink, which is counted."""
    near, _ = seen_from(lambda x: np.abs(x - 1e-6).sum(), [0.0])
    near.measured = True
    probe = near.careful({"x": np.ones(1)}, {"x": np.full(1, -1.5)}, 1.0, 1e-6)

    assert (probe.outcome, probe.kinks) == ("differs", 2)
    assert probe.residual == pytest.approx(-0.5, rel=1e-6)


def test_what_is_allowed_is_a_part_of_the_scale() -> None:
    """A residual of 0.6e-3 is within a thousandth of 1, and not of 0.5."""
    near, _ = seen_from(lambda x: 3 * x[0] + 4 * x[1], [0.5, 0.25])
    wrong = {"x": np.array([3.001, 4.0])}

    assert near.careful(ALONG, wrong, 1.0, 1e-3).outcome == "agrees"
    assert near.careful(ALONG, wrong, 0.5, 1e-3).outcome == "differs"


@pytest.mark.parametrize(("distance", "kinks", "calls"), [(1e-6, 1, 3), (1e-7, 2, 4), (1e-8, 2, 5)])
def test_a_kink_nearby_is_left_behind_by_smaller_steps(distance: float, kinks: int, calls: int) -> None:
    """It is counted as often as the residual changed with the step: not while it lies far inside of it."""
    near, _ = seen_from(lambda x: np.abs(x - distance).sum(), [0.0])
    near.measured = True  # as after an earlier look: what is counted are the steps alone
    probe = near.careful({"x": np.ones(1)}, {"x": -np.ones(1)}, 1.0, 1e-6)

    assert (probe.outcome, probe.kinks, near.calls) == ("agrees", kinks, 4 * calls)


def test_a_kink_too_close_to_leave_behind_is_called_a_kink() -> None:
    """With how often the residual changed on the way."""
    near, _ = seen_from(lambda x: np.abs(x - 1e-9).sum(), [0.0])
    near.measured = True
    probe = near.careful({"x": np.ones(1)}, {"x": -np.ones(1)}, 1.0, 1e-6)

    assert (probe.outcome, probe.kinks, near.calls) == ("kink", 2, 20)


def test_a_kink_at_the_point_says_what_was_seen_last() -> None:
    """The residual beside a claimed slope of one side, after five sizes of step."""
    near, _ = seen_from(lambda x: np.abs(x).sum(), [0.0])
    near.measured = True
    probe = near.careful({"x": np.ones(1)}, {"x": np.ones(1)}, 3.0, 1e-6)

    assert (probe.outcome, probe.scale, probe.kinks, near.calls) == ("kink", 3.0, 0, 20)
    assert probe.residual == pytest.approx(1.0)
    assert 0 < probe.bar < 1e-6


def test_a_function_that_is_finite_close_by_only_is_looked_at_there() -> None:
    """Steps shrink by eight until the function answers with numbers."""
    near, _ = seen_from(lambda x: np.nan if abs(x[0]) > 1e-6 else 1 + 2 * x[0], [0.0])
    probe = near.careful({"x": np.ones(1)}, {"x": 2 * np.ones(1)}, 1.0, 1e-6)

    assert probe.outcome == "agrees"
    assert near.careful({"x": np.ones(1)}, {"x": np.ones(1)}, 1.0, 1e-6).outcome == "differs"


def test_a_function_that_is_finite_nowhere_else_is_unclear() -> None:
    """Nothing is known: no residual, and a bar without end."""
    near, _ = seen_from(lambda x: 0.0 if x[0] == 0 else np.nan, [0.0])
    probe = near.careful({"x": np.ones(1)}, {"x": np.ones(1)}, 4.0, 1e-6)

    assert (probe.outcome, probe.residual, probe.bar, probe.scale) == ("unclear", 0.0, np.inf, 4.0)
    assert probe.kinks == 0


def test_a_slope_beneath_the_noise_agrees_with_little() -> None:
    """A residual that the noise could make is no mistake; the bar says how little was seen."""
    random = np.random.default_rng(2)
    near, _ = seen_from(lambda x: 1 + 1e-4 * random.normal(), [0.0])
    right, wrong = (near.careful({"x": np.ones(1)}, {"x": np.full(1, g)}, 1.0, 1e-6) for g in (0.0, 1.0))

    assert right.outcome == "agrees"
    assert 0.01 < right.bar < 1
    assert wrong.outcome != "agrees"


# --- memory and random numbers -----------------------------------------------------------------------------


def test_memory_is_shared_from_a_size_on_and_by_one_shape_and_type() -> None:
    """Each name has a block of its own."""
    copies = Copies()
    edge = np.zeros(LARGE // 8)
    first = copies.room("a", edge)

    assert copies.room("a", edge) is first
    assert copies.room("b", edge) is not first
    assert copies.room("c", edge[1:]) is not copies.room("c", edge[1:])
    assert copies.of("a", edge + 1) is not copies.of("b", edge + 2)
    assert first[0] == 1
    assert copies.of("a", np.arange(3)).dtype == copies.room("a", np.arange(3)).dtype == np.intp
    assert copies.room("a", edge.reshape(2, -1)).shape == (2, LARGE // 16)
    assert copies.room("a", edge.astype(np.int64)).dtype == np.int64
    assert copies.of("a", np.asfortranarray(np.arange(12.0).reshape(3, 4))).tolist() == (
        np.arange(12.0).reshape(3, 4).tolist()
    )


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((), 1),
        ((3, 4), 12),
        ((0, 3), 0),
        ((TABLE - 1,), TABLE - 1),
        ((TABLE,), TABLE),
        ((TABLE - 1, 2), TABLE),
        ((TABLE, 2), 2 * TABLE),
    ],
)
def test_a_large_array_is_made_of_a_table(shape: tuple[int, ...], size: int) -> None:
    """Unless one of its sides is as long as the table: its rows would be alike."""
    assert table_size(shape) == size
    table = draw_table(np.random.default_rng(0), shape)
    assert table.shape == (size,)
    if size:
        assert np.linalg.norm(np.resize(table, shape)) == pytest.approx(1.0)


@given(st.integers(1, 7), st.lists(st.integers(0, 6), max_size=3), st.integers(0, 1000))
def test_a_table_fills_an_array_over_and_over(size: int, shape: list[int], seed: int) -> None:
    """As np.resize does; one longer than the array is cut."""
    table = np.random.default_rng(seed).normal(size=size)
    into = np.full(shape, np.nan)

    assert repeated(table, into) is into
    assert np.array_equal(into, np.resize(table, shape))


@given(st.lists(st.integers(1, 5), max_size=3), st.integers(0, 1000))
def test_the_length_of_an_array_is_its_norm(shape: list[int], seed: int) -> None:
    """In any layout."""
    array = np.random.default_rng(seed).normal(size=shape)

    assert length(array) == pytest.approx(float(np.linalg.norm(array.ravel())))
    assert length(np.asfortranarray(array)) == pytest.approx(length(array))


def test_directions_have_either_sign_and_the_norm_that_is_asked_for() -> None:
    """About half of the entries are negative, and the sizes lie between one and two."""
    along = draw_direction(np.random.default_rng(0), (50, 40), 3.0)

    assert np.linalg.norm(along) == pytest.approx(3.0)
    assert 800 < (along < 0).sum() < 1200
    assert np.abs(along).max() / np.abs(along).min() > 1.9
    assert draw_direction(np.random.default_rng(0), (0, 4)).shape == (0, 4)
