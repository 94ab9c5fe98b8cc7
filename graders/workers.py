"""The processes that grade: started clean, ended with the one that started them."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from typing import TYPE_CHECKING, TypeVar

from graders.sandbox.watchdog import end_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PROCESSORS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""How many processors this process may use."""

AHEAD = 4
"""How many tasks for each worker are given out before their answers are taken."""

_Task = TypeVar("_Task")
_Answer = TypeVar("_Answer")


@contextlib.contextmanager
def nothing_imported_from_here() -> Iterator[None]:
    """Let no worker that is started meanwhile import from the folder in which the command was given.

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


def _worker_pool(jobs: int) -> ProcessPoolExecutor:
    """Return worker processes that start clean (spawned, not forked), the same on every platform."""
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(max_workers=jobs, mp_context=spawn, initializer=end_with_parent)


class Workers:
    """Processes that take work, for one command: warm from its first task to its last.

    They are started when there is work, and anew when one of them died. ``make`` gives an executor for so
    many jobs; any executor will do whose broken state is a ``BrokenExecutor``.
    """

    def __init__(self, jobs: int, make: Callable[[int], Executor] = _worker_pool) -> None:
        self.jobs = jobs
        self._make = make
        self._pool: Executor | None = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_details: object) -> None:
        self.close()

    def close(self) -> None:
        """End them; work that nobody has begun is dropped."""
        pool, self._pool = self._pool, None
        if pool is not None:
            with nothing_imported_from_here():
                pool.shutdown(cancel_futures=True)

    def ask(self, function: Callable[..., _Answer], *args: object) -> _Answer:
        """Return what ``function`` gives in a worker, or raise what it raises.

        Raises:
            BrokenExecutor: the worker died of it.
        """
        try:
            return self._submit(function, *args).result()
        except BrokenExecutor:
            self.close()
            raise

    def through(
        self, function: Callable[[_Task], _Answer], tasks: Iterable[_Task]
    ) -> Iterator[tuple[_Task, _Answer | None]]:
        """Yield each task with what it came to, as they are done; with None where its worker died.

        A task is given out when there is room for it, and what it came to is kept no longer than it takes
        to yield it: a class of any size fits.
        """
        lost: list[_Task] = []
        waiting: dict[Future[_Answer], _Task] = {}
        coming, broken = iter(tasks), False
        try:
            while True:
                if broken and not waiting:  # others take what is still to come
                    self.close()
                    broken = False
                for task in itertools.islice(coming, 0 if broken else AHEAD * self.jobs - len(waiting)):
                    waiting[self._submit(function, task)] = task
                if not waiting:
                    break
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    task = waiting.pop(future)
                    if isinstance(future.exception(), BrokenExecutor):
                        broken = True
                        lost.append(task)
                    else:
                        yield task, future.result()
        finally:
            for future in waiting:
                future.cancel()
        yield from ((task, None) for task in lost)

    def _submit(self, function: Callable[..., _Answer], *args: object) -> Future[_Answer]:
        with nothing_imported_from_here():  # also when it is made: multiprocessing starts a process for that
            if self._pool is None:
                self._pool = self._make(self.jobs)
            try:
                return self._pool.submit(function, *args)
            except BrokenExecutor as broken:  # a worker died a moment ago, and nobody has been told yet
                future: Future[_Answer] = Future()
                future.set_exception(broken)
                return future
