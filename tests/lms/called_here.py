"""The command line, called in this process."""

from typer.testing import CliRunner

from graders import cli
from pytest_symmetry.errors import SymmetryError


def symmetry(*arguments):
    """Run a command in this process; return its exit code and what it printed."""
    done = CliRunner().invoke(cli.app, [str(a) for a in arguments])
    if isinstance(done.exception, SymmetryError):
        return 2, str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output
