"""Real workers, each a process of its own: killed, paused, of another version. Same bytes, nothing twice."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import small_class
import tiny_course

import graders
import pytest_symmetry
from graders import grading_run
from graders.cluster import crew, roll
from graders.cluster.connecting import cluster_workers

pytest.importorskip("distributed", reason="pip install pytest-symmetry[cluster]")
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="workers are stopped and found as on Linux"),
    pytest.mark.filterwarnings("ignore"),  # dask's own
]
MORE = 8
"""Chunks enough for one worker to get a third, whichever is the quicker."""


@pytest.fixture(scope="module")
def cluster():
    """A scheduler with two workers, each a process of its own."""
    from distributed import LocalCluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONSAFEPATH", "1")
        with LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50, memory_limit=0
        ) as made:
            yield made


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A class, graded on one machine."""
    folder = tmp_path_factory.mktemp("course")
    small_class.write_class(folder)
    for i in range(MORE):
        tiny_course.write_submission(folder / "inbox" / f"m{i}.ipynb", extra=[f"mine = {i}"])
    with pytest.MonkeyPatch.context() as patch:
        small_class.without_workers(patch)
        small_class.grade(folder)
    return folder


@pytest.fixture
def all_have_answered(monkeypatch):
    """Hand nothing out before every worker is in, so that each gets its share."""
    commonest = roll._commonest
    monkeypatch.setattr(roll, "_commonest", lambda ms: None if any(m.asked for m in ms) else commonest(ms))


@pytest.fixture
def third_chunk(monkeypatch):
    """Call something with the first worker that is given a third chunk, once it has it."""
    given, told = {}, []

    def when(do):
        give = crew.Crew._give

        def told_of(self, chunk, member):
            give(self, chunk, member)
            given[member] = given.get(member, 0) + 1
            if given[member] == 3 and not told:
                told.append(member)
                do(member)

        monkeypatch.setattr(crew.Crew, "_give", told_of)
        return told

    return when


def grade(course, out, where, say=print, jobs=1):
    """Grade the class on a cluster."""
    with cluster_workers(where, jobs, say) as workers:
        order = small_class.order_for(course, out=course / out, workers=workers)
        with grading_run.started(order, seed=5, jobs=1, reveal="hint", workers=workers) as run:
            list(run.grade_new())


def files(out):
    """Return what a graded folder shows."""
    shown = (
        p for p in Path(out).rglob("*") if p.is_file() and p.suffix in {".html", ".jsonl", ".csv", ".ipynb"}
    )
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in shown}


def same_and_nothing_twice(course, out):
    with contextlib.closing(sqlite3.connect(course / out / "gradebook.sqlite")) as book:
        students = [row[0] for row in book.execute("SELECT student FROM results")]
    return files(course / "graded") == files(course / out) and len(students) == len(set(students)) == 5 + MORE


def process_of(cluster, member):
    """Return the process of a worker."""
    return next(n.pid for n in cluster.workers.values() if n.worker_address == member.address)


def test_a_worker_is_killed_in_mid_batch(cluster, course, all_have_answered, third_chunk):
    told = third_chunk(lambda member: os.kill(process_of(cluster, member), signal.SIGKILL))
    grade(course, "killed", cluster.scheduler_address)

    assert told
    assert same_and_nothing_twice(course, "killed")


def test_a_worker_is_paused_in_mid_batch(cluster, course, all_have_answered, third_chunk):
    paused = []

    def pause(member):
        paused.append(process_of(cluster, member))
        os.kill(paused[0], signal.SIGSTOP)

    third_chunk(pause)
    try:
        grade(course, "paused", cluster.scheduler_address)
    finally:
        for process in paused:
            os.kill(process, signal.SIGCONT)

    assert paused
    assert same_and_nothing_twice(course, "paused")


def package(folder, *changes):
    """Return a folder with another version of this package in it."""
    for module in (pytest_symmetry, graders):
        here = Path(module.__file__).parent
        shutil.copytree(here, folder / here.name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "pytest_symmetry" / "bundled").mkdir(exist_ok=True)
    for file, old, new in changes:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new), encoding="utf-8")
        if not old:
            (folder / file).unlink()
    return folder


@contextlib.contextmanager
def one_more_worker(cluster, path):
    """Let a worker join that imports from another folder first."""
    from distributed import Client

    command = [sys.executable, "-m", "distributed.cli.dask_worker", cluster.scheduler_address]
    process = subprocess.Popen(
        [*command, "--no-nanny", "--no-dashboard", "--nthreads", "1"],
        env={**os.environ, "PYTHONPATH": str(path)},
        stderr=subprocess.DEVNULL,
    )
    try:
        with Client(cluster, set_as_default=False) as client:
            before = set(client.nthreads())
            client.wait_for_workers(len(before) + 1)
            (address,) = set(client.nthreads()) - before
        yield address
    finally:
        process.terminate()
        process.wait()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ("pytest_symmetry/__init__.py", f'"{pytest_symmetry.__version__}"', '"0.0.1"'),
            f"it has pytest-symmetry 0.0.1, and this machine {pytest_symmetry.__version__}",
        ),
        pytest.param(
            ("graders/cluster/__init__.py", "Many machines", "Some machines"),
            f"its pytest-symmetry {pytest_symmetry.__version__} has other files",
            marks=pytest.mark.sweep,
        ),
        pytest.param(
            ("graders/cluster/post.py", "", ""),
            "see that it has this pytest-symmetry",
            marks=pytest.mark.sweep,
        ),
    ],
    ids=["version", "files", "too old"],
)
def test_a_worker_of_another_version_is_left_out(cluster, course, tmp_path, all_have_answered, change, said):
    """The others grade; who grades reads one sentence with both versions."""
    told = []
    with one_more_worker(cluster, package(tmp_path, change)) as address:
        grade(course, f"version-{change[2]}", cluster.scheduler_address, told.append)

    (sentence,) = told
    assert sentence.startswith(f"worker {address} is left out: ")
    assert said in sentence
    assert same_and_nothing_twice(course, f"version-{change[2]}")


SPY = """
def found():
    import glob, os, socket
    loot = [name for name in os.environ if "DASK" in name or "TLS" in name or "SSL" in name]
    for address in {addresses!r}:
        try:
            socket.create_connection(address, 5).close()
            loot.append(address)
        except (OSError, ImportError, AttributeError):
            pass
    for number in range(3, 64):
        try:
            if os.fstat(number).st_mode >> 12 == 0o14:
                loot.append(number)
        except OSError:
            pass
    return loot + glob.glob("/tmp/dask*") + glob.glob("/tmp/symmetry*")
"""


def test_a_submission_in_a_worker_reaches_neither_scheduler_nor_workers(cluster, course, tmp_path):
    """No connection, no setting, no certificate, no socket; tried where there is no lock, it finds them."""
    from distributed import Client

    with Client(cluster, set_as_default=False) as client:
        asked = [cluster.scheduler_address, *client.nthreads()]
    addresses = [(host, int(port)) for host, port in (a.removeprefix("tcp://").split(":") for a in asked)]
    spy = SPY.format(addresses=addresses)
    space = {}
    exec(spy, space)
    assert {*addresses} <= {*space["found"]()}

    shutil.copytree(course / "tiny", tmp_path / "tiny")
    honest = "    rng = np.random"
    change = (honest, "    assert not found(), repr(found())\n" + honest)
    tiny_course.write_submission(tmp_path / "inbox" / "spy.ipynb", change, extra=[spy])
    grade(tmp_path, "graded", cluster.scheduler_address)
    (result,) = grading_run.class_results(tmp_path / "graded")

    assert result.points == result.max_points, result
    assert "level 1" not in result.isolation


@pytest.mark.sweep
def test_the_command_grades_on_processes_of_this_machine(course, tmp_path):
    """And again: all is kept, nothing is graded twice."""
    command = [sys.executable, "-m", "graders", "grade", course / "tiny", "--submissions", course / "inbox"]
    command += ["--out", tmp_path / "graded", "--cluster", "local", "--jobs", "2", "--seed", "5"]
    command += ["--key", tiny_course.write(tmp_path / "key", (b"k" * 32).hex())]
    first, second = (subprocess.run(command, capture_output=True, text=True, check=False) for _ in range(2))

    assert ("", "") == (first.stderr, second.stderr)
    assert (0, 0) == (first.returncode, second.returncode)
    assert f"{5 + MORE} of {5 + MORE} were graded before and are kept." in second.stdout
    alone, there = (grading_run.class_results(folder / "graded") for folder in (course, tmp_path))
    assert alone == there


@pytest.mark.sweep
def test_the_scheduler_is_killed_in_mid_batch(course, tmp_path, third_chunk):
    """One sentence says how to go on; going on, on one machine too, ends with the same bytes."""
    file = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "distributed.cli.{}", "--scheduler-file", str(file), "--no-dashboard"]
    quiet = {"stderr": subprocess.DEVNULL, "env": {**os.environ, "PYTHONSAFEPATH": "1"}}
    scheduler = subprocess.Popen(
        [part.format("dask_scheduler") for part in dask] + ["--host", "127.0.0.1", "--port", "0"], **quiet
    )
    worker = subprocess.Popen(
        [part.format("dask_worker") for part in dask] + ["--no-nanny", "--nthreads", "1"], **quiet
    )
    told = third_chunk(lambda _: scheduler.kill())
    try:
        from distributed import Client

        with Client(scheduler_file=str(file), set_as_default=False) as client:
            client.wait_for_workers(1)
            address = client.scheduler.address
        with pytest.raises(roll.ClusterError, match="run the same command again to go on"):
            grade(course, "orphaned", address)
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()
    assert told
    with pytest.MonkeyPatch.context() as patch:
        small_class.without_workers(patch)
        small_class.grade(course, out=course / "orphaned")
    assert same_and_nothing_twice(course, "orphaned")
