"""A small class, graded once: tests get a copy of the folder that holds course, inbox and grades."""

import shutil

import pytest
import small_class

from graders import batch


@pytest.fixture
def no_workers(monkeypatch):
    """Grade without worker processes."""
    monkeypatch.setattr(batch, "_through_workers", small_class.here)


@pytest.fixture(scope="session")
def _graded_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    small_class.write_class(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "_through_workers", small_class.here)
        small_class.grade(folder)
    return folder


@pytest.fixture
def graded_class(_graded_once, tmp_path):
    """A folder with ``tiny``, ``inbox`` and ``graded``, of this test's own."""
    folder = tmp_path / "class"
    shutil.copytree(_graded_once, folder)
    return folder
