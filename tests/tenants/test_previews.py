"""Preview tokens: whose they are, and until when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from rules.previews import PreviewTokenExpired, PreviewTokenInvalid
from rules.viewers import Viewer
from tenants import previews, signatures
from tenants.previews import read, signed
from tests.rules.test_previews import SHOWN

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
MOMENT = timedelta(seconds=1)
VIEWER = Viewer(
    tenant_id=uuid4(),
    session_id=None,
    account_id=uuid4(),
    staff_member_id=None,
    customer_id=uuid4(),
    price_list_id=None,
    currency="EUR",
    permissions=frozenset(),
)
TOKEN = signed(KEY, VIEWER, SHOWN, NOON)


@pytest.mark.parametrize("other", [{"tenant_id": uuid4()}, {"account_id": uuid4()}])
@pytest.mark.parametrize("now", [NOON - MOMENT, NOON + MOMENT])
def test_another_tenants_or_accounts_token_is_invalid_whether_expired_or_not(
    other: dict[str, object], now: datetime
) -> None:
    with pytest.raises(PreviewTokenInvalid):
        read(KEY, TOKEN, replace(VIEWER, **other), now=now)  # type: ignore[arg-type]


def test_a_token_says_what_was_shown_until_it_expires() -> None:
    assert read(KEY, TOKEN, VIEWER, now=NOON - MOMENT) == SHOWN
    for late in (timedelta(0), MOMENT):
        with pytest.raises(PreviewTokenExpired):
            read(KEY, TOKEN, VIEWER, now=NOON + late)


def test_a_token_with_any_letter_changed_is_invalid() -> None:
    for place in range(len(TOKEN)):
        other = "B" if TOKEN[place] != "B" else "C"
        with pytest.raises(PreviewTokenInvalid):
            read(KEY, TOKEN[:place] + other + TOKEN[place + 1 :], VIEWER, now=NOON - MOMENT)


def test_what_was_signed_with_another_key_or_for_another_purpose_is_invalid() -> None:
    body = signatures.opened(KEY, b"previews", TOKEN)
    assert body is not None
    for text in (signed(OTHER_KEY, VIEWER, SHOWN, NOON), signatures.signed(KEY, b"downloads", body)):
        with pytest.raises(PreviewTokenInvalid):
            read(KEY, text, VIEWER, now=NOON - MOMENT)


def test_a_token_from_another_version_of_the_server_is_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "_SHAPE", 0)
    with pytest.raises(PreviewTokenInvalid):
        read(KEY, TOKEN, VIEWER, now=NOON - MOMENT)


def test_a_thousand_lines_make_a_token_that_fits_into_a_request() -> None:
    line = SHOWN.lines[0]
    lines = tuple(
        replace(line, sku=f"SKU-{n:06d}", unit_price=f"{n}.37", amount=f"{n}.37") for n in range(1_000)
    )
    long = replace(SHOWN, lines=lines)
    text = signed(KEY, VIEWER, long, NOON)
    assert read(KEY, text, VIEWER, now=NOON - MOMENT) == long
    assert len(text) < 30_000
