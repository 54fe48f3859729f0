"""Portals: slugs, host names and currencies."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.portals import (
    CurrencyInvalid,
    HostInvalid,
    HostReserved,
    HostTaken,
    SlugInvalid,
    SlugTaken,
    check_currency,
    check_not_reserved,
    check_slug,
    host_name,
)

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
HOST = st.lists(LABEL, min_size=1, max_size=5).map(".".join)


@pytest.mark.parametrize("slug", ["a", "harbour", "portal-7", "a" * 63, "a-"])
def test_letters_digits_and_hyphens_make_a_slug(slug: str) -> None:
    check_slug(slug, "slug")


@pytest.mark.parametrize(
    "slug",
    ["", "A", "7up", "-a", "a" * 64, "a b", "a_b", "a.b", "a/b", "ä", "a\n", " a", "a\u0430", "\u0661a"],
)
def test_anything_else_makes_none(slug: str) -> None:
    with pytest.raises(SlugInvalid) as refused:
        check_slug(slug, "slug")
    assert refused.value.path == ("slug",)


@pytest.mark.parametrize(
    "currency", ["", "eur", "EU", "EURO", "EU1", "E R", "EUR\n", "ÄÖÜ", "\uff25\uff35\uff32"]
)
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    check_currency("EUR", "currency")
    with pytest.raises(CurrencyInvalid) as refused:
        check_currency(currency, "currency")
    assert refused.value.path == ("currency",)


def test_no_currency_is_not_a_wrong_one() -> None:
    check_currency(None, "currency")


@given(HOST.filter(lambda host: not host.replace(".", "").isdigit()))
def test_a_host_name_is_kept_in_lower_case_without_outer_space_or_last_dot(host: str) -> None:
    assert host_name(host) == host
    assert host_name(f" {host.upper()}.\n") == host


@given(st.text(max_size=300))
def test_whatever_becomes_a_host_name_is_one_and_stays_itself(text: str) -> None:
    with suppress(HostInvalid):
        name = host_name(text)
        assert host_name(name) == name == name.lower()
        assert 0 < len(name) <= 253
        assert all(0 < len(label) <= 63 for label in name.split("."))


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "a..b",
        ".a",
        "-a.example",
        "a-.example",
        "a b.example",
        "a.example:8000",
        "http://a.example",
        "a.example/x",
        "*.example",
        "münchen.example",
        f"{'a' * 64}.example",
        ".".join(["abcdefg"] * 32),
    ],
)
def test_what_no_request_can_ask_for_is_no_host_name(host: str) -> None:
    with pytest.raises(HostInvalid) as refused:
        host_name(host, "hosts", "0")
    assert refused.value.path == ("hosts", "0")
    assert refused.value.host == host[:253]


@pytest.mark.parametrize("host", ["localhost", "1.example", "xn--mnchen-3ya.example", f"{'a' * 63}.example"])
def test_names_of_every_usual_shape_are_host_names(host: str) -> None:
    assert host_name(host) == host


@given(st.lists(st.integers(0, 999), min_size=1, max_size=5))
def test_an_address_is_no_name(numbers: list[int]) -> None:
    with pytest.raises(HostInvalid):
        host_name(".".join(map(str, numbers)))


@pytest.mark.parametrize("host", ["kontor.example", "nord.kontor.example", "a.harbour.kontor.example"])
def test_below_the_services_domain_a_portal_has_its_own_name_alone(host: str) -> None:
    check_not_reserved("harbour.kontor.example", "harbour", "kontor.example")
    check_not_reserved("notkontor.example", "harbour", "kontor.example")
    with pytest.raises(HostReserved) as refused:
        check_not_reserved(host, "harbour", "kontor.example", "hosts", "0")
    assert refused.value.path == ("hosts", "0")


def test_what_is_taken_is_named() -> None:
    assert "harbour" in SlugTaken(slug="harbour").message()
    assert "shop.example" in HostTaken(host="shop.example").message()
