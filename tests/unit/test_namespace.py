"""Cells to functions: definitions first, the rest only when a name is missing."""

import pytest

from pytest_symmetry.namespace import MissingModuleError, Namespace, is_stub, parse_leniently


def load(*cells, **options):
    return Namespace(list(enumerate(cells, start=1)), **options).load()


def call(namespace, name, *args):
    return namespace.call(name, lambda: (args, {}))


def test_definitions_run_and_other_statements_do_not():
    """Training, plots and prints of a notebook wait until somebody needs them."""
    ran = load(
        "import math\nRATE = 0.1\ndef f(x):\n    return math.sqrt(x) * RATE", "raise SystemExit('trained')"
    )

    assert 0.2 == pytest.approx(call(ran, "f", 4.0))
    assert [] == ran.cells_run


def test_a_missing_name_runs_the_one_cell_that_binds_it():
    """Only that cell, and the report says which."""
    ran = load("def f(): return data", "other = int('x')", "data = list((1, 2))", "int('x')")

    assert [1, 2] == call(ran, "f")
    assert [(3, "data")] == ran.cells_run
    assert [] == ran.problems


def test_names_that_need_names_are_found_in_turn():
    """One at a time, each through its own cell."""
    ran = load("def f(): return a", "a = b + int('1')", "b = int('2')")

    assert 3 == call(ran, "f")
    assert [(2, "a"), (3, "b")] == ran.cells_run


def test_a_function_made_by_a_statement_is_found():
    """`backward = decorate(inner)` binds a function too."""
    ran = load("def twice(f): return lambda x: 2 * f(x)\ndef one(x): return x", "g = twice(one)")

    assert 6 == call(ran, "g", 3)


def test_a_retry_sees_fresh_arguments():
    """What the first try changed in place is not what the second one gets."""
    ran = load("def f(xs):\n    xs.append(1)\n    return xs + late", "late = list((9,))")
    namespace = ran

    assert [1, 9] == namespace.call("f", lambda: (([],), {}))


def test_a_name_that_nobody_binds_stays_missing():
    """NameError, with the name."""
    with pytest.raises(NameError, match="nothing"):
        call(load("def f(): return nothing"), "f")


def test_the_last_definition_counts_as_in_a_notebook_run_from_top_to_bottom():
    """Students redefine functions further down."""
    ran = load("def f(): return 1", "def f(): return 2")

    assert 2 == call(ran, "f")
    assert 2 == ran.node("f")[0]


def test_a_library_that_is_not_here_breaks_only_what_uses_it():
    """The import is a stub; using it says which library is missing."""
    ran = load(
        "import nosuchlibrary as nsl\nfrom nosuchother import thing\n"
        "def f(): return 1\ndef g(): return nsl.zeros(3)\ndef h(): return thing + 1"
    )

    assert 1 == call(ran, "f")
    with pytest.raises(
        MissingModuleError, match=r"nosuchlibrary.zeros was used, but nosuchlibrary is not installed"
    ):
        call(ran, "g")
    with pytest.raises(MissingModuleError, match="nosuchother"):
        call(ran, "h")


def test_annotations_of_a_missing_library_are_harmless():
    """Nothing is used by naming a type."""
    assert 1 == call(load("import nosuchlibrary\ndef f(x: nosuchlibrary.Tensor = 1): return x"), "f")


@pytest.mark.parametrize(
    "cell",
    [
        "%matplotlib inline\ndef f(): return 1",
        "!pip install numpy\ndef f(): return 1",
        "%%time\ndef f(): return 1",
        "def f():\n    %time pass\n    return 1",
        "?print\ndef f(): return 1",
        "print?\ndef f(): return 1",
        "files = !ls\ndef f(): return 1",
        "def f(): return 1\n%timeit f()",
        "\ufeffdef f(): return 1",
        "def f():\r\n    return 1",
        "def f(): return 1\nx = (3\n% 2)",
    ],
)
def test_ipython_lines_are_skipped(cell):
    """Magics, shell lines and help lines; a continued % is left alone."""
    assert 1 == call(load(cell), "f")


def test_a_cell_of_another_language_is_skipped_whole():
    """%%bash is not Python."""
    ran = load("%%bash\nrm -rf /\n", "def f(): return 1")

    assert 1 == call(ran, "f")
    assert [] == ran.problems


def test_line_numbers_stay_those_of_the_cell():
    """Magics are blanked, not removed."""
    ran = load("%matplotlib inline\n\ndef f():\n    return 1")

    assert 3 == ran.node("f")[1].lineno


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        ("def g(:\n    return 1", 3),
        ("def g():\n    return (1 +", 4),
        ("@decorated\ndef g()\n    return 1", 4),
        ("x = 'open\n", 3),
        ("def g():\n  a = 1\n    b = 2", 5),
    ],
)
def test_a_block_that_is_not_python_costs_only_itself(broken, line):
    """The functions before and after it still work."""
    ran = load(f"def before(): return 1\n\n{broken}\n\ndef after(): return 2")

    assert 1 == call(ran, "before")
    assert 2 == call(ran, "after")
    assert [(1, line)] == [(p.cell, p.line) for p in ran.problems]
    if "def g" in broken:
        assert ("g",) == ran.problems[0].names


@pytest.mark.parametrize(
    "text", ["(" * 5000, "x = " + "-" * 100_000 + "1", "\x00", "def", "\\", "'''", "if 1:\n" * 200]
)
def test_hostile_text_never_raises(text):
    """Whatever cannot be parsed is a problem of that cell."""
    tree, _, _ = parse_leniently(text, 1, "<cell 1>")

    assert [] == [n for n in tree.body if type(n).__name__ == "FunctionDef"]


def test_a_class_body_that_raises_costs_only_the_class():
    """Definitions are run one by one."""
    ran = load("class Broken:\n    raise SystemExit('gone')\ndef f(): return 1")

    assert 1 == call(ran, "f")
    assert [("SystemExit", ("Broken",))] == [(p.kind, p.names) for p in ran.problems]


def test_the_main_guard_does_not_run():
    """Not even when it binds the name that is missing."""
    ran = load("def f(): return data\nif __name__ == '__main__':\n    data = 1")

    with pytest.raises(NameError):
        call(ran, "f")


def test_aliases_are_tried_in_order():
    """The assignment may accept other names."""
    ran = load("def back_prop(): return 1", aliases={"backward": ["backprop", "back_prop"]})

    assert 1 == call(ran, "backward")


def test_the_nearest_names_are_offered():
    """With the cell of each."""
    ran = load("x = 1", "def backwards(): pass\ndef forward(): pass")

    assert ("backwards", 2) == ran.nearest("backward")[0]
    with pytest.raises(KeyError):
        ran.find("backward")


def test_a_script_runs_only_the_statements_that_bind_the_name():
    """A .py file has no cells."""
    ran = load("def f(): return data\nx = int('x')\ndata = int('3')\ny = int('y')", whole_cells=False)

    assert 3 == call(ran, "f")
    assert [] == ran.problems


STUBS = [
    "def f(x): pass",
    "def f(x): ...",
    'def f(x):\n    """Doc."""',
    'def f(x):\n    """Doc."""\n    raise NotImplementedError',
    "def f(x):\n    raise NotImplementedError('write me')",
    "def f(x):\n    return None",
    "def f(x):\n    dW = None\n    db = None\n    return dW, db",
    'def f(x):\n    dW = None\n    return {"dW": dW}',
    "def f(x):\n    A = ...\n    return A",
    "def f(x):\n    assert x is not None\n    return None",
]
WORK = [
    "def f(x): return x",
    "def f(x):\n    x[0] = 1",
    "def f(x):\n    y = None\n    y = x\n    return y",
    "def f(x):\n    return {}",
    "def f(x):\n    print(x)",
    "def f(x):\n    return ()",
]


@pytest.mark.parametrize("text", STUBS)
def test_stubs_are_recognised(text):
    """Not attempted is not wrong."""
    assert is_stub(load(text).node("f")[1])


@pytest.mark.parametrize("text", WORK)
def test_work_is_not_taken_for_a_stub(text):
    """Anything that does something was attempted."""
    assert not is_stub(load(text).node("f")[1])
