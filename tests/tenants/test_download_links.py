"""Signed links: what was changed, is another tenant's or has expired gives nothing."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.broken import Language
from rules.downloads import DownloadExpired, DownloadFormat, DownloadUnknown
from tenants.downloads import Link, read, signed

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
LINK = Link(
    report="order-statement",
    filter={"from_": "2026-01-01", "sku": "Größe & Form"},
    format=DownloadFormat.XLSX,
    language=Language.GERMAN,
    tenant_id=uuid4(),
    session_id=uuid4(),
    expires_at=NOON,
)


def test_a_link_is_read_as_it_was_signed() -> None:
    assert read(KEY, signed(KEY, LINK), LINK.tenant_id, now=NOON - MOMENT) == LINK


def test_another_tenants_link_is_unknown_even_when_it_has_expired() -> None:
    for now in (NOON - MOMENT, NOON):
        with pytest.raises(DownloadUnknown):
            read(KEY, signed(KEY, LINK), uuid4(), now=now)


@pytest.mark.parametrize("late", [timedelta(0), MOMENT, timedelta(days=1_000)])
def test_a_link_has_expired_from_its_moment_on(late: timedelta) -> None:
    with pytest.raises(DownloadExpired):
        read(KEY, signed(KEY, LINK), LINK.tenant_id, now=NOON + late)


def test_a_link_with_any_character_changed_is_unknown() -> None:
    whole = signed(KEY, LINK)
    for place, character in enumerate(whole):
        for other in {"A", "B", "_", "-", "=", "9"} - {character}:
            with pytest.raises(DownloadUnknown):
                read(KEY, whole[:place] + other + whole[place + 1 :], LINK.tenant_id, now=NOON - MOMENT)


def test_a_link_with_any_byte_changed_is_unknown() -> None:
    whole = signed(KEY, LINK)
    raw = base64.urlsafe_b64decode(whole + "=" * (-len(whole) % 4))
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        text = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
        with pytest.raises(DownloadUnknown):
            read(KEY, text, LINK.tenant_id, now=NOON - MOMENT)


@pytest.mark.parametrize("text", ["", "=", "A", "AAAA", "ü", "null", "A" * 5_000, "\x00"])
def test_what_is_no_link_is_unknown(text: str) -> None:
    with pytest.raises(DownloadUnknown):
        read(KEY, text, LINK.tenant_id, now=NOON)


def test_a_link_with_more_or_less_to_it_is_unknown() -> None:
    whole = signed(KEY, LINK)
    for text in (whole + "=", whole + "A", whole + "AAAA", whole[:-1], whole[:-4], f" {whole}", f"{whole}\n"):
        with pytest.raises(DownloadUnknown):
            read(KEY, text, LINK.tenant_id, now=NOON - MOMENT)


def test_a_link_signed_with_another_key_is_unknown() -> None:
    with pytest.raises(DownloadUnknown):
        read(KEY, signed(OTHER_KEY, LINK), LINK.tenant_id, now=NOON - MOMENT)


@given(st.text())
def test_no_text_is_a_link_by_chance(text: str) -> None:
    with pytest.raises(DownloadUnknown):
        read(KEY, text, LINK.tenant_id, now=NOON)
