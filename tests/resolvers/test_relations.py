"""Relations: a field answered by a batched read, object by object or for a level, with the same answers."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from db.connections import Connection
from execution.levels import answers_of
from resolvers.context import BatchedRead, Context, Facilities
from resolvers.loaders import MissingKey
from resolvers.relations import Relation, relation, relations
from rules.viewers import Viewer


@dataclass
class Thing:
    """An object with a key to others."""

    key: int | None

    def __eq__(self, other: object) -> bool:
        raise AssertionError("rows are not compared: they may be many, and that takes long")


class Offline(Context):
    """A context that needs no database: its reads do not either."""

    connection = cast(Connection, None)
    signed_in = cast(Viewer, None)


@pytest.fixture
async def context() -> Context:
    return Offline(
        cast(Facilities, SimpleNamespace(compiled=True, budgets=SimpleNamespace(holder=lambda *_whose: b""))),
        UUID(int=1),
        token=None,
        language=None,
        request_id="",
    )


async def at_level(resolver: Relation, context: Context, keys: Sequence[int | None], **given: Any) -> Any:
    """The answers for things with these keys, as the compiled executor has them."""
    answers = answers_of(resolver)
    assert answers is not None
    return await answers([Thing(key) for key in keys], context, **given)


async def each(resolver: Relation, context: Context, keys: Sequence[int | None], **given: Any) -> list[Any]:
    """The same, object by object."""
    info = SimpleNamespace(context=context)
    return [await resolver(Thing(key), info, **given) for key in keys]


def reading(asked: list[Any], rows: Mapping[int, Any]) -> BatchedRead[int, Any]:
    async def read(_connection: Connection, _viewer: Viewer, keys: Sequence[int]) -> Mapping[int, Any]:
        asked.append(list(keys))
        return {key: rows[key] for key in keys if key in rows}

    return read


async def test_a_level_is_one_read(context: Context) -> None:
    asked: list[Any] = []
    resolver = relation(reading(asked, {1: "one", 2: "two"}), "key")
    assert await at_level(resolver, context, [2, 1, 2]) == ["two", "one", "two"]
    assert await each(resolver, context, [1, 2]) == ["one", "two"]
    assert asked == [[2, 1]]


async def test_objects_that_are_asked_one_by_one_are_read_together(context: Context) -> None:
    asked: list[Any] = []
    resolver, info = relation(reading(asked, {1: "one", 2: "two"}), "key"), SimpleNamespace(context=context)
    assert await asyncio.gather(*(resolver(Thing(key), info) for key in (2, 1))) == ["two", "one"]
    assert asked == [[2, 1]]


async def test_the_row_of_a_key_that_is_left_out_is_none(context: Context) -> None:
    resolver = relation(reading([], {1: "one"}), "key")
    assert await at_level(resolver, context, [1, 5]) == ["one", None]
    assert await each(resolver, context, [1, 5]) == ["one", None]


async def test_no_key_leads_to_nothing_and_is_not_asked_for(context: Context) -> None:
    asked: list[Any] = []
    read = reading(asked, {1: ["one"]})
    assert await at_level(relation(read, "key"), context, [None, 1, None]) == [None, ["one"], None]
    assert await at_level(relations(read, "key"), context, [None, 1, None]) == [[], ["one"], []]
    assert await each(relation(read, "key"), context, [None]) == [None]
    assert await each(relations(read, "key"), context, [None]) == [[]]
    assert asked == [[1]]


async def test_rows_that_a_read_leaves_out_are_an_error_of_that_object_alone(context: Context) -> None:
    resolver = relations(reading([], {1: ["one"], 3: []}), "key")
    one, missing, none = await at_level(resolver, context, [1, 5, 3])
    assert (one, none) == (["one"], [])
    assert isinstance(missing, MissingKey)
    assert "left out 5" in str(missing)
    with pytest.raises(MissingKey):
        await each(resolver, context, [5])


async def test_rows_that_are_left_out_are_an_error_for_a_resolver_too(context: Context) -> None:
    read = reading([], {1: ["one"]})
    with pytest.raises(MissingKey):
        await context.load_list(read, 5)
    with pytest.raises(MissingKey):
        await context.load_lists(read, [1, 5])
    with pytest.raises(MissingKey):
        await context.load_each(read, [1, 5])
    assert await context.load_each(read, [1, 1]) == [["one"], ["one"]]
    assert await context.load_lists(read, [1, None]) == [["one"], []]


async def test_then_makes_the_answer_with_the_arguments_of_the_field(context: Context) -> None:
    def then(root: Thing, rows: list[str], times: int = 1) -> str:
        return f"{root.key}: {rows * times}"

    resolver = relations(reading([], {1: ["one"]}), "key", then=then)
    assert await at_level(resolver, context, [1, None], times=2) == ["1: ['one', 'one']", "None: []"]
    assert await each(resolver, context, [1, None]) == ["1: ['one']", "None: []"]


async def test_then_is_told_of_a_row_that_is_not_there(context: Context) -> None:
    resolver = relation(reading([], {1: "one"}), "key", then=lambda _root, row: row or "nothing")
    assert await at_level(resolver, context, [1, 5, None]) == ["one", "nothing", "nothing"]


async def test_what_then_raises_is_the_error_of_one_object(context: Context) -> None:
    def then(_root: Thing, row: int) -> int:
        return 6 // row

    one, wrong, two = await at_level(
        relation(reading([], {0: 0, 1: 1, 2: 2}), "key", then=then), context, [1, 0, 2]
    )
    assert (one, two) == (6, 3)
    assert isinstance(wrong, ZeroDivisionError)


async def test_a_key_can_be_worked_out(context: Context) -> None:
    resolver = relation(reading([], {2: "two"}), lambda thing: thing.key * 2)
    assert await at_level(resolver, context, [1]) == ["two"]


async def test_rows_are_not_compared(context: Context) -> None:
    row = Thing(7)
    read = reading([], {1: row})
    assert (await at_level(relation(read, "key"), context, [1, None]))[0] is row
    assert (await at_level(relations(read, "key"), context, [1, None]))[0] is row
