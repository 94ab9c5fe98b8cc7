"""``symmetry push``: dry unless told otherwise, a line for each student, and no secret in any of them."""

import subprocess
import sys

import httpx
import pytest
from called_here import symmetry
from lti_platform import Fault
from push_scene import PEM, TRUST, scene

from graders.commands import sending
from graders.lti import connection


@pytest.fixture
def course(tmp_path, monkeypatch):
    people = ("ada", 1, 2, 3), ("ben", 1, 2, 0), ("cho", 1, 2, None)
    with scene(tmp_path, *people) as made:
        monkeypatch.setattr(sending, "SystemClock", lambda: made.clock)
        monkeypatch.setattr(sending, "open_client", lambda: httpx.Client(trust_env=False, verify=TRUST))
        yield made


def test_nothing_leaves_without_send(course):
    """The same table, and not one request."""
    code, said = symmetry("push", course.folder, "--config", course.config, "--names")

    assert 0 == code
    assert [] == course.platform.exchanges
    assert (
        "Name of cho  left out       -           waits for a person: no verdict on test_gradients\n"
        "Name of ada  to be sent     6 of 6\n"
        "Name of ben  to be sent     3 of 6\n"
        "1 left out, 2 to be sent\n"
        "Nothing was sent; --send sends.\n"
    ) == said


def test_what_became_of_each_is_told(course):
    """By pseudonym; the second time it is there."""
    code, said = symmetry("push", course.folder, "--config", course.config, "--send")
    assert 0 == code
    assert "1 left out, 2 sent\n" in said
    assert "Name" not in said
    assert "note: the column 'A tiny assignment' was created there\n" in said
    code, said = symmetry("push", course.folder, "--config", course.config, "--send")
    assert (0, 2) == (code, said.count("  already there  "))
    code, said = symmetry("push", course.folder, "--config", course.config)
    assert (0, 2) == (code, said.count("  already there  "))


def test_a_score_that_did_not_arrive_is_an_exit_code(course):
    """1 for a refusal, 3 for a push that stopped in the middle."""
    course.platform.users -= {"user-ben"}
    code, said = symmetry("push", course.folder, "--config", course.config, "--send")
    assert 1 == code
    assert "  refused        3 of 6      400: Incorrect score received; see that they are a student" in said
    course.platform.fault = lambda e: Fault(429, {"Retry-After": "3600"}) if "scores" in e.path else None
    code, said = symmetry("push", course.folder, "--config", course.config, "--send")
    assert 3 == code
    assert "symmetry: the platform asks to be left alone for 3600 s (429); run the same command again" in said


def test_an_interrupted_push_goes_on(course, monkeypatch):
    """Control-C is no accident."""

    def interrupt(request):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        client = httpx.Client(transport=httpx.MockTransport(interrupt))
        patch.setattr(sending, "open_client", lambda: client)
        code, said = symmetry("push", course.folder, "--config", course.config, "--send")
    assert (3, True) == (code, "Run the same command again to go on." in said)
    assert 0 == symmetry("push", course.folder, "--config", course.config, "--send")[0]


def test_no_secret_is_printed(course):
    """Not the key, not a token, not what the platform repeats of them."""

    def repeat(exchange):
        if "token.php" not in exchange.path:
            return Fault(400, body=f"got {exchange.headers['Authorization']} and {exchange.body}")
        return None

    printed = []
    for fault in (repeat, lambda e: Fault(400, body=e.body), lambda e: None):
        course.platform.fault = fault
        printed.append(symmetry("push", course.folder, "--config", course.config, "--send", "--names")[1])
    secrets = {line for line in PEM.splitlines() if len(line) > 40} | set(course.platform.tokens)
    secrets |= {
        e.body.partition("client_assertion=")[2][:40] for e in course.platform.asked("POST", "token.php")
    }

    assert 3 == len(printed)
    assert len(secrets) > 20
    assert [] == [secret for secret in secrets if secret in "".join(printed)]


@pytest.mark.parametrize("module", ["joserfc.jwk", "httpx"])
def test_without_the_packages_it_says_which(course, monkeypatch, module):
    """A command line without the extra."""
    monkeypatch.setattr(sending, "open_client", connection.open_client)
    monkeypatch.setitem(sys.modules, module, None)
    code, said = symmetry("push", course.folder, "--config", course.config, "--send")

    assert 2 == code
    assert said.endswith(
        'needs httpx and joserfc; install them with python -m pip install "pytest-symmetry[grade]"'
    )


def test_no_other_command_pays_for_it():
    """What sends is imported by what sends."""
    code = "import sys, graders.cli; print({'httpx', 'joserfc', 'cryptography'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "set()\n" == done.stdout


def test_a_folder_that_is_none_stays_none(course, tmp_path):
    """Nothing is made where nothing was graded."""
    for more in ((), ("--send",)):
        code, said = symmetry("push", tmp_path / "nowhere", "--config", course.config, *more)

        assert 2 == code
        assert "there is no gradebook in it" in said
        assert not (tmp_path / "nowhere").exists()
