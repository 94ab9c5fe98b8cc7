"""A cluster whose workers say what a test lets them say, when it lets them."""

import hashlib
import threading
from concurrent.futures import Executor, Future
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import class_on_paper
import tiny_course

from graders.batch import Task
from graders.cluster import post
from graders.cluster.crew import Crew
from graders.cluster.kinds import kind_here
from graders.cluster.parcels import pack, unpack
from graders.intake import Entry
from graders.sandbox.levels import Isolation


@dataclass
class Worker(Executor):
    """A worker: ``kind`` and ``level`` are what it says of itself; ``asked`` is what waits for its answer."""

    address: str
    kind: object = field(default_factory=kind_here)
    level: int = 3
    asked: list = field(default_factory=list)

    def submit(self, ask, *parcel):
        future = Future()
        if ask is not post.ask:
            future.set_result(ask(*parcel))
            return future
        (parcel,) = parcel
        head, _ = unpack(parcel)
        if head["what"] == "examine":
            isolation = asdict(Isolation(self.level))
            future.set_result(pack({"kind": self.kind.to_json(), "isolation": isolation}))
        else:
            self.asked.append((future, head))
        return future

    def answer(self, **changes):
        """Answer the first chunk that waits."""
        future, head = self.asked.pop(0)
        if not future.cancelled():
            future.set_result(graded(head, self.kind, **changes))

    def lose(self):
        """Let what grades there end with the first chunk."""
        future, _ = self.asked.pop(0)
        if not future.cancelled():
            future.set_exception(ChildProcessError("it ended"))


def graded(head, kind, *, points=(1.0, 2.0, 3.0), pages=None, told=None, **changes):
    """Return the answer to a chunk: full marks, or with changes to its results."""
    results = []
    for entry in head["entries"]:
        made = class_on_paper.result(entry["student"], points)
        own = {"submission": entry["label"], "sha256": entry["sha256"], "seed": str(head["task"]["seed"])}
        results.append(replace(made, **{**own, "versions": dict(kind.versions), **changes}).to_json())
    pages = [f"page of {e['student']}".encode() for e in head["entries"]] if pages is None else pages
    return pack({"kind": (told or kind).to_json(), "results": results}, pages)


class Client:
    """What a crew asks of a dask client."""

    def __init__(self, *workers):
        self.workers = {worker.address: worker for worker in workers}
        self.gone = False

    def nthreads(self):
        if self.gone:
            raise OSError("it went away")
        return dict.fromkeys(self.workers, 1)

    def get_executor(self, *, workers, **_):
        return self.workers[workers[0]]


class Scene:
    """A crew with its workers; ``said`` is what it told the person who grades."""

    def __init__(self, folder, *workers):
        self.said = []
        self.client = Client(*workers)
        self.crew = Crew(self.client, "tcp://there", self.said.append)
        self.folder = Path(folder)
        tiny_course.write_course(self.folder / "tiny")

    def task(self, student, text="1"):
        """Return a chunk of one submission."""
        path = self.folder / f"{student}.py"
        path.write_text(text)
        entry = Entry(student, path, path.name, hashlib.sha256(text.encode()).hexdigest())
        return Task(str(self.folder / "tiny"), 5, "hint", (entry,), "strict", names={student: f"p-{student}"})

    def settle(self):
        """Wait until the crew has thought about all that has happened, twice: thoughts lead to others."""
        for _ in range(2):
            done = threading.Event()
            self.crew._looked = 0.0
            self.crew._calls.put(done.set)
            assert done.wait(60)
        self.think()

    def think(self):
        """Wait until the crew has thought about all that has happened until now."""
        done = threading.Event()
        self.crew._calls.put(done.set)
        assert done.wait(60)
