"""One submission's result to one self-contained HTML page; templates/student.html holds its sentences."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from pytest_symmetry.feedback.figures import figure
from pytest_symmetry.feedback.ordering import tell
from pytest_symmetry.feedback.text import listed, number, printable, question_words, words_or_facts
from pytest_symmetry.findings import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import jinja2

    from pytest_symmetry.feedback.drawing import Figure
    from pytest_symmetry.feedback.ordering import Told
    from pytest_symmetry.feedback.text import Words
    from pytest_symmetry.findings import Finding, Result, Verdict

_AROUND = 4
_FUNCTION = 11
_SHORT = 18
_MOST_COLUMNS = 240
_MOST_NAME = 80
_MOST_BYTES = 150_000
_PLAIN_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_ASCII = str.maketrans(
    {"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ß": "ss", "\u0131": "i", "æ": "ae"}
)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?|.*\.")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of everything a page shows."""

    text: int = 2000
    findings: int = 30
    figures: int = 6
    printed: int = 1500
    lines: int = 150


_GENEROUS, _TIGHT = Limits(), Limits(text=250, findings=4, figures=1, printed=100, lines=0)
"""What a page shows, and what it shows where that would be too much (somebody's text of a million quotes)."""


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One line of a student's cell; ``marked`` where the finding is: "here", or "starts here"."""

    number: int
    text: str
    marked: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The lines of one cell around a place, and all its lines where the excerpt leaves some out."""

    cell: int
    lines: tuple[CodeLine, ...]
    whole: tuple[CodeLine, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Block:
    """One finding as the page shows it."""

    words: Words
    questions: tuple[str, ...]
    identifier: str
    line: int | None = None
    figure: Figure | None = None
    code: Excerpt | None = None
    consequences: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Correction:
    """A question that a person decided: for one student, or for all (``void``).

    ``judged`` is what the tests gave, None where they came to no verdict.
    """

    question: str
    void: bool
    judged: float | None
    points: float
    max_points: float
    reason: str


@dataclass(frozen=True, slots=True)
class Decided:
    """What the course team decided about a result: questions, and what lateness took (``late`` says why)."""

    corrections: tuple[Correction, ...] = ()
    deduction: float = 0.0
    late: str = ""


_NOTHING_DECIDED = Decided()


def student_page(
    result: Result,
    *,
    title: str,
    reveal: str = "hint",
    source: Mapping[int, str] | None = None,
    decided: Decided = _NOTHING_DECIDED,
    seed_mark: str = "",
    saved: str = "",
    notebook: str = "",
) -> str:
    """Return the page of one submission: valid HTML without script, address or time in it.

    ``reveal`` is "hint" or "cause"; ``source`` holds the text of the submission's code cells by number, for
    the excerpt around the first cause; the points of ``result`` are those after ``decided``.
    ``seed_mark`` is shown instead of a seed that is secret, ``saved`` (when the file was) on somebody's own
    machine; ``notebook`` is the file of the annotated notebook, where it lies beside the page. The same
    arguments give the same bytes, at most 150,000 of them for an assignment of up to a hundred questions.
    """
    footer = {
        "seed": seed_mark or result.seed,
        "seed_is_secret": bool(seed_mark),
        "saved": saved,
        "notebook": notebook,
    }
    page = _student_page(result, title, reveal, source or {}, decided, footer, _GENEROUS)
    if len(page.encode("utf-8")) > _MOST_BYTES:
        page = _student_page(result, title, reveal, source or {}, decided, footer, _TIGHT)
    return page


def _student_page(
    result: Result,
    title: str,
    reveal: str,
    source: Mapping[int, str],
    decided: Decided,
    footer: Mapping[str, Any],
    limits: Limits,
) -> str:
    questions = {c.question for c in decided.corrections}
    by_person = {v.nodeid for v in result.tests if v.name.partition("[")[0] in questions}
    story = tell([v for v in result.tests if v.outcome is not Outcome.WAITS or v.nodeid not in by_person])
    causes = [*([story.first] if story.first else []), *story.others]
    blocks = [
        told_block(
            told,
            f"finding-{i + 1}",
            reveal,
            source=source if i == 0 else {},
            pictured=i < limits.figures,
            limits=limits,
        )
        for i, told in enumerate(causes[: limits.findings])
    ]
    return pages().get_template("student.html").render(
        title=title,
        result=result,
        decided=decided,
        reveal=reveal,
        first=blocks[0] if blocks else None,
        others=blocks[1:],
        more=len(causes) - len(blocks),
        notes=[
            told_block(told, f"note-{i + 1}", reveal, limits=limits, pictured=False)
            for i, told in enumerate(story.notes[: limits.findings])
        ],
        by_person=by_person,
        by_hand=sum(v.outcome is Outcome.WAITS and v.nodeid in by_person for v in result.tests),
        passed=[_name(v.name) for v in result.tests if v.outcome is Outcome.PASSED],
        printed=printed(result.tests, limits),
        share=_share(result.points, result.max_points),
        **footer,
    )  # fmt: skip


def page_file(student: str) -> str:
    """Return the name of a student's page: plain, the same everywhere, different for different students.

    Names of lower-case letters, digits and ``._-`` stay as they are. All others (upper case too: two
    names may be one on Windows and macOS) are spelled with those and told apart by a hash.
    """
    if _PLAIN_NAME.fullmatch(student) and not _RESERVED.fullmatch(student):
        return f"{student}.html"
    letters = (
        unicodedata.normalize("NFKD", student.translate(_ASCII)).encode("ascii", "ignore").decode("ascii")
    )
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", letters).strip("-")[:40] or "student"
    digest = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{plain}.{digest[:12]}.html"


@cache
def pages() -> jinja2.Environment:
    """Return the environment of all HTML templates: all escaped, nothing undefined, no control characters."""
    import jinja2

    env = jinja2.Environment(
        loader=jinja2.PackageLoader("pytest_symmetry", "feedback/templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(
        number=number,
        listed=listed,
        spans=_spans,
        cut=_cut,
        outcome_class=_outcome_class,
        question=question_words,
    )
    return env


def _shown(value: Any) -> Any:
    """Make what a template prints printable; what is already markup is the templates' own."""
    return value if not isinstance(value, str) or hasattr(value, "__html__") else printable(value)


def told_block(
    told: Told,
    identifier: str,
    reveal: str,
    *,
    source: Mapping[int, str] | None = None,
    pictured: bool = True,
    limits: Limits = _GENEROUS,
) -> Block:
    """Return a told finding with its picture, code and consequences."""
    return Block(
        words=_words(told.finding, reveal, limits),
        questions=tuple(_name(name) for name in told.questions),
        identifier=identifier,
        line=told.finding.place.line,
        figure=figure(told.finding.figure) if pictured else None,
        code=_excerpt(told.finding, source or {}, limits),
        consequences=tuple(
            told_block(c, f"{identifier}-{i + 1}", reveal, pictured=False, limits=limits)
            for i, c in enumerate(told.consequences[: limits.findings])
        ),
    )


def _words(finding: Finding, reveal: str, limits: Limits) -> Words:
    """Return a finding's words, each cut to what a page can hold."""
    said = words_or_facts(finding, reveal=reveal)
    return replace(said, **{f.name: _cut(getattr(said, f.name), limits.text) for f in fields(said)})


def _name(question: str) -> str:
    return _cut(question_words(question), _MOST_NAME)


def source_lines(text: str) -> list[str]:
    """Return the lines of a cell as Python counts them: a form feed, say, ends none."""
    lines = re.split(r"\r\n|\r|\n", text)
    return lines[:-1] if lines[-1] == "" else lines


def _excerpt(finding: Finding, source: Mapping[int, str], limits: Limits) -> Excerpt | None:
    """Return the lines around the finding's place; around the function's head where no line is known."""
    place = finding.place
    if place.cell is None or not (texts := source_lines(source.get(place.cell, ""))):
        return None
    head = _definition(texts, place.function)
    centre = place.line or head or 1
    after = _FUNCTION if centre == head else _AROUND
    mark = "starts here" if place.line == head else "here"
    shown = range(1, len(texts) + 1)
    if len(texts) > _SHORT:  # a place past the end (another version of the file) shows the start
        centre = centre if centre <= len(texts) else 1
        shown = range(max(centre - _AROUND, 1), min(centre + after, len(texts)) + 1)

    def lines(numbers: range) -> tuple[CodeLine, ...]:
        return tuple(
            CodeLine(n, texts[n - 1][:_MOST_COLUMNS], mark if n == place.line else "") for n in numbers
        )

    whole = range(1, min(len(texts), limits.lines) + 1) if len(shown) < len(texts) else range(0)
    return Excerpt(place.cell, lines(shown), lines(whole), len(texts) - len(shown))


def _definition(texts: Sequence[str], function: str | None) -> int | None:
    """Return the line on which ``function`` is defined; None where it is not found."""
    head = re.compile(rf"\s*(?:async\s+)?def\s+{re.escape(function or '')}\s*\(")
    return next((n for n, text in enumerate(texts, start=1) if head.match(text)), None)


def printed(verdicts: Sequence[Verdict], limits: Limits = _GENEROUS) -> list[tuple[str, str, bool]]:
    """Return what the submission printed, per question, with whether it was cut here."""
    texts = [(_name(v.name), v.printed) for v in verdicts if v.printed.strip()]
    return [(name, text[: limits.printed], len(text) > limits.printed) for name, text in texts[:8]]


def _share(points: float, most: float) -> float:
    """Return the share of points earned, in percent, within 0 and 100."""
    return round(min(max(100 * points / most, 0.0), 100.0), 1) if most > 0 else 0.0


def _spans(text: str) -> list[tuple[bool, str]]:
    """Split a sentence at its backticks into pieces of text and of code."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return [(False, text)]
    return [(bool(i % 2), piece) for i, piece in enumerate(pieces) if piece]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _outcome_class(outcome: Outcome) -> str:
    """Return an outcome as the name of a class in the style sheet."""
    return outcome.value.replace(" ", "-")
