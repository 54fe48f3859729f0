"""Cursors: opaque positions, signed: one that was changed is refused rather than answered from elsewhere."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

import orjson

from rules.pages import InvalidCursor

_MAC_BYTES = 8


def sealed(cursor_key: bytes, list_name: Sequence[str], position: Sequence[Any]) -> str:
    """The cursor of a position in a list."""
    body = orjson.dumps([*list_name, *position], default=str)  # the driver's UUIDs are a subclass
    return base64.urlsafe_b64encode(_mac(cursor_key, body) + body).decode()


def opened(
    cursor_key: bytes, list_name: Sequence[str], length: int, cursor: str | None, *path: str
) -> list[Any] | None:
    """The position of so many values in a cursor, as JSON has them; None without one. Raises InvalidCursor for what
    is none of this list."""
    if cursor is None:
        return None
    try:
        raw = base64.b64decode(cursor, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidCursor(path=path) from error
    mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(cursor_key, body)):
        raise InvalidCursor(path=path)
    values: list[Any] = orjson.loads(body)
    position = values[len(list_name) :]
    if values[: len(list_name)] != [*list_name] or len(position) != length:
        raise InvalidCursor(path=path)
    return position


def _mac(cursor_key: bytes, body: bytes) -> bytes:
    return hashlib.blake2b(body, key=cursor_key, digest_size=_MAC_BYTES).digest()
