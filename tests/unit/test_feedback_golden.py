"""What people read, word for word: a change of the pages' words or order is seen in review.

To accept a change: ``SYMMETRY_WRITE_GOLDEN=1 pytest tests/unit/test_feedback_golden.py``, then read the diff.
The words of codes and causes are held still here, so that they can be bettered without touching these files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from reading_html import Page
from shown_results import SOURCE, a_class, a_notebook, every_page

from graders import class_counts
from graders.class_page import class_page
from pytest_symmetry.diagnosis.causes import Cause, CodePage
from pytest_symmetry.feedback import text as words_of
from pytest_symmetry.feedback.annotated import annotated_page
from pytest_symmetry.feedback.html import student_page
from pytest_symmetry.feedback.terminal import class_summary, summary

FOLDER = Path(__file__).parent / "golden"
TITLE = "Planar"
NAMES = [
    *(f"{kind}-{name}.txt" for kind in ("student", "terminal") for name in every_page()),
    "terminal-class.txt", "class.txt", "class-staff.txt", "annotated.txt",
]  # fmt: skip
PAGE = CodePage(
    "GRD101",
    "The title of {{ array }}",
    "What is seen of {{ array }}{{ index }}: {{ student | number }}.",
    "What is expected: {{ numerical | number }}.",
    "The hint about {{ array }}.",
    {"Why it matters": "Why it matters, with `code` in it."},
)
CAUSE = Cause("factor-m", "The name of the cause", "The hint of the cause.", "The cause, said outright.")


@pytest.fixture(scope="module")
def texts() -> Iterator[dict[str, str]]:
    """All golden texts by name."""
    with pytest.MonkeyPatch.context() as patch:
        class_counts.general_title.cache_clear()
        for module in (words_of, class_counts):
            patch.setattr(module, "code_page", lambda code: PAGE)
        patch.setattr(words_of, "cause_named", lambda identifier: CAUSE)
        patch.setattr(class_counts, "all_causes", lambda: {"factor-m": CAUSE})
        yield everything()
    class_counts.general_title.cache_clear()


def read_aloud(page: str) -> str:
    """Return a page's text as somebody would read it out: one line for each piece, white space squeezed."""
    lines = (" ".join(line.split()) for line in Page(page).text.splitlines())
    return re.sub(r"\n{2,}", "\n", "\n".join(lines)).strip() + "\n"


def terminal(name: str) -> str:
    """Return the summary of one result."""
    shown = every_page()[name]
    lines = summary(
        shown.tests, student=shown.student, points=shown.points, max_points=shown.max_points,
        reveal="cause", again="pytest -k backward --symmetry-seed=20",
    )  # fmt: skip
    return "\n".join(lines) + "\n"


def everything() -> dict[str, str]:
    """Return all golden texts by name."""
    results = every_page()
    texts = {
        f"student-{name}.txt": read_aloud(student_page(shown, title=TITLE, source=SOURCE))
        for name, shown in results.items()
    }
    texts |= {f"terminal-{name}.txt": terminal(name) for name in results}
    texts["terminal-class.txt"] = "\n".join(class_summary([*results.values(), *a_class(5)])) + "\n"
    texts["class.txt"] = read_aloud(class_page(a_class(30), title=TITLE))
    texts["class-staff.txt"] = read_aloud(class_page(a_class(30), title=TITLE, names=True, expected=40))
    annotated = annotated_page(a_notebook("# Planar"), results["wrong-gradient"], title=TITLE)
    return texts | {"annotated.txt": read_aloud(annotated)}


@pytest.mark.parametrize("name", NAMES)
def test_words_are_as_agreed(name: str, texts: dict[str, str]) -> None:
    """As the files in golden/ say."""
    file = FOLDER / name
    if os.environ.get("SYMMETRY_WRITE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(texts[name], encoding="utf-8")

    assert file.read_text(encoding="utf-8") == texts[name]


def test_no_golden_file_is_left_over() -> None:
    """Each is a text that is made."""
    assert sorted(NAMES) == sorted(path.name for path in FOLDER.iterdir())
