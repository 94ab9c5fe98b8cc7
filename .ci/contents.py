"""What the wheel and the sdist in a folder must hold, and must not: ``python .ci/contents.py dist``."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUNDLED = "pytest_symmetry/bundled"
OUTSIDE = (".github/", ".gitignore")


def tracked() -> set[str]:
    """Return the files of the repository."""
    command = ["git", "ls-files"]
    return set(
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    ) - {""}


def compared(name: str, found: set[str], wanted: set[str]) -> list[str]:
    """Return a line for each file too few or too many."""
    lines = [f"{name}: {path} is missing" for path in sorted(wanted - found)]
    return lines + [f"{name}: {path} does not belong there" for path in sorted(found - wanted)]


def wheel(path: Path) -> list[str]:
    """Compare a wheel with the two packages and the assignments: all of these, and nothing else."""
    found = {n for n in zipfile.ZipFile(path).namelist() if ".dist-info/" not in n}
    inside = {p for p in tracked() if p.startswith(("pytest_symmetry/", "graders/"))}
    data = {p.replace("assignments", BUNDLED, 1) for p in tracked() if p.startswith("assignments/")}
    return compared(path.name, found, inside | data)


def sdist(path: Path) -> list[str]:
    """Compare an sdist with the repository: all of it but what only GitHub reads."""
    with tarfile.open(path) as archive:
        found = {m.name.partition("/")[2] for m in archive.getmembers() if m.isfile()} - {"PKG-INFO"}
    return compared(path.name, found - {".gitignore"}, {p for p in tracked() if not p.startswith(OUTSIDE)})


def main() -> None:
    """Say what is wrong; exit code 1 if anything is."""
    folder = Path(sys.argv[1])
    lines = [line for path in folder.glob("*.whl") for line in wheel(path)]
    lines += [line for path in folder.glob("*.tar.gz") for line in sdist(path)]
    print("\n".join(lines) or "wheel and sdist hold what they should")
    sys.exit(bool(lines))


if __name__ == "__main__":
    main()
