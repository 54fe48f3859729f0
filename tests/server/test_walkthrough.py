"""The walk-through of docs/walkthrough.md, executed; and that an executed document passes nothing over."""

import httpx
import pytest

from server.settings import ROOT
from tests.server.walks import BLOCK, steps, walk, with_samples

DOCUMENT = (ROOT / "docs" / "walkthrough.md").read_text()


async def test_the_walk_through_shows_what_it_says(told: list[str], http: httpx.AsyncClient) -> None:
    await walk(DOCUMENT, http, "harbour")


async def test_it_can_be_walked_again(told: list[str], http: httpx.AsyncClient) -> None:
    await walk(DOCUMENT, http, "harbour")


async def test_the_sample_tabs_of_the_same_names_show_it_too(
    told: list[str], http: httpx.AsyncClient
) -> None:
    document, replaced = with_samples(DOCUMENT)
    assert replaced == 7
    await walk(document, http, "harbour")


def without(kind: str, number: int) -> str:
    """The document without the last block of a kind in a step."""
    start = DOCUMENT.index(f"## {number}. ")
    end = DOCUMENT.index(f"## {number + 1}. ")
    last = [each for each in BLOCK.finditer(DOCUMENT, start, end) if each[1] == kind][-1]
    return DOCUMENT[: last.start()] + DOCUMENT[last.end() :]


@pytest.mark.parametrize(
    ("kind", "number"), [("json", 1), ("json", 2), ("csv", 10), ("graphql", 3), ("http", 10)]
)
def test_nothing_is_sent_without_saying_what_comes_back(kind: str, number: int) -> None:
    with pytest.raises(AssertionError):
        steps(without(kind, number))


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("## 3. The customer finds it (oscar)", "## 3. The customer finds it"),
        ("## 3. ", "## 4. "),
        ("```http", "```HTTP"),
        ("```csv", "```"),
        ("```graphql", "```gql"),
    ],
)
def test_a_step_that_would_be_passed_over_is_noticed(said: str, wrong: str) -> None:
    assert said in DOCUMENT
    with pytest.raises(AssertionError):
        steps(DOCUMENT.replace(said, wrong, 1))


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ('"name": "Lund & Daughters"', '"name": "Lund"'),
        ('"lineCount": 3', '"lineCount": "3"'),
        (",7,55.65,GBP", ",7,55.64,GBP"),
        ('"lineCount": 0, "totals": []', '"lineCount": 0, "totals": [{}]'),
        ('"order": "<order id, from step 6>"', '"order": "<order id, from step 5>"'),
    ],
)
async def test_what_does_not_come_back_is_noticed(
    said: str, wrong: str, told: list[str], http: httpx.AsyncClient
) -> None:
    assert said in DOCUMENT
    with pytest.raises(AssertionError):
        await walk(DOCUMENT.replace(said, wrong, 1), http, "harbour")
