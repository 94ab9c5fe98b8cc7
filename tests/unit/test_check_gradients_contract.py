"""Every way in which a loss or a gradient breaks its contract has a code and a sentence of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from networks import Arrays, Network

from pytest_symmetry import CheckFailed, check_gradients
from pytest_symmetry.context import Call, Context, entered
from pytest_symmetry.feedback.text import words
from pytest_symmetry.findings import Finding


@pytest.fixture
def net() -> Network:
    return Network.drawn((3, 5, 4), examples=7, seed=2)


def broken(*args: Any, **options: Any) -> tuple[Finding, str]:
    with pytest.raises(CheckFailed) as caught:
        check_gradients(*args, **options)
    return caught.value.finding, str(caught.value)


def with_entry(value: float) -> Callable[[Any], Any]:
    def change(gradient: Any) -> Any:
        gradient = gradient.copy()
        gradient[1, 2] = value
        return gradient

    return change


@pytest.mark.parametrize(("value", "word"), [(np.nan, "nan"), (np.inf, "inf")])
def test_entry_that_is_not_finite(net: Network, value: float, word: str) -> None:
    """NaN and infinities are named with their place."""
    finding, text = broken(net.loss, net.spoiled(dW1=with_entry(value)), net.parameters)

    assert finding.code == "GRD104"
    assert f"dW1[1, 2] is {word}" in text


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda g: g[None, :], "keepdims-extra"),
        (lambda g: g.sum(), "single-number"),
        (lambda g: g[:2], None),
    ],
)
def test_bias_gradient_of_another_shape(
    net: Network, change: Callable[[Any], Any], cause: str | None
) -> None:
    """Shapes are compared before numbers."""
    finding, text = broken(net.loss, net.spoiled(db1=change), net.parameters)

    assert finding.code == "GRD102"
    assert finding.cause == cause
    assert "(5,)" in text


@pytest.mark.parametrize(("change", "cause"), [(np.transpose, "transposed"), (np.ravel, "shape-flattened")])
def test_weight_gradient_of_another_shape(net: Network, change: Callable[[Any], Any], cause: str) -> None:
    """A transposed or flattened gradient is called by its name."""
    finding, text = broken(net.loss, net.spoiled(dW1=change), net.parameters)

    assert finding.code == "GRD102"
    assert finding.cause == cause
    assert "dW1 has shape" in text


def test_column_bias_without_keepdims() -> None:
    """A gradient of shape (n,) for a bias of shape (n, 1) is missing its axis."""
    finding, _ = broken(
        lambda p: float((p["b"] ** 2).sum()), lambda p: {"db": 2 * p["b"][:, 0]}, {"b": np.ones((4, 1))}
    )

    assert finding.cause == "keepdims-missing"


def test_row_bias_with_a_flat_gradient_is_only_noted() -> None:
    """A shape that an update would use rightly all the same is no failure."""
    evidence = check_gradients(
        lambda p: float((p["b"] ** 2).sum()), lambda p: {"db": 2 * p["b"][0]}, {"b": np.ones((1, 4))}
    )

    assert [note.code for note in evidence.notes] == ["GRD125"]


def test_missing_key(net: Network) -> None:
    """A gradient that is not there is named, with what is there."""

    def without(parameters: Arrays) -> Arrays:
        found = net.gradients(parameters)
        del found["db1"]
        return found

    finding, text = broken(net.loss, without, net.parameters)

    assert finding.code == "GRD103"
    assert finding.facts["missing"] == ["db1"]
    assert "dW1, dW2 and db2" in text


def test_too_few_values_in_a_tuple(net: Network) -> None:
    """A tuple of the wrong length is counted."""
    finding, text = broken(net.loss, lambda p: tuple(net.gradients(p).values())[:3], net.parameters)

    assert finding.code == "GRD103"
    assert "3 values for 4 parameters" in text


@pytest.mark.parametrize("value", [None, "dW1", np.array([None])])
def test_gradient_that_is_no_array_of_numbers(net: Network, value: Any) -> None:
    """None and text are no gradients."""
    finding, _ = broken(net.loss, net.spoiled(dW1=lambda g: value), net.parameters)

    assert finding.code == "GRD106"


def test_random_gradient(net: Network) -> None:
    """A gradient that differs from call to call is not compared."""
    random = np.random.default_rng(5)
    finding, text = broken(
        net.loss, net.spoiled(dW1=lambda g: g + 0.1 * random.normal(size=g.shape)), net.parameters
    )

    assert finding.code == "GRD105"
    assert finding.cause is None
    assert "at the first call" in text


@pytest.mark.parametrize("earlier", [0, 3])
def test_accumulating_gradient(net: Network, earlier: int) -> None:
    """Gradients that are added up are recognised, also when the first call of the check was not the first."""
    kept: Arrays = {}

    def adding(parameters: Arrays) -> Arrays:
        for name, gradient in net.gradients(parameters).items():
            kept[name] = kept.get(name, 0) + gradient
        return kept

    for _ in range(earlier):
        adding(net.parameters)
    finding, text = broken(net.loss, adding, net.parameters, at="given")

    assert finding.code == "GRD105"
    assert finding.cause == "accumulates"
    assert "holds the first once more" in text


def test_accumulating_in_place(net: Network) -> None:
    """An array that is returned, kept and added to is recognised though it is one object."""
    kept = {name: np.zeros_like(value) for name, value in net.gradients(net.parameters).items()}

    def adding(parameters: Arrays) -> Arrays:
        for name, gradient in net.gradients(parameters).items():
            kept[name] += gradient
        return kept

    assert broken(net.loss, adding, net.parameters)[0].cause == "accumulates"


def updating(net: Network) -> Callable[[Arrays], Arrays]:
    def gradients(parameters: Arrays) -> Arrays:
        found = net.gradients(parameters)
        for name in parameters:
            parameters[name] -= 0.1 * found[f"d{name}"]
        return found

    return gradients


def test_gradients_that_update_the_parameters(net: Network) -> None:
    """An update inside the backward pass is found first."""
    before = {name: value.copy() for name, value in net.parameters.items()}
    finding, text = broken(net.loss, updating(net), net.parameters)

    assert finding.code == "PUR102"
    assert "W1" in text
    assert all(np.array_equal(before[n], net.parameters[n]) for n in before)


def test_replaced_parameters_count_as_changed(net: Network) -> None:
    """Putting a new array into the dict changes the dict."""

    def gradients(parameters: Arrays) -> Arrays:
        found = net.gradients(parameters)
        parameters["W2"] = parameters["W2"] - 0.1 * found["dW2"]
        return found

    finding, _ = broken(net.loss, gradients, net.parameters)

    assert (finding.code, finding.facts["arrays"]) == ("PUR102", ["W2"])


def test_loss_that_scales_the_parameters(net: Network) -> None:
    """A loss may not change what it is given."""

    def loss(parameters: Arrays) -> float:
        parameters["W1"] *= 0.5
        return net.loss(parameters)

    finding, text = broken(loss, net.gradients, net.parameters)

    assert finding.code == "PUR101"
    assert "W1" in text


def test_loss_that_scales_its_data(net: Network) -> None:
    """Data that is changed in place is named, and put back."""
    X = net.X
    before = X.copy()

    def loss(parameters: Arrays) -> float:
        np.multiply(X, 0.5, out=X)
        return net.loss(parameters)

    finding, text = broken(loss, net.gradients, net.parameters)

    assert (finding.code, finding.facts["arrays"]) == ("PUR103", ["X"])
    assert "X holds other values" in text
    assert np.array_equal(X, before)


def test_data_of_an_object_is_named_as_well(net: Network) -> None:
    """A method that changes its object's data in place."""

    class Scaled(Network):
        def loss(self, parameters: Arrays) -> float:
            self.X *= 0.5
            return super().loss(parameters)

    scaled = Scaled(net.parameters, net.X, net.y)
    finding, _ = broken(scaled.loss, scaled.gradients, net.parameters)

    assert (finding.code, finding.facts["arrays"]) == ("PUR103", ["Scaled.X"])


def test_state_of_an_object_may_change(net: Network) -> None:
    """A network object that keeps its parameters and sums is no trouble."""

    class Kept(Network):
        def loss(self, parameters: Arrays) -> float:
            for name, value in parameters.items():
                self.parameters[name][...] = value
            return super().loss(self.parameters)

    kept = Kept({n: v.copy() for n, v in net.parameters.items()}, net.X, net.y)

    assert check_gradients(kept.loss, net.gradients, net.parameters).passed


def test_shifting_the_data_once_counts_as_well(net: Network) -> None:
    """X -= X.mean() gives the same answer every time, and is still a change of the caller's data."""
    X = net.X

    def loss(parameters: Arrays) -> float:
        np.subtract(X, X.mean(axis=0), out=X)
        return net.loss(parameters)

    assert broken(loss, net.gradients, net.parameters)[0].code == "PUR103"


def test_scratch_space_may_change(net: Network) -> None:
    """A buffer that a right program writes to is its own business."""
    room = np.zeros((7, 5))

    def loss(parameters: Arrays) -> float:
        np.dot(net.X, parameters["W1"], out=room)
        room[...] = np.tanh(room + parameters["b1"])
        shifted = room @ parameters["W2"] + parameters["b2"]
        log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return float(-log_p[np.arange(7), net.y].mean())

    assert check_gradients(loss, net.gradients, net.parameters).passed


@pytest.mark.parametrize("value", [None, "0.5", np.ones(3), {"loss": 1.0}, 1j])
def test_loss_that_is_no_number(net: Network, value: Any) -> None:
    """Only a number has a slope."""
    assert broken(lambda p: value, net.gradients, net.parameters)[0].code == "GRD110"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_loss_that_is_not_finite(net: Network, value: float) -> None:
    """NaN everywhere is a finding, not a pass."""
    finding, text = broken(lambda p: value, net.gradients, net.parameters)

    assert finding.code == "GRD111"
    assert str(value) in text


def test_random_loss(net: Network) -> None:
    """A loss that differs from call to call is not compared."""
    random = np.random.default_rng(3)

    finding, text = broken(lambda p: net.loss(p) + random.normal(), net.gradients, net.parameters)

    assert finding.code == "GRD112"
    assert "random numbers" in text


def test_loss_that_ignores_everything(net: Network) -> None:
    """return 0.0 beside zero gradients is "cannot tell", never a pass."""
    zeros = {f"d{n}": np.zeros_like(v) for n, v in net.parameters.items()}
    finding, text = broken(lambda p: 0.0, lambda p: zeros, net.parameters)

    assert finding.code == "GRD107"
    assert "cannot be judged" in text


def test_loss_that_ignores_one_array(net: Network) -> None:
    """A gradient for something that the loss never reads gets that cause."""
    finding, text = broken(lambda p: net.loss({**p, "b1": np.zeros(5)}), net.gradients, net.parameters)

    assert (finding.code, finding.cause) == ("GRD101", "loss-ignores-array")
    assert "never reads b1" in text


def test_parameter_that_needs_no_gradient_is_noted(net: Network) -> None:
    """A running average beside the parameters is left out."""
    evidence = check_gradients(net.loss_of_known, net.gradients, {**net.parameters, "running": np.ones(5)})

    assert [note.code for note in evidence.notes] == ["GRD126"]
    assert [a.name for a in evidence.arrays] == ["W1", "b1", "W2", "b2"]


def test_float32_gradients_are_noted(net: Network) -> None:
    """float32 is no mistake, and is said."""
    single = {name: lambda g: g.astype(np.float32) for name in ("dW1", "db1", "dW2", "db2")}
    evidence = check_gradients(net.loss, net.spoiled(**single), net.parameters)

    assert {note.code for note in evidence.notes} == {"GRD128"}


def test_float32_forward_is_noted(net: Network) -> None:
    """A loss computed in float32 is judged by its own noise."""
    low = Network(net.parameters, net.X.astype(np.float32), net.y)

    def loss(parameters: Arrays) -> float:
        return low.loss({n: v.astype(np.float32) for n, v in parameters.items()})

    evidence = check_gradients(loss, net.gradients, net.parameters)

    assert "GRD122" in {note.code for note in evidence.notes}


class Elsewhere:
    """Functions that run on copies of their arguments and report what they changed, as a submission's do."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def call(self, name: str, result: Any, args: tuple[Any, ...], changed: tuple[Any, ...] = ()) -> Any:
        self.context.calls.append(Call(name, args, result=result, changed=changed, cell=3, line=9))
        return result


def test_change_in_another_process_counts_the_same(net: Network) -> None:
    """What a submission reports as changed gets the code that a change here would get."""
    context = Context()
    there = Elsewhere(context)
    with entered(context):
        finding, _ = broken(
            lambda p: there.call("cost", net.loss(p), (p,)),
            lambda p: there.call("backward", net.gradients(p), (p,), (p["W2"],)),
            net.parameters,
        )
        assert (finding.code, finding.facts["arrays"]) == ("PUR102", ["W2"])
        assert (finding.place.function, finding.place.cell, finding.place.line) == ("backward", 3, 9)

        finding, _ = broken(
            lambda p: there.call("cost", net.loss(p), (net.X, p), (net.X,)),
            lambda p: there.call("backward", net.gradients(p), (p,)),
            net.parameters,
        )
        assert finding.code == "PUR103"


def test_overwritten_cache_in_another_process_is_a_warning(net: Network) -> None:
    """The idiom dscores = probs is no mistake of the gradient."""
    context = Context()
    there = Elsewhere(context)

    def gradients(parameters: Arrays) -> Arrays:
        cache = there.call("forward", np.ones(3), (parameters,))
        return there.call("backward", net.gradients(parameters), (parameters, cache), (cache,))

    with entered(context):
        evidence = check_gradients(net.loss, gradients, net.parameters)

    assert [(note.code, note.severity) for note in evidence.notes] == [("PUR104", "warn")]


def test_calls_of_perturbed_losses_are_not_kept(net: Network) -> None:
    """The context holds the calls of the contract alone, not thousands with their arguments."""
    context = Context()
    there = Elsewhere(context)
    with entered(context):
        evidence = check_gradients(
            lambda p: there.call("cost", net.loss(p), (p,)), net.gradients, net.parameters
        )

    assert len(context.calls) == 2
    assert context.evidence == [evidence]


def test_kept_calls_keep_their_arguments() -> None:
    """Large arrays of a kept call are not used again for the next one."""
    context = Context()
    there = Elsewhere(context)
    W = np.random.default_rng(0).normal(size=20_000)
    with entered(context):
        check_gradients(
            lambda p: there.call("cost", float(np.sin(p["W"]).sum()), (p["W"],)),
            lambda p: there.call("backward", {"dW": np.cos(p["W"])}, (p["W"],)),
            {"W": W},
        )

    assert len(context.calls) == 4
    assert all(np.array_equal(call.args[0], context.calls[0].args[0]) for call in context.calls)
    last = context.calls[-1]
    assert np.array_equal(last.result["dW"], np.cos(last.args[0]))


class Keeping:
    """A network that keeps the forward pass of its loss for its gradients."""

    def __init__(self, net: Network, overwrite: Callable[[Arrays], None]) -> None:
        self.net, self.overwrite = net, overwrite
        self.cache: Arrays = {}

    def loss(self, p: Arrays) -> float:
        A = np.tanh(self.net.X @ p["W1"] + p["b1"])
        scores = A @ p["W2"] + p["b2"]
        shifted = scores - scores.max(axis=1, keepdims=True)
        probs = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
        self.cache = {"A": A, "probs": probs}
        return float(-np.log(probs[np.arange(7), self.net.y]).mean())

    def gradients(self, p: Arrays) -> Arrays:
        A, m = self.cache["A"], len(self.net.y)
        D = self.cache["probs"].copy()
        D[np.arange(m), self.net.y] -= 1
        D /= m
        dZ = (D @ p["W2"].T) * (1 - A**2)
        self.overwrite(self.cache)
        return {"dW1": self.net.X.T @ dZ, "db1": dZ.sum(axis=0), "dW2": A.T @ D, "db2": D.sum(axis=0)}


def subtract_one(cache: Arrays) -> None:
    cache["probs"][0, 0] -= 1


def test_overwritten_cache_of_the_loss_is_a_warning(net: Network) -> None:
    """What the loss kept and the gradients overwrote is named; the gradients are not called wrong."""
    kept = Keeping(net, subtract_one)

    evidence = check_gradients(kept.loss, kept.gradients, net.parameters)

    assert [(note.code, note.severity) for note in evidence.notes] == [("PUR104", "warn")]
    assert evidence.notes[0].facts["arrays"] == ["Keeping.cache['probs']"]
    assert "note PUR104" in str(evidence)


def test_kept_values_that_are_only_read_need_no_note(net: Network) -> None:
    """Nothing is overwritten, nothing is said."""
    kept = Keeping(net, lambda cache: None)

    assert check_gradients(kept.loss, kept.gradients, net.parameters).notes == ()


def test_scratch_space_of_the_loss_may_be_used_again(net: Network) -> None:
    """An array that the gradients overwrite before they read it is no cache."""
    kept = Keeping(net, lambda cache: None)
    kept_loss, kept_gradients = kept.loss, kept.gradients

    def loss(p: Arrays) -> float:
        value = kept_loss(p)
        kept.cache["room"] = np.ones(7)
        return value

    def gradients(p: Arrays) -> Arrays:
        kept.cache["room"][...] = 0
        return kept_gradients(p)

    assert check_gradients(loss, gradients, net.parameters).notes == ()


def test_overwritten_cache_of_a_closure_is_a_warning(net: Network) -> None:
    """A cache from before, at the given point: the first call is right, and the second finds other values."""
    kept = Keeping(net, subtract_one)
    kept.loss(net.parameters)
    fresh = Keeping(net, lambda cache: None)

    evidence = check_gradients(fresh.loss, kept.gradients, net.parameters, at="given")

    assert "PUR104" in {note.code for note in evidence.notes}


def test_momentum_is_no_cache(net: Network) -> None:
    """What a call leaves behind in zeros is a sum of its own, and the second gradient is another."""
    state = {name: np.zeros_like(value) for name, value in net.gradients(net.parameters).items()}

    def with_momentum(p: Arrays) -> Arrays:
        for name, gradient in net.gradients(p).items():
            state[name][...] = 0.9 * state[name] + gradient
        return {name: value.copy() for name, value in state.items()}

    assert broken(net.loss, with_momentum, net.parameters)[0].code == "GRD105"


def test_gradients_of_values_kept_from_before(net: Network) -> None:
    """A cache of the given parameters is right there, and only there: that is said."""
    kept = Keeping(net, lambda cache: None)
    kept.loss(net.parameters)
    fresh = Keeping(net, lambda cache: None)

    finding, text = broken(fresh.loss, kept.gradients, net.parameters)

    assert (finding.code, finding.cause) == ("GRD101", "same-everywhere")
    assert "at='given'" in text
    assert check_gradients(fresh.loss, kept.gradients, net.parameters, at="given").passed


def test_loss_that_works_on_parameters_of_its_own(net: Network) -> None:
    """A network that ignores what it is called with is told so."""
    mine = {name: value.copy() for name, value in net.parameters.items()}

    finding, _ = broken(lambda p: net.loss(mine), lambda p: net.gradients(mine), net.parameters)

    assert finding.cause == "loss-ignores-everything"


def test_nothing_returned(net: Network) -> None:
    """A function without a return is asked for one."""
    finding, text = broken(net.loss, lambda p: None, net.parameters)

    assert finding.code == "GRD103"
    assert "ends with a return" in text


def renumbered(net: Network, by: int, spelled: str = "d") -> Callable[[Arrays], Arrays]:
    """Return the right gradients, each under the key of another layer."""

    def gradients(p: Arrays) -> Arrays:
        found = {name.removeprefix("d"): array for name, array in net.gradients(p).items()}
        return {f"{spelled}{name[0]}{int(name[1:]) + by}": array for name, array in found.items()}

    return gradients


@pytest.mark.parametrize("sizes", [(3, 5, 4), (3, 5, 4, 2), (4, 4, 4, 4), (3, 5, 5, 5, 2)])
@pytest.mark.parametrize(
    ("by", "spelled", "word"), [(-1, "d", "low"), (-1, "grad_", "low"), (1, "d", "high")]
)
def test_keys_of_another_layer(sizes: tuple[int, ...], by: int, spelled: str, word: str) -> None:
    """However many layers there are, and whether or not shapes tell them apart, it is said of the keys."""
    net = Network.drawn(sizes, examples=7, seed=2)
    finding, text = broken(net.loss, renumbered(net, by, spelled), net.parameters)

    assert (finding.code, finding.cause) == ("GRD103", "keys-off-by-one")
    assert f"{spelled}W{1 + by}, " in text
    assert "which number does the first key end in" in text
    assert words(finding, reveal="cause").cause.endswith(f"one too {word}.")


def test_keys_that_are_not_all_one_layer_off(net: Network) -> None:
    """Where one array has another shape, nothing is said of the others' keys."""

    def gradients(p: Arrays) -> Arrays:
        moved = renumbered(net, -1)(p)
        return {**moved, "db0": moved["db0"][:2]}

    finding, _ = broken(net.loss, gradients, net.parameters)

    assert finding.cause != "keys-off-by-one"
