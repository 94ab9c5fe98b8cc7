"""What the grader does not allow, said in words at the moment somebody asks for it.

These are words, not a lock: the kernel refuses the same things. Without them a student would read
"Operation not permitted" and not know by whom.
"""

from __future__ import annotations

import os
from typing import Any

_KINDS = {
    "network connections": ("socket.__new__", "socket.connect", "socket.bind", "urllib.Request"),
    "starting other programs or processes": (
        "subprocess.Popen", "os.system", "os.fork", "os.forkpty", "os.posix_spawn", "os.exec", "pty.spawn",
    ),
    "signals to other processes": ("os.kill", "os.killpg"),
    "reading what somebody types": ("builtins.input",),
}  # fmt: skip
_WHAT = {event: kind for kind, events in _KINDS.items() for event in events}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Refusals:
    """An audit hook that raises with the grader's reason; ``scratch`` is where files may be written."""

    def __init__(self, scratch: str | None) -> None:
        self._scratch = scratch

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Raise for what is not allowed (PEP 578).

        Raises:
            PermissionError: always the same words for the same kind of thing.
        """
        if (kind := _WHAT.get(event)) is not None:
            msg = f"the grader does not allow {kind}"
            raise PermissionError(msg)
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING:
            self._writing(arguments[0])

    def _writing(self, path: object) -> None:
        if isinstance(path, int) or not isinstance(path, str | bytes | os.PathLike):
            return
        place = os.fsdecode(os.fspath(path))
        if self._scratch is None:
            msg = f"the grader does not allow writing files: {place!r}"
            raise PermissionError(msg)
        if not os.path.abspath(place).startswith(self._scratch + "/"):  # noqa: PTH100 - pathlib would resolve links
            msg = f"the grader allows writing files in {self._scratch} only: {place!r}"
            raise PermissionError(msg)
