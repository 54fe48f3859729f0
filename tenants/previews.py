"""Previews: a signed token that says what an account was shown, and until when that holds."""

import zlib
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson

from rules.previews import PREVIEW_SECONDS, PreviewTokenExpired, PreviewTokenInvalid, Shown, ShownLine
from rules.viewers import Viewer
from tenants import signatures

_PURPOSE = b"previews"
# Of what is in a token. One of another shape, from another version of the server, is not understood.
_SHAPE = 1


def expiry() -> datetime:
    """Until when a preview that is made now holds."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=PREVIEW_SECONDS)


def signed(key: bytes, viewer: Viewer, shown: Shown, expires_at: datetime) -> str:
    """The token of a preview."""
    until = int(expires_at.timestamp())
    body = [_SHAPE, str(viewer.tenant_id), str(viewer.account_id), until, asdict(shown)]
    return signatures.signed(key, _PURPOSE, zlib.compress(orjson.dumps(body)))


def read(key: bytes, text: str, viewer: Viewer, *, now: datetime) -> Shown:
    """What the viewer was shown.

    Raises PreviewTokenInvalid (changed, or another's: which, is not told) and PreviewTokenExpired.
    """
    body = signatures.opened(key, _PURPOSE, text)
    if body is None:
        raise PreviewTokenInvalid(path=("previewToken",))
    shape, tenant_id, account_id, until, told = orjson.loads(zlib.decompress(body))
    theirs = UUID(tenant_id), UUID(account_id)
    if shape != _SHAPE or theirs != (viewer.tenant_id, viewer.account_id):
        raise PreviewTokenInvalid(path=("previewToken",))
    if until <= now.timestamp():
        raise PreviewTokenExpired(path=("previewToken",))
    return Shown(**told | {"lines": tuple(ShownLine(**each) for each in told["lines"])})
