"""Where the milliseconds of a submission go: in the judge by what it does, in a child by its steps.

    python -m benchmarks.grading.where [--assignment planar] [--submissions 50] [--rounds 8]

One worker, in this process, warm, sealed as well as this machine can. The judge is looked at whenever it
has used another millisecond of CPU (SIGPROF); what numpy, json and the like do counts for who asked them.
Of a child the kernel says how long it has run (/proc/PID/schedstat), asked after each of its answers.
"""

import argparse
import collections
import signal
import tempfile
from pathlib import Path

from benchmarks.grading.cost import entries, graded, spent
from graders.sandbox import choice, transport
from pytest_symmetry.assignment import find_assignment, load_assignment

PLACES = {
    "what crosses the pipe": ("pytest_symmetry/remote/", "graders/sandbox/"),
    "checks": ("pytest_symmetry/checks/", "pytest_symmetry/differences", "pytest_symmetry/partition",
               "pytest_symmetry/verdicts", "pytest_symmetry/layouts", "pytest_symmetry/units",
               "pytest_symmetry/roles", "pytest_symmetry/certificates", "pytest_symmetry/diagnosis/",
               "pytest_symmetry/arrays", "graders/constancy"),
    "the solution's own answers": ("pytest_symmetry/assignment", "pytest_symmetry/namespace", "<reference"),
    "reading notebooks": ("pytest_symmetry/submission",),
    "the page": ("pytest_symmetry/feedback/", "/jinja2/"),
    "pytest: fixtures, hooks, items": ("/_pytest/", "/pluggy/"),
    "tests and their inputs": ("/test_", "pytest_symmetry/answers"),
    "contexts, verdicts, results": ("pytest_symmetry/", "graders/"),
}  # fmt: skip


def place_of(frame):
    """Return what the judge is doing, told by the innermost frame that says so."""
    while frame is not None:
        name = frame.f_code.co_filename.replace("\\", "/")
        for place, parts in PLACES.items():
            if any(part in name for part in parts):
                return place
        frame = frame.f_back
    return "the rest"


SEEN = collections.defaultdict(list)
"""Milliseconds of each step of each child."""


class Steps(transport.SealedProcess):
    """A process that notes how long its child had run at each step."""

    def ask(self, frame, seconds, serve):
        """As ever, and note it."""
        new = self._child is None
        if new:
            self._child = self._sandbox.child(self._memory)
            self.steps, self.before = 0, self.ran()
            SEEN["fork, and lock"].append(self.before)
        reply = super().ask(frame, seconds, serve)
        now = self.ran() if self._child is not None else self.before
        name = (
            "read the cells" if self.steps == 0 else "first call" if self.steps == 1 else "each further call"
        )
        SEEN[name].append(now - self.before)
        self.before, self.steps = now, self.steps + 1
        return reply

    def ran(self):
        """Return the milliseconds of CPU that the child has used."""
        lines = Path(f"/proc/self/fdinfo/{self._child.handle}").read_text(encoding="ascii").splitlines()
        pid = next(line.split()[1] for line in lines if line.startswith("Pid:"))
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e6


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assignment", default=str(Path(__file__).parent / "twenty"))
    parser.add_argument("--submissions", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=8)
    asked = parser.parse_args()
    place = Path(asked.assignment)
    assignment = load_assignment(place) if place.is_dir() else find_assignment(asked.assignment)
    sandbox = transport.Sandbox(data=str(assignment.data) if assignment.data is not None else None)
    print(sandbox.start())
    choice._offered = lambda _data: (sandbox, "")  # noqa: SLF001 - to ask it how long its children ran
    with tempfile.TemporaryDirectory() as folder:
        some = entries(assignment, folder, asked.submissions)
        graded(assignment, some[:2], sandbox)
        show("of the judge", *sampled(assignment, some, sandbox, asked.rounds))
        choice.SealedProcess = Steps
        before = spent(sandbox)
        graded(assignment, some, sandbox)
        each = 1000 * (spent(sandbox) - before) / len(some)
    calls = len(SEEN["each further call"]) / len(some)
    rows = {name: sum(times) / len(times) for name, times in SEEN.items()}
    rows[f"all {calls:.0f} further calls"] = calls * rows["each further call"]
    steps = sum(rows.values()) - rows["each further call"]
    show("of zygote and child", {**rows, "to fork and end it, in the zygote": max(0.0, each - steps)}, each)
    sandbox.close()


def sampled(assignment, some, sandbox, rounds):
    """Return the judge's milliseconds a submission by what it does, and their sum."""
    counts = collections.Counter()
    signal.signal(signal.SIGPROF, lambda _, frame: counts.update([place_of(frame)]))
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)
    used = sum(graded(assignment, some, sandbox)[0] for _ in range(rounds))
    signal.setitimer(signal.ITIMER_PROF, 0)
    each = 1000 * used / rounds / len(some)
    total = sum(counts.values())
    return {name: each * count / total for name, count in counts.most_common()}, each


def show(whose, rows, total):
    """Print one table."""
    print(f"\n| {whose} | ms a submission |\n| --- | ---: |")
    for name, each in rows.items():
        print(f"| {name} | {each:.2f} |")
    print(f"| together | {total:.1f} |", flush=True)


if __name__ == "__main__":
    main()
