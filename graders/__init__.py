"""What staff and CI run over a class; needs ``pip install "pytest-symmetry[grade]"``.

PYTEST_DONT_REWRITE: as in ``pytest_symmetry``.
"""
