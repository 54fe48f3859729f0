"""Walks that are written down, executed: what a document says to send is sent, what it says one sees comes back.

A step is a heading `## 3. Title (user name)` with either one ```graphql, the variables as ```json where the operation has
some, and the expected part of the answer as ```json; or ```http with a request and what comes of it: the expected columns as
```csv, or status and headers as ```http. `<a name>` in what is expected takes whatever is there, and `<a name, from step 3>`
stands for it from then on, also inside a text.
"""

import csv
import io
import json
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import httpx

from server.demo import personas
from server.settings import ROOT
from tests.client import Client

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
        assert kinds in (["http", "csv"], ["http", "http"]), number
        expected = table(bodies[1]) if kinds[1] == "csv" else response(bodies[1])
        return Step(number, user_name, bodies[0], None, expected)
    assert kinds[:1] == ["graphql"], number
    assert kinds[1:] == ["json"] * (2 if "($" in bodies[0] else 1), number
    *variables, expected = [json.loads(body) for body in bodies[1:]]
    return Step(number, user_name, bodies[0], variables[0] if variables else {}, expected)


def response(text: str) -> dict[str, str]:
    """The status and the headers of an answer."""
    version, _, status = text.splitlines()[0].partition(" ")
    assert version == "HTTP/1.1", text
    return {"status": status, **headers(text.splitlines()[1:])}


def headers(lines: list[str]) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in lines)


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
            return self.found(copied)
        if isinstance(value, str):
            return COPIED.sub(self.found, value)
        return value

    def found(self, copied: re.Match[str]) -> Any:
        """What was seen by that name, in that step."""
        number, found = self.seen.get(copied[1], (None, None))
        assert number == int(copied[2]), f"{copied[1]} is from step {number}"
        return found

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


async def requested(http: httpx.AsyncClient, sent: str, underway: Walk, expected: Any) -> Any:
    """What comes back of a request that stands there as it is: its table, or its status and headers."""
    head, _, body = sent.partition("\n\n")
    line, *fields = head.strip().splitlines()
    method, _, link = line.partition(" ")
    answer = await http.request(method, underway.filled(link), content=body, headers=headers(fields))
    assert answer.is_success, answer.text
    if isinstance(expected, list):
        return table(answer.content.decode("utf-8-sig"))
    return {"status": f"{answer.status_code} {answer.reason_phrase}", **answer.headers}


async def walk(document: str, http: httpx.AsyncClient, slug: str) -> None:
    """Walk through a document at a portal of the demo."""
    people: dict[str, Client] = {}
    underway = Walk()
    for each in steps(document):
        if each.user_name not in people:
            people[each.user_name] = await Client(http, slug).sign_in(each.user_name, personas.PASSWORD)
        if each.variables is None:
            found = await requested(http, each.sent, underway, each.expected)
        else:
            found = await people[each.user_name].ask(each.sent, **underway.filled(each.variables))
        underway.compare(each.number, underway.filled(each.expected), found, f"step {each.number}")


def with_samples(document: str) -> tuple[str, int]:
    """A document with GraphiQL's sample tabs in the place of its operations of the same names, and how many these are."""
    texts = [path.read_text() for path in SAMPLES.glob("*/*.graphql")]
    samples = {OPERATION.findall(text)[0]: text for text in texts}
    there = {name for name in OPERATION.findall(document) if name in samples}
    for kind, body in BLOCK.findall(document):
        if kind == "graphql" and (name := OPERATION.findall(body)[0]) in there:
            document = document.replace(body, samples[name])
    return document, len(there)
