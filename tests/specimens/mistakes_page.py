"""The page docs/what-we-cannot-tell.md, made from the table of mistakes.

Write it anew with ``python -m specimens.mistakes_page`` from the folder ``tests``.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

from specimens.fresh import SILENT, first, fourth, second, third
from specimens.subjects import SUBJECTS

from pytest_symmetry.diagnosis.dictionary import MOST_ROUNDS
from pytest_symmetry.diagnosis.information import CHANCE
from pytest_symmetry.diagnosis.limits import ENTRIES_PER_ROUND, PER_ROUND
from pytest_symmetry.diagnosis.lookup import MOST_NUMBERS

PAGE = Path(__file__).parents[2] / "docs" / "what-we-cannot-tell.md"

HEAD = """# What we cannot tell

These are {rows} mistakes that people really make in hand-written back-propagation, gathered from published
solutions and forum threads, and what becomes of each: the codes that catch it, and the causes that name it.
*Styles* counts in how many styles other than the reference's a specimen of the test suite has this mistake
(loops, einsum, classes, small helpers, a tape): each is caught by one of the codes, and named by one of the
causes unless there is none, or it ends in an exception.

{cannot} of the {rows} cannot be told by any check here:

{reasons}

## When a cause is named

A cause is said where the student's results equal, in every number of every call of the test, what the
reference gives with that one mistake in it, or where two arrays stand in a relation that chance cannot
explain (at least five digits are left over after everything that was fitted). Equal means within ten times
the rounding of the coarser number type.

- Agreement has to say more than chance: with n planted mistakes to choose from, what agrees must carry at
  least log2(n / {chance:.0e}) bits (29 for five hundred). A generic number carries about 30 to the
  precision of the comparison, so one is enough; a label, a truth value, a count or a simple fraction
  carries what it takes to write it down, and one like it only what tells the two apart. So three indices,
  a few labels or a share such as 2/3 name nothing, however well they agree; and where such choices are
  off, the numbers beside them in the same result count for nothing more.
- Where several mistakes give the same values on all calls, they are listed as "one of". More calls, or inputs
  with more different sizes, tell more of them apart.
- A function that uses another one whose own question has failed before is not blamed for a mistake of a
  general kind (another constant, a term left out): the other one's mistake may give the same. A question
  that is asked alone (`-k`) knows nothing of the others.
- Where no mistake gives the values, the finding says which step is off, as far as the pattern of wrong arrays
  tells: the error at a layer, its product with the input, or its sum. Otherwise the finding has no cause.
- A factor is given a meaning (the number of examples, the size of a layer) only where exactly one size has
  that value. A single number with an unknown factor proves nothing and gets no cause.
- Words such as "the values are those that dZ1 has without one of its factors" say what is certain, the
  values, and not what the line of code looks like.

## What the naming does not reach

- Mistakes are planted in the functions of the reference and in the methods of its classes, except methods
  that call `super()`.
- A function that draws random numbers from a generator of its own is compared by law, not by value; no
  planted mistake is looked up for it.
- Two mistakes at once are named where each shows unmixed in some result. Where both change only the same
  arrays, the finding is located, not named.
- A mistake in constants that only the student's file holds (a learning rate written out) is seen as a step of
  another length, not as the number that was written.
- Calls whose arguments and results hold more than {numbers:,} numbers are not repeated with planted mistakes.
- A planted mistake may turn a loop into an endless one. All of them together get {rounds:,} rounds of
  loops; ranges and permutations count as {per_round} members to a round, new arrays as {entries:,}
  entries. A reference that needs more has mistakes of the field planted only, and one that needs far more
  has none.
- Whether a choice is a mistake or a convention (1/2 in a squared error, biases in the L2 term) is for the
  assignment to say: the reference's choice counts as the right one.

## Caught, and not named

{unnamed}

## The whole list

| # | the mistake | caught by | named | styles |
| ---: | --- | --- | --- | ---: |
{table}
"""


def mistakes() -> list[dict[str, Any]]:
    """Return the table of mistakes."""
    file = files("pytest_symmetry") / "diagnosis" / "mistakes.toml"
    rows: list[dict[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8"))["mistake"]
    return rows


def styles() -> dict[int, set[tuple[str, str]]]:
    """Return, for each row, the references and styles in which a specimen of the test suite shows it."""
    sets = (*SUBJECTS, *first.SETS, *second.SETS, *third.SETS, *fourth.SETS)
    found: dict[int, set[tuple[str, str]]] = {m["row"]: set() for m in mistakes()}
    for subject in sets:
        for fault in subject.FAULTS:
            if fault.row and fault.name not in SILENT:
                found[fault.row] |= {(subject.__name__, style) for style in fault.patches}
    return found


def page() -> str:
    """Return the text of the page."""
    every, seen = mistakes(), styles()
    cannot = [m for m in every if "cannot" in m]
    unnamed = [m for m in every if "cannot" not in m and not m["causes"]]
    return HEAD.format(
        rows=len(every),
        cannot=len(cannot),
        chance=CHANCE,
        numbers=MOST_NUMBERS,
        rounds=MOST_ROUNDS,
        per_round=PER_ROUND,
        entries=ENTRIES_PER_ROUND,
        reasons="\n".join(f"- **{m['what']}** ({m['row']}). {m['cannot']}" for m in cannot),
        unnamed="\n".join(
            f"- **{m['what']}** ({m['row']}, {', '.join(m['codes'])}). {m['unnamed']}" for m in unnamed
        ),
        table="\n".join(_line(m, len(seen[m["row"]])) for m in every),
    )


def _line(m: dict[str, Any], seen: int) -> str:
    if "cannot" in m:
        return f"| {m['row']} | {m['what']} | - | - | - |"
    causes = ", ".join(f"`{c}`" for c in m["causes"]) or "-"
    return f"| {m['row']} | {m['what']} | {', '.join(m['codes'])} | {causes} | {seen} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
