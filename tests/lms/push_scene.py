"""A graded class without grading, a platform that knows it, and pushes between the two."""

import json
import ssl
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
from lti_platform import Clock, Platform, make_key
from paper_marks import mark

from graders import decisions
from graders.gradebook import Basis
from graders.history import Event, Kind
from graders.lti.keys import read_signer
from graders.lti.pushing import Push
from graders.lti.settings import read_settings
from graders.marks import Person, marks
from graders.opening import open_gradebook
from pytest_symmetry.records import plain

BASIS = Basis("tiny", {}, "5", "none")
KEY, PEM = make_key()
TRUST = ssl.create_default_context()  # made once: that takes longer than a push


def user_of(student):
    """Return whom the platform knows as a student."""
    return f"user-{student}"


def make_class(folder, *people, approve=True):
    """Write a gradebook: people are (student, points of the three questions), None where nobody decided."""
    with open_gradebook(folder, author="staff") as book, book.in_a_hurry():
        book.settle_key(b"k" * 32)
        book.set_headers(assignment="tiny", title="A tiny assignment", reveal="hint")
        book.expect(student for student, *_ in people)
        for student, *points in people:
            book.add_standing(student, "w", BASIS, mark(student, *points).result.to_json())
            person = Person(name=f"Name of {student}", lti_user=user_of(student))
            book.record(Event(0, Kind.ENROLLED, student=student, data=plain(person)))
        if approve:
            decisions.approve(book)
    return folder


@dataclass
class Scene:
    """A graded folder, a platform, a clock; ``keys`` are those of lti.toml."""

    folder: Path
    platform: Platform
    clock: Clock
    config: Path
    keys: dict = field(default_factory=dict)

    def configure(self, **keys):
        """Change lti.toml; None takes a key out."""
        self.keys.update(keys)
        # JSON's texts and numbers are TOML's.
        lines = [f"{key} = {json.dumps(value)}\n" for key, value in self.keys.items() if value is not None]
        self.config.write_text("".join(lines), encoding="utf-8")

    @contextmanager
    def pushing(self, client=None, **more):
        """Open a push; yield it and its rows, not begun."""
        settings = read_settings(self.config)
        signer = read_signer(settings)
        with (
            client or httpx.Client(trust_env=False, verify=TRUST) as http,
            open_gradebook(self.folder, author="staff") as book,
        ):
            push = replace(Push.of(book, marks(book), settings), **more)
            yield push, push.carry_out(signer, self.clock, http)

    def push(self, client=None, **more):
        """Push once; return {student: outcome}, {student: why}, and the push."""
        with self.pushing(client, **more) as (push, steps):
            rows = list(steps)
        return {r.student: str(r.outcome) for r in rows}, {r.student: r.why for r in rows}, push

    def decide(self, student, question, points):
        """Override a question and approve what follows."""
        with open_gradebook(self.folder, author="staff") as book:
            asked = decisions.Asked(student, question, str(points), "a reason")
            decisions.override(book, [asked])
            decisions.approve(book)

    def there(self, student, item=7):
        """Return the points that the platform has."""
        grade = self.platform.grades.get((item, user_of(student)))
        return None if grade is None else grade["points"]


@contextmanager
def scene(tmp_path, *people, approve=True, known=None):
    """Yield a scene; the platform knows all people, or those that are given."""
    folder = make_class(tmp_path / "graded", *people, approve=approve)
    key_file = tmp_path / "lti-key.pem"
    key_file.write_text(PEM, encoding="ascii")
    key_file.chmod(0o600)
    clock = Clock()
    users = {user_of(student) for student, *_ in people} if known is None else known
    with Platform(KEY.public_key(), clock, users=users) as platform:
        made = Scene(folder, platform, clock, tmp_path / "lti.toml")
        made.configure(
            client_id="tool-1", token_url=platform.token_url, lineitems=platform.lineitems_url,
            key_file="lti-key.pem", requests_per_second=50,
        )  # fmt: skip
        yield made
