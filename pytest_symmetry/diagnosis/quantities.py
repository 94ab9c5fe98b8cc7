"""What a quantity is called to a student: by a name that the assignment knows, else in words.

The reference's local variables are the reference's own business: a hint about ``losses`` says nothing to
somebody who has no such variable. What everybody has are the functions, their arguments, what they return,
and the quantities that the assignment declares.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from pytest_symmetry.diagnosis.activations import ACTIVATIONS

_JOINED = re.compile(r"( or | and |, )")
_KEYED = re.compile(r"\w+\[['\"](?P<key>\w+)['\"]\]")
_LAYERED = re.compile(r"^(?P<d>d?)(?P<kind>[ZA])_?(?P<layer>\d+)$", re.IGNORECASE)
_WORDS = {
    ("", "Z"): "layer {} before its activation",
    ("", "A"): "layer {} after its activation",
    ("d", "Z"): "the error at layer {}",
    ("d", "A"): "the error that is passed back to layer {}",
}
_ACTIVATIONS = frozenset(activation.name for activation in ACTIVATIONS)


def in_words(
    facts: Mapping[str, Any], function: str, known: Collection[str] | None, declared: Mapping[str, str]
) -> dict[str, Any]:
    """Return the facts of a cause with every name that a student may not have put into words.

    Args:
        facts: what a planted mistake stands for; ``target`` is the quantity, ``used`` and ``instead`` are two
            variables, one in the place of the other.
        function: the function of the reference that the mistake is in.
        known: the names that the student has; None where nothing is known about it, and all are kept.
        declared: what the assignment says in words about its quantities, by name.

    Returns:
        The facts to be said; the name in the reference is kept under ``quantity``. Where one of two
        variables has no name, neither is said.
    """
    said = dict(facts)
    target = str(facts.get("target", ""))
    if target:
        said["quantity"] = target
        said["target"] = _phrase(target, function, known, declared)
    for key in ("used", "instead"):
        if isinstance(said.get(key), str):
            plain = _KEYED.sub(r"\g<key>", said[key])
            said[key] = " or ".join(dict.fromkeys(plain.split(" or ")))
    if known is not None and not all(_sayable(said.get(key), known) for key in ("used", "instead")):
        said = {key: value for key, value in said.items() if key not in ("used", "instead")}
    return said


def _phrase(target: str, function: str, known: Collection[str] | None, declared: Mapping[str, str]) -> str:
    if known is None:
        return target
    parts = _JOINED.split(target)
    words = [part if i % 2 else _words(part, function, known, declared) for i, part in enumerate(parts)]
    if len(set(words[::2])) == 1:
        return words[0]
    return "".join(words)


def _words(name: str, function: str, known: Collection[str], declared: Mapping[str, str]) -> str:
    if declared.get(name):
        return f"{name} ({declared[name]})"
    if name in known:
        return name
    if match := _LAYERED.match(name):
        return _WORDS[match["d"].lower(), match["kind"].upper()].format(match["layer"])
    return f"a step of {function}" if function in known else "a step on the way"


def _sayable(value: Any, known: Collection[str]) -> bool:
    """Return whether a fact is a number, an activation, a function of numpy, or made of known names."""
    if not isinstance(value, str):
        return True
    parts = _JOINED.split(value)[::2]
    return all(part in _ACTIVATIONS or part in known or hasattr(np, part) for part in parts)


@lru_cache(maxsize=16)
def vocabulary(source: str, functions: frozenset[str]) -> frozenset[str]:
    """Return the names that ``functions`` show to their callers.

    Those are their own names, their arguments, the keys read from arguments (``parameters["W1"]``), and the
    names and keys of what they return.
    """
    found: set[str] = set(functions)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name in functions:
            found.update(_shown(node))
    return frozenset(found)


def _shown(function: ast.FunctionDef) -> Iterator[str]:
    arguments = {a.arg for a in function.args.posonlyargs + function.args.args + function.args.kwonlyargs}
    yield from arguments - {"self"}
    returned: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value is not None:
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            returned.update(v.id for v in values if isinstance(v, ast.Name))
            yield from (key for value in values[:1] for key in _keys(value))
    yield from returned
    for node in ast.walk(function):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            stored = isinstance(node.ctx, ast.Store)
            if node.value.id in (returned if stored else arguments) and isinstance(node.slice, ast.Constant):
                yield str(node.slice.value)


def _keys(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Dict):
        yield from (str(key.value) for key in value.keys if isinstance(key, ast.Constant))
    elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "dict":
        yield from (keyword.arg for keyword in value.keywords if keyword.arg)
