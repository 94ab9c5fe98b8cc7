"""What becomes of a graded folder when things go wrong: kills, full disks, many graders, lost workers.

    python -m benchmarks.reliability.run                     # all of it; 200 kills take about ten minutes
    python -m benchmarks.reliability.run kills --kills 500
    python -m benchmarks.reliability.run explain --count 100
    SYMMETRY_KILLS=500 python -m pytest tests/grading/test_kills.py -k anywhere -rP   # without judging: 20 s

Prints one line a property: how often it was tried, how often it held. A folder "ends right" when every byte
that somebody may look at (results.jsonl, class pages, student pages, stored submissions) is that of an
undisturbed run with the same key and seed.
"""

import argparse
import contextlib
import os
import random
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from graders import grading_run
from graders.demo_class import demo_class
from graders.explain import replay
from graders.marks import marks
from graders.opening import read_gradebook
from pytest_symmetry.assignment import find_assignment, load_assignment

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
import tiny_course

KEY = b"k" * 32
SEED = 5


def shown(out):
    """Return all bytes that somebody may look at."""
    files = [
        out / "results.jsonl",
        *out.glob("class*"),
        *out.glob("feedback/*"),
        *out.glob("submissions/*/*"),
    ]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files if path.is_file()}


def report(name, held, tried, note=""):
    """Print one line."""
    print(f"{name:<58} {held:>4} of {tried:<4} {note}".rstrip(), flush=True)
    return held == tried


def processes_of(pid):
    """Return the processes below ``pid``, itself left out."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(") ")[2].split()[1])
    found, new = set(), {pid}
    while new:
        new = {child for child, parent in parents.items() if parent in new} - found
        found |= new
    return found


def alive(pid):
    """Return whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[0] not in "ZX"
    except OSError:
        return False


def forked(order, jobs=1):
    """Start the grading of an order in a process of its own, as ``symmetry grade`` does it; return its id."""
    child = os.fork()
    if child:
        return child
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        for _ in grading_run.carry_out(order, seed=SEED, jobs=jobs, reveal="hint"):
            pass
        os._exit(0)
    except BaseException:
        os._exit(1)


def ended(child, within=None):
    """Wait for a process, at most ``within`` seconds; return its exit code, or None where it still runs."""
    end = None if within is None else time.monotonic() + within
    while end is None or time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG if end else 0)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    return None


def a_class(folder, count=6):
    """Write the tiny course of the tests and ``count`` submissions; return the order that grades them."""
    changes = [(), (("* (1 - A**2)", "* 1"),), (("    D = 2 *", "    import os; os._exit(0)\n    D = 2 *"),)]
    tiny_course.write_course(folder / "tiny")
    for i in range(count - 1):
        tiny_course.write_submission(folder / "inbox" / f"s{i}.ipynb", *changes[i % 3], extra=[f"mine = {i}"])
    tiny_course.write(folder / "inbox" / "cut.ipynb", tiny_course.notebook("x = 1")[:-9])
    order = grading_run.take_order(load_assignment(folder / "tiny"), [folder / "inbox"], folder / "whole")
    return replace(order, key=KEY)


def undisturbed(order):
    """Grade an order in peace; return the bytes that everything is compared with, and the seconds it took."""
    start = time.monotonic()
    if ended(forked(order)) != 0:
        raise SystemExit("the undisturbed run failed")
    return shown(order.out), time.monotonic() - start


def command(order, *options):
    """Return the command line that carries an order out."""
    folder, out = order.assignment.folder, order.out
    inbox = order.out.parent / "inbox"
    key = order.out.parent / "key"
    key.write_text(KEY.hex())
    named = ["--submissions", inbox, "--out", out, "--seed", SEED, "--key", key, "--isolation", "best"]
    return [sys.executable, "-m", "graders", "grade", *map(str, [folder, *named, *options])]


def ended_right(order, whole):
    """Carry an order out to its end; return whether the bytes are those expected, and print how not."""
    code, now = ended(forked(order)), None
    if code == 0 and (now := shown(order.out)) == whole:
        return True
    names = sorted(name for name in {*whole, *(now or {})} if (now or {}).get(name) != whole.get(name))
    print(f"    {order.out.name}: exit code {code}; other bytes in {', '.join(names)}", flush=True)
    for name in names[:3]:
        print(
            f"      {name}: {(now or {}).get(name, b'')[:2000]!r}\n      not {whole.get(name, b'')[:2000]!r}"
        )
    return False


def kills(folder, count, minutes, rng):
    """Kill the grader at random moments, up to four times a batch; resume; compare."""
    last = time.monotonic() + 60 * minutes
    order = a_class(folder)
    whole, seconds = undisturbed(order)
    right = batches = killed = left = 0
    while killed < count and time.monotonic() < last:
        again = replace(order, out=folder / f"killed-{batches}")
        for _ in range(min(rng.randint(1, 4), count - killed)):
            child = forked(again)
            if ended(child, rng.uniform(0, seconds)) is not None:
                break
            below = processes_of(child)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            killed += 1
            end = time.monotonic() + 10
            while any(map(alive, below)) and time.monotonic() < end:
                time.sleep(0.01)
            left += sum(map(alive, below))
        batches += 1
        right += ended_right(again, whole)
        shutil.rmtree(again.out)
    note = f"({killed} kills, a run takes {seconds:.1f} s; {left} processes left behind)"
    return report("killed at random, resumed, ends right", right, batches, note) and not left


def lost_workers(folder, count, rng):
    """Kill one worker process, as a system out of memory does; the run itself has to end right."""
    order = a_class(folder)
    whole, seconds = undisturbed(order)
    right = lost = 0
    for i in range(count):
        again = replace(order, out=folder / f"lost-{i}")
        child = forked(again)
        if ended(child, rng.uniform(0.2, 0.9) * seconds) is None:
            workers = [p for p in processes_of(child) if b"spawn_main" in _command_line(p)]
            for pid in rng.sample(workers, min(1, len(workers))):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    lost += 1
            right += ended(child) == 0 and shown(again.out) == whole
        else:
            right += shown(again.out) == whole
    return report("a worker killed (out of memory), ends right", right, count, f"({lost} workers killed)")


def _command_line(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def six_at_once(folder, count):
    """Start six graders on one folder: one grades, five say who does; then six that wait: all end well."""
    order = a_class(folder)
    whole, _ = undisturbed(order)
    right = 0
    for i in range(count):
        again = replace(order, out=folder / f"six-{i}")
        started = [_start(command(again)) for _ in range(6)]
        said = [(p.communicate()[1], p.returncode) for p in started]
        refused = [
            text
            for text, code in said
            if code == 2 and "writes to this folder" in text and text.count("\n") == 1
        ]
        fine = sum(code == 0 for _, code in said)
        right += fine >= 1 and fine + len(refused) == 6 and shown(again.out) == whole
    print(f"    as one of the five: {refused[0].strip() if refused else said}")
    again = replace(order, out=folder / "waiting")
    started = [_start(command(again, "--wait", 600)) for _ in range(6)]
    waited = sum(p.wait() == 0 for p in started)
    return report("six graders at once: one grades, five say who", right, count) & report(
        "six graders that wait (--wait): all end well", waited * (shown(again.out) == whole), 6
    )


def _start(command_line):
    return subprocess.Popen(command_line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def full_disk(folder, count, rng):
    """Grade onto a small disk (a tmpfs in a namespace of its own); then with room; compare."""
    order = a_class(folder)
    whole, _ = undisturbed(order)
    right, said = 0, ""
    for i in range(count):
        again = replace(order, out=folder / f"full-{i}")
        size = rng.randint(40, 700)
        again.out.mkdir()
        inside = (
            f"mount -t tmpfs -o size={size}k none {again.out} && {{ {_quoted(command(again))}; code=$?; "
            f"cp -a {again.out}/. {again.out}.copy; exit $code; }}"
        )
        done = subprocess.run(
            ["unshare", "--mount", "--map-root-user", "--user", "sh", "-c", inside],
            capture_output=True,
            text=True,
            check=False,
        )
        shutil.rmtree(again.out)
        Path(f"{again.out}.copy").rename(again.out)
        told = done.returncode == 0 or (done.returncode == 2 and done.stderr.count("\n") == 1)
        said = done.stderr.strip() or said
        right += told and ended(forked(again)) == 0 and shown(again.out) == whole
        if not told:
            print(done.returncode, done.stderr)
    print(f"    as told: {said}")
    return report("a disk that is full, told in one line, then ends right", right, count)


def _quoted(words):
    return " ".join(shlex.quote(word) for word in words)


def held_database(folder):
    """Let another program hold the database; the grader says so and loses nothing."""
    order = a_class(folder)
    whole, _ = undisturbed(order)
    with contextlib.closing(sqlite3.connect(order.out / "gradebook.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        tiny_course.write_submission(folder / "inbox" / "zoe.ipynb")
        done = subprocess.run(command(order), capture_output=True, text=True, check=False)
    told = done.returncode == 2 and "another program has it open" in done.stderr
    print(f"    as told: {done.stderr.strip()}")
    (folder / "inbox" / "zoe.ipynb").unlink()
    return report("the database held by another program", told and shown(order.out) == whole, 1)


def explained(folder, count):
    """Grade a demo class and replay every verdict; compare with what is stored, byte for byte."""
    assignment = find_assignment("planar")
    demo_class(assignment.folder, folder / "inbox", count + count // 3)
    order = replace(grading_run.take_order(assignment, [folder / "inbox"], folder / "graded"), key=KEY)
    list(grading_run.carry_out(order, seed=SEED, jobs=2, reveal="hint"))
    same = findings = 0
    with read_gradebook(order.out) as book:
        judged = [m.student for m in marks(book) if m.result is not None and m.result.tests][:count]
        for student in judged:
            found = replay(book, student, isolation="best")
            same += found.same
            findings += sum(len(verdict.findings) for verdict in found.result.tests)
    return report(
        "explain: stored findings come out byte for byte", same, len(judged), f"({findings} findings)"
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = ("kills", "workers", "six", "full", "held", "explain")
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"one of {', '.join(parts)} (all, if not given)"
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=60, help="kill for no longer than this")
    parser.add_argument("--tries", type=int, default=10, help="lost workers and full disks")
    parser.add_argument("--count", type=int, default=100, help="submissions to explain")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = parser.parse_args()
    print(f"seed {asked.seed}")
    rng = random.Random(asked.seed)
    what = {
        "kills": lambda folder: kills(folder, asked.kills, asked.minutes, rng),
        "workers": lambda folder: lost_workers(folder, asked.tries, rng),
        "six": lambda folder: six_at_once(folder, 1),
        "full": lambda folder: full_disk(folder, asked.tries, rng),
        "held": held_database,
        "explain": lambda folder: explained(folder, asked.count),
    }
    held = []
    for part in asked.parts or parts:
        with tempfile.TemporaryDirectory() as folder:
            held.append(what[part](Path(folder)))
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
