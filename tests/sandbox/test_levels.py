"""The level is what was found by trying, and a level that is not enough is refused in one sentence."""

import pytest
import tiny_course
from typer.testing import CliRunner

from graders import cli, doctor
from graders.sandbox import choice, syscalls
from graders.sandbox.levels import DOCKERFILE, FULL, NEEDED, Isolation, SandboxError
from graders.sandbox.transport import Locks, Sandbox
from graders.workers import Workers

lockdown = pytest.importorskip("graders.sandbox.lockdown")  # Windows has no limits to import
EVERYTHING = dict.fromkeys((*NEEDED, *FULL), True)


@pytest.mark.parametrize("name", NEEDED)
def test_one_thing_within_reach_is_level_1(name):
    """Whatever was asked for."""
    assert 1 == Isolation.found({}, {**EVERYTHING, name: False}).level


@pytest.mark.parametrize("name", FULL)
def test_without_a_root_or_numbers_of_its_own_it_is_level_2(name):
    """As in a container without user namespaces."""
    assert 2 == Isolation.found({}, {**EVERYTHING, name: False}).level
    assert 3 == Isolation.found({}, EVERYTHING).level


@pytest.mark.parametrize(
    ("locks", "reach"),
    [
        (Locks(False, False, False), {"files", "writing", "network", "processes"}),
        (Locks(False, False, True), {"files"}),
        (Locks(False, True, False), {"network", "processes"}),
    ],
    ids=["nothing", "seccomp alone", "Landlock alone"],
)
def test_probes_find_what_a_missing_lock_leaves_open(sandbox_2, locks, reach):
    """The negative control of the probes: each lock is missed."""
    box = Sandbox(locks=locks)
    found = box.start()
    box.close()

    assert 1 == found.level
    assert reach <= set(found.possible)


def test_a_root_of_its_own_holds_without_landlock(sandbox_3):
    """As in gVisor, and on kernels that have none."""
    box = Sandbox(locks=Locks(landlock=False))
    found = box.start()
    box.close()

    assert 3 == found.level
    assert 0 == found.locked["landlock"]


def test_a_machine_that_refuses_namespaces_gets_the_other_locks(sandbox_2, monkeypatch):
    """Ubuntu's AppArmor, Docker's filter: the zygote is started again without them, and doctor says why."""
    boot = Sandbox._boot

    def refusing(self, locks):
        if locks.namespaces:
            raise SandboxError("the sandbox could not be started: mount /: Permission denied")
        return boot(self, locks)

    monkeypatch.setattr(Sandbox, "_boot", refusing)
    box = Sandbox()
    found = box.start()
    box.close()

    assert 2 == found.level
    assert "Permission denied" in found.locked["no namespaces"]


@pytest.fixture
def weak_machine(monkeypatch):
    monkeypatch.setattr(choice, "_offered", lambda _data: (None, "the sandbox needs Linux"))
    # Workers would find out for themselves what their machine has.
    monkeypatch.setattr(Workers, "ask", lambda _, function, *given: function(*given))


def grade(tmp_path, *more):
    tiny_course.write_course(tmp_path / "tiny")
    tiny_course.write_submission(tmp_path / "inbox" / "ada.ipynb")
    paths = ["--submissions", str(tmp_path / "inbox"), "--out", str(tmp_path / "out")]
    return CliRunner().invoke(cli.app, ["grade", str(tmp_path / "tiny"), *paths, "--seed", "1", *more])


def test_grading_is_refused_where_submissions_cannot_be_sealed(tmp_path, weak_machine):
    """And nothing is written; the sentence names both ways on."""
    shown = grade(tmp_path)

    assert isinstance(shown.exception, SandboxError)
    assert "--isolation best" in str(shown.exception)
    assert "Grade on Linux" in str(shown.exception)
    assert "Dockerfile says how" in str(shown.exception)
    assert "ENTRYPOINT" in DOCKERFILE.read_text(encoding="utf-8")
    assert not (tmp_path / "out").exists()


def test_best_grades_with_what_there_is_and_says_so(tmp_path, weak_machine):
    """In the terminal here, and in every result by the transport's own word."""
    shown = grade(tmp_path, "--isolation", "best", "--jobs", "1")

    assert 0 == shown.exit_code
    assert "level 1 (thin" in shown.stdout


def test_doctor_says_what_is_missing(weak_machine):
    """On a machine without a sandbox."""
    text = "\n".join(doctor.report())

    assert "not enough for `symmetry grade`" in text
    assert "a submission CAN read files of yours" in text
    assert "the sandbox needs Linux" in text


def test_doctor_says_what_is_locked(sandbox_2):
    """On this one."""
    text = "\n".join(doctor.report())

    assert "enough for `symmetry grade`" in text
    assert "CAN" not in text.replace("CAN see", "")


@pytest.mark.parametrize("machine", sorted(syscalls.PROCESSORS))
@pytest.mark.parametrize("scratch", [True, False])
def test_the_filter_is_a_program_that_a_kernel_accepts(machine, scratch):
    """Whole steps, jumps inside the program, a return at the end; fewer than the 4096 allowed."""
    import struct

    program = lockdown.filter_program(machine, scratch=scratch)
    steps = list(struct.iter_unpack("<HBBI", program))

    assert len(steps) < 4096
    for place, (code, yes, no, _) in enumerate(steps):
        if code & 7 == 5:
            assert place + 1 + max(yes, no) < len(steps)
    assert 6 == steps[-1][0]
    assert 0x50001 == steps[-1][3]


@pytest.mark.parametrize("machine", sorted(syscalls.PROCESSORS))
def test_calls_that_start_or_reach_anything_are_on_no_list(machine):
    """By number: execve, fork, vfork, socket, ptrace, kill, mount, bpf."""
    forbidden = {
        "x86_64": (59, 322, 57, 58, 41, 101, 62, 165, 321),
        "aarch64": (221, 281, 198, 117, 129, 40, 280),
    }

    assert set() == set(forbidden[machine]) & set(syscalls.freely(machine, scratch=True))
