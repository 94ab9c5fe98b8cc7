"""Pages in a real browser: Chromium (or Chrome), Node, Java, and `npm ci --prefix tests/browser`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "unit"))  # shown_results.py and xss_payloads.py serve both folders

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker here, so that the folder can be run alone."""
    config.addinivalue_line("markers", "browser: needs Chromium, Node, Java and tests/browser/node_modules")


def missing() -> str:
    """Return what is not there, or an empty text."""
    if not any(map(shutil.which, BROWSERS)):
        return "no Chromium: apt-get install chromium"
    if shutil.which("node") is None:
        return "no Node: apt-get install nodejs npm"
    if not (HERE / "node_modules" / "puppeteer-core").is_dir():
        return "no node_modules: npm ci --prefix tests/browser"
    return ""


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every kind of page, written to files as students and staff get them."""
    from shown_results import PROSE, SOURCE, a_class, a_notebook, every_figure, every_page

    from graders.class_page import class_page
    from pytest_symmetry.feedback.annotated import annotated_page
    from pytest_symmetry.feedback.html import student_page

    folder = tmp_path_factory.mktemp("pages")
    pages = {
        f"student-{name}": student_page(
            result, title="Planar: one hidden layer", reveal="cause", source=SOURCE
        )
        for name, result in every_page().items()
    }
    for result in every_figure():
        pages[result.student] = student_page(result, title="Planar: one hidden layer")
    pages["class"] = class_page(a_class(410), title="Planar: one hidden layer")
    pages["class-staff"] = class_page(
        a_class(410), title="Planar: one hidden layer", names=True, expected=500, before=a_class(300, seed=4),
        suspicious=[
            {"student": "s00002", "question": "test_gradients", "kind": "finite differences",
             "measured": "cost was called 31 times.", "explanations": ["A check was left inside."]}
        ],
    )  # fmt: skip
    for theme in ("light", "dark"):
        pages[f"notebook-{theme}"] = in_a_notebook(theme)
    pages["annotated"] = annotated_page(
        a_notebook(PROSE), every_page()["wrong-gradient"], title="Planar: one hidden layer", outputs=True
    )
    return {name: write(folder / f"{name}.html", text) for name, text in pages.items()}


def in_a_notebook(theme: str) -> str:
    """Return reports as JupyterLab shows them in outputs: two in one document, under its style of lists."""
    from shown_results import all_right, wrong_gradient

    from pytest_symmetry.feedback.inline import inline

    remarks = [
        "Cells are numbered as in the brackets beside them: cell 5 is [5].",
        "planar.ipynb, saved today.",
    ]
    shown = [
        inline(shown.tests, points=shown.points, max_points=shown.max_points, reveal="cause", remarks=remarks)
        for shown in (wrong_gradient(), all_right())
    ]
    ground, text = ("#ffffff", "#000000") if theme == "light" else ("#111111", "#ffffff")
    style = (
        f"body {{ margin: 0; background: {ground}; color: {text}; }}"
        ".jp-RenderedHTMLCommon dl dt { font-weight: bold; float: left; width: 20%; }"
        ".jp-RenderedHTMLCommon dl dd { float: left; width: 80%; }"
        ".jp-RenderedHTMLCommon td { text-align: right; }"
        ".jp-RenderedHTMLCommon code { background: #eeeeee; }"
    )
    outputs = "".join(f'<div class="jp-RenderedHTMLCommon">{piece}</div>' for piece in shown)
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>A notebook</title>'
        f"<style>{style}</style></head>"
        f'<body data-jp-theme-light="{"true" if theme == "light" else "false"}">'
        f"<main><h1>Outputs</h1>{outputs}</main></body></html>"
    )


@pytest.fixture(scope="session")
def attacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One page for each payload, with the payload in every field that a student fills."""
    from xss_payloads import PAYLOADS

    folder = tmp_path_factory.mktemp("attacks")
    pages = {str(i): attacked(payload) for i, payload in enumerate(PAYLOADS)}
    pages["annotated"] = attacked_notebook()
    return {name: write(folder / f"{name}.html", text) for name, text in pages.items()}


def attacked(payload: str) -> str:
    """Return a student's page that holds ``payload`` wherever a student's text may stand."""
    from shown_results import ERROR_MAP, FACTS, gradient, result, verdict

    from pytest_symmetry.feedback.html import student_page
    from pytest_symmetry.findings import Finding, Outcome, Place

    place = Place(payload, 7, 2, payload)
    finding = gradient(place=place, facts={**FACTS, "array": payload}, figure={**ERROR_MAP, "array": payload})
    findings = [finding, Finding("ZZZ1", facts={payload: payload}, place=Place(payload))]
    tests = [verdict(payload, Outcome.FAILED, 1, findings, payload), verdict(payload)]
    return student_page(result(payload, tests), title=payload, source={7: "\n".join([payload] * 9)})


def attacked_notebook() -> str:
    """Return an annotated notebook with every payload as prose, link, formula and output."""
    from shown_results import a_notebook, all_right
    from xss_payloads import PAYLOADS

    from pytest_symmetry.feedback.annotated import annotated_page

    prose = [f"{p}\n\n[x]({p}) ![{p}]({p})\n\n${p}$ $\\text{{{p}}}$" for p in PAYLOADS]
    return annotated_page(
        a_notebook(*prose, output="\n".join(PAYLOADS)), all_right(), title="Planar", outputs=True
    )


def write(path: Path, text: str) -> Path:
    """Write a page as the grader does."""
    path.write_text(text, encoding="utf-8")
    return path


def visit(**jobs: dict[str, Path]) -> dict[str, Any]:
    """Return what Chromium saw on every page; skips the test, with the reason, where it cannot be asked."""
    if reason := missing():
        pytest.skip(reason)
    browser = next(path for path in map(shutil.which, BROWSERS) if path)
    kinds = ("pages", "hostile", "screens", "site")
    files = {kind: {name: str(path) for name, path in jobs.get(kind, {}).items()} for kind in kinds}
    done = subprocess.run(
        ["node", str(HERE / "visit.cjs"), browser],
        input=json.dumps(files), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def visited(shown: dict[str, Path], attacks: dict[str, Path]) -> dict[str, Any]:
    """What Chromium saw on every kind of page, and on every attack."""
    return visit(pages=shown, hostile=attacks)


@pytest.fixture(scope="session")
def specimens(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The first screens of the pages of twelve specimens of planar, each with another code or cause."""
    from graders.batch import run_tests
    from graders.intake import Entry
    from graders.specimens import load_specimens, write_specimens
    from pytest_symmetry.assignment import load_assignment
    from pytest_symmetry.feedback.html import student_page
    from pytest_symmetry.submission import read_submission

    if reason := missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("specimens")
    assignment = load_assignment(HERE.parents[1] / "assignments" / "planar")
    faulty = [s for s in load_specimens(assignment.folder) if not s.correct]
    ranked = sorted(faulty, key=lambda s: [f.code for f in faulty[: faulty.index(s)]].count(s.code))
    names = {s.name for s in ranked[:12]}
    entries = [
        Entry(p.stem, p, p.name) for p in write_specimens(assignment.folder, folder) if p.stem in names
    ]
    pages = {
        result.student: write(
            folder / f"{result.student}.html",
            student_page(result, title=assignment.title, source=dict(read_submission(entry.path).cells)),
        )
        for entry, result in zip(entries, run_tests(assignment, entries, 20), strict=True)
    }
    screens: dict[str, Any] = visit(screens=pages)["screens"]
    return screens


@pytest.fixture(scope="session")
def checked(shown: dict[str, Path]) -> dict[str, list[str]]:
    """What the W3C's checker says about every page: the messages by page."""
    jar = HERE / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
    if shutil.which("java") is None or not jar.is_file():
        pytest.skip(
            "no Java or no vnu-jar: apt-get install default-jre-headless, then npm ci --prefix tests/browser"
        )
    done = subprocess.run(
        ["java", "-jar", str(jar), "--stdout", "--exit-zero-always", "--format", "json"]
        + [str(path) for path in shown.values()],
        capture_output=True, text=True, timeout=200, check=True,
    )  # fmt: skip
    messages: dict[str, list[str]] = {path.name: [] for path in shown.values()}
    for message in json.loads(done.stdout)["messages"]:
        messages[Path(message["url"]).name].append(
            f"{message['type']} line {message.get('lastLine')}: {message['message']}"
        )
    return messages


@pytest.fixture(scope="session")
def visited_site(site: Path) -> dict[str, Any]:
    """What Chromium saw on pages of the documentation, one or two of each kind."""
    names = ["index", "generated/codes/GRD101", "symmetry-theory", "gradient-theory", "generated/commands"]
    names += ["gradient-benchmark", "exports", "reference-checks"]
    pages: dict[str, Any] = visit(site={name: site / f"{name}.html" for name in names})["site"]
    return pages
