"""The plugin as its users meet it: options, fixtures, outcomes, exit codes."""

import json

import pytest
import tiny_course

NO_TANH = ("* (1 - A**2)", "* 1")


def test_the_notebook_beside_the_tests_is_the_submission(course):
    """`pytest` alone runs it, and says the points."""
    result = course.run()

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["tiny: 6 of 6 points", "*test_gradients*3 / 3*passed"])
    assert 0 == result.ret


def test_a_wrong_gradient_is_named_with_points_place_and_hint(course):
    """One line per question, then the first cause, then how to run it again."""
    course.submission("ada.ipynb", NO_TANH)
    result = course.run("--symmetry-submission", "ada.ipynb")

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        [
            "ada: 3 of 6 points",
            "*test_start * 1 / 1   passed",
            "*test_gradients * 0 / 3   failed GRD101",
            "GRD101 *dW1*",
            "*I see *dW1*",
            "*Expected*",
            "*Hint*",
            '*pytest -k test_gradients --symmetry-submission "ada.ipynb"*',
        ]
    )
    assert 1 == result.ret


def test_ids_are_the_students_and_a_class_gets_a_line_each(course):
    """A folder of submissions: one item per test and student, one student open at a time."""
    course.submission("inbox/ada.ipynb")
    course.submission("inbox/ben.ipynb", NO_TANH)
    course.submission("inbox/cho/tiny.ipynb")
    result = course.run("-v", "--symmetry-submission", "inbox")

    result.assert_outcomes(passed=8, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*test_start?ada?*",
            "*test_gradients?ada?*",
            "*test_start?ben?*",
            "*test_gradients?ben?*",
            "*test_start?cho?*",
        ]
    )
    result.stdout.fnmatch_lines(["ada *6 / 6*all passed", "ben *3 / 6*GRD101*", "cho *6 / 6*all passed"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["-q"],
        ["-x"],
        ["-k", "loss"],
        ["-n", "2"],
        ["--strict-markers"],
        ["-W", "error"],
        ["--tb", "short"],
    ],
    ids=" ".join,
)
def test_the_usual_options_work(course, arguments):
    """Nothing surprises a pytest user."""
    course.submission("inbox/ada.ipynb")
    course.submission("inbox/ben.ipynb", NO_TANH)
    result = course.run_apart("--symmetry-submission", "inbox", *arguments)

    assert result.ret == (0 if "loss" in arguments else 1)
    result.stdout.fnmatch_lines(["ada *all passed"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
    result.stdout.no_fnmatch_line("*Warning*")


def test_last_failed_runs_what_failed(course):
    """`--lf` after a run: one question again."""
    course.submission("ada.ipynb", NO_TANH)
    for passed in (2, 0):
        result = course.pytester.runpytest_inprocess("--lf", "--symmetry-submission", "ada.ipynb")
        result.assert_outcomes(passed=passed, failed=1)


def test_under_xdist_the_results_are_those_of_one_process(course):
    """Totals are made on the controller, from every worker's verdicts."""
    course.submission("inbox/ada.ipynb")
    course.submission("inbox/ben.ipynb", NO_TANH)
    alone = course.run("--symmetry-submission", "inbox", "--symmetry-html", "alone")
    shared = course.run("--symmetry-submission", "inbox", "--symmetry-html", "shared", "-n", "2")

    shared.assert_outcomes(passed=5, failed=1)
    alone.assert_outcomes(passed=5, failed=1)
    for page in ("ada.html", "ben.html"):
        assert (course.folder / "alone" / page).read_bytes() == (course.folder / "shared" / page).read_bytes()


def test_without_the_plugin_bare_checks_still_work(course):
    """`-p no:symmetry`: somebody's own suite with bare check_* calls runs."""
    course.write(
        "own/test_own.py",
        "from pytest_symmetry import check_matches\ndef test_it(): check_matches(1.0, 1.0)\n",
    )
    course.run_apart("-p", "no:symmetry", "own").assert_outcomes(passed=1)


def test_a_failed_bare_check_tells_its_finding(course):
    """Outside assignments a failed check reads the same."""
    course.write(
        "own/test_own.py",
        "from pytest_symmetry import check_matches\ndef test_it(): check_matches(1.0, 2.0)\n",
    )
    result = course.run("own")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*MAT101*", "*Expected*"])


def test_html_to_a_file_and_to_a_folder(course):
    """One page per submission; a student's name never leaves the folder."""
    course.submission("inbox/ada.ipynb", NO_TANH)
    course.submission("inbox/..ben.ipynb")
    one = course.run("--symmetry-submission", "inbox/ada.ipynb", "--symmetry-html", "feedback.html")
    many = course.run("--symmetry-submission", "inbox/*.ipynb", "--symmetry-html", "pages")

    one.stdout.fnmatch_lines(["Feedback page: *feedback.html"])
    assert "<!doctype html>" in (course.folder / "feedback.html").read_text(encoding="utf-8").lower()
    many.stdout.fnmatch_lines(["Feedback page: *pages*ada.html"])


def test_a_page_that_cannot_be_written_is_said_and_changes_the_exit_code(course):
    """The points are shown all the same."""
    course.write("page.html/keep.txt", "a folder where a file should go")
    result = course.run("--symmetry-html", "page.html")

    result.stdout.fnmatch_lines(
        ["tiny: 6 of 6 points", "--symmetry-html page.html: the page could not be written*"]
    )
    assert 4 == result.ret


def test_an_interrupted_run_reports_what_ran(course):
    """Ctrl-C in the second question: the first keeps its points, on the page too."""
    course.write(
        "test_tiny.py",
        "def test_one(submission): pass\ndef test_two(submission): raise KeyboardInterrupt\n"
        "def test_three(submission): pass\n",
    )
    result = course.run_apart("--symmetry-html", "page.html")

    assert 2 == result.ret
    result.stdout.fnmatch_lines(["tiny: 1 of 1 points", "*test_one*passed", "Feedback page: *page.html"])
    assert (course.folder / "page.html").is_file()


def test_one_html_file_cannot_hold_two_submissions(course):
    """The option says what to give instead."""
    course.submission("inbox/ada.ipynb")
    course.submission("inbox/ben.ipynb")
    result = course.run("--symmetry-submission", "inbox", "--symmetry-html", "one.html")

    result.stderr.fnmatch_lines(["*--symmetry-html*one.html*folder*"])
    assert 4 == result.ret


def test_the_cause_is_revealed_only_when_asked(course):
    """`hint` names the kind of mistake, `cause` the mistake."""
    course.submission("ada.ipynb", (" / X.shape[1]", ""))
    hint = course.run("--symmetry-submission", "ada.ipynb", "--symmetry-reveal", "hint")
    cause = course.run("--symmetry-submission", "ada.ipynb", "--symmetry-reveal", "cause")

    hint.stdout.no_fnmatch_line("  Cause *")
    cause.stdout.fnmatch_lines(["  Cause *"])


def test_the_ini_file_says_the_same_as_the_options(course):
    """Every option has an ini twin, and the command line wins."""
    course.submission("ada.ipynb", (" / X.shape[1]", ""))
    course.write(
        "pytest.ini",
        "[pytest]\nsymmetry_submission = ada.ipynb\nsymmetry_reveal = cause\nsymmetry_seed = 7\n",
    )
    result = course.run()

    result.stdout.fnmatch_lines(["ada: 3 of 6 points", "  Cause *", "*--symmetry-seed=7"])
    course.run("--symmetry-seed=8").stdout.fnmatch_lines(["*--symmetry-seed=8"])


@pytest.mark.parametrize(
    ("arguments", "ini", "message"),
    [
        (["--symmetry-seed=-1"], "", "*'-1' is not a seed*"),
        (["--symmetry-seed=x"], "", "*'x' is not a seed*"),
        (["--symmetry-reveal=all"], "", "*invalid choice*"),
        ([], "symmetry_seed = x", "*symmetry_seed: 'x' is not a seed*"),
        ([], "symmetry_reveal = all", "*symmetry_reveal: 'all'*"),
    ],
)
def test_bad_options_are_usage_errors(course, arguments, ini, message):
    """Exit code 4, one sentence."""
    course.write("pytest.ini", f"[pytest]\n{ini}\n")
    result = course.run(*arguments)

    result.stderr.fnmatch_lines([message])
    assert 4 == result.ret


def test_seeds_change_the_probes_and_equal_seeds_do_not(course):
    """Probes depend on assignment, test and seed; not on the student, and not on what else runs."""
    course.write(
        "test_draw.py",
        "import pytest\n@pytest.mark.parametrize('n', ['one-a'])\n"
        "def test_draw(submission, probe_rng, n):\n    print('drawn', probe_rng.normal())\n",
    )
    course.submission("inbox/ada.ipynb")
    course.submission("inbox/Jiří [2] - ď.ipynb")

    def drawn(*arguments):
        lines = course.run("-s", "-k", "draw", "--symmetry-submission", "inbox", *arguments).outlines
        return [line.rpartition(" ")[2] for line in lines if "drawn" in line]

    first, again, other = drawn(), drawn("-p", "no:randomly"), drawn("--symmetry-seed=3")

    assert 2 == len(first)
    assert first[0] == first[1]
    assert first == again
    assert first != other


def test_copies_of_the_notebook_are_listed_and_checkpoints_are_not(course):
    """`tiny (1).ipynb` is what a browser makes of a second download."""
    course.submission("tiny (1).ipynb")
    course.submission(".ipynb_checkpoints/tiny-checkpoint.ipynb")
    result = course.run()

    result.stdout.fnmatch_lines(['*pytest --symmetry-submission "tiny (1).ipynb"'])
    result.stdout.no_fnmatch_line("*tiny-checkpoint*")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("nothing", None, "*nothing*no submission found*"),
        ("empty.ipynb", "", "*SUB108*"),
        ("text.ipynb", "Dear professor", "*SUB108*"),
    ],
)
def test_what_cannot_be_opened_is_said_in_one_sentence(course, name, content, message):
    """A missing file ends collection; a broken one is the verdict of every question."""
    if content is not None:
        course.write(name, content)
    result = course.run("--symmetry-submission", name)

    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
    assert result.ret == (2 if content is None else 1)


def test_a_test_outside_an_assignment_is_told_what_it_needs(pytester):
    """The fixture `submission` without assignment.toml."""
    pytester.makepyfile("def test_it(submission): pass")
    result = pytester.runpytest_subprocess()

    result.stdout.fnmatch_lines(["*the fixture `submission` needs an assignment.toml*"])
    assert 2 == result.ret


def test_a_broken_assignment_names_file_and_key(course):
    """assignment.toml is read before anything runs."""
    course.write("assignment.toml", 'schema = 1\nname = "tiny"\ntitle = "T"\nnotebok = "tiny.ipynb"\n')
    result = course.run()

    result.stdout.fnmatch_lines(["*assignment.toml, key 'notebook': it is missing*"])
    assert 2 == result.ret


OUTCOMES = [
    ("return float(np.mean(", "return float(np.mea(", "failed", "SUB103"),
    ("    D = 2 *", "    while True: pass\n    D = 2 *", "timed out", "SUB104"),
    ("    D = 2 *", "    import os; os._exit(0)\n    D = 2 *", "died", "SUB105"),
    ("    D = 2 *", "    import sys; sys.exit()\n    D = 2 *", "failed", "SUB103"),
    ("    D = 2 *", "    D = (2 *", "could not run", "SUB106"),
    ("def gradients(", "def gradient(", "not attempted", "SUB101"),
    ("    D = 2 *", "    raise NotImplementedError\n    D = 2 *", "not attempted", "SUB102"),
    ("    D = 2 *", "    return open\n    D = 2 *", "failed", "*"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "outcome", "code"), OUTCOMES, ids=[f"{o[3]}-{i}" for i, o in enumerate(OUTCOMES)]
)
def test_every_kind_of_trouble_is_its_own_outcome(course, old, new, outcome, code):
    """A question that cannot be answered costs itself; the others earn their points."""
    course.submission("ada.ipynb", (old, new))
    result = course.run("--symmetry-submission", "ada.ipynb")

    result.stdout.fnmatch_lines([f"*test_gradients*{outcome} {code}*"])
    result.stdout.fnmatch_lines(["*test_start*1 / 1   passed"])


def test_a_loop_costs_its_limit_once(course):
    """Questions that meet the looping function again are answered at once."""
    course.write(
        "assignment.toml", (course.folder / "assignment.toml").read_text().replace("= 1\n", "= 1\n", 1)
    )
    more = "\n".join(
        f"def test_more{i}(submission, net):\n    submission.gradients(*net.values())\n" for i in range(20)
    )
    course.write("test_tiny.py", (course.folder / "test_tiny.py").read_text() + more)
    course.submission("ada.ipynb", ("    D = 2 *", "    while True: pass\n    D = 2 *"))
    result = course.run("--symmetry-submission", "ada.ipynb", "--durations=0", "-vv")
    slow = [
        line
        for line in result.outlines
        if "test_more" in line and "s call" in line and float(line.split("s ")[0]) > 0.9
    ]

    assert [] == slow  # the first of them, test_gradients, has waited for all


def test_a_name_from_another_cell_is_bound_and_noted(course):
    """The cell that binds it runs; the note says which."""
    course.submission("ada.ipynb", ("D = 2 *", "D = factor *"), extra=["factor = int('2')"])
    result = course.run("--symmetry-submission", "ada.ipynb", "--symmetry-html", "page.html")

    result.assert_outcomes(passed=3)
    assert "factor" in (course.folder / "page.html").read_text(encoding="utf-8")


def test_what_was_printed_is_shown_with_the_failure(course):
    """Student's prints help the student, and drive no terminal."""
    course.submission("ada.ipynb", ("    D = 2 *", "    print('here \\x1b[31m', X.shape)\n    D = 3 *"))
    result = course.run("--symmetry-submission", "ada.ipynb")

    result.stdout.fnmatch_lines(["*Printed by the submission*", "*here *(3, 7)*"])
    assert "\x1b[31m" not in "\n".join(result.outlines)


def test_a_test_that_breaks_waits_for_a_person(course):
    """An accident of the course's test is nobody's mark."""
    course.write("test_other.py", "def test_other(submission):\n    {}['missing']\n")
    result = course.run()

    result.stdout.fnmatch_lines(["*test_other*waits for a person TST102*"])


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ("assert len('ab') == 3, 'the word must have three letters'", "the word must have three letters"),
        ("pytest.fail('the word must have three letters')", "the word must have three letters"),
        ("assert len('ab') == 3", "assert 2 == 3  +  where 2 = len('ab')"),
    ],
)
def test_a_sentence_of_the_course_stands_alone(course, body, seen):
    """The student reads what the course team wrote, not what pytest made of the assertion."""
    course.write("test_other.py", f"import pytest\ndef test_other(submission):\n    {body}\n")
    result = course.run("test_other.py")

    result.stdout.fnmatch_lines(["*test_other*0 / 1*failed TST101"])
    assert f"  I see      {seen}" in result.outlines


def test_points_of_parametrised_cases_are_shared(course):
    """Three cases of a question worth 3 are worth 1 each."""
    course.write(
        "test_other.py",
        "import pytest\n@pytest.mark.points(3)\n@pytest.mark.parametrize('n', [1, 2, 3])\n"
        "def test_other(submission, n):\n    assert n < 3\n",
    )
    result = course.run("test_other.py")

    result.stdout.fnmatch_lines(
        ["tiny: 2 of 3 points", "*test_other?1?*1 / 1*passed", "*test_other?3?*0 / 1*failed TST101"]
    )


def test_points_must_be_a_number(course):
    """The marker says what it got."""
    course.write(
        "test_other.py", "import pytest\n@pytest.mark.points('many')\ndef test_other(submission): pass\n"
    )
    result = course.run("test_other.py")

    result.stderr.fnmatch_lines(["*points('many') is not a number*"])
    assert 4 == result.ret


def test_the_reference_fixture_goes_with_a_submission(course):
    """Alone it has no assignment."""
    course.write("test_other.py", "def test_other(reference): pass\n")

    course.run("test_other.py").stdout.fnmatch_lines(
        ["*the fixture `reference` goes with the fixture `submission`*"]
    )


def test_inprocess_runs_the_code_in_pytest_itself(course):
    """For a debugger: the same verdicts, the same process."""
    course.submission("ada.ipynb", NO_TANH)
    course.write(
        "test_other.py", "import os\ndef test_pid(submission): assert submission.pid() == os.getpid()\n"
    )
    course.submission("ben.ipynb", extra=["import os\ndef pid(): return os.getpid()"])
    result = course.run("--symmetry-submission", "ben.ipynb", "--symmetry-inprocess")
    wrong = course.run("--symmetry-submission", "ada.ipynb", "--symmetry-inprocess", "-k", "gradients")

    result.assert_outcomes(passed=4)
    wrong.stdout.fnmatch_lines(["*GRD101*"])


def test_a_script_is_a_submission_too(course):
    """A .py file; what lies under its main guard does not run."""
    course.write(
        "ada.py",
        "\n".join(tiny_course.SOLUTION) + "\nif __name__ == '__main__':\n    raise SystemExit('ran')\n",
    )

    course.run("--symmetry-submission", "ada.py").assert_outcomes(passed=3)


def test_results_reach_other_plugins(course):
    """The hook pytest_symmetry_results."""
    course.write(
        "conftest.py",
        "import json, pathlib\n"
        "def pytest_symmetry_results(results):\n"
        "    pathlib.Path('seen.json').write_text(json.dumps([r.to_json() for r in results]))\n",
    )
    course.run()
    (seen,) = json.loads((course.folder / "seen.json").read_text())

    assert 6.0 == seen["points"]
    assert ["test_start", "test_loss", "test_gradients"] == [t["name"] for t in seen["tests"]]


MISTAKEN = ("(1 - A**2)", "1")


def test_planted_mistakes_are_kept_in_the_cache_of_pytest(course):
    """Another run need not plant them again; without the cache plugin nothing is kept."""
    course.submission("ada.ipynb", MISTAKEN)
    course.run("--symmetry-submission", "ada.ipynb")
    without = course.folder / ".pytest_cache"
    assert not without.exists()

    course.pytester.runpytest_subprocess("--symmetry-submission", "ada.ipynb")  # which remembers nothing

    assert list((without / "d" / "symmetry-dictionaries").glob("*.npz"))


def test_another_plugin_says_where_planted_mistakes_are_kept(course):
    """The hook pytest_symmetry_dictionaries."""
    course.submission("ada.ipynb", MISTAKEN)
    course.write(
        "conftest.py",
        "import pathlib\ndef pytest_symmetry_dictionaries():\n    return pathlib.Path('kept').absolute()\n",
    )
    course.pytester.runpytest_subprocess("--symmetry-submission", "ada.ipynb")  # which remembers nothing

    assert list((course.folder / "kept").glob("*.npz"))


def test_help_lists_the_options_and_the_marker(course):
    """As pytest's own options are listed."""
    course.run("--help").stdout.fnmatch_lines(
        ["Backprop gradient and symmetry checks:", "*--symmetry-submission=PATH*"]
    )
    course.run("--markers").stdout.fnmatch_lines(["@pytest.mark.points(n, parts=False):*"])


def test_a_project_without_assignments_loads_the_plugin_alone(pytester):
    """What has nothing to do with us does not pay for us."""
    pytester.makepyfile(
        """
        import sys

        def test_modules():
            ours = {name for name in sys.modules if name.startswith("pytest_symmetry.")}
            assert ours <= {"pytest_symmetry.plugin", "pytest_symmetry.hookspecs"}, ours
            assert not {"numpy", "jinja2", "nbformat"} & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess("-p", "no:hypothesispytest").assert_outcomes(passed=1)


def test_the_notebook_is_written_with_each_finding_beside_its_cell(course):
    """Its own cells, the finding within the one it is about; the terminal says where the page is."""
    course.submission("ada.ipynb", NO_TANH)
    result = course.run("--symmetry-submission", "ada.ipynb", "--symmetry-notebook", "out/ada.html")

    result.stdout.fnmatch_lines(["*Annotated notebook: *out?ada.html"])
    page = (course.folder / "out" / "ada.html").read_text(encoding="utf-8")
    assert 'aria-label="Code cell 2"' in page
    assert "GRD101" in page.partition('aria-label="Code cell 2"')[2]
    assert "def gradients" in page


def test_scripts_and_folders_get_annotated_pages_too(course):
    """One page per submission, named as the feedback pages are."""
    course.submission("inbox/ada.ipynb")
    (course.folder / "inbox" / "ben.py").write_text("# %%\n" + "\n# %%\n".join(tiny_course.SOLUTION))
    course.run("--symmetry-submission", "inbox", "--symmetry-notebook", "out")

    assert ["ada.html", "ben.html"] == sorted(p.name for p in (course.folder / "out").iterdir())


def test_one_annotated_page_cannot_hold_a_class(course):
    course.submission("inbox/ada.ipynb")
    course.submission("inbox/ben.ipynb")
    result = course.run("--symmetry-submission", "inbox", "--symmetry-notebook", "all.html")

    result.stderr.fnmatch_lines(
        ["*--symmetry-notebook all.html: one file cannot hold 2 pages; give a folder"]
    )
    assert 4 == result.ret


def test_annotated_pages_need_nbconvert(course, monkeypatch):
    """A student's installation has none: one sentence says what to install."""
    import sys

    course.submission("ada.ipynb")
    monkeypatch.setitem(sys.modules, "nbconvert", None)
    monkeypatch.setitem(sys.modules, "nbconvert.exporters", None)
    from pytest_symmetry.feedback import annotated

    annotated._exporter.cache_clear()
    result = course.run("--symmetry-submission", "ada.ipynb", "--symmetry-notebook", "ada.html")

    result.stdout.fnmatch_lines(
        ['*--symmetry-notebook ada.html: it needs nbconvert: pip install "pytest-symmetry?grade?"']
    )
    assert 4 == result.ret


def test_the_report_names_the_file_and_when_it_was_saved(course):
    """In the terminal and on the page."""
    import os
    import time

    file = course.submission("ada.ipynb")
    os.utime(file, (0, time.mktime((2026, 3, 1, 14, 5, 0, 0, 0, -1))))
    result = course.run("--symmetry-submission", "ada.ipynb", "--symmetry-html", "ada.html")

    result.stdout.fnmatch_lines(["ada.ipynb, saved 2026-03-01 14:05."])
    assert "ada.ipynb, saved 2026-03-01 14:05" in (course.folder / "ada.html").read_text(encoding="utf-8")
