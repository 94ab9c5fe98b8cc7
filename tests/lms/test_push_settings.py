"""lti.toml and the private key: what is not right is told by file and key, and nothing secret is shown."""

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lti_platform import Clock, make_key
from push_scene import KEY, PEM

from graders.lti import keys as keys_module
from graders.lti.answers import Answer
from graders.lti.clocks import UNSEEN, PlatformTime, seconds_to_wait, stamp
from graders.lti.columns import below
from graders.lti.keys import read_signer
from graders.lti.settings import PushError, read_settings

GOOD = {
    "client_id": '"tool-1"',
    "token_url": '"https://x.edu/mod/lti/token.php"',
    "lineitems": '"https://x.edu/mod/lti/services.php/2/lineitems?type_id=1"',
    "key_file": '"key.pem"',
}


def write(folder, **changes):
    """Write lti.toml: the good one with keys changed, or left out where that is None."""
    lines = {**GOOD, **changes}
    path = folder / "lti.toml"
    path.write_text("".join(f"{k} = {v}\n" for k, v in lines.items() if v is not None), encoding="utf-8")
    return path


def refused(path):
    """Return the sentence with which settings or key are refused."""
    with pytest.raises(PushError) as error:
        read_signer(read_settings(path))
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"client_id": None}, "key 'client_id': it is missing; the platform shows it where the tool is"),
        ({"token_url": None}, "key 'token_url': it is missing"),
        (
            {"lineitems": None},
            "key 'lineitem': it is missing, and 'lineitems' too: one of them names a column",
        ),
        ({"lineitem": '"https://x.edu/1"'}, "key 'lineitem': give it or 'lineitems', not both"),
        (
            {"key_file": None},
            "key 'key_file': it is missing, and 'key_env' too: one of them names a private key",
        ),
        ({"key_env": '"K"'}, "key 'key_file': give it or 'key_env', not both"),
        ({"clientid": '"x"'}, "key 'clientid': there is no such key; did you mean 'client_id'?"),
        ({"colour": '"x"'}, "key 'colour': there is no such key; the keys are client_id, token_url,"),
        ({"client_id": "7"}, "key 'client_id': it is a int, but must be a text in quotes"),
        ({"client_id": '"  "'}, "key 'client_id': it is empty or holds control characters"),
        ({"tag": '"a\\u001bb"'}, "key 'tag': it is empty or holds control characters"),
        ({"requests_per_second": "true"}, "key 'requests_per_second': it is a bool, but must be a number"),
        (
            {"requests_per_second": "0"},
            "key 'requests_per_second': it is 0, but must be above 0 and at most 100",
        ),
        ({"requests_per_second": "nan"}, "key 'requests_per_second': it is nan, but must be above 0"),
        ({"comment": '"html"'}, "key 'comment': it is 'html', but must be one of report, points, none"),
        ({"token_url": '"http://x.edu/t"'}, "key 'token_url': 'http://x.edu/t' must begin with https://, or"),
        ({"token_url": '"ftp://x.edu/t"'}, "must begin with https://"),
        ({"token_url": '"x.edu/token"'}, "key 'token_url': 'x.edu/token' is not the address of a platform"),
        ({"token_url": '"https://[x"'}, "is not the address of a platform"),
        ({"token_url": '"https://x.edu:99999/"'}, "is not the address of a platform"),
        ({"lineitems": '"https://x.edu/a b"'}, "key 'lineitems': 'https://x.edu/a b' is not the address"),
    ],
)
def test_settings_that_are_not_right(tmp_path, changes, said):
    """File, key, what was found, what to do."""
    path = write(tmp_path, **changes)

    assert f"{path}, {said}" in refused(path) or said in refused(path)
    assert str(path) in refused(path)


def test_settings_that_cannot_be_read(tmp_path):
    """No file, no TOML, no text."""
    assert "there is no such file; docs/push.md shows" in refused(tmp_path / "lti.toml")
    (tmp_path / "lti.toml").write_text("client_id = ", encoding="utf-8")
    assert "it is not TOML: " in refused(tmp_path / "lti.toml")
    (tmp_path / "lti.toml").write_bytes(b"\xff\xfe")
    assert "it cannot be read: " in refused(tmp_path / "lti.toml")


@pytest.mark.parametrize(
    "changes",
    [
        {"key_file": f"'''{PEM}'''"},
        {"client_id": f"'''{PEM}'''"},
        {"token_url": '"https://u:s3cr3t-s3cr3t@x.edu/token"'},
    ],
)
def test_a_secret_in_the_settings_is_not_repeated(tmp_path, changes):
    """Where somebody puts one there."""
    said = refused(write(tmp_path, **changes))

    assert "s3cr3t" not in said
    assert PEM.splitlines()[1] not in said


def key_file(folder, text, mode=0o600):
    path = folder / "key.pem"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_key_that_others_can_read_is_not_used(tmp_path, mode):
    """And the command that mends it is told."""
    path = key_file(tmp_path, PEM, mode)

    said = f"key 'key_file': others may read or write {path}; run `chmod 600 {path}`"
    assert said in refused(write(tmp_path))


def public_pem():
    from cryptography.hazmat.primitives import serialization as s

    return KEY.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo).decode()


def locked_pem():
    from cryptography.hazmat.primitives import serialization as s

    locked = s.BestAvailableEncryption(b"x")
    return KEY.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, locked).decode()


def curve_pem():
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()).decode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (lambda: "", "it holds no RSA private key in PEM form"),
        (lambda: "secret", "it holds no RSA private key in PEM form"),
        (lambda: PEM[:500], "it holds no RSA private key in PEM form"),
        (curve_pem, "it holds no RSA private key in PEM form"),
        (public_pem, "it holds the public key; the private one is needed here"),
        (locked_pem, "the key is locked with a password; store it without one"),
        (lambda: make_key(1024)[1], "the key has 1024 bits, but must have 2048 or more; make a new one"),
    ],
)
def test_keys_that_are_none(tmp_path, text, said):
    """In one sentence without a word of the key."""
    text = text()
    key_file(tmp_path, text)
    found = refused(write(tmp_path))

    assert f"key 'key_file': {said}" in found
    assert all(line not in found for line in text.splitlines() if len(line) > 30)


def test_a_key_from_the_environment(tmp_path, monkeypatch):
    """For a runner that has no files; without it, the variable is named."""
    path = write(tmp_path, key_file=None, key_env='"COURSE_KEY"', key_id='"k1"', audience='"https://a"')
    monkeypatch.delenv("COURSE_KEY", raising=False)
    assert "key 'key_env': there is no environment variable COURSE_KEY, or it is empty" in refused(path)
    monkeypatch.setenv("COURSE_KEY", PEM)
    signer = read_signer(read_settings(path))

    assert ("k1", "https://a") == (signer.key_id, signer.audience)
    assert "key=" not in repr(signer)


def test_no_file_where_the_key_should_be(tmp_path):
    """Its path is told: it stands beside lti.toml."""
    assert f"key 'key_file': {tmp_path / 'key.pem'} cannot be read: No such file" in refused(write(tmp_path))


def test_the_audience_is_the_token_address_if_nothing_else_is_said(tmp_path):
    """As most platforms want it."""
    settings = read_settings(write(tmp_path))

    assert (settings.token_url, "lti user id", "report") == (
        settings.audience, settings.user_column, settings.comment,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://x/lineitem?type_id=1", "https://x/lineitem/scores?type_id=1"),
        ("https://x/lineitem", "https://x/lineitem/scores"),
        ("https://x/a%2Fb/7/?p=a%26b", "https://x/a%2Fb/7/scores?p=a%26b"),
    ],
)
def test_scores_go_below_the_path_of_a_column(url, found):
    """And its query stays behind, to the byte."""
    assert found == below(url, "scores")
    mark = "&" if "?" in found else "?"
    assert found.replace("scores", "results") + f"{mark}user_id=a%26b" == below(url, "results", user_id="a&b")


@given(
    ahead=st.floats(-80_000, 80_000),
    there=st.floats(0, 8),
    back=st.floats(0, 8),
    later=st.floats(0, 1e4),
)
def test_the_platforms_time_is_never_taken_for_later_than_it_is(ahead, there, back, later):
    """Whatever the way of an answer takes; but for what no ``Date`` can tell."""
    clock = Clock()
    time = PlatformTime(clock)
    asked = clock.now()
    clock.time += there
    written = int(clock.now() + ahead)
    clock.time += back
    date = __import__("email.utils").utils.formatdate(written, usegmt=True)
    time.learn(date, asked)
    clock.time += later
    if there + back <= 5:
        assert time.now() <= clock.now() + ahead + UNSEEN + there + back + 1
        assert time.now() >= clock.now() + ahead - UNSEEN - there - back - 1
    else:
        assert "" == time.difference


@pytest.mark.parametrize("date", [None, "", "yesterday", "Sun, 99 Nov 2026 11:00:00 GMT"])
def test_a_date_that_is_none_tells_nothing(date):
    """A platform need not send one."""
    clock = Clock()
    time = PlatformTime(clock)
    time.learn(date, clock.now())

    assert (0.0, "") == (time.ahead, time.difference)


@given(last=st.integers(1_700_000_000, 1_900_000_000), part=st.floats(-5, 5))
def test_a_second_is_later_than_the_last_where_that_is_near(last, part):
    """It is waited for; one that lies far ahead is not, and nothing is ever stamped ahead."""
    clock = Clock(last + part)
    second = PlatformTime(clock).second_after(last)

    assert second <= clock.now()
    assert second > last or part < 1 - UNSEEN
    assert sum(clock.waits) <= UNSEEN


@pytest.mark.parametrize(
    ("header", "wait"),
    [("17", 17.0), (" 0 ", 0.0), ("Thu, 01 Jan 1970 00:00:30 GMT", 20.0),
     ("Thu, 01 Jan 1970 00:00:05 GMT", 0.0), ("soon", None), ("", None),
     (None, None), ("-5", None), ("1e9", None)],
)  # fmt: skip
def test_how_long_a_platform_wants_to_be_left_alone(header, wait):
    """Seconds or a moment; what is neither says nothing."""
    assert wait == seconds_to_wait(header, 10.0)


def test_a_timestamp_has_fractions_and_a_zone(monkeypatch):
    """Whatever the machine's zone is."""
    monkeypatch.setenv("TZ", "Australia/Perth")
    time.tzset()
    try:
        assert "2026-11-22T11:00:00.000+00:00" == stamp(1_795_345_200)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "400"),
        (
            '{"status": 400, "reason": "Incorrect score received{\\"userId\\": 7}"}',
            "400: Incorrect score received",
        ),
        ('{"error": "invalid_client", "error_description": "no"}', "400: invalid_client: no"),
        ('{"errors": [{"message": "user not found"}]}', "400: user not found"),
        ('{"errors": {"message": ["odd"]}}', "400"),
        ("<html><b>Bad\n Request</b></html>", "400: Bad Request"),
        ("token " + "a" * 32, "400: token [...]"),
        ("{broken", "400"),
        ("[]", "400"),
        ("[7]", "400"),
        ("x y " * 100, "400: " + ("x y " * 100)[:120].strip()),
    ],
)
def test_what_a_refusal_says_is_short_and_holds_nothing_private(text, said):
    """As Moodle, OAuth 2, Canvas and web servers put it."""
    assert said == Answer(400, {}, text).said.strip()


def test_an_assertion_is_new_each_time_and_dated_back(tmp_path):
    """What it claims is checked by the platform of the other tests."""
    key_file(tmp_path, PEM)
    signer = read_signer(read_settings(write(tmp_path)))

    assert signer.assertion(1e9) != signer.assertion(1e9)
    assert keys_module._EARLIER > UNSEEN
