"""Activation: one-time codes with which somebody who was given a user name sets the first password."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

from db.logins import Login
from db.portals import Portal
from rules.accounts import (
    CODE_ALPHABET,
    ActivationCodeExpired,
    ActivationCodeUsed,
    ActivationRefused,
    PortalClosed,
    code_normalized,
)

# 16 characters of 5 bits each: nobody guesses that, even without the throttle.
_LETTERS, _GROUP, _BITS = 16, 4, 5
# What codes are made for with the server's key, which also signs other things: see tenants/signatures.py.
_PURPOSE = b"activation"


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code as it is handed over, and as it is kept."""

    text: str
    hash: bytes


def new_code() -> NewCode:
    """A new code, like 7K2M-Q9XA-0D4T-WB3E, that is told once and known nowhere else."""
    return _code([secrets.choice(CODE_ALPHABET) for _ in range(_LETTERS)])


def mailed_code(key: bytes, account_id: UUID, notice_id: UUID) -> NewCode:
    """The code that a notice tells its account. Whoever has the server's key makes it anew from the ids, so it has
    not to be kept until the mail is sent (docs/decisions/0030)."""
    body = account_id.bytes + notice_id.bytes
    mac = hashlib.blake2b(body, key=key, person=_PURPOSE, digest_size=_LETTERS * _BITS // 8).digest()
    bits = int.from_bytes(mac, "big")
    return _code([CODE_ALPHABET[bits >> _BITS * at & len(CODE_ALPHABET) - 1] for at in range(_LETTERS)])


def _code(letters: list[str]) -> NewCode:
    text = "-".join("".join(letters[at : at + _GROUP]) for at in range(0, _LETTERS, _GROUP))
    return NewCode(text, code_hash(text))


def code_hash(code: str) -> bytes:
    """The SHA-256 of a code, however it was typed."""
    return hashlib.sha256(code_normalized(code).encode()).digest()


def check(portal: Portal, login: Login | None, code: str) -> Login:
    """The login, if the code is its own and still good.

    Raises ActivationRefused (unknown, wrong and inactive look alike), and only to whoever has the right code
    ActivationCodeUsed, ActivationCodeExpired, or PortalClosed for customers of a portal that is switched off.
    """
    kept = login.activation_code_hash if login is not None else None
    right = hmac.compare_digest(kept or b"", code_hash(code))
    if login is None or not right or not login.active:
        raise ActivationRefused
    if login.activation_used_at is not None:
        raise ActivationCodeUsed
    if login.activation_expired:
        raise ActivationCodeExpired
    if login.account_id is not None and not portal.open:
        raise PortalClosed
    return login
