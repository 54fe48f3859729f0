"""Origins: what a page of another host may be known by."""

import pytest

from rules.origins import OriginInvalid, origin


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("https://shop.example.com", "https://shop.example.com"),
        (" HTTPS://Shop.Example.COM ", "https://shop.example.com"),
        ("https://shop.example.com:443", "https://shop.example.com"),
        ("https://shop.example.com:8443", "https://shop.example.com:8443"),
        ("https://xn--grohandel-shb.example", "https://xn--grohandel-shb.example"),
        ("http://localhost:5173", "http://localhost:5173"),
        ("http://harbour.localhost:80", "http://harbour.localhost"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
    ],
)
def test_an_origin_is_kept_as_browsers_send_it(said: str, kept: str) -> None:
    assert origin(said) == kept
    assert origin(kept) == kept


@pytest.mark.parametrize(
    "said",
    [
        "",
        "*",
        "null",
        "shop.example.com",
        "https://*",
        "https://*.example.com",
        "https://",
        "http://shop.example.com",
        "http://localhost.example.com",
        "http://notlocalhost",
        "http://10.0.0.1",
        "https://10.0.0.1",
        "https://[::1]",
        "https://shop.example.com/",
        "https://shop.example.com/page",
        "https://shop.example.com?x",
        "https://shop.example.com#x",
        "https://user@shop.example.com",
        "https://shop.example.com:",
        "https://shop.example.com:0",
        "https://shop.example.com:65536",
        "https://shop.example.com.",
        "https://shöp.example",
        "https://a b.example",
        "https://a.example, https://b.example",
        "https://a.example\nhttps://b.example",
        "ftp://shop.example.com",
        "chrome-extension://abc",
        "x" * 10_000,
    ],
)
def test_anything_else_is_none(said: str) -> None:
    with pytest.raises(OriginInvalid) as refused:
        origin(said, "origins", "0")
    assert refused.value.path == ("origins", "0")
    assert len(refused.value.message()) < 500
