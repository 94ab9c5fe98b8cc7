"""What stands around a result must have an honest form, whatever a process says."""

import random

import pytest

from pytest_symmetry.remote.replies import KINDS, checked_reply
from pytest_symmetry.remote.wire import WireError

HONEST = {
    "result": {"dW1": 1.0},
    "changed": ["args[0]['W1']"],
    "shared": [],
    "random": False,
    "cells_run": [[3, "np"]],
    "cell": 2,
    "line": None,
    "printed": "hello",
}
TROUBLE = {
    "kind": "raised",
    "name": None,
    "type": "NameError",
    "message": "no",
    "cell": 1,
    "line": 3,
    "function": "f",
    "traceback": "…",
    "near": [["forward", 2]],
}


def test_an_honest_reply_is_left_as_it_is():
    """Result, notes and places."""
    assert HONEST == checked_reply(HONEST)


def test_an_honest_reason_keeps_what_it_says():
    """And gains what was left out."""
    found = checked_reply({"trouble": TROUBLE, "printed": ""})["trouble"]

    assert TROUBLE == {key: found[key] for key in TROUBLE}


@pytest.mark.parametrize("kind", [*KINDS, "passed", "", None, 3, ["raised"]])
def test_only_known_kinds_of_reason_exist(kind):
    """A kind that nobody knows is no reason."""
    if kind in KINDS:
        assert kind == checked_reply({"trouble": {**TROUBLE, "kind": kind}})["trouble"]["kind"]
        return
    with pytest.raises(WireError, match="known kind"):
        checked_reply({"trouble": {**TROUBLE, "kind": kind}})


@pytest.mark.parametrize(
    "wrong",
    [
        {"printed": 3},
        {"changed": "args"},
        {"changed": [3]},
        {"random": 1},
        {"cells_run": [[1]]},
        {"cells_run": [[None, "x"]]},
        {"cell": "2"},
        {"cell": True},
        {"line": -1},
        {"line": 2**40},
    ],
    ids=str,
)
def test_what_no_honest_process_says_is_refused(wrong):
    """By name, in one sentence."""
    with pytest.raises(WireError, match="not a reply"):
        checked_reply({**HONEST, **wrong})


def test_a_reply_without_result_or_reason_is_none():
    """Silence is not an answer."""
    with pytest.raises(WireError):
        checked_reply({"printed": "passed"})


def test_long_texts_are_cut():
    """A page can bear them."""
    found = checked_reply({"trouble": {**TROUBLE, "message": "x" * 10**6}, "printed": "x" * 10**6})

    assert len(found["trouble"]["message"]) < 10_000
    assert len(found["printed"]) < 100_000


def test_any_mixture_of_values_is_a_reply_or_a_wire_error():
    """Ten thousand replies put together at random; the seed is the test's own."""
    rng = random.Random(7)
    values = [
        None,
        True,
        0,
        -1,
        2.5,
        float("nan"),
        "",
        "raised",
        [],
        {},
        [[]],
        [["a", 1]],
        {"kind": "time"},
        (),
        b"",
    ]
    names = [*HONEST, "trouble", "problems"]
    for _ in range(10_000):
        reply = {name: rng.choice(values) for name in rng.sample(names, rng.randrange(len(names)))}
        if rng.random() < 0.5:
            reply["trouble"] = {name: rng.choice(values) for name in TROUBLE} | {"kind": rng.choice(KINDS)}
        try:
            checked_reply(reply)
        except WireError:
            continue
