"""The stand-in refuses what a running Moodle was seen to refuse, and does what that does with the rest."""

import json
from datetime import UTC, datetime

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from lti_platform import AGS, Clock, Platform
from push_scene import KEY, PEM, TRUST

SCORE = {
    "userId": "u1",
    "timestamp": "2026-11-22T11:00:00.000+00:00",
    "scoreGiven": 4,
    "scoreMaximum": 6,
    "activityProgress": "Completed",
    "gradingProgress": "FullyGraded",
}
KIND = "application/vnd.ims.lis.v1.score+json"
NOW = int(Clock().time)


@pytest.fixture(scope="module")
def http():
    with httpx.Client(trust_env=False, verify=TRUST) as client:
        yield client


@pytest.fixture
def platform():
    with Platform(KEY.public_key(), Clock(), users={"u1"}) as made:
        made.takes = 0.0
        made.add_item()
        made.tokens["t"] = (made.now() + 3600, {AGS + "score", AGS + "result.readonly"})
        yield made


@pytest.fixture
def post(http, platform):
    """Return a function that posts a score with changes, and returns status and reason."""

    def post(kind=KIND, token="t", body=None, item=7, **changes):
        url = platform.item_url(item).replace("/lineitem?", "/lineitem/scores?")
        headers = {"Content-Type": kind, "Authorization": f"Bearer {token}"}
        text = body or json.dumps({k: v for k, v in {**SCORE, **changes}.items() if v != "absent"})
        answer = http.post(url, content=text, headers=headers)
        return answer.status_code, answer.json()["reason"] if answer.status_code >= 400 else ""

    return post


@pytest.mark.parametrize("stamp", ["2026-11-22T11:00:00.000+00:00", "2026-11-22T11:00:00.000Z"])
def test_a_score_is_taken(platform, post, stamp):
    """With either way to write UTC."""
    assert (200, "") == post(timestamp=stamp)
    assert 4.0 == platform.grades[7, "u1"]["points"]


def test_times_that_are_no_later_are_refused(post):
    """By the whole second; a time without a zone is the site's."""
    post()
    said = "Refusing score with an earlier timestamp for item 7 and user u1"
    naive = datetime.fromtimestamp(NOW + 60, UTC).isoformat().removesuffix("+00:00")

    for stamp in (SCORE["timestamp"], "2026-11-22T11:00:00.999Z", "2026-11-22T10:00:00.000Z", naive):
        assert (409, said) == post(timestamp=stamp), stamp
    assert 200 == post(timestamp="2026-11-22T11:00:01.000Z")[0]


def test_a_time_ahead_is_taken_and_stands_against_honest_ones(post):
    """The trap that makes a client look at clocks."""
    assert 200 == post(timestamp="2026-11-22T12:00:00.000Z")[0]
    assert 409 == post(timestamp="2026-11-22T11:00:05.000Z")[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"timestamp": NOW}, {"timestamp": "yesterday"}, {"timestamp": "absent"}, {"scoreGiven": "four"},
        {"scoreMaximum": "absent"}, {"scoreMaximum": 0}, {"scoreMaximum": "six"}, {"userId": "u2"},
        {"userId": 1}, {"userId": "absent"}, {"activityProgress": "Done"}, {"activityProgress": "absent"},
        {"gradingProgress": "Graded"}, {"gradingProgress": "absent"},
    ],
)  # fmt: skip
def test_scores_that_are_none_are_refused_with_all_that_was_sent(platform, post, changes):
    """Private text comes back in the reason."""
    status, reason = post(comment="private", **changes)

    assert 400 == status
    assert reason.startswith('Incorrect score received{"')
    assert "private" in reason
    assert {} == platform.grades


def test_not_a_number_is_no_json(post):
    """As PHP reads it."""
    assert 400 == post(body=json.dumps({**SCORE, "scoreGiven": float("nan")}))[0]
    assert 400 == post(body="{")[0]


def test_points_beyond_the_scale_are_cut(platform, post):
    """And shown so."""
    post(scoreGiven=120)
    assert 6.0 == platform.grades[7, "u1"]["points"]
    post(scoreGiven=-1, timestamp="2026-11-22T11:00:01.000Z")
    assert 0.0 == platform.grades[7, "u1"]["points"]


@pytest.mark.parametrize("progress", ["Pending", "PendingManual", "Failed", "NotReady"])
def test_a_score_that_is_not_final_wipes_the_one_that_was(platform, post, progress):
    """The trap that keeps a client from sending them."""
    post()
    assert 200 == post(gradingProgress=progress, timestamp="2026-11-22T11:00:01.000Z")[0]
    assert platform.grades[7, "u1"]["points"] is None


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"token": "x"}, 401),
        ({"kind": "application/json"}, 400),
        ({"kind": f"{KIND}; charset=utf-8"}, 400),
        ({"item": 8}, 404),
    ],
)
def test_the_request_itself_must_be_right(post, how, status):
    """Token, media type, column."""
    assert status == post(**how)[0]


def test_a_token_is_for_its_scopes_and_ends(platform, post):
    """One to read results posts no score."""
    platform.tokens["r"] = (platform.now() + 3600, {AGS + "result.readonly"})
    assert 401 == post(token="r")[0]
    platform.clock.time += 3600
    assert 401 == post()[0]


CLAIMS = {"iss": "tool-1", "sub": "tool-1", "iat": NOW - 10, "exp": NOW + 290, "jti": "1"}


def ask_for_token(http, platform, key=PEM, alg="RS256", scope=AGS + "score", form=None, **changes):
    """Return status and error, with an assertion whose claims are changed."""
    claims = {k: v for k, v in {**CLAIMS, "aud": platform.token_url, **changes}.items() if v is not None}
    assertion = jwt.encode({"alg": alg}, claims, RSAKey.import_key(key), algorithms=[alg])
    data = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
        "scope": scope,
        **(form or {}),
    }
    answer = http.post(platform.token_url, data=data)
    return answer.status_code, answer.json().get("error", "")


def test_a_token_is_given_once_for_an_assertion(http, platform):
    """The second of the same number is a replay."""
    assert (200, "") == ask_for_token(http, platform)
    assert (400, "invalid_client") == ask_for_token(http, platform)
    assert (200, "") == ask_for_token(http, platform, jti="2")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"aud": "https://elsewhere"}, "invalid_client"),
        ({"iss": "tool-2"}, "invalid_client"),
        ({"sub": "tool-2"}, "invalid_client"),
        ({"iat": NOW + 5}, "invalid_client"),
        ({"exp": NOW - 1}, "invalid_client"),
        ({"exp": NOW + 10_000}, "invalid_client"),
        ({"alg": "RS384"}, "invalid_client"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"form": {"grant_type": "password"}}, "unsupported_grant_type"),
        ({"form": {"client_assertion": "a.b.c"}}, "invalid_client"),
    ],
)
def test_assertions_that_are_not_for_this_platform_get_nothing(http, platform, changes, error):
    """Not ours, not for us, not now, not signed as agreed."""
    assert (400, error) == ask_for_token(http, platform, **changes)
    assert ["t"] == list(platform.tokens)


def test_an_assertion_with_another_key_gets_nothing(http, platform):
    """Whoever knows the number of a tool is not the tool."""
    other = RSAKey.generate_key(2048).as_pem(private=True)

    assert (400, "invalid_client") == ask_for_token(http, platform, key=other)
