"""The attacks, and the locks that they are tried against."""

import os
import sys
from pathlib import Path

import pytest

import graders

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    """Everything here needs Linux: elsewhere submissions cannot be sealed, and `grade` says so."""
    for item in items:
        if HERE in item.path.parents and sys.platform != "linux":
            item.add_marker(pytest.mark.skip(reason="the sandbox needs Linux"))


def open_locks(level):
    """Return a sandbox with the locks of a level, or skip where this machine has not got them."""
    if sys.platform != "linux":
        pytest.skip("the sandbox needs Linux")
    from graders.sandbox.levels import SandboxError
    from graders.sandbox.transport import Locks, Sandbox

    sandbox = Sandbox(locks=Locks(namespaces=level == 3))
    try:
        found = sandbox.start()
    except SandboxError as error:
        pytest.skip(str(error))
    if found.level < level:
        sandbox.close()
        pytest.skip(f"this machine gives {found}, not level {level}")
    return sandbox


@pytest.fixture(scope="session")
def sandbox_3():
    sandbox = open_locks(3)
    yield sandbox
    sandbox.close()


@pytest.fixture(scope="session")
def sandbox_2():
    sandbox = open_locks(2)
    yield sandbox
    sandbox.close()


@pytest.fixture(params=[3, 2], ids=["level-3", "level-2"])
def sandbox(request):
    """The locks of each level that counts as sealed."""
    return request.getfixturevalue(f"sandbox_{request.param}")


@pytest.fixture
def world(tmp_path, monkeypatch):
    """What a hostile submission would like: a solution, a folder of others, the judge, a token."""
    secret = tmp_path / "solution.ipynb"
    secret.write_text("dW1 = ...", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("COURSE_TOKEN", "a-token-of-the-course")
    return {
        "secret": str(secret),
        "folder": str(tmp_path),
        "judge": os.getpid(),
        "token": "a-token-of-the-course",
        "source": str(graders.__file__),
    }
