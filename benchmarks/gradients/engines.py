"""The checkers, each behind one function: a problem in, a verdict out.

Each is used as its documentation says, with its own default tolerances. Where a tool returns a number and
no verdict, the rule that turns it into one is written beside it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.gradients.problems import Arrays


@dataclass
class Case:
    """A loss and its gradients as a user has them, with every call of either counted."""

    parameters: Arrays
    loss_function: Callable[[Arrays], Any]
    gradient_function: Callable[[Arrays], Arrays]
    seed: int = 0
    calls: int = 0
    most: float = float("inf")

    def loss(self, p: Arrays) -> Any:
        self.calls += 1
        if self.calls > self.most:
            msg = f"more than {self.most} evaluations"
            raise RuntimeError(msg)
        return self.loss_function(p)

    def gradients(self, p: Arrays) -> Arrays:
        self.calls += 1
        return self.gradient_function(p)

    @property
    def names(self) -> list[str]:
        return list(self.parameters)

    def unflatten(self, flat: Any) -> Arrays:
        found, start = {}, 0
        for name, array in self.parameters.items():
            found[name] = np.asarray(flat[start : start + array.size]).reshape(array.shape)
            start += array.size
        return found

    def flat(self) -> Any:
        return np.concatenate([a.ravel() for a in self.parameters.values()])

    def flat_loss(self, flat: Any) -> float:
        return self.loss(self.unflatten(flat))

    def flat_gradients(self, flat: Any) -> Any:
        found = self.gradients(self.unflatten(flat))
        return np.concatenate([np.ravel(found[f"d{name}"]) for name in self.names])


Engine = Callable[[Case], bool]


def ours(case: Case) -> bool:
    from pytest_symmetry import CheckFailed, check_gradients

    try:
        check_gradients(case.loss, case.gradients, case.parameters, seed=case.seed)
    except CheckFailed:
        return False
    return True


def _torch(*, fast: bool) -> Engine:
    def run(case: Case) -> bool:
        import torch

        class Loss(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, *tensors: Any) -> Any:
                ctx.save_for_backward(*tensors)
                p = {n: t.detach().numpy() for n, t in zip(case.names, tensors, strict=True)}
                return torch.as_tensor(np.asarray(case.loss(p), dtype=np.float64))

            @staticmethod
            def backward(ctx: Any, dout: Any) -> Any:
                p = {n: t.detach().numpy() for n, t in zip(case.names, ctx.saved_tensors, strict=True)}
                g = case.gradients(p)
                return tuple(torch.as_tensor(np.asarray(g[f"d{n}"])) * dout for n in case.names)

        torch.manual_seed(case.seed)
        tensors = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in case.parameters.values()]
        passed: bool = torch.autograd.gradcheck(Loss.apply, tensors, fast_mode=fast, raise_exception=False)
        return passed

    return run


def jax_check_grads(case: Case) -> bool:
    import jax
    from jax.test_util import check_grads

    jax.config.update("jax_enable_x64", True)
    shapes = [jax.ShapeDtypeStruct(a.shape, np.float64) for a in case.parameters.values()]

    def on_host(*arrays: Any) -> Any:
        return np.float64(case.loss({n: np.array(a) for n, a in zip(case.names, arrays, strict=True)}))

    def backward_on_host(*arrays: Any) -> Any:
        g = case.gradients({n: np.array(a) for n, a in zip(case.names, arrays, strict=True)})
        return tuple(np.asarray(g[f"d{n}"], dtype=np.float64) for n in case.names)

    @jax.custom_vjp
    def loss(*arrays: Any) -> Any:
        return jax.pure_callback(on_host, jax.ShapeDtypeStruct((), np.float64), *arrays)

    def forward(*arrays: Any) -> Any:
        return loss(*arrays), arrays

    def backward(arrays: Any, dout: Any) -> Any:
        return tuple(g * dout for g in jax.pure_callback(backward_on_host, tuple(shapes), *arrays))

    loss.defvjp(forward, backward)
    try:
        check_grads(loss, tuple(case.parameters.values()), order=1, modes=["rev"])
    except AssertionError:
        return False
    return True


def autograd_check_grads(case: Case) -> bool:
    from autograd.extend import defvjp_argnums, primitive
    from autograd.test_util import check_grads

    @primitive
    def loss(*arrays: Any) -> float:
        return float(case.loss(dict(zip(case.names, arrays, strict=True))))

    def vjp(argnums: Any, _value: Any, args: Any, _options: Any) -> Any:
        g = case.gradients(dict(zip(case.names, args, strict=True)))
        return lambda dout: [dout * g[f"d{case.names[i]}"] for i in argnums]

    defvjp_argnums(loss, vjp)
    np.random.seed(case.seed)
    try:
        check_grads(lambda arrays: loss(*arrays), modes=["rev"], order=1)(list(case.parameters.values()))
    except AssertionError:
        return False
    return True


def scipy_check_grad(case: Case) -> bool:
    """Rule of ours: scipy returns the norm of the error; 1e-5 of the gradient's norm may differ."""
    from scipy.optimize import check_grad

    x = case.flat()
    error = check_grad(case.flat_loss, case.flat_gradients, x)
    return bool(np.isfinite(error) and error <= 1e-5 * max(np.linalg.norm(case.flat_gradients(x)), 1e-3))


def scipy_check_grad_random(case: Case) -> bool:
    """The same along one random direction; rule of ours as above."""
    from scipy.optimize import check_grad

    x = case.flat()
    error = check_grad(case.flat_loss, case.flat_gradients, x, direction="random", rng=case.seed)
    return bool(np.isfinite(error) and error <= 1e-5 * max(np.linalg.norm(case.flat_gradients(x)), 1e-3))


def numdifftools_gradient(case: Case) -> bool:
    """Rule of ours: the largest error of an entry may be 1e-6 of the largest entry."""
    import numdifftools

    x = case.flat()
    numerical = numdifftools.Gradient(lambda v: float(case.flat_loss(v)))(x)
    claimed = case.flat_gradients(x)
    worst = np.abs(numerical - claimed).max()
    return bool(np.isfinite(worst) and worst <= 1e-6 * np.abs(claimed).max())


def cs231n_notes(case: Case) -> bool:
    """Central differences, h = 1e-5, largest relative error of an entry at most 1e-4."""
    x = case.flat()
    claimed = case.flat_gradients(x)
    numerical = np.empty_like(x)
    for i in range(x.size):
        kept = x[i]
        x[i] = kept + 1e-5
        above = case.flat_loss(x)
        x[i] = kept - 1e-5
        below = case.flat_loss(x)
        x[i] = kept
        numerical[i] = (above - below) / 2e-5
    worst = np.abs(numerical - claimed) / np.maximum(np.abs(numerical) + np.abs(claimed), 1e-8)
    return bool(worst.max() <= 1e-4)


def coursera_gradient_check(case: Case) -> bool:
    """Central differences, h = 1e-7, relative norm of the error at most 2e-7."""
    x = case.flat()
    claimed = case.flat_gradients(x)
    numerical = np.empty_like(x)
    for i in range(x.size):
        above, below = x.copy(), x.copy()
        above[i] += 1e-7
        below[i] -= 1e-7
        numerical[i] = (case.flat_loss(above) - case.flat_loss(below)) / 2e-7
    error = np.linalg.norm(numerical - claimed) / (np.linalg.norm(numerical) + np.linalg.norm(claimed))
    return bool(error <= 2e-7)


ENGINES: dict[str, tuple[Engine, str]] = {
    "pytest-symmetry": (ours, "pytest_symmetry"),
    "torch gradcheck": (_torch(fast=False), "torch"),
    "torch, fast_mode": (_torch(fast=True), "torch"),
    "jax check_grads": (jax_check_grads, "jax"),
    "autograd check_grads": (autograd_check_grads, "autograd"),
    "scipy check_grad": (scipy_check_grad, "scipy"),
    "scipy, random": (scipy_check_grad_random, "scipy"),
    "numdifftools": (numdifftools_gradient, "numdifftools"),
    "cs231n notes": (cs231n_notes, "numpy"),
    "Coursera": (coursera_gradient_check, "numpy"),
}
LARGE_ENGINES = (
    "pytest-symmetry",
    "torch, fast_mode",
    "jax check_grads",
    "autograd check_grads",
    "scipy, random",
)
"""Those whose cost does not grow with the number of entries."""


def available() -> tuple[list[str], dict[str, str]]:
    """Return the engines that can run here, and why the others cannot."""
    found, missing = [], {}
    for name, (_, module) in ENGINES.items():
        try:
            importlib.import_module(module)
        except ImportError as problem:
            missing[name] = str(problem)
        else:
            found.append(name)
    return found, missing


def verdict(name: str, case: Case) -> str:
    """Return "passes", "fails", or "raises" for what an engine says of a case."""
    try:
        with np.errstate(all="ignore"):
            return "passes" if ENGINES[name][0](case) else "fails"
    except Exception:
        return "raises"


def case_of(problem: Any, seed: int) -> Case:
    """Return a problem of the suites as a case."""
    return Case(problem.parameters, problem.loss, problem.gradients, seed)
