"""docs/safety.md says of each thing that must hold what was done to see it; this is what sees that it says the truth."""

import ast
import re
from functools import cache

import pytest

from tests.test_house import ROOT

TABLE = ROOT / "docs" / "safety.md"
LINES = 46
# A test of ours, by its file and name; a command of ours.
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
COMMAND = re.compile(r"`make ([\w-]+)`")
# What does something to a running server, and is told of in a page of its own.
FAULTS = "[safety-faults.md](safety-faults.md)"


def rows() -> list[list[str]]:
    """The cells of each numbered row."""
    lines = [line for line in TABLE.read_text().splitlines() if re.match(r"\| \d", line)]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


@cache
def names_in(path: str) -> set[str]:
    """The names of the tests in a file."""
    tree = ast.parse((ROOT / path).read_text())
    return {each.name for each in tree.body if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))}


def test_each_number_stands_there_once_and_in_order() -> None:
    assert [int(row[0]) for row in rows()] == list(range(1, LINES + 1))
    assert {len(row) for row in rows()} == {5}


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_each_row_says_what_was_done_and_what_came_of_it(row: list[str]) -> None:
    _, holds, done, outcome, _ = row
    assert holds
    assert outcome
    assert TEST.search(done) or COMMAND.search(done) or FAULTS in done


def test_every_test_and_command_that_is_named_exists() -> None:
    text, targets = TABLE.read_text(), (ROOT / "Makefile").read_text()
    named = TEST.findall(text)
    assert len(named) > 60
    assert [f"{path}::{name}" for path, name in named if name not in names_in(path)] == []
    assert [name for name in COMMAND.findall(text) if f"\n{name}:" not in targets] == []
