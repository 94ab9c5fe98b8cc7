"""The attacks as files, and submissions opened to try them."""

import re
from pathlib import Path

from pytest_symmetry.remote.proxy import Limits, OpenedSubmission
from pytest_symmetry.submission import Submission

HERE = Path(__file__).parent
HONEST = "import numpy as np\ndef honest(x):\n    return 2 * x\n"


class Attack:
    """One file: what it tries, its source, and what must become of it."""

    def __init__(self, path):
        self.name = path.stem
        self.source = path.read_text(encoding="utf-8")
        head = self.source.split('"""')[1]
        self.facts = dict(re.findall(r"^(\w+): (.*)$", head, re.MULTILINE))
        self.x86_only = "library.syscall(" in self.source


def attacks(folder):
    return [Attack(path) for path in sorted((HERE / folder).glob("*.py"))]


def opened(source, transport, seconds=2.0):
    """Return a submission of an honest cell and ``source``."""
    submission = Submission("ada", Path("ada.ipynb"), "0", ((1, HONEST), (2, source)))
    return OpenedSubmission(submission, transport, Limits(seconds, 256 << 20))


def sealed(sandbox):
    """Return a locked process."""
    from graders.sandbox.transport import SealedProcess

    return SealedProcess(sandbox, 256 << 20)
