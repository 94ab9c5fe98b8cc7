"""Does a function leave alone what it was given?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_symmetry.checks.comparisons import compare
from pytest_symmetry.checks.failing import fail
from pytest_symmetry.checks.matches import separate
from pytest_symmetry.context import current, record
from pytest_symmetry.findings import Comparison, Finding, MatchEvidence, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_symmetry.context import Call


def check_purity(function: Callable[..., Any], *args: Any, **kwargs: Any) -> MatchEvidence:
    """Check that ``function(*args, **kwargs)`` changes none of its arguments in place.

    The function gets a copy of the arguments, so the caller's own are safe in any case. Every entry must stay
    the same to the last bit; members of a dict or list must stay the same members.

    Returns:
        One comparison per argument that was looked at.

    Raises:
        CheckFailed: PUR105, something was changed.
        StudentTrouble: the submission gave no answer.
    """
    __tracebackhide__ = True
    context = current()
    before = len(context.calls) if context else 0
    given_args, given_kwargs = separate((args, kwargs))
    function(*given_args, **given_kwargs)
    calls = context.calls[before:] if context else []
    changed = _changed_elsewhere(calls) if calls else _changed_here(args, kwargs, given_args, given_kwargs)
    names = [*_named(args, kwargs)]
    evidence = MatchEvidence(
        passed=not changed,
        comparisons=tuple(
            Comparison(n, not any(c.startswith(n) for c in changed), "argument") for n in names
        ),
    )
    if changed:
        fail(Finding("PUR105", place=_place(function, calls), facts={"changed": changed}), evidence)
    record(evidence)
    return evidence


def _named(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[str]:
    return [f"args[{i}]" for i in range(len(args))] + [f"kwargs[{key!r}]" for key in kwargs]


def _changed_elsewhere(calls: list[Call]) -> list[str]:
    """Return what the student's process reports as changed."""
    return [path for call in calls for path in call.changed_paths or (("args",) if call.changed else ())]


def _changed_here(
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    given_args: tuple[Any, ...],
    given_kwargs: Mapping[str, Any],
) -> list[str]:
    """Return the paths at which the copies that the function got differ from the originals."""
    pairs = [(f"args[{i}]", new, old) for i, (new, old) in enumerate(zip(given_args, args, strict=True))]
    pairs += [(f"kwargs[{key!r}]", given_kwargs[key], old) for key, old in kwargs.items()]
    return [
        item.path
        for name, new, old in pairs
        for item in compare(new, old, name)
        if item.problem or item.error > 0
    ]


def _place(function: Callable[..., Any], calls: list[Call]) -> Place:
    if calls:
        return Place(function=calls[-1].function, cell=calls[-1].cell, line=calls[-1].line)
    name = getattr(function, "__name__", None)
    return Place(function=name if isinstance(name, str) and name.isidentifier() else None)
