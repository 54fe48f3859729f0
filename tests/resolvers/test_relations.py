"""Relations: one batched read for a level, and a missing key is never a silent nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, cast

import pytest
import strawberry

from execution.levels import answers_of
from resolvers.context import Context
from resolvers.loaders import Loader, MissingKey
from resolvers.relations import Relation, relation, relations


@dataclass
class Root:
    """An object that leads to something."""

    key: int | None


class Loading:
    """As much of a context as relations need."""

    load_level = Context.load_level

    def __init__(self) -> None:
        self.loaders: dict[Any, Loader[Any, Any]] = {}
        self.asked: list[list[Any]] = []

    def _loader(self, read: Any) -> Loader[Any, Any]:
        async def noted(keys: Sequence[Any]) -> Mapping[Any, Any]:
            self.asked.append(list(keys))
            return cast(Mapping[Any, Any], await read(None, None, keys))

        return self.loaders.setdefault(read, Loader(noted))


async def words(_connection: Any, _viewer: Any, keys: Sequence[int]) -> Mapping[int, str]:
    """A row for each even key."""
    return {key: f"row {key}" for key in keys if key % 2 == 0}


async def lists(_connection: Any, _viewer: Any, keys: Sequence[int]) -> Mapping[int, list[int]]:
    """As many rows as the key says; 13 is left out."""
    return {key: list(range(key)) for key in keys if key != 13}


async def asked(resolver: Relation, *keys: int | None, **arguments: Any) -> tuple[list[Any], Loading]:
    """What a relation answers for objects with these keys."""
    answers, context = answers_of(resolver), Loading()
    assert answers is not None
    given = await answers([Root(key) for key in keys], context, **arguments)
    return list(given), context


async def test_a_level_is_answered_with_one_read_of_each_key() -> None:
    answers, context = await asked(relation(words, "key"), 2, 4, 2)
    assert answers == ["row 2", "row 4", "row 2"]
    assert context.asked == [[2, 4]]


async def test_without_a_key_or_for_a_row_that_is_not_to_be_seen_there_is_none() -> None:
    answers, context = await asked(relation(words, "key"), None, 3, 2)
    assert answers == [None, None, "row 2"]
    assert context.asked == [[3, 2]]


async def test_a_list_that_is_left_out_is_an_error_at_its_object_alone() -> None:
    answers, _ = await asked(relations(lists, "key"), 2, 13, 0, None)
    assert answers[0] == [0, 1]
    assert isinstance(answers[1], MissingKey)
    assert "lists left out 13" in str(answers[1])
    assert answers[2:] == [[], []]


async def test_the_key_may_be_worked_out() -> None:
    answers, _ = await asked(relation(words, lambda root: root.key * 2), 1, 2)
    assert answers == ["row 2", "row 4"]


async def test_an_answer_may_be_made_of_the_row_with_the_fields_arguments() -> None:
    def more(
        root: Root, row: str, times: Annotated[int, strawberry.argument(description="Times.")] = 1
    ) -> str:
        return f"{root.key}: {row}" * times

    answers, _ = await asked(relation(words, "key", then=more), 2, times=2)
    assert answers == ["2: row 22: row 2"]


async def test_what_goes_wrong_with_one_object_is_its_own_error() -> None:
    def divided(root: Root, rows: list[int]) -> float:
        return 1 / len(rows)

    answers, _ = await asked(relations(lists, "key", then=divided), 2, 0)
    assert answers[0] == 0.5
    assert isinstance(answers[1], ZeroDivisionError)


async def test_asked_for_one_object_it_answers_or_raises() -> None:
    class Info:
        context = Loading()

    assert await relation(words, "key")(Root(2), Info()) == "row 2"
    with pytest.raises(MissingKey):
        await relations(lists, "key")(Root(13), Info())


async def test_objects_that_are_asked_one_by_one_are_read_together() -> None:
    class Info:
        context = Loading()

    resolver = relation(words, "key")
    assert await asyncio.gather(*(resolver(Root(key), Info()) for key in (2, 4))) == ["row 2", "row 4"]
    assert Info.context.asked == [[2, 4]]
