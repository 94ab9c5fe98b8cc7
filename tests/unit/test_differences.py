"""Slopes with their own error bar: the bar holds, kinks are told from mistakes, calls are counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_symmetry.differences import (
    SIGMAS,
    Copies,
    Neighbourhood,
    draw_direction,
    draw_table,
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
@given(st.integers(1, 40_000), st.integers(0, 1000))
def test_a_table_serves_like_the_direction_it_fills(size: int, seed: int) -> None:
    """A difference along a table is the one along the whole direction."""
    point = np.random.default_rng(seed).normal(size=size)
    near, _ = seen_from(lambda x: np.sin(x).sum(), point, seed)
    table = draw_table(np.random.default_rng(seed), (size,), 2.0)
    along = draw_direction(np.random.default_rng(seed), (size,), 2.0)
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
