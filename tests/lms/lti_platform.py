"""A learning platform on 127.0.0.1 that refuses what Moodle refuses, with faults to order.

Its rules are those of Moodle's ``token.php``, ``lineitems.php``, ``scores.php`` and ``results.php``, and of
AGS 2.0 where Moodle is laxer: no second ``jti``, the audience, the words of the two progress fields.
"""

import base64
import hashlib
import json
import re
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

MEMBERS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
TYPE = "5"
ACTIVITY = ("Initialized", "Started", "InProgress", "Submitted", "Completed")
GRADING = ("FullyGraded", "Pending", "PendingManual", "Failed", "NotReady")
SITE_ZONE = timezone(timedelta(hours=8))  # Moodle's default, Australia/Perth
ISO = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})?")


def make_key(bits=2048):
    """Return a private key and its PEM text."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return key, pem.decode()


@dataclass
class Clock:
    """Time that passes only where somebody waits, or a request is answered."""

    time: float = datetime(2026, 11, 22, 11, 0, tzinfo=UTC).timestamp()
    waits: list = field(default_factory=list)

    def now(self):
        return self.time

    steady = now

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.time += seconds


@dataclass
class Exchange:
    """One question and its answer."""

    method: str
    path: str
    headers: dict
    body: str
    status: int = 0
    answered: dict = field(default_factory=dict)
    answer: str = ""


class _RefusedError(Exception):
    def __init__(self, status, reason=""):
        self.status, self.reason = status, reason


class Platform:
    """The platform: what it knows, and how it answers. Use it as a context manager."""

    def __init__(self, public_key, clock, client_id="tool-1", users=()):
        self.public_key, self.clock, self.client_id = public_key, clock, client_id
        self.users = set(users)
        self.ahead = 0.0  # of the client's clock, in seconds
        self.takes = 0.02  # seconds of the clock that an answer takes
        self.lasts = 3600
        self.page = 0  # line items on a page; 0 for all
        self.permitted = {AGS + "lineitem", AGS + "score", AGS + "result.readonly", MEMBERS}
        self.tokens, self.seen = {}, set()
        self.items, self.grades = {}, {}
        self.members = []
        self.stored = Counter()  # how often each (item, user, score, of) was stored
        self.exchanges = []
        self.fault = lambda exchange: None
        self._lock = threading.Lock()

    def __enter__(self):
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                platform.handle(self)

            def do_POST(self):
                platform.handle(self)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    # What tests look at

    @property
    def root(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def token_url(self):
        return f"{self.root}/mod/lti/token.php"

    @property
    def lineitems_url(self):
        return f"{self.root}/mod/lti/services.php/2/lineitems?type_id={TYPE}"

    @property
    def memberships_url(self):
        return f"{self.root}/mod/lti/services.php/CourseSection/2/bindings/{TYPE}/memberships"

    def item_url(self, number):
        return f"{self.root}/mod/lti/services.php/2/lineitems/{number}/lineitem?type_id={TYPE}"

    def add_item(self, label="A tiny assignment", maximum=6, resource="tiny", tag=""):
        """Make a line item and return its number."""
        number = 7 + len(self.items)
        item = {"id": self.item_url(number), "label": label, "scoreMaximum": maximum, "resourceId": resource}
        self.items[number] = {**item, "tag": tag}
        return number

    def now(self):
        return self.clock.now() + self.ahead

    def moment(self, seconds):
        """Return the platform's time in so many seconds."""
        return datetime.fromtimestamp(int(self.now() + seconds), UTC)

    def asked(self, method, ending):
        """Return the exchanges of a method whose path ends so."""
        return [e for e in self.exchanges if e.method == method and urlsplit(e.path).path.endswith(ending)]

    # Answering

    def handle(self, handler):
        length = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(length).decode()
        exchange = Exchange(handler.command, handler.path, dict(handler.headers.items()), body)
        with self._lock:
            self.clock.time += self.takes
            self.exchanges.append(exchange)
            fault = self.fault(exchange)
            if fault is None or fault.after:
                status, headers, answer = self.respond(exchange)
            if fault is not None and fault.drop:
                handler.close_connection = True
                return
            if fault is not None:
                status, headers, answer = fault.status, fault.headers, fault.body
                if status == 401:
                    self.tokens.clear()
            exchange.status, exchange.answered, exchange.answer = status, headers, answer
            date = format_datetime(datetime.fromtimestamp(int(self.now()), UTC), usegmt=True)
        raw = answer.encode()
        handler.send_response_only(status)
        for name, value in {"Date": date, **headers, "Content-Length": str(len(raw))}.items():
            # Moodle puts the quotation marks of a book into a header, as UTF-8.
            handler._headers_buffer.append(f"{name}: {value}\r\n".encode())
        handler.end_headers()
        handler.wfile.write(raw)

    def respond(self, exchange):
        """Return status, headers and body."""
        parts = urlsplit(exchange.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        where = re.fullmatch(r"/mod/lti/services\.php/2/lineitems(?:/(\d+)/lineitem(?:/(\w+))?)?", parts.path)
        try:
            if parts.path == "/mod/lti/token.php":
                return self._token(exchange)
            if parts.path == "/mod/lti/services.php/CourseSection/2/bindings/5/memberships":
                return self._memberships(exchange, query)
            if where is None:
                raise _RefusedError(404, "No handler found for this path")
            if query.get("type_id") != TYPE:
                raise _RefusedError(403, "no type")
            number, what = where.groups()
            if number is None:
                return self._line_items(exchange, query)
            if what == "scores":
                return self._score(exchange, int(number))
            if what == "results":
                return self._results(exchange, int(number), query)
            raise _RefusedError(405)
        except _RefusedError as refused:
            about = {"method": exchange.method, "url": exchange.path}
            said = {"status": refused.status, "reason": refused.reason, "request": about}
            return refused.status, {"Content-Type": "application/json"}, json.dumps(said)

    def _token(self, exchange):
        form = {name: values[0] for name, values in parse_qs(exchange.body).items()}
        kind = exchange.headers.get("Content-Type", "").partition(";")[0]
        try:
            if exchange.method != "POST" or kind != "application/x-www-form-urlencoded":
                raise _RefusedError(400, "invalid_request")
            if form.get("grant_type") != "client_credentials" or form.get("client_assertion_type") != (
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            ):
                raise _RefusedError(400, "unsupported_grant_type")
            self._believe(form.get("client_assertion", ""))
            scopes = set(form.get("scope", "").split()) & self.permitted
            if not scopes:
                raise _RefusedError(400, "invalid_scope")
        except _RefusedError as refused:
            return 400, {"Content-Type": "application/json"}, json.dumps({"error": refused.reason})
        token = hashlib.md5(f"{len(self.seen)}-{self.client_id}".encode()).hexdigest()
        self.tokens[token] = (self.now() + self.lasts, scopes)
        said = {"access_token": token, "token_type": "Bearer", "expires_in": self.lasts}
        said["scope"] = " ".join(sorted(scopes))
        return 200, {"Content-Type": "application/json"}, json.dumps(said)

    def _believe(self, assertion):
        """Refuse an assertion that is not ours, not for us, not for now, or not new."""
        try:
            head, claims, signature = assertion.split(".")
            header, data = (json.loads(_decoded(part)) for part in (head, claims))
            signed = f"{head}.{claims}".encode()
            self.public_key.verify(_decoded(signature), signed, padding.PKCS1v15(), hashes.SHA256())
        except (ValueError, InvalidSignature):
            raise _RefusedError(400, "invalid_client") from None
        now = self.now()
        fine = [
            header["alg"] == "RS256",
            data["iss"] == data["sub"] == self.client_id,
            data["aud"] == self.token_url,
            data["iat"] <= now < data["exp"] <= data["iat"] + 3600,
            isinstance(data["jti"], str) and data["jti"] not in self.seen,
        ]
        if not all(fine):
            raise _RefusedError(400, "invalid_client")
        self.seen.add(data["jti"])

    def _allow(self, exchange, *scopes):
        kind, _, token = exchange.headers.get("Authorization", "").partition(" ")
        until, granted = self.tokens.get(token, (0, set()))
        if kind != "Bearer" or self.now() >= until or not granted & {*scopes, *(AGS + s for s in scopes)}:
            raise _RefusedError(401)

    def _line_items(self, exchange, query):
        if exchange.method == "POST":
            self._allow(exchange, "lineitem")
            if exchange.headers.get("Content-Type") != "application/vnd.ims.lis.v2.lineitem+json":
                raise _RefusedError(400, "No context or unsupported content type")
            data = _strictly(exchange.body)
            if not data or "label" not in data or not _is_number(data.get("scoreMaximum")):
                raise _RefusedError(400, "No label or Score Maximum")
            number = self.add_item(
                data["label"], data["scoreMaximum"], data.get("resourceId", ""), data.get("tag", "")
            )
            said = {**data, "id": self.item_url(number)}
            return 201, {"Content-Type": "application/vnd.ims.lis.v2.lineitem+json"}, json.dumps(said)
        self._allow(exchange, "lineitem", "lineitem.readonly")
        kind = "application/vnd.ims.lis.v2.lineitemcontainer+json"
        if exchange.headers.get("Accept") != kind:
            raise _RefusedError(400, "No context or unsupported content type")
        found = list(self.items.values())
        for name, asked in (("resourceId", query.get("resource_id")), ("tag", query.get("tag"))):
            found = [item for item in found if asked is None or item[name] == asked]
        start, headers = int(query.get("from", 0)), {"Content-Type": kind}
        if self.page:
            if start + self.page < len(found):
                base = exchange.path.partition("&from=")[0]
                first = f"<{self.root}{base}&from=0>; rel=“first”"
                headers["Link"] = f"{first}, <{self.root}{base}&from={start + self.page}>; rel=“next”"
            found = found[start : start + self.page]
        return 200, headers, json.dumps(found)

    def _memberships(self, exchange, query):
        self._allow(exchange, MEMBERS)
        kind = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
        if exchange.method != "GET" or exchange.headers.get("Accept") != kind:
            raise _RefusedError(400, "Invalid request")
        start, headers = int(query.get("from", 0)), {"Content-Type": kind}
        size = self.page or len(self.members)
        if start + size < len(self.members):
            headers["Link"] = f'<{self.memberships_url}?from={start + size}>; rel="next"'
        said = {"id": self.memberships_url, "members": self.members[start : start + size]}
        return 200, headers, json.dumps(said)

    def _score(self, exchange, item):
        if exchange.method != "POST":
            raise _RefusedError(405, "GET requests are not allowed.")
        self._allow(exchange, "score")
        if exchange.headers.get("Content-Type") != "application/vnd.ims.lis.v1.score+json":
            raise _RefusedError(400)
        if item not in self.items:
            raise _RefusedError(404, f"Not Found: Grade item {item} doesn't exist.")
        score = _strictly(exchange.body)
        if not self._is_score(score):
            raise _RefusedError(400, f"Incorrect score received{exchange.body}")
        moment = datetime.fromisoformat(score["timestamp"])
        moment = moment if moment.tzinfo else moment.replace(tzinfo=SITE_ZONE)
        second, user = int(moment.timestamp()), str(score["userId"])
        before = self.grades.get((item, user))
        if before is not None and before["second"] >= second:
            said = f"Refusing score with an earlier timestamp for item {item} and user {user}"
            raise _RefusedError(409, said)
        given, most = score.get("scoreGiven"), score.get("scoreMaximum", 1)
        if given is not None and score["gradingProgress"] == "FullyGraded":
            points = min(max(given / most, 0.0), 1.0) * self.items[item]["scoreMaximum"]
            points = round(points, 5)
        else:
            points = None  # what was there is gone
        self.grades[item, user] = {"points": points, "second": second, "comment": score.get("comment")}
        self.stored[item, user, given, most] += 1
        return 200, {"Content-Type": "application/vnd.ims.lis.v1.score+json"}, "[]"

    def _is_score(self, score):
        if not isinstance(score, dict):
            return False
        given, most, moment = score.get("scoreGiven"), score.get("scoreMaximum"), score.get("timestamp")
        return (
            isinstance(score.get("userId"), str)
            and score["userId"] in self.users
            and isinstance(moment, str)
            and ISO.fullmatch(moment) is not None
            and score.get("activityProgress") in ACTIVITY
            and score.get("gradingProgress") in GRADING
            and (given is None or _is_number(given))
            and (most is None or (_is_number(most) and most > 0))
            and (given is None or most is not None)
        )

    def _results(self, exchange, item, query):
        if exchange.method != "GET":
            raise _RefusedError(405)
        self._allow(exchange, "result.readonly")
        kind = "application/vnd.ims.lis.v2.resultcontainer+json"
        if exchange.headers.get("Accept") != kind:
            raise _RefusedError(400, "Invalid request made.")
        if item not in self.items:
            raise _RefusedError(404, f"Not Found: Grade item {item} doesn't exist.")
        found = []
        for (where, user), grade in self.grades.items():
            if where != item or query.get("user_id", user) != user:
                continue
            address = self.item_url(item).replace("?", f"/results?user_id={user}&")
            result = {"id": address, "userId": user, "resultMaximum": self.items[item]["scoreMaximum"]}
            if grade["points"] is not None:
                result["resultScore"] = grade["points"]
            if grade["comment"] is not None:
                result["comment"] = grade["comment"]
            found.append(result)
        return 200, {"Content-Type": kind}, json.dumps(found)


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one answer; ``after``: once the platform has done what was asked."""

    status: int = 0
    headers: dict = field(default_factory=dict)
    body: str = ""
    after: bool = False
    drop: bool = False


def _decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _strictly(text):
    """Return JSON as PHP reads it: no NaN."""
    try:
        return json.loads(text, parse_constant=lambda constant: 1 / 0)
    except (ValueError, ZeroDivisionError):
        return None


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)
