"""A small class, graded once: tests get a copy of the folder that holds course, inbox and grades."""

import shutil

import pytest
import small_class


@pytest.fixture
def no_workers(monkeypatch):
    """Grade without worker processes."""
    small_class.without_workers(monkeypatch)


@pytest.fixture(scope="session")
def _graded_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    small_class.write_class(folder)
    with pytest.MonkeyPatch.context() as patch:
        small_class.without_workers(patch)
        small_class.grade(folder)
    return folder


@pytest.fixture
def graded_class(_graded_once, tmp_path):
    """A folder with ``tiny``, ``inbox`` and ``graded``, of this test's own."""
    folder = tmp_path / "class"
    shutil.copytree(_graded_once, folder)
    return folder
