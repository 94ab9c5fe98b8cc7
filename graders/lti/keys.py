"""The private key, from a file or the environment, and the assertion that it signs. It is never printed."""

from __future__ import annotations

import os
import stat
import uuid
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graders.lti.settings import PushError, Settings, wrong

if TYPE_CHECKING:
    from pathlib import Path

    from joserfc.jwk import RSAKey

_BITS = 2048
_EARLIER = 10
"""Seconds that an assertion is dated back, for platforms that allow no clock to be ahead of theirs."""

_LASTS = 300


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs as the tool that is registered at the platform."""

    client_id: str
    audience: str
    key_id: str
    key: RSAKey = field(repr=False)

    def assertion(self, now: float) -> str:
        """Return a JWT by which the platform knows the tool (RFC 7523; 1EdTech Security Framework 1.0, 4.1).

        ``now`` is the platform's time in seconds; no two assertions have the same ``jti``.
        """
        from joserfc import jwt

        header = {"alg": "RS256", "typ": "JWT", **({"kid": self.key_id} if self.key_id else {})}
        issued = int(now) - _EARLIER
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.audience,
            "iat": issued,
            "exp": issued + _LASTS,
            "jti": uuid.uuid4().hex,
        }
        return jwt.encode(header, claims, self.key, algorithms=["RS256"])


def read_signer(settings: Settings) -> Signer:
    """Read the private key that the settings name.

    Raises:
        PushError: it is missing, others may read its file, or it is not an RSA private key of 2048 bits or
            more; or a package is missing.
    """
    key, text = _text(settings)
    imported = _imported(text, settings.file, key)
    return Signer(settings.client_id, settings.audience, settings.key_id, imported)


def _text(settings: Settings) -> tuple[str, str]:
    """Return the key of the settings that says where, and what is there."""
    if settings.key_env:
        text = os.environ.get(settings.key_env, "")
        if not text:
            problem = f"there is no environment variable {settings.key_env}, or it is empty"
            raise wrong(settings.file, "key_env", problem)
        return "key_env", text
    path = settings.file.parent / settings.key_file
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            _require_private(settings.file, path, mode)
            return "key_file", file.read(1 << 16).decode("utf-8", "replace")
    except OSError as error:
        raise wrong(settings.file, "key_file", f"{path} cannot be read: {error.strerror}") from None


def _require_private(file: Path, path: Path, mode: int) -> None:
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise wrong(file, "key_file", f"others may read or write {path}; run `chmod 600 {path}`")


def _imported(text: str, file: Path, key: str) -> RSAKey:
    try:
        from joserfc.jwk import RSAKey
    except ImportError:
        raise missing_packages() from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of short keys; they are refused below
            found = RSAKey.import_key(text)
        private, bits = found.is_private, found.public_key.key_size
    except Exception:  # noqa: BLE001 - whatever it is, none of its words are shown: they may hold the key
        raise wrong(file, key, _problem(text)) from None
    if not private and "PUBLIC" in text:
        raise wrong(file, key, "it holds the public key; the private one is needed here")
    if not private:  # joserfc 1.0 takes a private key of another kind for a public one
        raise wrong(file, key, _problem(text))
    if bits < _BITS:
        raise wrong(file, key, f"the key has {bits} bits, but must have {_BITS} or more; make a new one")
    return found


def _problem(text: str) -> str:
    if "ENCRYPTED" in text:
        return "the key is locked with a password; store it without one, in a file that only you can read"
    return "it holds no RSA private key in PEM form (-----BEGIN PRIVATE KEY-----)"


def missing_packages() -> PushError:
    """Return the error that says how to install what is needed."""
    return PushError(
        "`symmetry push` needs httpx and joserfc; install them with "
        'python -m pip install "pytest-symmetry[grade]"'
    )
