"""What must hold, on real sockets: the server, the portal and the buyer of tests/server."""

import pytest

from rules import throttles
from tests.server.conftest import bea, live, portal

__all__ = ["bea", "live", "portal"]


@pytest.fixture
def many_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """More is asked than one address may try, or than a name may be tried."""
    for bucket in ("NAME_AT_ADDRESS", "ADDRESS", "NAME"):
        monkeypatch.setattr(throttles, bucket, throttles.Bucket(capacity=10_000, refill_seconds=1))
