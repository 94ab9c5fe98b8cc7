"""The mutation score of a pure module: how many small changes of its code its own tests notice.

    python -m pip install mutmut
    python benchmarks/mutation.py partition --sample 150

Works in a copy of the repository, so that nothing here changes. The sample takes every n-th mutant of
mutmut's list, which is in the order of the file.
"""

from __future__ import annotations

import argparse
import collections
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULES = {
    "differences": "pytest_symmetry/differences.py",
    "partition": "pytest_symmetry/partition.py",
    "units": "pytest_symmetry/units.py",
    "relations": "pytest_symmetry/diagnosis/relations.py",
    "dictionary": "pytest_symmetry/diagnosis/dictionary.py",
}
TESTS = {
    "units": ["units", "units_parts", "check_symmetry", "other_libraries"],
    "differences": ["differences", "check_gradients"],
    "relations": ["relations", "relation_facts"],
    "dictionary": ["dictionary", "dictionary_parts"],
}
"""Which files of tests/unit try a module, where more than the one of its name does."""
CAUGHT = {"killed", "timeout"}
COPIED = (
    "pytest_symmetry",
    "graders",
    "assignments",
    "tests",
    "docs",
    "benchmarks",
    "pyproject.toml",
    "README.md",
)


def prepare(folder: Path, module: str, tests: list[str]) -> None:
    """Copy the repository, and say to mutmut what to change and what to run."""
    ignored = shutil.ignore_patterns("node_modules", "__pycache__", "generated")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder / name)
    copied = "\n    ".join(COPIED)
    (folder / "setup.cfg").write_text(
        f"[mutmut]\nsource_paths={MODULES[module]}\nalso_copy=\n    {copied}\n"
        "pytest_add_cli_args_test_selection=\n    " + "\n    ".join(tests) + "\n",
        encoding="utf-8",
    )


def mutmut(folder: Path, *arguments: str, seconds: float | None = None) -> str:
    """Run mutmut in the copy, for at most so long; return what it prints."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout


def results(folder: Path) -> dict[str, str]:
    """Return what became of each mutant, in the order of the file."""
    lines = mutmut(folder, "results", "--all", "true").splitlines()
    return dict(line.strip().split(": ", maxsplit=1) for line in lines if "__mutmut_" in line)


def change(folder: Path, mutant: str) -> str:
    """Return the lines that a mutant changes."""
    lines = mutmut(folder, "show", mutant).splitlines()
    return "\n".join(line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---"))


def main() -> None:
    """Measure one module, and print the score with what survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module", choices=MODULES)
    parser.add_argument("--sample", type=int, default=150, help="how many mutants")
    parser.add_argument("--seconds", type=float, default=270, help="at most so long")
    parser.add_argument("--tests", nargs="*", help="tests to run, instead of the module's own")
    asked = parser.parse_args()
    own = [f"tests/unit/test_{name}.py" for name in TESTS.get(asked.module, [asked.module])]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, asked.module, asked.tests or own)
        mutmut(folder, "run", "--max-children", "1", "no such mutant")
        every = list(results(folder))
        chosen = every[:: max(1, len(every) // asked.sample)]
        mutmut(folder, "run", "--max-children", "1", *chosen, seconds=asked.seconds)
        judged = {
            m: said for m, said in results(folder).items() if m in set(chosen) and said != "not checked"
        }
        missed = [f"{m}\n{change(folder, m)}" for m, said in judged.items() if said not in CAUGHT]
    counts = collections.Counter(judged.values())
    caught = sum(counts[kind] for kind in CAUGHT)
    print(f"{asked.module}: {caught} of {len(judged)} noticed ({caught / max(1, len(judged)):.1%}),", end=" ")
    print(f"of {len(every)} mutants in all; {dict(counts)}")
    print("\n".join(missed))


if __name__ == "__main__":
    main()
