"""``symmetry grade`` and ``symmetry demo``: submissions in, a graded folder out."""

from __future__ import annotations

import enum
import sys
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from graders import grading_run, regrade
from graders.commands.terminal import (
    AssignmentName,
    Isolation,
    IsolationOption,
    Jobs,
    Names,
    Wait,
    console,
    say,
    show_progress,
    warn,
)
from graders.demo_class import demo_class
from graders.gradebook import Basis
from graders.intake import Rules
from graders.lateness import late_policy, policy_of_text, read_time, read_zone
from graders.marks import marks
from graders.pseudonyms import read_key
from graders.report import called
from graders.roster import read_roster
from graders.workers import PROCESSORS, Workers
from pytest_symmetry.assignment import find_assignment
from pytest_symmetry.feedback.ordering import first_cause
from pytest_symmetry.feedback.text import harmless, number, words_or_facts
from pytest_symmetry.findings import Result
from pytest_symmetry.grading import DEFAULT_SEED

_WRITTEN = {
    "Class pages": ("class.html", "class-staff.html", "class.csv"),
    "Student pages": ("feedback",),
    "Results": ("results.jsonl", "gradebook.sqlite"),
}
_DEMO_KEY = bytes(32)
"""Nobody in the demo is real: its pseudonyms may be the same everywhere."""


class Layout(enum.StrEnum):
    """What submissions came out of: the names of ``graders.inboxes.LAYOUTS``."""

    gradescope = "gradescope"
    nbgrader = "nbgrader"
    moodle = "moodle"
    canvas = "canvas"
    github = "github"
    otter = "otter"
    folder = "folder"


class Keep(enum.StrEnum):
    """Which of several submissions of one student counts."""

    latest = "latest"
    first = "first"
    ask = "ask"


_Submissions = Annotated[
    list[Path], typer.Option(help="A notebook, a .py file, a folder of them, or what a platform exports.")
]
_Out = Annotated[Path, typer.Option(help="Folder for the gradebook and the feedback.")]
_Roster = Annotated[
    Path | None, typer.Option(help="CSV of who is in the class; the one column that it needs is id.")
]
_Layout = Annotated[
    Layout | None, typer.Option(help="What exported the submissions (found out, if not given).")
]
_Keep = Annotated[Keep, typer.Option(help="Which of several submissions of a student counts.")]
_Due = Annotated[str, typer.Option(help="When the work was due, where the roster does not say.")]
_Late = Annotated[str, typer.Option(help='What lateness costs: "per=day percent=10 grace=15 floor=50".')]
_TimeZone = Annotated[str, typer.Option(help='The course\'s time zone: "Europe/Zurich".')]
_Seed = Annotated[
    int | None, typer.Option(min=0, help="Seed of the inputs (128 secret bits, drawn once, if not given).")
]
_Stability = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Judge with N seeds; a verdict that changes waits for a person."),
]
_Anew = Annotated[
    bool, typer.Option("--regrade", help="Judge anew what was judged by other tests or versions.")
]
_Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before a re-grade changes marks.")]
_NeverLower = Annotated[bool, typer.Option("--never-lower", help="Let a re-grade take points from nobody.")]
_Notebooks = Annotated[
    bool,
    typer.Option("--notebooks", help="Write each notebook too, with the findings beside its cells (slower)."),
]
_Compare = Annotated[
    Path | None, typer.Option(help="A folder graded earlier: write a class page that compares with it.")
]
_Cluster = Annotated[
    str,
    typer.Option(
        metavar="WHERE", help="Grade on a dask cluster: local, slurm (--jobs many), or tcp://HOST:PORT."
    ),
]
_Key = Annotated[
    Path | None,
    typer.Option(help="Key of the pseudonyms, to have the same in several folders (drawn, if not given)."),
]


def demo(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("symmetry-demo"),
    jobs: Jobs = PROCESSORS,
) -> None:
    """Grade a class of 40 made-up students: the whole of grading with no input."""
    assignment = find_assignment("planar")
    demo_class(assignment.folder, out / "submissions")
    with Workers(jobs) as workers:
        order = grading_run.take_order(assignment, [out / "submissions"], out / "graded", workers=workers)
        _carry_out(replace(order, key=_DEMO_KEY), workers, seed=DEFAULT_SEED, names=True)


def grade(
    assignment: AssignmentName,
    submissions: _Submissions,
    out: _Out,
    roster: _Roster = None,
    layout: _Layout = None,
    keep: _Keep = Keep.latest,
    due: _Due = "",
    late: _Late = "",
    time_zone: _TimeZone = "",
    jobs: Jobs = PROCESSORS,
    cluster: _Cluster = "",
    seed: _Seed = None,
    stability: _Stability = None,
    isolation: IsolationOption = Isolation.strict,
    anew: _Anew = False,
    yes: _Yes = False,
    never_lower: _NeverLower = False,
    key: _Key = None,
    notebooks: _Notebooks = False,
    compare: _Compare = None,
    names: Names = False,
    wait: Wait = 0.0,
) -> None:
    """Grade submissions: a gradebook, one page per student, two pages about the class."""
    found = find_assignment(assignment)
    zone = read_zone(time_zone or found.timezone)
    rules = Rules(
        layout=layout.value if layout is not None else "",
        keep=keep.value,
        roster=read_roster(roster, zone) if roster is not None else None,
        zone=zone,
        assignment=found.name,
        due=read_time(due, zone, latest=True) if due else found.policy.due,
        policy=policy_of_text(late, late_policy(found)),
    )
    with _workers(jobs, cluster) as workers:
        order = grading_run.take_order(found, submissions, out, isolation.value, rules, workers)
        order = replace(order, seeds=stability, key=read_key(key) if key is not None else None, patience=wait)
        order = replace(order, due=rules.due, notebooks=notebooks)
        before = grading_run.class_results(compare) if compare is not None else None
        for line in _remarks(order, names=names or console.is_terminal):
            say(line)
        agreed = _Regrade(yes, never_lower) if anew else None
        _carry_out(order, workers, seed=seed, names=names, agreed=agreed)
    if before is not None:
        from graders.commands.looking import compare_with  # brings pytest's half along: only where asked for

        compare_with(out, before)


def _workers(jobs: int, cluster: str) -> AbstractContextManager[Workers]:
    """Return the workers of this machine, or those of a cluster."""
    if not cluster:
        return Workers(jobs)
    from graders.cluster.connecting import cluster_workers  # brings dask along: only where asked for

    return cluster_workers(cluster, jobs, warn)


def _remarks(order: grading_run.Order, *, names: bool) -> list[str]:
    """Return what the intake has to say; in a log, without the lines that name somebody."""
    who = {text for e in order.entries for text in (e.student, e.name, e.label, *e.chosen_from) if text}
    said = order.intake.said
    public = [line for line in said if names or not any(text in line for text in who)]
    hidden = len(said) - len(public)
    return public + ([f"{hidden} more remarks name students; --names shows them."] if hidden else [])


class _Regrade:
    """How a re-grade is agreed to."""

    def __init__(self, yes: bool, never_lower: bool) -> None:
        self.yes = yes
        self.never_lower = never_lower

    def agreed(self) -> bool:
        """Ask on a terminal; elsewhere only --yes agrees."""
        if self.yes or not sys.stdin.isatty():
            return self.yes
        return typer.confirm("Let these results count?")


def _carry_out(
    order: grading_run.Order,
    workers: Workers,
    *,
    seed: int | None,
    names: bool,
    agreed: _Regrade | None = None,
) -> None:
    console.print(f"Submissions run at isolation {order.offered}.")
    try:
        with grading_run.started(order, seed=seed, jobs=workers.jobs, workers=workers) as run:
            _grade(run, names=names, agreed=agreed)
    except KeyboardInterrupt:
        how_far = grading_run.class_count(order.out)
        warn(f"interrupted: {how_far}, and kept. Run the same command again to go on.")
        raise typer.Exit(3) from None
    _print_class(grading_run.class_results(order.out))
    for what, files in _WRITTEN.items():
        say(f"{what:<14}{', '.join(str(order.out / name) for name in files)}")


def _grade(run: grading_run.Run, *, names: bool, agreed: _Regrade | None) -> None:
    before = len(run.order.entries) - len(run.new())
    if before:
        say(f"{before} of {len(run.order.entries)} were graded before and are kept.")
    kept = run.overridden_before()
    show_progress(run.grade_new(), names=names)
    for mark in kept:
        who = called([mark], names=names)[mark.student]
        questions = ", ".join(q.question for q in mark.corrected if q.by == "an override")
        say(f"{who} handed in again; what was overridden on the earlier work stays: {questions}")
    stale = run.stale()
    if agreed is not None:
        _regrade(run, agreed, names=names)
    elif stale:
        numbers = run.standing()
        bases = [run.book.judged(numbers[entry.student]).basis for entry in stale]
        say(
            f"{len(stale)} of them were judged on another basis ({_differences(bases, run.basis)}) and stay; "
            "--regrade shows who would change."
        )


def _differences(bases: list[Basis], now: Basis) -> str:
    """Return what differs between some bases and this run's, in a few words."""
    found = []
    if any(basis.assignment != now.assignment for basis in bases):
        found.append("other files of the assignment")
    if any(basis.versions != now.versions for basis in bases):
        found.append("other versions")
    if any(basis.isolation != now.isolation for basis in bases):
        found.append("another isolation")
    if any(basis.seeds != now.seeds for basis in bases):
        found.append("another number of seeds")
    return ", ".join(found)


def _regrade(run: grading_run.Run, how: _Regrade, *, names: bool) -> None:
    if not run.stale():
        say("Nothing to judge anew: all was judged by these tests, versions and seeds.")
        return
    show_progress(regrade.rejudge(run), names=names)
    changes = regrade.proposed(run)
    for line in regrade.regrade_lines(changes, called(marks(run.book), names=names)):
        say(line)
    say(regrade.summary(changes))
    if not how.agreed():
        say("Nothing was changed; with --yes these results count.")
        return
    taken = regrade.accept(run, changes, never_lower=how.never_lower)
    left = f"; {len(changes) - len(taken)} would have lost points and keep theirs" if how.never_lower else ""
    say(f"{len(taken)} results count now{left}.")


def _print_class(results: list[Result]) -> None:
    """Print the class in a few lines: how many, what status, which causes."""
    graded = [r for r in results if r.status == "graded"]
    full = sum(r.points >= r.max_points for r in graded)
    console.print(f"{len(results)} submissions: {len(graded)} graded ({full} with full marks)", end="")
    for status in ("not gradable", "waits for a person"):
        if count := sum(r.status == status for r in results):
            said = "wait for a person" if status.startswith("waits") else status
            console.print(f", {count} {said}", end="")
    console.print(".")
    if causes := _causes(graded):
        table = Table("Students", "Code", "First cause", box=None, pad_edge=False, header_style="")
        for (code, title), count in causes:
            table.add_row(str(count), code, escape(title))
        console.print(table)
    if graded:
        mean = sum(r.points for r in graded) / len(graded)
        console.print(f"Mean: {number(mean)} of {number(max(r.max_points for r in graded))} points.")


def _causes(graded: list[Result]) -> list[tuple[tuple[str, str], int]]:
    """Return the first causes with the number of submissions that have each, commonest first."""
    counts: Counter[tuple[str, str]] = Counter()
    for result in graded:
        if (finding := first_cause(result.tests)) is not None:
            counts[finding.code, harmless(words_or_facts(finding).title)] += 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
