"""The way of goods that come back, of docs/returns.md, executed."""

import httpx
import pytest

from server.demo import personas
from server.settings import ROOT
from tests.client import Client
from tests.server.walks import walk, with_samples

DOCUMENT = (ROOT / "docs" / "returns.md").read_text()


async def test_the_way_of_returned_goods_shows_what_it_says(told: list[str], http: httpx.AsyncClient) -> None:
    await walk(DOCUMENT, http, "harbour")


async def test_it_can_be_walked_again(told: list[str], http: httpx.AsyncClient) -> None:
    await walk(DOCUMENT, http, "harbour")


async def test_the_sample_tabs_of_the_same_names_show_it_too(
    told: list[str], http: httpx.AsyncClient
) -> None:
    document, replaced = with_samples(DOCUMENT)
    assert replaced == 12
    await walk(document, http, "harbour")


async def test_the_mails_tell_what_was_decided_and_answered_and_not_what_was_noted(
    told: list[str], http: httpx.AsyncClient
) -> None:
    await walk(DOCUMENT, http, "harbour")
    staff = await Client(http, "harbour").sign_in("simone", personas.PASSWORD)
    found = await staff.ask(
        "{ notices(first: 2, filter: {kinds: [RMA_DECIDED, TICKET_ANSWERED]}, orderBy: [AT_DESC]) { nodes { body } } }"
    )
    answered, decided = (each["body"] for each in found["notices"]["nodes"])
    assert "Scented candle in glass, rustic (K-1036)\n    return with refund, 1 of 2\n" in decided
    assert "Soup bowl, blue (K-1013)\n    declined, 3\n" in decided
    assert "Send the cracked one to London Docklands." in decided
    assert "> We do: our driver takes it along on Thursday." in answered
    assert "potter" not in answered


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("it can no longer be changed.", "it can be changed."),
        ('"amount": "<prepayments, from step 2>"', '"amount": "<debt, from step 2>"'),
        ('"totalCount": 2', '"totalCount": 3'),
        ("[<ticket number, from step 13>] Who", "[<request number, from step 8>] Who"),
    ],
)
async def test_what_does_not_come_back_is_noticed(
    said: str, wrong: str, told: list[str], http: httpx.AsyncClient
) -> None:
    assert said in DOCUMENT
    with pytest.raises(AssertionError):
        await walk(DOCUMENT.replace(said, wrong, 1), http, "harbour")
