"""Signatures: texts that the server gives away and knows again, unchanged."""

import base64
import binascii
import hashlib
import hmac

_MAC_BYTES = 32


def signed(key: bytes, purpose: bytes, body: bytes) -> str:
    """The body with its signature, as a text that stands in an address. What is signed for one purpose is nothing
    for another, nor a cursor, which has the same key."""
    return base64.urlsafe_b64encode(_mac(key, purpose, body) + body).rstrip(b"=").decode()


def opened(key: bytes, purpose: bytes, text: str) -> bytes | None:
    """The body that was signed for this purpose; None for any other text."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    whole = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    if whole != text or not hmac.compare_digest(mac, _mac(key, purpose, body)):
        return None
    return body


def _mac(key: bytes, purpose: bytes, body: bytes) -> bytes:
    return hashlib.blake2b(body, key=key, person=purpose, digest_size=_MAC_BYTES).digest()
