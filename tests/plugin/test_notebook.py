"""check("gradients") in a real kernel: live functions, a fresh start beside them, and a loop without end."""

import os
import re
import select
import subprocess
import sys
import textwrap
import time

import pytest
import tiny_course

NO_TANH = ("* (1 - A**2)", "* 1")
DEADLINE = 60


class Kernel:
    """A kernel that runs one cell at a time."""

    def __init__(self, manager, client):
        self.manager, self.client = manager, client
        self.count = 0

    def run(self, *cells):
        """Run cells; return the text of the last one: what it printed, its result, or its error."""
        return [self._run(cell) for cell in cells][-1]

    def _run(self, cell):
        said = []
        reply = self.client.execute_interactive(
            textwrap.dedent(cell), output_hook=said.append, timeout=DEADLINE, store_history=True
        )
        self.count = reply["content"]["execution_count"]
        return self.text(said)

    def text(self, messages):
        self.html = ""
        parts = []
        for message in messages:
            content = message["content"]
            if message["msg_type"] == "stream":
                parts.append(content["text"])
            elif message["msg_type"] == "error":
                parts.append(f"{content['ename']}: {content['evalue']}")
            elif message["msg_type"] == "execute_result":
                parts.append(content["data"]["text/plain"])
                self.html = content["data"].get("text/html", "")
        return re.sub(r"\n+", "\n", "\n".join(parts)).strip()


@pytest.fixture(scope="module")
def running():
    """One kernel for all tests of this file: starting one takes longer than they do."""
    manager_module = pytest.importorskip(
        "jupyter_client.manager", reason="no jupyter_client: pip install ipykernel"
    )
    pytest.importorskip("ipykernel")
    manager, client = manager_module.start_new_kernel(
        kernel_name="python3", env={**os.environ, "JPY_SESSION_NAME": "", "PYTHONWARNINGS": "ignore"}
    )
    yield Kernel(manager, client)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(running, tmp_path):
    """The kernel as new, working in a folder below the tiny assignment."""
    folder = tiny_course.write_course(tmp_path / "course")
    work = folder / "work"
    work.mkdir()
    running.run(f"get_ipython().reset(new_session=True); import os; os.chdir({str(work)!r})")
    running.run("from pytest_symmetry.notebook import check")
    running.folder = folder
    return running


def define(kernel, *changes):
    """Run the solution's cells, changed; return the number of the cell with the gradients."""
    for cell in changed(*changes):
        kernel.run(cell)
    return kernel.count


def changed(*changes):
    cells = list(tiny_course.SOLUTION)
    for old, new in changes:
        cells = [cell.replace(old, new) for cell in cells]
    return cells


def save(kernel, *cells, name="mine.ipynb"):
    return tiny_course.write(kernel.folder / "work" / name, tiny_course.notebook(*cells))


def test_right_functions_pass_with_nothing_saved(kernel):
    """The functions in memory are asked; a Python file or a notebook is not needed."""
    define(kernel)
    text = kernel.run('check("gradients")')

    assert text.startswith("tiny: 3 of 3 points\n  test_gradients")
    assert "No saved file of this notebook was found" in text
    assert "Every question passed" in kernel.html


def test_a_wrong_gradient_is_shown_with_the_number_in_brackets(kernel):
    """Code, place, hint; and the same as HTML for front ends that show it."""
    number = define(kernel, NO_TANH)
    text = kernel.run('check("gradients")')

    assert f"gradients, cell {number}" in text
    assert "GRD101" in text
    assert "Hint" in text
    assert 'Run again  check("gradients")' in text
    assert "GRD101" in kernel.html
    assert "<script" not in kernel.html


def test_a_mended_cell_is_seen_without_saving(kernel):
    define(kernel, NO_TANH)
    kernel.run('check("gradients")')
    define(kernel)

    assert "tiny: 3 of 3 points" in kernel.run("check(gradients)")


def test_all_questions_are_run_without_a_name(kernel):
    define(kernel)

    assert "tiny: 6 of 6 points" in kernel.run("check()")


def test_a_report_can_be_asked_whether_all_passed(kernel):
    define(kernel, NO_TANH)

    assert "True False" == kernel.run('print(check("loss").passed, check().passed)')


def test_what_is_missing_is_told_with_the_nearest_name(kernel):
    text = kernel.run("def gradient(X):\n    return X", 'check("gradients")')

    assert "SUB101" in text
    assert "gradient" in text


def test_a_stub_is_not_attempted(kernel):
    define(kernel)
    text = kernel.run("def gradients(X, Y, parameters):\n    pass", 'check("gradients")')

    assert "not attempted" in text


def test_an_error_names_its_cell_and_line(kernel):
    define(kernel)
    kernel.run("def gradients(X, Y, parameters):\n    A = 1\n    return A.T")
    number = kernel.count
    text = kernel.run('check("gradients")')

    assert "SUB103" in text
    assert f"cell {number}, line 3" in text


def test_an_unknown_function_is_told_which_there_are(kernel):
    assert "no question on 'grads'; there are questions on initialize, loss, gradients" in kernel.run(
        'check("grads")'
    )


def test_a_folder_without_an_assignment_is_told_what_to_write(kernel, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    text = kernel.run(f"os.chdir({str(elsewhere)!r})", "check()")

    assert 'there is no assignment here or in a folder above; name it: check(…, assignment="planar")' in text


def test_tests_that_cannot_be_read_are_told(kernel):
    define(kernel)
    (kernel.folder / "test_tiny.py").write_text(
        "import nonsense_that_is_not_there\ndef test_a(submission):\n    submission.loss()\n"
    )

    text = kernel.run("check()")
    assert text.startswith("AssignmentError")
    assert "nonsense_that_is_not_there" in text


def test_what_works_only_because_of_an_earlier_cell_is_said(kernel):
    """The cell has been deleted since: the saved notebook does not bind the name any more."""
    kernel.run("half = 0.5")
    number = kernel.count
    change = ("D = 2 *", "D = 1 / half *")
    define(kernel, change)
    file = save(kernel, *changed(change))
    text = " ".join(kernel.run(f'check("gradients", file={str(file)!r})').split())

    assert "tiny: 3 of 3 points" not in text  # the report is about the file's name
    assert "mine: 3 of 3 points" in text
    assert f"Gradients passes here only because of the earlier run of cell {number}: it bound `half`" in text
    assert "no cell of mine.ipynb binds any more" in text


def test_a_value_that_another_cell_must_leave_behind_is_said(kernel):
    """The grader runs that cell, so it costs nothing; but the function depends on the order of cells."""
    kernel.run("half = float('0.5')")
    number = kernel.count
    define(kernel, ("D = 2 *", "D = 1 / half *"))
    text = " ".join(kernel.run('check("gradients")').split())

    assert f"Gradients leans on the earlier run of cell {number}, which binds `half`" in text


def test_another_answer_in_a_fresh_start_is_said(kernel):
    """A name that was bound again by hand, in a cell that is no more."""
    change = ("D = 2 *", "D = factor *")
    define(kernel, change)
    kernel.run("factor = 2")
    file = save(kernel, "factor = 3", *changed(change))
    text = " ".join(kernel.run(f'check("gradients", file={str(file)!r})').split())

    assert "Gradients passes here and not in a fresh start of mine.ipynb: The gradient" in text


def test_the_file_is_named_with_when_it_was_saved(kernel):
    define(kernel)
    file = save(kernel, *tiny_course.SOLUTION)
    os.utime(file, (0, time.mktime((2026, 3, 1, 14, 5, 0, 0, 0, -1))))
    text = kernel.run(f'check("loss", file={str(file)!r})')

    assert text.endswith("mine.ipynb, saved 2026-03-01 14:05.")


@pytest.mark.parametrize(
    "front_end", ["__vsc_ipynb_file__ = {!r}", "import os; os.environ['JPY_SESSION_NAME'] = {!r}"]
)
def test_front_ends_tell_which_file_it_is(kernel, front_end):
    """VS Code in a name, Jupyter's server in the environment."""
    define(kernel)
    file = save(kernel, *tiny_course.SOLUTION)
    text = kernel.run(front_end.format(str(file)), 'check("loss")')
    kernel.run("os.environ.pop('JPY_SESSION_NAME', None)")

    assert "mine.ipynb, saved " in text


def test_the_assignments_notebook_beside_is_the_file_where_its_cells_ran(kernel):
    kernel.run("os.chdir('..')")

    assert "No saved file" in kernel.run('check("loss")')
    define(kernel)
    assert "tiny.ipynb, saved " in kernel.run('check("loss")')


def test_a_change_that_is_not_saved_is_said(kernel):
    """The file has the older text, which ran before."""
    define(kernel, NO_TANH)
    file = save(kernel, *changed(NO_TANH))
    define(kernel)
    text = " ".join(kernel.run(f'check("gradients", file={str(file)!r})').split())

    assert "mine: 3 of 3 points" in text
    assert "`gradients` in mine.ipynb, saved " in text
    assert "is not the one that ran here: save the notebook" in text


def test_a_change_that_was_not_run_is_said(kernel):
    """The file has a text that this kernel never saw."""
    define(kernel, NO_TANH)
    file = save(kernel, *tiny_course.SOLUTION)
    text = " ".join(kernel.run(f'check("gradients", file={str(file)!r})').split())

    assert "mine: 0 of 3 points" in text
    assert "has not been run since the change: run its cell, then check again" in text


def test_what_functions_print_is_kept_for_the_report(kernel):
    """A print in a loop does not bury the answer."""
    define(kernel, ("A = np.tanh", "print('A <b>here</b>')\n    A = np.tanh"))
    text = kernel.run('check("loss")')

    assert "here" not in text
    assert "A &lt;b&gt;here&lt;/b&gt;" in kernel.html


def test_the_session_is_left_as_it_was(kernel):
    """Random state, environment, streams, and no test module left behind."""
    define(kernel)
    text = kernel.run(
        """
        import random, sys
        def state():
            mine = np.random.get_state()[1].sum(), random.getstate()[1][-1]
            return mine, dict(os.environ), sys.stdout, sys.stderr, "test_tiny" in sys.modules
        np.random.seed(1)
        before = state()
        """,
        "check().passed",
        "before == state()",
    )

    assert "True" == text


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes tell when the loop has begun")
@pytest.mark.parametrize("start", ["live", "fresh"])
def test_a_loop_without_end_is_ended_by_interrupting_the_kernel(kernel, tmp_path, start):
    """The place is named, the next check works; in a fresh start too, which runs in the same process."""
    define(kernel)
    pipe = tmp_path / "begun"
    os.mkfifo(pipe)
    loops = "True" if start == "live" else "'here' not in globals()"
    begins = f"""
    if {loops}:
        open({str(pipe)!r}, 'w').close()
    while {loops}:
        pass
"""
    head = "def gradients(X, Y, parameters):"
    kernel.run(tiny_course.SOLUTION[1].replace(head, head + begins))
    number = kernel.count
    kernel.run("globals()['here'] = 1")  # a fresh start has no such name
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    message = kernel.client.execute('check("gradients")')
    begun = select.poll()
    begun.register(reader, select.POLLIN | select.POLLHUP)
    assert begun.poll(1000 * DEADLINE), "the function was not called"
    os.close(reader)
    kernel.manager.interrupt_kernel()
    said = []
    while True:
        got = kernel.client.get_iopub_msg(timeout=DEADLINE)
        if got["parent_header"].get("msg_id") == message:
            said.append(got)
            if got["msg_type"] == "status" and got["content"]["execution_state"] == "idle":
                break
    kernel.client.get_shell_msg(timeout=DEADLINE)
    text = kernel.text(said)

    assert text.startswith(f"KeyboardInterrupt: check() was interrupted in gradients, cell {number}, line ")
    assert "Questions after that were not run." in text
    define(kernel)
    assert "tiny: 3 of 3 points" in kernel.run('check("gradients")')


def test_outside_notebooks_the_functions_of_the_caller_are_asked(tmp_path):
    """In a script or a plain Python session: text, and no cells."""
    folder = tiny_course.write_course(tmp_path)
    code = (
        "\n".join(tiny_course.SOLUTION)
        + '\nfrom pytest_symmetry.notebook import check\nprint(check("gradients"))\n'
    )
    script = tiny_course.write(folder / "mine.py", code)
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True, cwd=folder
    )

    assert done.stdout.startswith("tiny: 3 of 3 points")
    assert "fresh start" not in done.stdout
    assert done.stderr == ""


def test_a_cell_that_checks_asks_nothing_where_it_is_run_for_a_name(kernel):
    """A fresh start runs the cell that binds a name; the check in it would run that cell again, for ever."""
    define(kernel, ("D = 2 *", "D = 1 / half *"))
    kernel.run("half = float('0.5'); check('gradients')")
    text = " ".join(kernel.run("check('gradients')").split())

    assert text.startswith("tiny: 3 of 3 points")
    assert "which binds `half`" in text


def test_importing_it_costs_a_graded_notebook_nothing():
    """Every submission that used it imports it in its child."""
    code = (
        "import sys, pytest_symmetry.notebook as n; "
        "print(sorted(m for m in sys.modules if m.startswith(('pytest', 'numpy', 'jinja2'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "['pytest_symmetry', 'pytest_symmetry.notebook']\n"
