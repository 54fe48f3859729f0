"""An ERP's talk with the portal, of docs/erp.md, executed."""

import httpx
import pytest

from server.settings import ROOT
from tests.server.walks import walk

DOCUMENT = (ROOT / "docs" / "erp.md").read_text()


async def test_an_erp_that_polls_is_told_what_the_page_says(told: list[str], http: httpx.AsyncClient) -> None:
    await walk(DOCUMENT, http, "harbour")


async def test_it_can_talk_so_again(told: list[str], http: httpx.AsyncClient) -> None:
    await walk(DOCUMENT, http, "harbour")


@pytest.mark.parametrize(
    ("said", "wrong"),
    [('"more": false', '"more": true'), ('"operation": "UPDATED"', '"operation": "DELETED"')],
)
async def test_what_does_not_come_back_is_noticed(
    said: str, wrong: str, told: list[str], http: httpx.AsyncClient
) -> None:
    assert said in DOCUMENT
    with pytest.raises(AssertionError):
        await walk(DOCUMENT.replace(said, wrong, 1), http, "harbour")
