"""Ends workers that would be left: whose judge is stuck, or whose parent was killed.

A reply built to be slow to judge must not hold up a class.

The clock is the kernel's (SIGALRM, which ends a process that does not handle it), or on Windows a thread
outside of Python's own: both run also where Python cannot. The worker ends without a word, the batch finds
out on whose submission, and that one waits for a person.
"""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Let the kernel end this worker when the process that started it is killed; elsewhere do nothing.

    Without it a worker would wait for ever for work that nobody will send.
    """
    if sys.platform.startswith("linux"):
        import ctypes

        parent = multiprocessing.parent_process()
        ctypes.CDLL(None, use_errno=True).prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if parent is not None and parent.pid != os.getppid():  # it was killed a moment ago
            os._exit(1)


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
