"""Asking the platform: with a token, no faster than it wants, again where no answer came, never for ever."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from graders.lti.answers import SAID, Answer
from graders.lti.clocks import Clock, PlatformTime, seconds_to_wait
from graders.lti.keys import missing_packages
from graders.lti.settings import PushError

if TYPE_CHECKING:
    import httpx

    from graders.lti.keys import Signer
    from graders.lti.settings import Settings

LINE_ITEM = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
RESULTS = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"
SCORES = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
MEMBERS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"

TRIES = 6
"""How often one thing is asked before it counts as not answered; the waits between double from a second."""

LONGEST_WAIT = 300.0
"""Seconds that a platform may make us wait; if it wants more, somebody runs the command again later."""

_SECONDS = 30.0
_RENEW_BEFORE = 60.0
_PAGES = 100

# Moodle writes rel=“next”, with the quotation marks of a book.
_NEXT = re.compile(r"<([^>]*)>\s*;[^,<]*\brel\s*=\s*[\"'\u201c]?next\b", re.IGNORECASE)


class PushStoppedError(PushError):
    """Nothing more can be sent now: it would be refused, or not answered, for everyone alike."""


class UnansweredError(PushError):
    """One thing was asked as often as it may be, and no answer came; it may have been done all the same."""


@dataclass(slots=True)
class _Token:
    """A token, what it is good for, and until when by the steady clock."""

    text: str = field(repr=False)
    scopes: frozenset[str]
    until: float


@dataclass(frozen=True, slots=True)
class _Silence:
    """No answer: ``wait`` is how long the platform wants to be left alone, None where it does not say.

    ``doubtful`` is whether it may have done what was asked.
    """

    why: str
    wait: float | None = None
    doubtful: bool = True


@dataclass(slots=True)
class Connection:
    """One platform, asked one thing at a time."""

    settings: Settings
    signer: Signer
    client: httpx.Client
    clock: Clock
    scopes: tuple[str, ...]
    time: PlatformTime = field(init=False)
    _token: _Token | None = field(default=None, init=False)
    _next: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.time = PlatformTime(self.clock)

    def grants(self, scope: str) -> bool:
        """Return whether the platform lets us do this."""
        return scope in self._valid_token().scopes

    def ask(
        self, method: str, url: str, *, accept: str = "", body: str = "", kind: str = "", once: bool = False
    ) -> Answer:
        """Ask for ``url`` and return the answer, also where it is a refusal.

        A 401 is answered with a new token, once. ``body`` is JSON of the media type ``kind``. What must not
        be done twice is asked for ``once``: not again where it may have been done.

        Raises:
            UnansweredError: no answer came.
            PushStoppedError: the token is refused also when it is new, or the platform wants a long break.
        """
        fixed = {"Accept": accept} if accept else {}
        if kind:
            fixed["Content-Type"] = kind

        def request() -> httpx.Request:
            headers = {**fixed, "Authorization": f"Bearer {self._valid_token().text}"}
            return self._request(method, url, headers=headers, content=body.encode() or None)

        answer = self._insist(request, once=once)
        if answer.status == 401:
            self._token = None
            before, answer = answer, self._insist(request, once=once)
            answer = replace(answer, again=answer.again or before.again)
        if answer.status == 401:
            msg = (
                f"the platform refuses a token that it has just given ({answer.said}); see there that this "
                "tool may use Assignment and Grade Services in this course"
            )
            raise PushStoppedError(msg)
        return answer

    def pages(self, url: str, *, accept: str) -> Iterator[Answer]:
        """Yield a collection, page after page, and the first refusal.

        Raises:
            UnansweredError: as :meth:`ask`.
            PushStoppedError: as :meth:`ask`, or the pages lead elsewhere, or do not end.
        """
        for _ in range(_PAGES):
            answer = self.ask("GET", url, accept=accept)
            yield answer
            following = _NEXT.search(answer.headers.get("Link", ""))
            if not answer.fine or following is None:
                return
            url = same_place(url, following[1])
        msg = f"{url}: this list of the platform has more than {_PAGES} pages; see that its address is right"
        raise PushStoppedError(msg)

    # The token

    def _valid_token(self) -> _Token:
        if self._token is None or self.clock.steady() >= self._token.until:
            self._token = self._new_token()
        return self._token

    def _new_token(self) -> _Token:
        """Get a token by client credentials (RFC 6749, 4.4) with a signed assertion (RFC 7523)."""
        believed = self.time.ahead
        answer = self._insist(self._request_for_token)
        if not answer.fine and abs(self.time.ahead - believed) > 1:
            answer = self._insist(self._request_for_token)  # now the platform's time is known: it may be that
        data = answer.data()
        data = data if isinstance(data, Mapping) else {}
        token, lasts = data.get("access_token"), data.get("expires_in", 3600)
        if not (answer.fine and isinstance(token, str) and token.isascii() and token.isprintable() and token):
            msg = (
                f"{self.settings.file}: {self.settings.token_url} gives no token ({answer.said}); "
                "see that client_id, audience and the public key that is registered there are this tool's"
            )
            raise PushStoppedError(msg)
        # Where nothing is said of the scope, it is what was asked for (RFC 6749, 5.1).
        granted = data.get("scope")
        scopes = frozenset(granted.split() if isinstance(granted, str) else self.scopes)
        if SCORES not in scopes:
            msg = (
                "the platform does not let this tool send scores; turn on Assignment and Grade Services for "
                f"it there (the scope {SCORES})"
            )
            raise PushStoppedError(msg)
        lasts = float(lasts) if isinstance(lasts, int | float) else 3600.0
        early = min(_RENEW_BEFORE, lasts / 2)
        return _Token(token, scopes, self.clock.steady() + lasts - early)

    def _request_for_token(self) -> httpx.Request:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self.signer.assertion(self.time.now()),
            "scope": " ".join(self.scopes),
        }
        accept = {"Accept": "application/json"}
        return self._request("POST", self.settings.token_url, data=form, headers=accept)

    def _request(self, method: str, url: str, **more: Any) -> httpx.Request:
        import httpx

        try:
            return self.client.build_request(method, url, **more)
        except httpx.InvalidURL:
            msg = f"{url[:SAID]} is not an address; see to it in {self.settings.file}, and on the platform"
            raise PushStoppedError(msg) from None

    # One request, as often as it takes

    def _insist(self, request: Callable[[], httpx.Request], *, once: bool = False) -> Answer:
        """Return the first answer that is one; ``request`` makes the request, anew for each try."""
        again, silence = False, _Silence("")
        for number in range(TRIES):
            if number:
                self.clock.sleep(2.0 ** (number - 1) if silence.wait is None else silence.wait)
            found = self._once(request())
            if isinstance(found, _Silence):
                again, silence = again or found.doubtful, found
                if once and again:
                    raise UnansweredError(silence.why)
                continue
            # Should it repeat the token, nobody sees that.
            text = found.text.replace(self._token.text, "[token]") if self._token else found.text
            return Answer(found.status_code, found.headers, text, again)
        msg = f"{silence.why}, {TRIES} times"
        raise UnansweredError(msg)

    def _once(self, request: httpx.Request) -> httpx.Response | _Silence:
        import httpx

        self._pace()
        asked = self.clock.now()
        try:
            answer = self.client.send(request)
        except httpx.RequestError as error:
            return _lost(error)
        self.time.learn(answer.headers.get("Date"), asked)
        if answer.is_redirect:
            where = " ".join(answer.headers.get("Location", "").split())[:SAID]
            msg = (
                f"the platform sends us elsewhere ({answer.status_code}, {where}); put the address that it "
                f"has now into {self.settings.file}"
            )
            raise PushStoppedError(msg)
        return self._silence(answer) or answer

    def _silence(self, answer: httpx.Response) -> _Silence | None:
        """Return how an answer is none: "slower", or a fault of the platform."""
        slower = _too_fast(answer)
        if not (slower or answer.status_code >= 500 or answer.status_code == 408):
            return None
        wait = seconds_to_wait(answer.headers.get("Retry-After"), self.time.now())
        if wait is not None and wait > LONGEST_WAIT:
            msg = (
                f"the platform asks to be left alone for {wait:.0f} s ({answer.status_code}); run the same "
                "command again after that"
            )
            raise PushStoppedError(msg)
        why = "the platform is asked too often" if slower else "the platform has a fault"
        return _Silence(f"{why} ({answer.status_code})", wait, doubtful=not slower)

    def _pace(self) -> None:
        """Wait for one's turn."""
        if (early := self._next - self.clock.steady()) > 0:
            self.clock.sleep(early)
        self._next = self.clock.steady() + 1 / self.settings.requests_per_second


def same_place(url: str, address: str) -> str:
    """Return an address that the platform named at ``url``.

    Raises:
        PushStoppedError: it is on another host: the token is for this one.
    """
    try:
        found = urljoin(url, address)
        host = urlsplit(found)[:2]
    except ValueError:
        found, host = "", ("", "which is none")
    if host != urlsplit(url)[:2]:
        msg = f"{url} names an address on another host, {host[1][:SAID]}; nothing is sent there"
        raise PushStoppedError(msg)
    return found


def _lost(error: httpx.RequestError) -> _Silence:
    """Return what an error of the connection means; stop where it will always be the same."""
    import httpx

    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        msg = (
            f"the platform's certificate is not trusted ({' '.join(str(error).split())[:SAID]}); where the "
            "course has an authority of its own, name its file in the environment as SSL_CERT_FILE"
        )
        raise PushStoppedError(msg) from None
    slow = isinstance(error, httpx.TimeoutException)
    said = "the platform gave no answer in time" if slow else "the connection to the platform was lost"
    return _Silence(f"{said} ({type(error).__name__})")


def _too_fast(answer: httpx.Response) -> bool:
    """Return whether an answer means "slower": 429, and Canvas's 403 of old."""
    if answer.status_code == 403:
        return "rate limit exceeded" in answer.text[:200].casefold()
    return answer.status_code == 429


def open_client() -> httpx.Client:
    """Return an HTTP client that follows nobody elsewhere: a token is for one place.

    Raises:
        PushError: httpx is not installed.
    """
    try:
        import httpx
    except ImportError:
        raise missing_packages() from None
    from pytest_symmetry import __version__

    agent = {"User-Agent": f"pytest-symmetry/{__version__}"}
    return httpx.Client(timeout=httpx.Timeout(_SECONDS, connect=10.0), headers=agent, follow_redirects=False)
