"""What runs in a worker of the cluster: it hands parcels to desks, and knows nothing of what is in them."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from graders.cluster.parcels import read_parcel, write_parcel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_free: list[subprocess.Popen[bytes]] = []
"""Desks of this worker that nobody sits at: as many are made as it has threads."""
_lock = threading.Lock()


def ask(parcel: bytes) -> bytes:
    """Return a desk's answer to a parcel.

    Raises:
        OSError: the desk ended.
    """
    with _desk() as desk:
        assert desk.stdin is not None
        assert desk.stdout is not None
        write_parcel(desk.stdin, parcel)
        answer = read_parcel(desk.stdout)
        if answer is None:
            msg = f"the process that grades there ended (exit code {desk.wait()})"
            raise ChildProcessError(msg)
        return answer


def leave() -> None:
    """Close the desks at which nobody sits; who asks again gets new ones."""
    with _lock:
        desks = _free.copy()
        _free.clear()
    for desk in desks:
        desk.communicate()  # nobody asks any more: they end


@contextlib.contextmanager
def _desk() -> Iterator[subprocess.Popen[bytes]]:
    """Give a desk that nobody else sits at; one that failed is not used again."""
    with _lock:
        desk = _free.pop() if _free else _new_desk()
    try:
        yield desk
    except BaseException:
        _end(desk)
        raise
    with _lock:
        _free.append(desk)


def _end(desk: subprocess.Popen[bytes]) -> None:
    """End a desk in the middle of what it does."""
    desk.kill()
    for pipe in (desk.stdin, desk.stdout):
        assert pipe is not None
        with contextlib.suppress(OSError):  # what it has not read is lost
            pipe.close()
    desk.wait()


def _new_desk() -> subprocess.Popen[bytes]:
    """Start a desk: a process that gets none of dask's settings, and of its descriptors two pipes."""
    environment = {k: v for k, v in os.environ.items() if not k.lstrip("_").startswith("DASK_")}
    return subprocess.Popen(  # noqa: S603 - this Python, with a module of this package
        [sys.executable, "-P", "-m", "graders.cluster.desk", str(_scratch())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**environment, "PYTHONSAFEPATH": "1"},
        cwd="/" if os.name == "posix" else None,
    )


@functools.cache
def _scratch() -> Path:
    from graders.scratch import scratch_folder

    return scratch_folder()
