"""Webhooks: to which addresses may be sent, and how often that is tried."""

import ipaddress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.broken import BrokenRule, InvalidInput
from rules.events import Event
from rules.permissions import Permission
from rules.webhooks import (
    MOST_ATTEMPTS,
    PAUSES,
    PermissionNotHeld,
    WebhookEventsMissing,
    WebhookUrlInvalid,
    check_events,
    check_held,
    delivered,
    is_failing,
    is_public,
    pause_after,
    target,
    wants_no_more,
)

PRIVATE = [
    "fec0::1",
    "4000::1",
    "127.0.0.1",
    "127.8.9.1",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "0.1.2.3",
    "100.64.0.1",
    "198.18.0.1",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "ff02::1",
    "fe80::1%eth0",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "2001:db8::1",
]
PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"]

REFUSED = [
    "",
    "erp.example",
    "http://erp.example/hook",
    "ftp://erp.example/hook",
    "file:///etc/passwd",
    "https://",
    "https:///hook",
    "https://user@erp.example/hook",
    "https://user:password@erp.example/hook",
    "https://erp.example@127.0.0.1/hook",
    "https://erp.example/hook#part",
    "https://erp.example:22/hook",
    "https://erp.example:80/hook",
    "https://erp.example:99999/hook",
    "https://erp.example:x/hook",
    "https://localhost/hook",
    "https://erp.localhost/hook",
    "https://erp.local/hook",
    "https://metadata.google.internal/hook",
    "https://erp/hook",
    "https://erp.example./../hook\r\nx: y",
    "https://erp.example/a b",
    "https://erp.example\\@127.0.0.1/",
    "https://erp.example/gr\u00fcn",
    "https://2130706433/hook",
    "https://0x7f000001/hook",
    "https://0177.0.0.1/hook",
    "https://127.1/hook",
    "https://0x7f.1/hook",
    "https://127.0.0.1./hook",
    "https://\u2460\u2461\u2466.0.0.1/hook",
    "https://\u217cocalhost/hook",
    "https://[::1",
    "https://[::1%25lo]/hook",
    "https://[v1.a]/hook",
    *(f"https://{each}/hook" for each in PRIVATE if ":" not in each),
    *(f"https://[{each}]/hook" for each in PRIVATE if ":" in each and "%" not in each),
    f"https://erp.example/{'x' * 2_000}",
]


@pytest.mark.parametrize("url", REFUSED)
def test_nothing_is_sent_to_such_an_address(url: str) -> None:
    with pytest.raises(WebhookUrlInvalid) as refused:
        target(url, private=False)
    assert len(refused.value.message()) < 2_500


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://erp.example", "erp.example", 443, "/"),
        ("https://ERP.example:8443/hook?a=b", "erp.example", 8443, "/hook?a=b"),
        ("https://gr\u00fcn.example/", "xn--grn-ioa.example", 443, "/"),
        ("https://93.184.216.34/", "93.184.216.34", 443, "/"),
        ("https://[2606:2800:220:1:248:1893:25c8:1946]/x", "2606:2800:220:1:248:1893:25c8:1946", 443, "/x"),
        ("https://127.0.0.1.nip.example/", "127.0.0.1.nip.example", 443, "/"),
    ],
)
def test_the_parts_of_an_address_to_which_may_be_sent(url: str, host: str, port: int, path: str) -> None:
    found = target(url, private=False)
    assert (found.scheme, found.host, found.port, found.path) == ("https", host, port, path)


def test_private_addresses_and_http_may_be_let_pass_and_user_names_never() -> None:
    assert target("http://127.0.0.1:8000/hook", private=True).port == 8000
    assert target("http://localhost/hook", private=True).port == 80
    for url in ("http://user@localhost/", "ftp://localhost/", "localhost"):
        with pytest.raises(WebhookUrlInvalid):
            target(url, private=True)


@given(st.text(max_size=60) | st.text(max_size=40).map(lambda text: f"https://{text}"))
def test_whatever_somebody_writes_is_an_address_or_refused(url: str) -> None:
    for private in (False, True):
        try:
            found = target(url, private=private)
        except WebhookUrlInvalid:
            continue
        assert found.host
        assert found.path.isascii()


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_is_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_no_way_to_write_an_address_makes_a_private_one_public(address: ipaddress.IPv4Address) -> None:
    if not is_public(str(address)):
        number = int(address)
        for six in (
            number,
            (0xFFFF << 32) + number,
            (0x64FF9B << 96) + number,
            (0x2002 << 112) + (number << 80),
        ):
            assert not is_public(str(ipaddress.IPv6Address(six)))


def test_pauses_grow_and_end() -> None:
    waited = [pause_after(tries, factor=1, chance=0) for tries in range(1, MOST_ATTEMPTS)]
    assert waited == list(PAUSES) == sorted(PAUSES)
    assert pause_after(MOST_ATTEMPTS, factor=1, chance=0) is None
    assert timedelta(days=2) < sum(PAUSES, timedelta()) < timedelta(days=4)
    assert pause_after(2, factor=0.5, chance=1) == PAUSES[1] * 0.6


@pytest.mark.parametrize(
    ("status", "taken"),
    [(200, True), (204, True), (299, True), (302, False), (410, False), (500, False), (None, False)],
)
def test_only_2xx_means_that_it_was_taken(status: int | None, taken: bool) -> None:
    assert delivered(status) is taken
    assert wants_no_more(status) is (status == 410)


def test_a_webhook_that_has_only_failed_for_long_is_failing() -> None:
    days = timedelta(days=5)
    assert is_failing(days, patience=days)
    assert not is_failing(timedelta(days=4), patience=days)
    assert not is_failing(None, patience=days)


def test_a_webhook_is_there_for_something_and_tests_come_by_themselves() -> None:
    check_events(None)
    check_events([Event.ORDER_PLACED])
    with pytest.raises(WebhookEventsMissing):
        check_events([])
    with pytest.raises(InvalidInput) as refused:
        check_events([Event.ORDER_PLACED, Event.WEBHOOK_TEST], "events")
    assert refused.value.path == ("events", "1")


def test_a_webhook_may_do_nothing_that_who_makes_it_may_not() -> None:
    check_held([Permission.ORDERS_READ], {Permission.ORDERS_READ, Permission.AUDIT_READ})
    with pytest.raises(PermissionNotHeld, match="balances:read"):
        check_held([Permission.BALANCES_READ], {Permission.ORDERS_READ})


def test_each_rule_reads_in_both_languages() -> None:
    rules: list[BrokenRule] = [WebhookUrlInvalid(what="x"), PermissionNotHeld(word="x")]
    for rule in rules:
        assert "x" in rule.message()
