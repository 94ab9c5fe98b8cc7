"""docs/push.md is what happens: its settings are read, its commands run, its dialogue is spoken again."""

import base64
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
import pytest
from lti_platform import Fault, Platform
from push_scene import KEY, PEM, TRUST, Scene, make_class
from test_push_command import symmetry

from graders.commands import sending
from graders.lti.keys import read_signer
from graders.lti.settings import read_settings

PAGE = Path(__file__).parents[2] / "docs" / "push.md"
HOST = "https://moodle.example.edu"
PEOPLE = ("ada", 1, 2, 3), ("ben", 1, 2, 0), ("cho", 1, 2, None)


def blocks(language):
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def course(tmp_path, monkeypatch):
    """The page's course: three students, its lti.toml, and a platform in the place of its."""
    from lti_platform import Clock

    monkeypatch.chdir(tmp_path)
    make_class(tmp_path / "graded", *PEOPLE, approve=False)
    (tmp_path / "lti-key.pem").write_text(PEM, encoding="ascii")
    (tmp_path / "lti-key.pem").chmod(0o600)
    clock = Clock()
    users = {f"user-{student}" for student, *_ in PEOPLE}
    with Platform(KEY.public_key(), clock, client_id="tool-1", users=users) as platform:
        (settings,) = blocks("toml")
        config = tmp_path / "lti.toml"
        config.write_text(settings.replace(HOST, platform.root), encoding="utf-8")
        monkeypatch.setattr(sending, "SystemClock", lambda: clock)
        monkeypatch.setattr(sending, "open_client", lambda: httpx.Client(trust_env=False, verify=TRUST))
        yield Scene(tmp_path / "graded", platform, clock, config)


def shown(platform):
    """Return a dialogue as the page shows it: no secret, and the name of a platform for its address."""
    parts = []
    for exchange in platform.exchanges:
        asked = {
            n: v for n, v in exchange.headers.items() if n in ("Authorization", "Accept", "Content-Type")
        }
        if "Authorization" in asked:
            asked["Authorization"] = "Bearer (removed)"
        if asked.get("Accept") == "*/*":
            del asked["Accept"]
        lines = [f"{exchange.method} {exchange.path} HTTP/1.1", *(f"{n}: {asked[n]}" for n in sorted(asked))]
        if exchange.body:
            form = "client_assertion" in exchange.body
            lines += ["", *(_form(exchange.body) if form else [exchange.body])]
        answer = re.sub(r'("access_token": )"[^"]*"', r'\1"(removed)"', exchange.answer)
        if exchange.status:
            head = [f"HTTP/1.1 {exchange.status}", *(f"{n}: {v}" for n, v in exchange.answered.items())]
            lines += ["", *head, "", answer]
        else:
            lines += ["", "(the connection is lost)"]
        parts.append("\n".join(lines))
    text = "\n\n".join(parts).replace(platform.root, HOST) + "\n"
    assert PEM.splitlines()[1] not in text
    assert not any(token in text for token in platform.tokens)
    return text


def _form(body):
    """Yield the lines of a form; of the assertion, what it says and not its signature."""
    for name, value in parse_qsl(body):
        if name != "client_assertion":
            yield f"{name}={value}"
            continue
        head, claims, _ = value.split(".")
        data = json.loads(base64.urlsafe_b64decode(claims + "=="))
        data["jti"] = "(another each time)"
        yield f"{name}={base64.urlsafe_b64decode(head + '==').decode()}.{json.dumps(data)}.(signature)"


def lose_bens_answer(platform):
    """Let the platform take Ben's score, once, and lose its answer."""
    lost = []

    def fault(exchange):
        if "user-ben" in exchange.body and not lost:
            lost.append(exchange)
            return Fault(drop=True, after=True)
        return None

    platform.fault = fault


def test_the_transcript_and_the_dialogue_are_what_happens(course):
    """From a look without sending to the second push that finds all there."""
    lose_bens_answer(course.platform)
    (transcript,) = blocks("console")
    printed, dialogue = [], None
    for line in transcript.splitlines():
        if not line.startswith("$ "):
            continue
        name, *arguments = shlex.split(line.removeprefix("$ "))
        code, said = symmetry(*arguments)
        assert ("symmetry", 0) == (name, code), said
        printed += [line, *said.splitlines()]
        if dialogue is None and "--send" in arguments:
            dialogue = shown(course.platform)

    assert printed == transcript.splitlines(), "\n".join(printed)
    assert [dialogue] == blocks("http"), dialogue


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the page makes its key with openssl")
def test_the_key_of_the_page_is_one(tmp_path):
    """Its commands, run in a shell's place; the private half stays readable for its owner alone."""
    made, *_ = blocks("bash")
    for line in made.splitlines():
        subprocess.run(shlex.split(line), cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "lti.toml").write_text(blocks("toml")[0], encoding="utf-8")

    assert "tool-1" == read_signer(read_settings(tmp_path / "lti.toml")).client_id
    assert (tmp_path / "lti-public.pem").read_text().startswith("-----BEGIN PUBLIC KEY-----")


def test_every_key_of_the_settings_is_told():
    """In the table of the page."""
    from graders.lti.settings import _KEYS

    text = PAGE.read_text(encoding="utf-8")

    assert [] == [key for key in _KEYS if f"`{key}`" not in text]
