"""The house in figures: how long modules and functions are, and how many lines of tests stand beside them.

    python benchmarks/house.py [COMMIT ...]

With commits, what each of them was.
"""

from __future__ import annotations

import ast
import io
import statistics
import subprocess
import sys
import tarfile
import tempfile
import tokenize
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
BLANK = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING}


def files(root: Path, folder: str) -> list[Path]:
    """Return the Python files of a folder, those that were fetched left out."""
    return sorted(p for p in (root / folder).rglob("*.py") if "node_modules" not in p.parts)


def docstrings(tree: ast.AST) -> set[int]:
    """Return the lines of the docstrings of a module, a class or a function, and of all within it."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if (
            isinstance(first, ast.Expr)
            and isinstance(first.value, ast.Constant)
            and isinstance(first.value.value, str)
        ):
            lines |= set(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines


def code_lines(path: Path) -> int:
    """Return how many lines hold code: no blank lines, no comments, no docstrings."""
    with tokenize.open(path) as file:
        tokens = [t for t in tokenize.generate_tokens(file.readline) if t.type not in BLANK]
    lines = {line for t in tokens for line in range(t.start[0], t.end[0] + 1)}
    return len(lines - docstrings(ast.parse(path.read_text(encoding="utf-8"))))


def functions(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the length of every function without its docstring, with its name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            yield len(lines - docstrings(node)), f"{path.stem}.{node.name}"


def row(root: Path, folder: str) -> str:
    """Return one row of the table."""
    paths = files(root, folder)
    lengths = [len(p.read_text(encoding="utf-8").splitlines()) for p in paths]
    sizes = sorted(f for p in paths for f in functions(p))
    cuts = [size for size, _ in sizes]
    longest = max(zip(lengths, (p.stem for p in paths), strict=True))
    return (
        f"| `{folder}` | {len(paths)} | {sum(map(code_lines, paths))} | {statistics.median(lengths):.0f}"
        f" | {longest[0]} `{longest[1]}` | {statistics.median(cuts):.0f} | {cuts[int(0.9 * len(cuts))]}"
        f" | {sizes[-1][0]} `{sizes[-1][1]}` |"
    )


def table(root: Path) -> None:
    """Print the figures of one state of the repository."""
    print("| folder | modules | lines of code | module, median | module, longest |", end="")
    print(" function, median | function, 9 of 10 up to | function, longest |")
    print("| --- | ---: | ---: | ---: | --- | ---: | ---: | --- |")
    for folder in ("pytest_symmetry", "graders", "tests", "benchmarks"):
        print(row(root, folder))
    source = sum(code_lines(p) for folder in ("pytest_symmetry", "graders") for p in files(root, folder))
    tests = sum(map(code_lines, files(root, "tests")))
    print(f"\nLines of tests for each line of source: {tests / source:.2f}.\n")


def main() -> None:
    """Print the table, or one for each commit."""
    if not sys.argv[1:]:
        table(REPOSITORY)
    for commit in sys.argv[1:]:
        archive = subprocess.run(
            ["git", "archive", commit], cwd=REPOSITORY, capture_output=True, check=True
        ).stdout
        with tempfile.TemporaryDirectory() as name, tarfile.open(fileobj=io.BytesIO(archive)) as file:
            file.extractall(name, filter="data")
            print(f"{commit}:\n")
            table(Path(name))


if __name__ == "__main__":
    main()
