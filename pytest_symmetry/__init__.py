"""Checks of hand-written backprop: gradients, symmetry of hidden units, and the name of the mistake.

The public names are loaded on first use, so that a pytest run that never asks for them never
imports numpy because this plugin is installed.

PYTEST_DONT_REWRITE: there is no assert in this file, and whoever imports it before pytest starts would
otherwise be warned that it came too early.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_symmetry.checks.backward import check_backward
    from pytest_symmetry.checks.gradients import check_gradients
    from pytest_symmetry.checks.initialization import check_initialization
    from pytest_symmetry.checks.matches import check_matches
    from pytest_symmetry.checks.purity import check_purity
    from pytest_symmetry.checks.specialization import check_specialization
    from pytest_symmetry.checks.symmetry import check_symmetry
    from pytest_symmetry.errors import CheckFailed
    from pytest_symmetry.findings import Finding, GradientEvidence, MatchEvidence, SymmetryEvidence

__version__ = "0.1.0"

__all__ = [
    "CheckFailed",
    "Finding",
    "GradientEvidence",
    "MatchEvidence",
    "SymmetryEvidence",
    "check_backward",
    "check_gradients",
    "check_initialization",
    "check_matches",
    "check_purity",
    "check_specialization",
    "check_symmetry",
]

_HOME = {
    "CheckFailed": "errors",
    "Finding": "findings",
    "GradientEvidence": "findings",
    "MatchEvidence": "findings",
    "SymmetryEvidence": "findings",
    "check_backward": "checks.backward",
    "check_gradients": "checks.gradients",
    "check_initialization": "checks.initialization",
    "check_matches": "checks.matches",
    "check_purity": "checks.purity",
    "check_specialization": "checks.specialization",
    "check_symmetry": "checks.symmetry",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
