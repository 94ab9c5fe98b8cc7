"""The processes that grade: started clean, ended with the one that started them."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from graders.sandbox.watchdog import end_with_parent


@contextlib.contextmanager
def nothing_imported_from_here() -> Iterator[None]:
    """Let no worker import from the folder in which the command was given.

    It may be the inbox: a submission named ``pickle.py`` would be run by the grader itself.
    """
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


def worker_pool(jobs: int) -> ProcessPoolExecutor:
    """Return worker processes that start clean (spawned, not forked), the same on every platform."""
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(max_workers=jobs, mp_context=spawn, initializer=end_with_parent)
