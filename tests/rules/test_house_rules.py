"""The rules of the house that a reader relies on, kept by reading the syntax trees."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_symmetry.diagnosis.causes import all_causes, all_codes, code_page

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "pytest_symmetry").rglob("*.py"), *(ROOT / "graders").rglob("*.py")])
HEAVY = {"numpy", "jinja2", "nbformat", "nbconvert", "typer", "rich", "scipy"}

# A file imports only from files of its own level or of levels above it.
LEVELS = [
    ["errors"],
    ["records"],
    ["findings"],
    ["apart", "context", "arrays", "points", "reveal", "writing"],
    ["namespace", "submission"],
    ["assignment"],
    ["closeness", "sealing"],
    ["certificates", "differences", "laws", "layouts", "matching", "partition", "roles", "units", "verdicts"],
    ["diagnosis"],
    ["feedback"],
    ["checks"],
    ["remote"],
    ["answers"],
    ["packs"],
    ["recording"],
    ["grading"],
    ["run"],
    ["questions", "session"],
    ["asking"],
    ["hookspecs", "plugin", "notebook"],
]


def imports(path, *, inside_functions=True):
    """Yield the modules that a file imports, without those for type checkers."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    stack = list(tree.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not inside_functions:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        stack.extend(ast.iter_child_nodes(node))


def name_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def level_of(module):
    part = module.split(".")[1] if "." in module else ""
    return next((i for i, names in enumerate(LEVELS) if part in names), None)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_file_imports_only_from_levels_above_it(path):
    """The order of the files in README's "How it is built" holds."""
    mine = level_of(name_of(path))
    if not name_of(path).startswith("pytest_symmetry.") or mine is None:
        return
    below = [m for m in imports(path) if m.startswith("pytest_symmetry.") and (level_of(m) or 0) > mine]

    assert [] == below


def test_every_module_of_the_package_has_a_level():
    """A new module is put into the order on purpose."""
    modules = [name_of(p) for p in SOURCES if name_of(p).startswith("pytest_symmetry.")]

    assert [] == [m for m in modules if level_of(m) is None]


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_the_package_does_not_import_the_graders(path):
    """Students install the package without the graders' dependencies."""
    if name_of(path).startswith("pytest_symmetry"):
        assert [] == [m for m in imports(path) if m.split(".")[0] in ("graders", "assignments")]


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_only_the_plugin_and_the_batch_import_pytest(path):
    """The library works, and is imported, without pytest."""
    allowed = {"pytest_symmetry.plugin", "pytest_symmetry.notebook", "graders.batch"}
    if "pytest" in set(imports(path)):
        assert name_of(path) in allowed
        if name_of(path) != "pytest_symmetry.plugin":
            assert "pytest" not in set(imports(path, inside_functions=False))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_nothing_imports_the_plugin(path):
    """pytest loads the plugin; nobody else does."""
    assert "pytest_symmetry.plugin" not in set(imports(path))


def test_the_child_imports_nothing_worth_stealing():
    """The student's process holds no reference, no expected value and no score."""
    found = {
        m
        for m in imports(ROOT / "pytest_symmetry/remote/child.py")
        if m.startswith(("pytest_symmetry", "graders"))
    }
    names = {m for m in found if (ROOT / (m.replace(".", "/") + ".py")).is_file()}

    known = ("namespace", "remote.arguments", "remote.wire")
    assert {f"pytest_symmetry.{name}" for name in known} == names


@pytest.mark.parametrize("module", ["namespace", "remote.arguments", "remote.wire"])
def test_what_the_child_imports_imports_nothing_of_ours(module):
    """The shared modules stand on the standard library and numpy."""
    path = ROOT / "pytest_symmetry" / (module.replace(".", "/") + ".py")

    assert [] == [m for m in imports(path) if m.startswith(("pytest_symmetry", "graders"))]


@pytest.mark.parametrize("module", ["pytest_symmetry", "pytest_symmetry.plugin", "pytest_symmetry.hookspecs"])
def test_importing_the_plugin_imports_nothing_heavy(module):
    """Every pytest run on the machine imports the plugin: it must cost nothing."""
    code = f"import sys, {module}; print(sorted({HEAVY!r} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]\n" == found.stdout


@pytest.mark.parametrize("package", ["pytest_symmetry", "graders"])
def test_importing_the_package_before_pytest_is_no_reason_for_a_warning(package):
    """pytest warns about a plugin's modules that it can no longer rewrite, unless they ask not to be."""
    text = (ROOT / package / "__init__.py").read_text(encoding="utf-8")

    assert "PYTEST_DONT_REWRITE" in ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_pickle_eval_or_shell(path):
    """Nothing that a student's file could turn into code."""
    forbidden = {"pickle", "marshal", "shelve", "dill", "joblib"}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    shells = [k for n in ast.walk(tree) if isinstance(n, ast.Call) for k in n.keywords if k.arg == "shell"]

    assert set() == forbidden & {m.split(".")[0] for m in imports(path)}
    assert "eval" not in calls
    assert [] == shells
    if "exec" in calls:
        assert name_of(path) in {"pytest_symmetry.namespace", "pytest_symmetry.diagnosis.replay"}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_modules_are_rooms_one_can_know(path):
    """At most 400 lines a module."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_functions_are_read_at_a_glance(path):
    """At most 40 lines of body; parameters and docstrings say what is inside, and may take their room."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    firsts = [(f, f.body[1 if ast.get_docstring(f) and len(f.body) > 1 else 0]) for f in functions]
    assert [f.name for f, first in firsts if (f.end_lineno or 0) - first.lineno >= 40] == []


@pytest.mark.parametrize("code", all_codes())
def test_every_code_has_a_whole_page(code):
    """Title, what is seen, what is expected, hint, and all heads."""
    page = code_page(code)

    assert page.title
    assert page.seen
    assert page.expected
    assert page.hint
    assert all(page.sections.values())


@pytest.mark.parametrize("cause", sorted(all_causes()))
def test_words_blame_nobody(cause):
    """Plain words: no exclamation mark, no emoji, nobody is wrong."""
    words = all_causes()[cause]
    text = f"{words.title} {words.hint} {words.cause}"

    assert "!" not in text.replace("!=", "")
    assert text.isascii() or not any(ord(c) > 0x2FFF for c in text)
    assert "you are wrong" not in text.lower()


@pytest.mark.parametrize("code", all_codes())
def test_pages_blame_nobody(code):
    """The same for the pages' heads."""
    page = code_page(code)
    text = f"{page.title} {page.seen} {page.expected} {page.hint}"

    assert "!" not in text.replace("!=", "")
    assert not any(ord(c) > 0x2FFF for c in text)
