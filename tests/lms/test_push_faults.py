"""Whatever the platform and the way to it do, every score arrives once, and nothing else is claimed.

The figures of docs/push.md come from here: ``python -m pytest tests/lms/test_push_faults.py -m sweep -s``.
"""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest
from lti_platform import Fault
from push_scene import TRUST, scene

from graders.lti.clocks import SystemClock

PAGE = Path(__file__).parents[2] / "docs" / "push.md"
KINDS = (
    "timeout before", "timeout after", "500 before", "500 after", "dropped before", "dropped after", "401",
    "409", "429", "429 with seconds", "429 with a date",
)  # fmt: skip
"""What goes wrong; "after" is after the platform has done what was asked."""


class BadDay(httpx.BaseTransport):
    """The way to a platform on which a share of all requests goes wrong, at random."""

    def __init__(self, platform, rng, share):
        self.platform, self.rng, self.share = platform, rng, share
        self.inner = httpx.HTTPTransport(verify=TRUST)
        self.faults = Counter()
        self.requests = 0

    def handle_request(self, request):
        self.requests += 1
        if self.rng.random() >= self.share:
            return self._ask(request)
        kind = self.rng.choice(KINDS)
        self.faults[kind] += 1
        if kind == "timeout before":
            raise httpx.ReadTimeout("slow", request=request)
        if kind == "timeout after":
            self._ask(request).read()
            raise httpx.ReadTimeout("slow", request=request)
        return self._ask(request, self._fault(kind))

    def _ask(self, request, fault=None):
        self.platform.fault = lambda exchange: fault
        return self.inner.handle_request(request)

    def _fault(self, kind):
        if kind == "429 with a date":
            moment = format_datetime(self.platform.moment(7), usegmt=True)
            return Fault(429, {"Retry-After": moment})
        if kind == "429 with seconds":
            return Fault(429, {"Retry-After": "3"})
        if kind.startswith("dropped"):
            return Fault(drop=True, after=kind.endswith("after"))
        return Fault(int(kind[:3]), after=kind.endswith("after"))

    def close(self):
        self.inner.close()


def class_of(count):
    """Return students with all the points that halves allow."""
    return [(f"s{i:04}", (i % 3) / 2, (i % 5) / 2, (i % 7) / 2) for i in range(count)]


def push_until_done(made, people, seed, share):
    """Push as often as it takes; compare what each push claims with what is there. Return the figures."""
    day = BadDay(made.platform, random.Random(seed), share)
    runs = []
    while not runs or set(runs[-1]) - {"sent", "already there"}:
        assert len(runs) < 5, runs
        made.clock.time += 60
        try:
            outcomes, _, _ = made.push(httpx.Client(transport=day, trust_env=False))
        except Exception as error:
            outcomes = {"": f"{type(error).__name__}: {error}"}
        claimed = {s for s, outcome in outcomes.items() if outcome in ("sent", "already there")}
        assert claimed <= {student for student, *points in people if made.there(student) == sum(points)}
        runs.append(Counter(outcomes.values()))
    arrived = {student: made.there(student) for student, *_ in people}
    assert {student: sum(points) for student, *points in people} == arrived, seed
    return runs, day


@pytest.mark.parametrize("seed", range(2))
def test_every_score_arrives_once(tmp_path, seed):
    """Thirty students, and a third of all requests goes wrong."""
    people = class_of(30)
    with scene(tmp_path, *people) as made:
        push_until_done(made, people, seed, 0.33)

        assert {1} == set(made.platform.stored.values())
        assert 1 == len(made.platform.items)


@pytest.mark.sweep
def test_a_thousand_scores_on_a_bad_day(tmp_path):
    """The figures of the page."""
    people = class_of(1000)
    with scene(tmp_path, *people) as made:
        start = made.clock.now()
        runs, day = push_until_done(made, people, 11, 0.05)
        stored = Counter(made.platform.stored.values())
        (first, *more) = runs
        faults = ", ".join(f"{n} {kind}" for kind, n in sorted(day.faults.items()))
        minutes = (made.clock.now() - start) / 60
        said = (
            f"{len(people)} students, {day.requests} requests, {day.faults.total()} of them with a fault "
            f"({faults}): {first['sent'] + first['already there']} arrived in the first run, further runs "
            f"needed: {len(more)}; stored once: {stored[1]}, more often: {stored.total() - stored[1]}, lost: "
            f"{len(people) - stored.total()}; {minutes:.0f} minutes by the clock of the test"
        )
        print(f"\n{said}")  # noqa: T201 - the figures

        assert {1} == set(made.platform.stored.values())
        assert len(people) == len(made.platform.stored)
        assert said in " ".join(PAGE.read_text(encoding="utf-8").replace("\n> ", "\n").split())


def test_a_push_that_is_killed_goes_on_where_it_was(tmp_path):
    """Killed by the system, when the platform has a score and nobody here knows: it is not sent twice."""
    people = class_of(6)
    with scene(tmp_path, *people) as made:
        made.platform.clock = PassingTime()
        made.configure(requests_per_second=100)
        command = [sys.executable, "-m", "graders", "push", str(made.folder), "--config", str(made.config)]
        running = []

        def kill(exchange):
            if made.platform.stored.total() == 3:
                os.kill(running[0].pid, signal.SIGKILL)
                made.platform.fault = lambda exchange: None
                return Fault(drop=True)
            return None

        made.platform.fault = kill
        running.append(subprocess.Popen([*command, "--send"], stdout=subprocess.PIPE, text=True))
        running[0].communicate()
        assert -signal.SIGKILL == running[0].returncode
        done = subprocess.run([*command, "--send"], capture_output=True, text=True, check=False)

        assert 0 == done.returncode, done.stderr
        assert {1} == set(made.platform.stored.values())
        assert {student: sum(points) for student, *points in people} == {s: made.there(s) for s, *_ in people}


@pytest.mark.parametrize(("number", "after"), [(3, True), (4, False), (4, True), (5, True)])
def test_a_push_that_is_interrupted_goes_on_where_it_was(tmp_path, number, after):
    """At each of its requests, before and after the platform has done it."""
    people = class_of(2)
    with scene(tmp_path, *people) as made:
        asked = []

        class Interrupted(httpx.HTTPTransport):
            def handle_request(self, request):
                asked.append(request)
                if len(asked) == number:
                    if after:
                        super().handle_request(request).read()
                    raise KeyboardInterrupt
                return super().handle_request(request)

        with pytest.raises(KeyboardInterrupt):
            made.push(httpx.Client(transport=Interrupted(verify=TRUST)))
        outcomes, _, _ = made.push()

        assert {"sent", "already there"} >= set(outcomes.values())
        assert {1} == set(made.platform.stored.values())
        assert 1 == len(made.platform.items)


def test_who_was_refused_for_going_too_fast_waits_as_long_as_the_platform_wants(tmp_path):
    """Seconds or a moment; an hour is for the next run."""
    with scene(tmp_path, *class_of(2)) as made:
        moment = format_datetime(made.platform.moment(41), usegmt=True)
        wishes = ["17", moment]
        made.platform.fault = lambda e: (
            Fault(429, {"Retry-After": wishes.pop(0)}) if "scores" in e.path and wishes else None
        )
        outcomes, _, _ = made.push()
        assert {"sent"} == set(outcomes.values())
        assert 17.0 in made.clock.waits
        assert any(20 < wait <= 24 for wait in made.clock.waits)
    with scene(tmp_path / "again", *class_of(2)) as made:
        made.platform.fault = lambda e: Fault(429, {"Retry-After": "3600"}) if "scores" in e.path else None
        outcomes, _, push = made.push()
        assert {"not sent"} == set(outcomes.values())
        said = "the platform asks to be left alone for 3600 s (429); run the same command again after that"
        assert said == push.stopped
        assert 1 == len(made.platform.asked("POST", "/scores"))


def test_canvas_may_say_slower_with_403(tmp_path):
    """As its older versions do; another 403 is a refusal."""
    with scene(tmp_path, *class_of(2)) as made:
        faults = [Fault(403, body="403 Forbidden (Rate Limit Exceeded)"), None, None]
        made.platform.fault = lambda e: faults.pop(0) if "scores" in e.path and faults else None
        outcomes, _, _ = made.push()

        assert {"sent"} == set(outcomes.values())
        assert 3 == len(made.platform.asked("POST", "/scores"))


class PassingTime(SystemClock):
    """The clock of this machine, for a platform that another process asks."""

    time = 0.0
