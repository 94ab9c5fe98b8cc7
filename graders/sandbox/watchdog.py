"""Ends a worker whose judge is stuck: a reply built to be slow to judge must not hold up a class.

The clock is a thread outside of Python's own (``faulthandler``): it runs also where those cannot. The worker
ends without a word, the batch finds out on whose submission, and that one waits for a person.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def patience(seconds: float) -> Iterator[None]:
    """End this process if the block takes longer than ``seconds``; 0 waits for ever."""
    if not seconds:
        yield
        return
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a file descriptor is all that is wanted
        faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
