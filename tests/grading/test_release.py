"""What students receive: everything they need, and nothing of the solution."""

import json
import os
import shutil
import subprocess
import sys
import zipfile

import nbformat
import numpy as np
import pytest
import release_course
import tiny_course

from graders import single
from graders.batch import run_tests
from graders.intake import Entry
from graders.release import known_to, release, search
from graders.specimens import source_notebook
from graders.student_notebook import split
from pytest_symmetry.assignment import bundled_assignments, load_assignment
from pytest_symmetry.errors import AssignmentError

MISTAKES = {
    "right": [],
    "no-derivative": [('(parameters["W2"].T @ D) * (1 - A**2)', 'parameters["W2"].T @ D')],
    "never-divided": [(" / X.shape[1]", "")],
    "sum-for-mean": [("np.mean((", "np.sum((")],
    "no-bias": [('@ X + parameters["b1"])\n    return', "@ X)\n    return")],
    "all-equal": [
        ("rng.normal(size=(n_h, n_x))", "np.ones((n_h, n_x))"),
        ("rng.normal(size=(1, n_h))", "np.ones((1, n_h))"),
    ],
}


ASK = ("--symmetry-reveal=cause",)


@pytest.fixture(scope="module")
def staff(tmp_path_factory):
    """The assignment as staff keep it."""
    return load_assignment(release_course.write_course(tmp_path_factory.mktemp("staff") / "tiny"))


@pytest.fixture(scope="module")
def made(staff, tmp_path_factory):
    """Its release, causes included."""
    return release(staff, tmp_path_factory.mktemp("out") / "handout", level="cause")


@pytest.fixture
def handout(made, tmp_path):
    """A student's copy of the released folder."""
    return shutil.copytree(made.folder, tmp_path / "handout")


def everything(folder):
    """Return all bytes of a folder, archives unpacked."""
    parts = []
    for file in folder.rglob("*"):
        if file.is_file():
            parts.append(file.read_bytes())
            if zipfile.is_zipfile(file):
                with zipfile.ZipFile(file) as archive:
                    parts += [archive.read(name) for name in archive.namelist()]
    return b"\n".join(parts)


def run_pytest(folder, *arguments):
    """Run pytest as a student does, in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def judged(folder, submissions):
    """Return what is said of each submission: outcomes, points, codes, causes."""
    entries = [Entry(path.stem, path, path.name) for path in submissions]
    results = run_tests(load_assignment(folder), entries, 20)
    return {
        r.student: {v.name: (v.outcome, v.points, [(f.code, f.cause) for f in v.findings]) for v in r.tests}
        for r in results
    }


@pytest.fixture(scope="module")
def submissions(tmp_path_factory):
    """The solution, and mistakes in it."""
    folder = tmp_path_factory.mktemp("inbox")
    return [
        tiny_course.write_submission(folder / f"{name}.ipynb", *changes) for name, changes in MISTAKES.items()
    ]


def test_students_receive_these_files(made):
    """Neither the hidden test nor anything else of the staff's folder."""
    names = {path.name for path in made.folder.iterdir()}

    assert {"START.txt", "assignment.toml", "conftest.py", "pack.npz", "test_tiny.py", "tiny.ipynb"} == names
    assert (6.0, 4.0) == (made.here, made.after)
    assert ((), ()) == (made.undecided, made.free)


def test_the_students_notebook_has_stubs_and_no_leavings(made):
    """No outputs, counts, metadata, history, unused attachments; names and arguments as they were."""
    notebook = json.loads((made.folder / "tiny.ipynb").read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]

    assert all(c["metadata"] == {} and "attachments" not in c for c in notebook["cells"])
    assert all((c["outputs"], c["execution_count"]) == ([], None) for c in code)
    assert {"kernelspec", "language_info"} == set(notebook["metadata"])
    assert [
        "def loss(X, Y, parameters):\n",
        "    raise NotImplementedError  # write your code here\n",
    ] == code[1]["source"][:2]


def test_nothing_of_the_solution_can_be_found(made, staff):
    """Not one of its lines, nor its own names, nor the hidden test, in any member of any file."""
    found = everything(made.folder)
    _, solutions = split(source_notebook(staff.folder), staff.source)
    lines = {line.strip() for solution in solutions for line in solution.text.splitlines() if line.strip()}

    assert [] == [line for line in lines if line.encode() in found]
    assert b"4711" not in found
    assert b"remember the exam" not in found
    assert [] == list(search(made.folder, staff, source_notebook(staff.folder)))


def test_the_pack_opens_without_pickle(made):
    """Arrays of numbers, nothing else."""
    with np.load(made.folder / "pack.npz", allow_pickle=False) as pack:
        assert {"f", "i", "u", "b"} >= {pack[name].dtype.kind for name in pack.files}


def test_the_pack_says_what_staff_say(made, staff, submissions):
    """The same outcomes, points, codes and causes for every mistake; hidden questions apart."""
    with_pack, with_solution = judged(made.folder, submissions), judged(staff.folder, submissions)
    shown = {s: {n: v for n, v in tests.items() if n in with_pack[s]} for s, tests in with_solution.items()}

    assert shown == with_pack
    assert "activation-derivative-missing" in str(with_pack["no-derivative"])


@pytest.mark.parametrize(
    ("name", "known"),
    [("dW1", True), ("dW4", True), ("A2", True), ("dZ1", False), ("error", True), ("err", False)],
)
def test_who_sees_one_layers_name_knows_the_others(name, known):
    """Notebooks write ``dW1``, or ``f"A{layer}"``; a pack that withheld ``dW4`` could not answer for it."""
    assert known_to({"dW1", "A", "layer", "error"})(name) is known


@pytest.mark.sweep
def test_a_network_of_many_layers_is_decided_in_the_folder(tmp_path):
    """Its tests name layers by number, also numbers that stand nowhere."""
    made = release(load_assignment(bundled_assignments()["deep"]), tmp_path / "handout")

    assert (made.here, made.undecided) == (10.0, ())


def test_a_hidden_question_tells_its_topic_and_nothing_else(staff, submissions):
    """Neither inputs nor expected values, nor what was printed, nor the ids of its cases."""
    printing = tiny_course.write_submission(
        submissions[0].parent / "printing" / "p.ipynb", ("A = np.tanh", "print(X); A = np.sin")
    )
    (result,) = run_tests(staff, [Entry("p", printing, "p")], 20)
    hidden = [v for v in result.tests if "test_hidden" in v.nodeid]

    assert ["test_loss_of_many[0]", "test_loss_of_many[1]"] == [v.name for v in hidden]
    assert [("TST106", {"topic": "the loss of other sizes", "outcome": "failed"})] * 2 == [
        (f.code, f.facts) for v in hidden for f in v.findings
    ]
    assert ["", ""] == [v.printed for v in hidden]


def test_pytest_alone_works_in_the_folder(handout):
    """A notebook with one mistake: its cause, and how many points are decided here, in the last line."""
    tiny_course.write_submission(handout / "tiny.ipynb", *MISTAKES["no-derivative"])
    done = run_pytest(handout)

    assert "3 of 6 points" in done.stdout
    assert "The derivative of tanh is missing" in done.stdout
    assert "6 of 10 points are decided here, 4 after hand-in." in done.stdout
    assert 1 == done.returncode


@pytest.mark.parametrize(
    "arguments",
    [("-n", "2"), *(pytest.param(a, marks=pytest.mark.sweep) for a in (("-k", "loss"), ("--lf",), ("-x",)))],
)
def test_part_of_a_run_is_judged_as_the_whole(arguments, handout):
    """Answers are found by test, function and arguments: nothing shifts them."""
    tiny_course.write_submission(handout / "tiny.ipynb", *MISTAKES["sum-for-mean"])
    if arguments == ("--lf",):
        arguments = ("--lf", "-p", "cacheprovider")
        run_pytest(handout, *arguments)
    done = run_pytest(handout, *arguments)

    assert "MAT101" in done.stdout
    assert "by staff" not in done.stdout


def test_another_seed_is_decided_by_staff_and_fails_nothing(handout):
    """What needs the reference cannot be answered; what does not is judged."""
    tiny_course.write_submission(handout / "tiny.ipynb")
    done = run_pytest(handout, "--symmetry-seed=21", "-rs")

    assert 0 == done.returncode
    assert "2 passed, 1 skipped" in done.stdout
    assert "decided by staff, after hand-in" in done.stdout
    assert "decided after hand-in" in done.stdout
    assert "4 of 10 points are decided here, 6 after hand-in." in done.stdout


OWN = """
[questions.essay]
manual = true
points = 2

[[causes]]
name = "bent-twice"
title = "The error is bent twice"
hint = "Look at the error at the output once more."
replace = [["D = 2 * (", "D = 2.5 * np.sin("]]
"""


def test_a_hint_pack_names_no_cause(tmp_path):
    """Not even when asked to, nor a cause of the course's own; its hints are those of staff's pages."""
    folder = release_course.write_course(tmp_path / "tiny", hidden=False)
    with (folder / "assignment.toml").open("a") as file:
        file.write(OWN)
    made = release(load_assignment(folder), tmp_path / "handout", level="hint")
    changes = {"no-derivative": MISTAKES["no-derivative"], "own": [("D = 2 * (", "D = 2.5 * np.sin(")]}
    for name, change in changes.items():
        tiny_course.write_submission(made.folder / f"{name}.ipynb", *change)
    said = {
        name: " ".join(run_pytest(made.folder, f"--symmetry-submission={name}.ipynb", *ASK).stdout.split())
        for name in changes
    }

    assert "the chain rule passes through the activation here" in said["no-derivative"]
    assert "Look at the error at the output once more." in said["own"]
    assert "6 of 8 points are decided here, 2 after hand-in." in said["own"]
    assert not any(word in text for text in said.values() for word in ("Cause ", "bent twice", "bent-twice"))
    assert not any(
        word in everything(made.folder) for word in (b"activation-derivative", b"bent-twice", b"bent twice")
    )


def executed(notebook, folder):
    """Run a notebook in a real kernel in an empty folder; return what its first and last cells said."""
    client = pytest.importorskip("nbclient").NotebookClient(
        notebook, timeout=120, allow_errors=True, resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    said = []
    for cell in (notebook.cells[0], notebook.cells[-1]):
        texts = [out.get("text") or out.get("evalue") or out["data"]["text/plain"] for out in cell.outputs]
        said.append("".join(texts))
    return said


@pytest.mark.parametrize("where", ["url", pytest.param("uploaded", marks=pytest.mark.sweep)])
def test_one_notebook_is_all_that_a_bare_session_needs(where, made, staff, tmp_path, monkeypatch):
    """Its first cell fetches tests and pack from an address or an upload; its last asks all questions."""

    def released(assignment, out, **_):
        shutil.copytree(made.folder, out)
        return made

    monkeypatch.setattr(single, "release", released)
    out, session = tmp_path / "out", tmp_path / "session"
    session.mkdir()
    address = (out / "tiny.zip").as_uri() if where == "url" else ""
    single.release_single(staff, out, url=address)
    if where == "uploaded":
        shutil.copy(out / "tiny.zip", session)
    notebook = nbformat.read(out / "tiny.ipynb", as_version=4)
    for cell, solved in zip(notebook.cells[2:-1], tiny_course.SOLUTION, strict=True):
        cell.source = solved.replace("np.mean((", "np.sum((")
    ready, said = executed(notebook, session)

    assert "Ready" in ready
    assert "4 of 6 points" in said  # a sum for a mean costs the loss, and not its gradients once more
    assert "MAT101" in said


def test_a_session_without_the_upload_is_told_which_file(staff, tmp_path):
    """In one sentence; the address of a single notebook must be one."""
    cell = single.first_cell("tiny", "")
    done = subprocess.run(
        [sys.executable, "-c", cell], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert "Upload tiny.zip beside this notebook, then run this cell again." in done.stderr
    with pytest.raises(AssignmentError, match="must begin with https://"):
        single.release_single(staff, tmp_path / "out", url="my disk")


SHAKEN = """

from pathlib import Path

import numpy as np
import pytest


class Shaken:
    def __init__(self, rng):
        self._rng = rng

    def normal(self, **kwargs):
        Path(__file__).with_name("shaken").touch()
        drawn = self._rng.normal(**kwargs)
        return np.nextafter(drawn, np.where(self._rng.random_raw(drawn.shape) % 2, np.inf, -np.inf))


@pytest.fixture
def probe_rng(probe_rng):
    probe_rng.random_raw = lambda shape: np.random.default_rng(1).integers(0, 2, size=shape)
    return Shaken(probe_rng)
"""


def test_last_bits_change_no_verdict(made, staff, submissions, tmp_path):
    """Every number that the tests draw is off by its last bit, up or down."""
    folder = shutil.copytree(made.folder, tmp_path / "shaken")
    with (folder / "conftest.py").open("a") as file:
        file.write(SHAKEN)
    chosen = [path for path in submissions if path.stem in ("right", "no-derivative", "sum-for-mean")]

    assert judged(made.folder, chosen) == judged(folder, chosen)
    assert (folder / "shaken").exists()
