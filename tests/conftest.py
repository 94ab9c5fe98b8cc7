"""What all tests share."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]

# No test depends on speed; what fails says how to repeat it.
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give each file to one worker, so that what its tests share is made once; sweeps share little."""
    if config.option.dist != "load" or config.option.markexpr == "sweep":
        return None
    from xdist.scheduler import LoadFileScheduling

    return LoadFileScheduling(config, log)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Return the folder of the built documentation: built once for all workers, warnings being errors."""
    pytest.importorskip("sphinx", reason="pip install --group docs")
    fcntl = pytest.importorskip("fcntl", reason="the documentation is built where CI builds it")
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    out, source = folder / "site", Path(__file__).parents[1] / "docs"
    with (folder / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (out / "index.html").is_file():
            command = [sys.executable, "-m", "sphinx", "-Wnq", "-d", folder / "doctrees", source, out]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
    return out
