"""The money's way of docs/bookkeeping.md, executed."""

import httpx
import pytest

from server.settings import ROOT
from tests.server.walks import walk, with_samples

DOCUMENT = (ROOT / "docs" / "bookkeeping.md").read_text()


async def test_the_moneys_way_shows_what_it_says(told: list[str], http: httpx.AsyncClient) -> None:
    await walk(DOCUMENT, http, "harbour")


async def test_it_can_be_walked_again(told: list[str], http: httpx.AsyncClient) -> None:
    await walk(DOCUMENT, http, "harbour")


async def test_the_sample_tabs_of_the_same_names_show_it_too(
    told: list[str], http: httpx.AsyncClient
) -> None:
    document, replaced = with_samples(DOCUMENT)
    assert replaced == 10
    await walk(document, http, "harbour")


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("HTTP/1.1 204 No Content", "HTTP/1.1 200 OK"),
        ('"size": 59', '"size": 60'),
        ("content-type: application/pdf", "content-type: text/html"),
        ('"amount": "<balance, from step 15>"', '"amount": "<debt, from step 1>"'),
    ],
)
async def test_what_does_not_come_back_is_noticed(
    said: str, wrong: str, told: list[str], http: httpx.AsyncClient
) -> None:
    assert said in DOCUMENT
    with pytest.raises(AssertionError):
        await walk(DOCUMENT.replace(said, wrong, 1), http, "harbour")
