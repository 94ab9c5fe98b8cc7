"""Ends a worker whose judge is stuck: a reply built to be slow to judge must not hold up a class.

The clock is the kernel's (SIGALRM, which ends a process that does not handle it), or on Windows a thread
outside of Python's own: both run also where Python cannot. The worker ends without a word, the batch finds
out on whose submission, and that one waits for a person.
"""

from __future__ import annotations

import contextlib
import faulthandler
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def patience(seconds: float) -> Iterator[None]:
    """End this process if the block takes longer than ``seconds``; 0 waits for ever."""
    if not seconds:
        yield
        return
    if sys.platform == "win32":
        faulthandler.dump_traceback_later(seconds, exit=True)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
        return
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
