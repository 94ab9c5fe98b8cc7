"""What feedback costs: ``python -m benchmarks.feedback`` prints a table; nothing is written.

Rendering a student's page and the class page for 10,000 students; ``check("backward")`` in a real kernel,
warm, over the assignment planar, with a right and with a wrong ``backward``.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "unit"))

from shown_results import SOURCE, a_class, a_notebook, every_page  # noqa: E402 - the path comes first

from graders.class_page import class_page  # noqa: E402
from pytest_symmetry.feedback.annotated import annotated_page  # noqa: E402
from pytest_symmetry.feedback.html import student_page  # noqa: E402
from pytest_symmetry.feedback.inline import inline  # noqa: E402

TITLE = "Planar: one hidden layer"
FACTOR = "* (1 - A1**2)"
KERNEL = """
import time
from pytest_symmetry.notebook import check
def measured(times):
    found = []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        passed = check("backward", assignment="planar").passed
        found.append((1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu), passed))
    return found
"""


def milliseconds(work: Callable[[], object], times: int) -> list[float]:
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(1000 * (time.perf_counter() - start))
    return found


def row(what: str, found: list[float], bar: str, size: int = 0) -> None:
    bytes_ = f"{size / 1000:8.1f} KB" if size else f"{'':11}"
    print(f"{what:<52}{min(found):9.2f}{statistics.median(found):9.2f}{bytes_}   {bar}")


def pages() -> None:
    for name, result in every_page().items():
        page = student_page(result, title=TITLE, source=SOURCE)
        found = milliseconds(lambda r=result: student_page(r, title=TITLE, source=SOURCE), 50)
        row(f"student page, {name}", found, "4 ms, 150 KB", len(page.encode()))
    wrong = every_page()["wrong-gradient"]
    found = milliseconds(lambda: inline(wrong.tests, points=1, max_points=2), 50)
    row("report in a notebook", found, "-", len(inline(wrong.tests, points=1, max_points=2).encode()))
    notebook = a_notebook("# Planar")
    annotated_page(notebook, wrong, title=TITLE)
    found = milliseconds(lambda: annotated_page(notebook, wrong, title=TITLE), 20)
    row("annotated notebook", found, "-", len(annotated_page(notebook, wrong, title=TITLE).encode()))
    everybody = a_class(10_000)
    for names in (False, True):
        page = class_page(everybody, title=TITLE, names=names)
        found = milliseconds(lambda n=names: class_page(everybody, title=TITLE, names=n), 2)
        row(f"class page, 10,000 students, {'with' if names else 'no'} names", found, "2,000 ms, 3,000 KB",
            len(page.encode()))  # fmt: skip


def kernel(cells: list[str]) -> list[tuple[float, float, bool]]:
    """Run cells in a new kernel, then measure there; the first answer, which plants mistakes, is left out."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3")
    said: list[str] = []
    try:
        for cell in [
            *cells,
            KERNEL,
            "first = measured(1)[0]",
            "import json; print(json.dumps([first, *measured(20)]))",
        ]:
            said.clear()

            def hook(message: dict) -> None:
                if message["msg_type"] == "error":
                    print("\n".join(message["content"]["traceback"]))
                said.append(message["content"].get("text", ""))

            client.execute_interactive(cell, output_hook=hook, timeout=120)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return json.loads("".join(said))


def notebooks() -> None:
    source = json.loads((ROOT / "assignments/planar/planar.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(c["source"]) for c in source["cells"] if c["cell_type"] == "code"]
    cells = [c for c in cells if "def " in c or c.startswith("import")]
    assert any(FACTOR in c for c in cells)
    for what, made in (("right", cells), ("wrong", [c.replace(FACTOR, "") for c in cells])):
        first, *found = kernel(made)
        assert {passed for _, _, passed in found} == {what == "right"}
        row(f'check("backward") in a warm kernel, {what}', [wall for wall, _, _ in found], "300 ms")
        row("    of that, CPU of the kernel", [cpu for _, cpu, _ in found], "-")
        row("    the first one in a new kernel", [first[0]], "-")


def main() -> None:
    print(f"{'':<52}{'min ms':>9}{'median':>9}{'size':>11}   bar")
    pages()
    notebooks()


if __name__ == "__main__":
    main()
