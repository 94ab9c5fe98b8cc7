"""A student's program run in this process, with its calls logged the way a submission's are."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import wraps
from types import SimpleNamespace
from typing import Any

import numpy as np

from pytest_symmetry.arrays import named_arrays, rebuild
from pytest_symmetry.checks.matches import check_matches
from pytest_symmetry.context import Call, Context, current, entered
from pytest_symmetry.diagnosis.explain import explain
from pytest_symmetry.errors import CheckFailed
from pytest_symmetry.findings import Finding, Place

SLOPE_NOISE = 1e-7
"""Relative error of a central difference in float64 at these sizes."""


def functions_of(source: str) -> SimpleNamespace:
    """Return the functions of a program, in a namespace."""
    namespace: dict[str, Any] = {"np": np}
    exec(compile(source, "<program>", "exec"), namespace)
    return SimpleNamespace(**{k: v for k, v in namespace.items() if callable(v)})


def logged(program: SimpleNamespace) -> SimpleNamespace:
    """Return the same functions, each call of which is logged in the current context."""

    def log(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            before = deepcopy(args)
            result = function(*args, **kwargs)
            context = current()
            if context is not None:
                line = function.__code__.co_firstlineno if hasattr(function, "__code__") else 1
                changed = dict(_changed(before, args))
                made = Call(name, args, kwargs, result, tuple(changed.values()), tuple(changed))
                context.calls.append(replace(made, cell=3, line=line))
            return result

        return call

    return SimpleNamespace(**{name: log(name, function) for name, function in vars(program).items()})


def _changed(before: Any, now: Any, path: str = "args") -> Iterator[tuple[str, Any]]:
    """Yield the arrays that differ from what they were, by the path that a call has for them."""
    if isinstance(now, np.ndarray):
        if not np.array_equal(before, now, equal_nan=now.dtype.kind == "f"):
            yield path, now
    elif isinstance(now, dict | tuple | list):
        for key in now if isinstance(now, dict) else range(len(now)):
            yield from _changed(before[key], now[key], f"{path}[{key!r}]")


def slopes(loss: Callable[[Any], float], parameters: Mapping[str, Any], step: float = 1e-5) -> dict[str, Any]:
    """Return the central differences of a loss, entry by entry."""
    found = {}
    base = named_arrays(parameters)
    for name, array in base.items():
        slope = np.zeros_like(array)
        for index in np.ndindex(array.shape):
            ends = []
            for sign in (1, -1):
                moved = {k: v.copy() for k, v in base.items()}
                moved[name][index] += sign * step
                ends.append(float(np.squeeze(loss(rebuild(parameters, moved)))))
            slope[index] = (ends[0] - ends[1]) / (2 * step)
        found[name] = slope
    return found


def gradient_finding(
    loss: Callable[[Any], float], gradients: Callable[[Any], Mapping[str, Any]], parameters: Mapping[str, Any]
) -> Finding | None:
    """Return what a check of the gradients against the student's own loss finds, explained."""
    found = {name.removeprefix("d"): np.asarray(value) for name, value in gradients(parameters).items()}
    loss(parameters)
    expected = slopes(loss, parameters)
    wrong = [n for n in parameters if _differs(found[n], expected[n])]
    if not wrong:
        return None
    array = wrong[-1]
    facts = {"array": array, "index": "[0]", "student": 0.0, "numerical": 1.0, "error_bar": 1e-9}
    facts |= {"entries": 1, "entries_wrong": 1}
    finding = Finding("GRD101", facts=facts, place=Place(function="backward", array=array))
    if found[array].shape != expected[array].shape:
        facts |= {"shape": found[array].shape, "expected_shape": expected[array].shape}
        finding = Finding("MAT104", facts=facts, place=finding.place)
    return explain(finding, student=found, expected=expected, parameters=parameters, noise=SLOPE_NOISE)


def _differs(found: Any, expected: Any) -> bool:
    return found.shape != expected.shape or not np.allclose(
        found, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max()
    )


def match_finding(student: Any, reference: Any, *args: Any, **kwargs: Any) -> Finding | None:
    """Return what check_matches finds, or None."""
    try:
        check_matches(student, reference, *args, **kwargs)
    except CheckFailed as failure:
        return failure.finding
    return None


def told(check: Callable[..., Any], *args: Any, **kwargs: Any) -> Finding | None:
    """Return what a check says first; what the student's function raises becomes SUB103, as it does there."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # as in the student's process
            found = check(*args, **kwargs)
    except CheckFailed as failure:
        return failure.finding
    except Exception as error:
        return Finding("SUB103", facts={"error": type(error).__name__})
    return found if isinstance(found, Finding) else None


def noted(codes: Sequence[str], check: Callable[..., Any], *args: Any, **kwargs: Any) -> Finding | None:
    """Return what a check says first, a remark of one of the ``codes`` included."""
    evidence: list[Any] = []
    found = told(lambda: evidence.append(check(*args, **kwargs)))
    remarks = evidence[0].notes if evidence else ()
    return found or next((remark for remark in remarks if remark.code in codes), None)


Tests = Callable[[Any, Any], list[Callable[[], Finding | None]]]


def first_finding(reference_source: str, student_source: str, tests: Tests) -> tuple[int, Finding | None]:
    """Run an assignment's tests in order; return the first one that finds something, and what it finds.

    Each test has a context of its own, with the reference's source in it.
    """
    reference = functions_of(reference_source)
    student = logged(functions_of(student_source))
    for number, test in enumerate(tests(student, reference)):
        context = Context(reference=reference, reference_source=reference_source)
        context.submission = SimpleNamespace(submission=SimpleNamespace(cells=((3, student_source),)))
        with entered(context):
            finding = test()
        if finding is not None:
            return number, finding
    return -1, None
