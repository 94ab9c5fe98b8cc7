"""What staff and CI run over a class; needs ``pip install "pytest-symmetry[grade]"``."""
