"""The ways in which a correct program goes wrong, as changes of its syntax tree."""

from __future__ import annotations

from pytest_symmetry.diagnosis.operators.activation import ACTIVATION_OPERATORS
from pytest_symmetry.diagnosis.operators.field import FIELD_OPERATORS
from pytest_symmetry.diagnosis.operators.general import GENERAL_OPERATORS
from pytest_symmetry.diagnosis.operators.mixtures import MIXTURE_OPERATORS
from pytest_symmetry.diagnosis.operators.places import PLACE_OPERATORS
from pytest_symmetry.diagnosis.operators.whole import WHOLE_OPERATORS

OPERATORS = (
    *ACTIVATION_OPERATORS,
    *FIELD_OPERATORS,
    *PLACE_OPERATORS,
    *WHOLE_OPERATORS,
    *MIXTURE_OPERATORS,
    *GENERAL_OPERATORS,
)

__all__ = ["OPERATORS"]
