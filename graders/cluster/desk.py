"""A desk: the process on a worker's machine that grades chunk after chunk as one machine does.

It is a process apart from dask's, without its sockets and settings; what a submission could reach it reaches
here. Parcels come on standard input and their answers go to standard output, each after its length. The desk
ends when nobody is left to ask.
"""

from __future__ import annotations

import os
import queue
import shutil
import sys
import tempfile
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from graders.batch import Judge, Task, examine, graded
from graders.cluster.kinds import Kind, kind_here
from graders.cluster.parcels import digest, lay_out, pack, read_parcel, unpack, write_parcel
from graders.intake import Entry
from graders.workers import Workers
from pytest_symmetry.assignment import load_assignment
from pytest_symmetry.errors import SymmetryError


class Desk:
    """What a desk does: ``scratch`` is a folder of its worker, ``workers`` is who grades."""

    def __init__(self, scratch: Path, workers: Workers) -> None:
        self._scratch = scratch
        self._workers = workers

    def answer(self, parcel: bytes) -> bytes:
        """Return the answer to a parcel: what was asked for, or in one sentence why not."""
        told = ""
        try:
            head, blobs = unpack(parcel)
            told = str(head.get("told", ""))
            folder = self._folder(head["assignment"], head["name"])
            if head["what"] == "examine":
                return self._examine(folder, head, blobs)
            return self._grade(folder, head, blobs)
        except SymmetryError as error:
            return pack({"error": _told(str(error), told, self._scratch)})
        except Exception as error:  # noqa: BLE001 - whatever it is, who asked has to know
            return pack({"error": f"{type(error).__name__}: {error}"})

    def _folder(self, assignment: str, name: str) -> Path:
        return self._scratch / "assignments" / assignment / Path(name).name

    def _examine(self, folder: Path, head: dict[str, Any], blobs: list[bytes]) -> bytes:
        """Lay out an assignment and say what judges here."""
        files = dict(zip(head["files"], blobs, strict=True))
        if digest(files) != head["assignment"]:
            return pack({"error": "the assignment arrived with other bytes than it was sent with"})
        lay_out(files, folder)
        judge: Judge = self._workers.ask(examine, str(folder), head["isolation"])
        kind: Kind = self._workers.ask(kind_here)
        return pack({"kind": kind.to_json(), "isolation": asdict(judge.isolation)})

    def _grade(self, folder: Path, head: dict[str, Any], blobs: list[bytes]) -> bytes:
        """Grade a chunk."""
        if not folder.is_dir():
            return pack({"error": "it does not have the assignment any more"})
        place = Path(tempfile.mkdtemp(dir=self._scratch))
        try:
            entries = tuple(
                _laid_out(place / str(i), told, raw)
                for i, (told, raw) in enumerate(zip(head["entries"], blobs, strict=True))
            )
            kept = str(self._scratch / "dictionaries")
            task = Task(
                **{**head["task"], "assignment": str(folder), "dictionaries": kept, "entries": entries}
            )
            done = {
                e.path: (r, page) for e, r, page in graded([task], load_assignment(folder), self._workers)
            }
        finally:
            shutil.rmtree(place, ignore_errors=True)
        answers = [done[entry.path] for entry in entries]
        results = [result.to_json() for result, _ in answers]
        kind = self._workers.ask(kind_here).to_json()
        pages = [page.encode("utf-8", "surrogatepass") for _, page in answers]
        return pack({"kind": kind, "results": results}, pages)


def _laid_out(folder: Path, told: dict[str, str], raw: bytes) -> Entry:
    """Write one submission and return its entry."""
    folder.mkdir()
    path = folder / Path(told["file"]).name
    path.write_bytes(raw)
    return Entry(told["student"], path, told["label"], told["sha256"])


def _told(sentence: str, told: str, scratch: Path) -> str:
    """Return a sentence with the asker's name of the assignment's folder instead of the one here."""
    for folder in (scratch / "assignments").glob("*/*"):
        sentence = sentence.replace(str(folder), told)
    return sentence


def main() -> None:
    """Answer parcels until nobody asks any more."""
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)  # what runs here reads nothing from whoever asks, and says nothing to them
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    asked: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    idle = threading.Event()

    def listen() -> None:
        while (parcel := read_parcel(source)) is not None:
            asked.put(parcel)
        asked.put(None)
        if not idle.is_set():  # its worker is gone in the middle of a chunk: nobody waits for that
            os._exit(1)

    threading.Thread(target=listen, daemon=True).start()
    with Workers(1) as workers:
        desk = Desk(Path(sys.argv[1]), workers)
        idle.set()
        while (parcel := asked.get()) is not None:
            idle.clear()
            answer = desk.answer(parcel)
            idle.set()  # before anybody has the answer: whoever has it may leave at once
            write_parcel(sink, answer)


if __name__ == "__main__":
    main()
