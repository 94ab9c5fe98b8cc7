"""What all tests share."""

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
