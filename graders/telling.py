"""How much each student's page says: the assignment's policy, and everyone's own due time.

The gradebook keeps the policy, and the moment for which all pages were last seen to; what changes with time
alone is written anew by whoever comes next.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from graders.marks import counting
from pytest_symmetry.reveal import Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from graders.gradebook import Gradebook
    from graders.marks import Mark

_POLICY, _SEEN_TO, _EVERYBODY = "policy", "pages", "reveal"


def settle_policy(book: Gradebook, policy: Policy, now: datetime) -> None:
    """Keep the policy; where it is another one than before, no page is as it should be."""
    due = policy.due.isoformat() if policy.due is not None else None
    text = json.dumps([policy.before, policy.after, due])
    if book.header(_POLICY) != text:
        empty = not counting(book.history())
        book.set_headers(**{_POLICY: text, _SEEN_TO: now.isoformat() if empty else ""})


def policy_of(book: Gradebook) -> Policy:
    """Return the policy that a gradebook keeps; for one without, what was said to everybody."""
    text = book.header(_POLICY)
    if text is None:
        level = book.header(_EVERYBODY) or "hint"
        return Policy(level, level)
    before, after, due = json.loads(text)
    return Policy(before, after, datetime.fromisoformat(due) if due else None)


def reveal_for(policy: Policy, own_due: str, now: datetime | None = None) -> str:
    """Return how much is said to a student whose own due time is ``own_due`` (ISO 8601, "" for none)."""
    due = datetime.fromisoformat(own_due) if own_due else None
    return policy.at(now or datetime.now(UTC), due)


def outdated(book: Gradebook, found: Iterable[Mark], now: datetime) -> set[str]:
    """Return the students whose pages may not say what they may say ``now``."""
    seen_to, policy = book.header(_SEEN_TO), policy_of(book)
    then = datetime.fromisoformat(seen_to) if seen_to else None
    return {
        mark.student
        for mark in found
        if then is None
        or reveal_for(policy, mark.person.due, then) != reveal_for(policy, mark.person.due, now)
    }


def pages_are_seen_to(book: Gradebook, found: Sequence[Mark], now: datetime) -> None:
    """Note that all pages say what they may say ``now``, and what may be said to everybody."""
    policy = policy_of(book)
    levels = {reveal_for(policy, mark.person.due, now) for mark in found} or {policy.at(now)}
    everybody = "cause" if levels == {"cause"} else "hint"
    book.set_headers(**{_SEEN_TO: now.isoformat(), _EVERYBODY: everybody})


def see_to_all_pages(book: Gradebook) -> None:
    """Note that no page is as it should be: due times have changed."""
    book.set_headers(**{_SEEN_TO: ""})
