"""What planted mistakes give is kept beside the gradebook, once for a class."""

from pathlib import Path

from graders.batch import run_tests
from graders.intake import Entry
from graders.specimens import write_specimens
from pytest_symmetry.assignment import load_assignment
from pytest_symmetry.diagnosis import dictionary

PLANAR = Path(__file__).parents[2] / "assignments" / "planar"


def test_a_second_run_reads_what_the_first_one_planted(tmp_path, monkeypatch):
    """Same verdicts, and no mistake is planted again."""
    (path,) = [p for p in write_specimens(PLANAR, tmp_path) if p.stem == "tanh-derivative-missing"]
    assignment, entries = load_assignment(PLANAR), [Entry("ada", path, path.name)]
    kept = tmp_path / "dictionaries"
    dictionary._MEMORY.clear()
    first = run_tests(assignment, entries, 20, dictionaries=str(kept))
    assert list(kept.glob("*.npz"))

    dictionary._MEMORY.clear()
    monkeypatch.setattr(dictionary, "build", None)
    assert run_tests(assignment, entries, 20, dictionaries=str(kept)) == first
