"""The walk-through of docs/walkthrough.md, executed: what it says to send is sent, what it says one sees comes back.

A step is a heading `## 3. Title (user name)` with either one ```graphql, the variables as ```json where the operation has
some, and the expected part of the answer as ```json; or ```http with a GET and the expected columns as ```csv.
`<a name>` in what is expected takes whatever is there, and `<a name, from step 3>` stands for it from then on.
"""

import csv
import io
import json
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import httpx
import pytest

from server.demo import personas
from server.settings import ROOT
from tests.client import Client

DOCUMENT = (ROOT / "docs" / "walkthrough.md").read_text()
SAMPLES = ROOT / "frontend" / "graphiql" / "samples"
OPERATION = re.compile(r"^(?:query|mutation|subscription) (\w+)", re.MULTILINE)
HEADING = re.compile(r"^## (\d+)\. .+ \((\w+)\)$", re.MULTILINE)
BLOCK = re.compile(r"^```(.*)\n((?s:.*?))^```$", re.MULTILINE)
TAKEN = re.compile(r"<([a-z ]+)>")
COPIED = re.compile(r"<([a-z ]+), from step (\d+)>")


@dataclass(frozen=True)
class Step:
    """Who sends what with which variables, and the part of the answer that is expected."""

    number: int
    user_name: str
    sent: str
    variables: Any
    expected: Any


def steps(document: str) -> list[Step]:
    headings = list(HEADING.finditer(document))
    assert [int(each[1]) for each in headings] == list(range(1, document.count("\n## ") + 1))
    ends = [*(each.start() for each in headings), len(document)]
    assert not BLOCK.search(document, 0, ends[0]), "nothing is sent before the first step"
    return [
        step(int(heading[1]), heading[2], document[start:end])
        for heading, (start, end) in zip(headings, pairwise(ends), strict=True)
    ]


def step(number: int, user_name: str, text: str) -> Step:
    blocks = BLOCK.findall(text)
    kinds, bodies = [kind for kind, _ in blocks], [body for _, body in blocks]
    assert len(blocks) * 2 == text.count("```"), number
    if kinds[:1] == ["http"]:
        assert kinds == ["http", "csv"], number
        return Step(number, user_name, bodies[0], None, table(bodies[1]))
    assert kinds[:1] == ["graphql"], number
    assert kinds[1:] == ["json"] * (2 if "($" in bodies[0] else 1), number
    *variables, expected = [json.loads(body) for body in bodies[1:]]
    return Step(number, user_name, bodies[0], variables[0] if variables else {}, expected)


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@dataclass
class Walk:
    """What was seen under the way, by its name, and in which step."""

    seen: dict[str, tuple[int, Any]] = field(default_factory=dict)

    def filled(self, value: Any) -> Any:
        """Something of the document with what was seen earlier in the place of its name."""
        if isinstance(value, dict):
            return {name: self.filled(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.filled(each) for each in value]
        if isinstance(value, str) and (copied := COPIED.fullmatch(value)):
            number, found = self.seen.get(copied[1], (None, None))
            assert number == int(copied[2]), f"{copied[1]} is from step {number}"
            return found
        return value

    def compare(self, number: int, expected: Any, found: Any, where: str) -> None:
        """Everything expected is there; lists are whole and in their order."""
        if isinstance(expected, dict):
            assert isinstance(found, dict), where
            assert expected.keys() <= found.keys(), where
            for name, value in expected.items():
                self.compare(number, value, found[name], f"{where}.{name}")
        elif isinstance(expected, list):
            assert isinstance(found, list), where
            assert len(found) == len(expected), (where, found)
            for index, (value, each) in enumerate(zip(expected, found, strict=True)):
                self.compare(number, value, each, f"{where}[{index}]")
        elif isinstance(expected, str) and (taken := TAKEN.fullmatch(expected)):
            assert found, where
            assert taken[1] not in self.seen, f"{where}: {taken[1]} was seen before"
            self.seen[taken[1]] = (number, found)
        else:
            assert (type(found), found) == (type(expected), expected), where


async def walk(document: str, http: httpx.AsyncClient, slug: str) -> None:
    """Walk through a document at a portal of the demo."""
    people: dict[str, Client] = {}
    underway = Walk()
    for each in steps(document):
        if each.user_name not in people:
            people[each.user_name] = await Client(http, slug).sign_in(each.user_name, personas.PASSWORD)
        if each.variables is None:
            method, _, link = each.sent.strip().partition(" ")
            answer = await http.request(method, underway.filled(link))
            assert answer.status_code == 200, answer.text
            found: Any = table(answer.content.decode("utf-8-sig"))
        else:
            found = await people[each.user_name].ask(each.sent, **underway.filled(each.variables))
        underway.compare(each.number, underway.filled(each.expected), found, f"step {each.number}")


async def test_the_walk_through_shows_what_it_says(told: list[str], http: httpx.AsyncClient) -> None:
    await walk(DOCUMENT, http, "harbour")


async def test_it_can_be_walked_again(told: list[str], http: httpx.AsyncClient) -> None:
    await walk(DOCUMENT, http, "harbour")


async def test_the_sample_tabs_of_the_same_names_show_it_too(
    told: list[str], http: httpx.AsyncClient
) -> None:
    texts = [path.read_text() for path in SAMPLES.glob("*/*.graphql")]
    samples = {OPERATION.findall(text)[0]: text for text in texts}
    there = [name for name in OPERATION.findall(DOCUMENT) if name in samples]
    assert len(there) == 7
    document = DOCUMENT
    for block in BLOCK.findall(DOCUMENT):
        if block[0] == "graphql" and (name := OPERATION.findall(block[1])[0]) in samples:
            document = document.replace(block[1], samples[name])
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
