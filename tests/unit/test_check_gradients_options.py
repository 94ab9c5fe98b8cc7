"""The options of check_gradients, the containers it takes, and what it says of the point."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import Arrays, Network

from pytest_symmetry import CheckFailed, check_gradients
from pytest_symmetry.errors import SymmetryError
from pytest_symmetry.findings import GradientEvidence


@pytest.fixture
def net() -> Network:
    return Network.drawn((3, 5, 4), examples=7, seed=2)


def outcome(*args: Any, **options: Any) -> GradientEvidence | str:
    try:
        return check_gradients(*args, **options)
    except CheckFailed as failed:
        return f"{failed.finding.code} {failed.finding.place.array} {failed.finding.place.index}"


class Pair(NamedTuple):
    W: Any
    b: Any


@dataclass
class Layer:
    W: Any
    b: Any
    units: int = 5


W, B = np.arange(6.0).reshape(2, 3) / 7, np.array([0.5, -0.25, 0.125])


@pytest.mark.parametrize(
    ("parameters", "loss", "gradients"),
    [
        ({"W": W, "b": B}, lambda p: (p["W"] ** 3).sum() + (p["b"] ** 2).sum(),
         lambda p: {"W": 3 * p["W"] ** 2, "b": 2 * p["b"]}),
        ({"W": W, "b": B}, lambda p: (p["W"] ** 3).sum() + (p["b"] ** 2).sum(),
         lambda p: {"grad_W": 3 * p["W"] ** 2, "grad_b": 2 * p["b"]}),
        ([W, B], lambda p: (p[0] ** 3).sum() + (p[1] ** 2).sum(), lambda p: [3 * p[0] ** 2, 2 * p[1]]),
        ((W, B), lambda p: (p[0] ** 3).sum() + (p[1] ** 2).sum(), lambda p: (3 * p[0] ** 2, 2 * p[1])),
        (Pair(W, B), lambda p: (p.W ** 3).sum() + (p.b ** 2).sum(), lambda p: Pair(3 * p.W ** 2, 2 * p.b)),
        ([{"W": W}, {"W": B}], lambda p: (p[0]["W"] ** 3).sum() + (p[1]["W"] ** 2).sum(),
         lambda p: [{"dW": 3 * p[0]["W"] ** 2}, {"dW": 2 * p[1]["W"]}]),
        (SimpleNamespace(W=W, b=B), lambda p: (p.W ** 3).sum() + (p.b ** 2).sum(),
         lambda p: {"dW": 3 * p.W ** 2, "db": 2 * p.b}),
        (Layer(W, B), lambda p: (p.W ** 3).sum() + (p.b ** 2).sum(), lambda p: (3 * p.W ** 2, 2 * p.b)),
        (W, lambda p: (p ** 3).sum(), lambda p: 3 * p ** 2),
        ({"w": 0.5}, lambda p: p["w"] ** 3, lambda p: {"dw": 3 * p["w"] ** 2}),
        ({1: W, 2: B}, lambda p: (p[1] ** 3).sum() + (p[2] ** 2).sum(),
         lambda p: {1: 3 * p[1] ** 2, 2: 2 * p[2]}),
        ([W, B], lambda p: (p[0] ** 3).sum() + (p[1] ** 2).sum(),
         lambda p: (0.0, [3 * p[0] ** 2, 2 * p[1]])),
        ({"W": W, "n": np.array([1, 2])}, lambda p: (p["W"] ** 3).sum() * len(p["n"]),
         lambda p: ({"dW": 6 * p["W"] ** 2}, "cache")),
        ([np.array([1, 2]), B], lambda p: (p[0] ** 3).sum() + (p[1] ** 2).sum(),
         lambda p: (3 * p[0] ** 2, 2 * p[1])),
    ],
)  # fmt: skip
def test_containers(parameters: Any, loss: Any, gradients: Any) -> None:
    """Parameters and gradients may come in any container, and a wrong gradient is found in each."""
    evidence = check_gradients(loss, gradients, parameters)

    assert all(a.relative_error < 1e-6 for a in evidence.arrays)
    assert isinstance(outcome(lambda p: 1.01 * loss(p), gradients, parameters), str)


def test_integers_with_a_gradient_move_as_floats() -> None:
    """Weights typed as whole numbers are parameters all the same."""
    evidence = check_gradients(
        lambda p: float((p["W"] ** 2).sum() + p["b"].sum()),
        lambda p: {"dW": 2 * p["W"], "db": np.ones(3)},
        {"W": np.array([[1, 2], [3, 4]]), "b": B},
    )

    assert [a.name for a in evidence.arrays] == ["W", "b"]


@pytest.mark.parametrize("right", [True, False])
def test_bias_typed_as_a_whole_number_is_checked(right: bool) -> None:
    """b = 0 is a parameter where db is returned."""
    found = outcome(
        lambda p: float((p["w"] ** 2).sum() + p["b"] ** 2),
        lambda p: {"dw": 2 * p["w"], "db": (2 if right else 3) * p["b"]},
        {"w": B, "b": 1, "layers": 2},
    )

    assert found == "GRD101 db ()" or (right and [a.name for a in found.arrays] == ["w", "b"])


class Tensor:
    """What other libraries' tensors look like: convertible, and shy about their history."""

    def __init__(self, values: Any) -> None:
        self.values = np.asarray(values)
        self.attached = True

    def detach(self) -> Tensor:
        free = Tensor(self.values)
        free.attached = False
        return free

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        assert not self.attached
        return self.values if dtype is None else self.values.astype(dtype)


def test_tensors_of_other_libraries() -> None:
    """They become numpy arrays once; results may be tensors too."""
    evidence = check_gradients(
        lambda p: Tensor((p["W"] ** 3).sum()), lambda p: {"dW": Tensor(3 * p["W"] ** 2)}, {"W": Tensor(W)}
    )

    assert evidence.passed


def test_loss_and_gradients_in_one_function(net: Network) -> None:
    """One function may serve for both."""

    def both(parameters: Arrays) -> tuple[float, Arrays]:
        return net.loss(parameters), net.gradients(parameters)

    assert check_gradients(both, both, net.parameters).passed


def rosenbrock(theta: Any) -> Any:
    return (100 * (theta[1:] - theta[:-1] ** 2) ** 2 + (1 - theta[:-1]) ** 2).sum()


def its_gradient(theta: Any) -> Any:
    inner = theta[1:] - theta[:-1] ** 2
    found = np.zeros_like(theta)
    found[:-1] = -400 * theta[:-1] * inner - 2 * (1 - theta[:-1])
    found[1:] += 200 * inner
    return found


START = np.array([1.3, 0.7, 0.8, 1.9, 1.2])


@pytest.mark.parametrize(
    ("loss", "gradients", "parameters"),
    [
        (rosenbrock, its_gradient, START),
        (rosenbrock, lambda x: list(its_gradient(x)), START),
        (lambda x: (rosenbrock(x), its_gradient(x)), lambda x: (rosenbrock(x), its_gradient(x)), START),
        (lambda x: rosenbrock(np.asarray(x)), lambda x: its_gradient(np.asarray(x)), list(START)),
        (lambda x: x**3, lambda x: 3 * x**2, 2.0),
        (np.prod, lambda x: np.prod(x) / x, START),
    ],
)
def test_functions_of_one_vector(loss: Any, gradients: Any, parameters: Any) -> None:
    """What scipy.optimize takes is taken as it is."""
    assert check_gradients(loss, gradients, parameters).passed


def test_lone_vector_has_the_name_that_the_loss_gives_it() -> None:
    """A wrong entry is named by it."""

    def wrong(theta: Any) -> Any:
        return its_gradient(theta) * np.array([1, 1, 1, 1.1, 1])

    with pytest.raises(CheckFailed, match=r"The gradient dtheta is not .*dtheta\[3\]") as caught:
        check_gradients(rosenbrock, wrong, START)
    assert caught.value.finding.place.function == "wrong"
    assert str(check_gradients(rosenbrock, its_gradient, START)).splitlines()[1].startswith("theta")


def test_wrt_leaves_the_others_out(net: Network) -> None:
    """A mistake in an array that was not asked for is not looked for."""
    wrong = net.spoiled(dW1=np.negative)

    assert isinstance(outcome(net.loss, wrong, net.parameters, wrt=["W2", "b2"]), GradientEvidence)
    assert outcome(net.loss, wrong, net.parameters, wrt="W1").startswith("GRD101 dW1")


def test_caller_keeps_the_parameters(net: Network) -> None:
    """The caller's arrays stay as they are."""
    before = {name: value.copy() for name, value in net.parameters.items()}
    check_gradients(net.loss, net.gradients, net.parameters)
    outcome(net.loss, net.spoiled(dW1=np.negative), net.parameters)

    assert all(np.array_equal(before[n], net.parameters[n]) for n in before)


def test_seeding_makes_a_random_loss_repeat(net: Network) -> None:
    """Dropout is checked with the reseeding hook."""

    def mask() -> Any:
        return np.random.default_rng(state["seed"]).permutation(np.arange(5) % 2)

    state = {"seed": 0}

    def loss(parameters: Arrays) -> float:
        state["seed"] += 1
        return float(
            (np.tanh(parameters["b1"]) * mask()).sum() + sum((v**2).sum() for v in parameters.values())
        )

    def gradients(parameters: Arrays) -> Arrays:
        state["seed"] += 1
        found = {f"d{n}": 2 * v for n, v in parameters.items()}
        found["db1"] = found["db1"] + (1 - np.tanh(parameters["b1"]) ** 2) * mask()
        return found

    assert outcome(loss, gradients, net.parameters).startswith("GRD112")
    evidence = check_gradients(loss, gradients, net.parameters, reseed=lambda: state.update(seed=0))
    assert evidence.passed


def test_exhaustive_says_its_cost_first_and_counts_entries(net: Network) -> None:
    """Progress begins at (0, total) and ends at (total, total)."""
    heard: list[tuple[int, int]] = []
    evidence = check_gradients(
        net.loss, net.gradients, net.parameters, exhaustive=True, progress=lambda *n: heard.append(n)
    )

    assert heard == [(i, 44) for i in range(45)]
    assert [a.entries_wrong for a in evidence.arrays] == [0, 0, 0, 0]


@pytest.mark.parametrize("right", [True, False])
def test_exhaustive_takes_single_numbers(right: bool) -> None:
    """A kink beside a number without axes is asked about, and a mistake is found."""

    def gradients(p: Arrays) -> Arrays:
        return {"dw": np.abs(p["v"]).sum() * (1 if right else 2), "dv": p["w"] * np.sign(p["v"])}

    for seed in range(20):
        start = {"w": 1.5, "v": np.array([1e-6, -1e-7, 0.3])}
        said = outcome(
            lambda p: p["w"] * np.abs(p["v"]).sum(), gradients, start, exhaustive=True, at="given", seed=seed
        )
        assert right == isinstance(said, GradientEvidence)


def test_exhaustive_crosses_kinks_in_silence() -> None:
    """Entry by entry, a right ReLU network stays right."""
    net = Network.drawn((6, 30, 5), examples=40, seed=3, activation="relu")

    def refuses_complex(parameters: Arrays) -> float:
        return net.loss({n: np.array(v, dtype=float) for n, v in parameters.items()})

    for loss in (net.loss, refuses_complex):
        assert check_gradients(loss, net.gradients, net.parameters, exhaustive=True).passed


def test_given_point_says_what_it_cannot_show() -> None:
    """Zeros, twins and symmetry are noted where the check is made exactly there."""
    parameters = {"W1": np.eye(3), "b1": np.zeros(3), "W2": np.ones((2, 3))}
    evidence = check_gradients(
        lambda p: float(sum(np.sin(v + 0.3).sum() for v in p.values())),
        lambda p: {f"d{n}": np.cos(v + 0.3) for n, v in p.items()},
        parameters,
        at="given",
    )

    said = {(n.facts["array"], n.facts["what"]) for n in evidence.notes if n.code == "GRD123"}
    assert said == {("W1", "symmetric"), ("b1", "zero"), ("W2", "equal rows"), ("W2", "equal columns")}


def test_generic_point_shows_what_the_given_one_hides(net: Network) -> None:
    """With biases of zero, a missing L2 term of the bias shows only away from zero."""

    def loss(parameters: Arrays) -> float:
        return net.loss(parameters) + 0.05 * float((parameters["b1"] ** 2).sum())

    assert isinstance(outcome(loss, net.gradients, net.parameters, at="given"), GradientEvidence)
    assert outcome(loss, net.gradients, net.parameters).startswith("GRD101 db1")


def test_exact_kink_at_the_given_point_is_no_failure() -> None:
    """At a kink several gradients are right."""
    parameters = {"w": np.zeros(3), "v": np.ones(3)}
    evidence = check_gradients(
        lambda p: float(np.maximum(p["w"], 0).sum() + (p["v"] ** 2).sum()),
        lambda p: {"dw": 1.0 * (p["w"] >= 0), "dv": 2 * p["v"]},
        parameters,
        at="given",
    )

    assert "GRD127" in {n.code for n in evidence.notes}


def test_positive_parameters_are_not_pushed_below_zero() -> None:
    """A loss with a logarithm of a parameter is checked nearer to the given point."""
    parameters = {"scale": np.full(4, 1e-3)}

    def loss(p: Arrays) -> float:
        with np.errstate(invalid="raise"):
            return float(np.log(p["scale"]).sum())

    assert check_gradients(loss, lambda p: {"dscale": 1 / p["scale"]}, parameters).passed


@pytest.mark.parametrize(
    "options", [{"at": "here"}, {"directions": 0}, {"rtol": 0.0}, {"rtol": 2.0}, {"wrt": ["W1", "Z"]}]
)
def test_options_that_make_no_sense_are_refused(net: Network, options: dict[str, Any]) -> None:
    """The message names the option."""
    with pytest.raises(SymmetryError, match=next(iter(options))):
        check_gradients(net.loss, net.gradients, net.parameters, **options)


def test_parameters_without_arrays_are_refused() -> None:
    """There must be something to move."""
    with pytest.raises(SymmetryError, match="no arrays"):
        check_gradients(lambda p: 0.0, lambda p: p, {"n": 3})


sizes = st.lists(st.integers(1, 7), min_size=2, max_size=4)


@settings(max_examples=60)
@given(
    sizes, st.integers(2, 9), st.integers(0, 10_000), st.sampled_from(["tanh", "sigmoid", "relu", "softplus"])
)
def test_random_architectures_pass_when_right_and_fail_when_not(
    widths: list[int], examples: int, seed: int, activation: str
) -> None:
    """Whatever the sizes: a right backward pass is silent, a wrong first layer is found."""
    net = Network.drawn((*widths, 3), examples, seed, activation)
    evidence = outcome(net.loss, net.gradients, net.parameters, seed=seed)
    assert isinstance(evidence, GradientEvidence), evidence

    if np.abs(net.gradients(net.parameters)["dW1"]).max() > 1e-6:
        wrong = outcome(net.loss, net.spoiled(dW1=lambda g: 1.02 * g), net.parameters, seed=seed, at="given")
        assert wrong == "GRD101" or str(wrong).startswith("GRD101 dW1"), wrong


@settings(max_examples=30)
@given(st.floats(-9, 9), st.integers(0, 1000), st.booleans())
def test_verdict_does_not_depend_on_the_scale_of_the_loss(power: float, seed: int, right: bool) -> None:
    """A loss in other units gets the same verdict."""
    net = Network.drawn((3, 4, 3), 5, seed)
    factor = 10.0**power
    change = {} if right else {"dW1": lambda g: 1.001 * g}

    found = outcome(
        lambda p: factor * net.loss(p),
        lambda p: {n: factor * g for n, g in net.spoiled(**change)(p).items()},
        net.parameters,
        seed=seed,
    )

    assert isinstance(found, GradientEvidence) == right


@settings(max_examples=20)
@given(st.permutations(["W1", "b1", "W2", "b2"]), st.integers(0, 1000))
def test_verdict_does_not_depend_on_the_order_of_the_arrays(order: list[str], seed: int) -> None:
    """The same arrays in another order: the same array is accused."""
    net = Network.drawn((3, 4, 3), 5, seed)
    parameters = {name: net.parameters[name] for name in order}

    assert isinstance(outcome(net.loss, net.gradients, parameters, seed=seed), GradientEvidence)
    wrong = net.spoiled(dW1=np.negative, db2=lambda g: 2 * g)
    assert str(outcome(net.loss, wrong, parameters, seed=seed)).startswith("GRD101 db2")


def test_same_seed_same_evidence(net: Network) -> None:
    """Everything but the time repeats."""
    first, second = (replace(check_gradients(net.loss, net.gradients, net.parameters, seed=4), seconds=0.0)
                     for _ in range(2))  # fmt: skip
    other = replace(check_gradients(net.loss, net.gradients, net.parameters, seed=5), seconds=0.0)

    assert first == second
    assert first != other


def test_more_directions_are_counted(net: Network) -> None:
    """Each direction costs two evaluations for all arrays together."""
    one = check_gradients(net.loss, net.gradients, net.parameters)
    three = check_gradients(net.loss, net.gradients, net.parameters, directions=3)

    assert (one.evaluations, three.evaluations) == (6, 10)
    assert {a.directions for a in three.arrays} == {3}
