"""Makes the programs beside this file importable as ``specimens``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
