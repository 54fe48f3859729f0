"""Loaders: each key of a batched read is read once, whoever asks for it, and nobody waits in vain."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import pytest

from resolvers.loaders import Loader, ReadStopped, dealt


class Broken(Exception):
    """What a read fails with."""


class Reads:
    """A read that notes what it was asked for, and answers when it may: with ten times the key, above zero."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.may = asyncio.Event()
        self.may.set()
        self.error: BaseException | None = None

    async def __call__(self, keys: Sequence[int]) -> Mapping[int, int]:
        self.asked.append(list(keys))
        await self.may.wait()
        if self.error is not None:
            raise self.error
        return {key: key * 10 for key in keys if key > 0}


@pytest.fixture
async def reads() -> Reads:
    return Reads()


@pytest.fixture
async def loader(reads: Reads) -> Loader[int, int]:
    return Loader(reads)


async def together(*asking: Awaitable[Any]) -> list[Any]:
    """What many who ask at once are told; an exception for who is told of an error."""
    return list(await asyncio.gather(*asking, return_exceptions=True))


async def settled() -> None:
    """Let everything go on that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_is_asked_for_in_one_turn_is_read_together(loader: Loader[int, int], reads: Reads) -> None:
    assert await together(loader.level([1, 2, 1]), loader.level([2, 3])) == [[10, 20, 10], [20, 30]]
    assert reads.asked == [[1, 2, 3]]


async def test_single_keys_are_read_together(loader: Loader[int, int], reads: Reads) -> None:
    assert await together(*map(loader.one, [1, 2, 1])) == [10, 20, 10]
    assert reads.asked == [[1, 2]]


async def test_keys_asked_for_one_at_a_time_and_as_a_level_are_each_read_once(
    loader: Loader[int, int], reads: Reads
) -> None:
    found = await together(loader.one(1), loader.level([1, 2]), loader.one(2), loader.one(3))
    assert found == [10, [10, 20], 20, 30]
    assert sorted(key for keys in reads.asked for key in keys) == [1, 2, 3]


async def test_a_key_that_is_being_read_is_not_read_again(loader: Loader[int, int], reads: Reads) -> None:
    reads.may.clear()
    first = asyncio.ensure_future(loader.level([1, 2]))
    await settled()
    second, single = asyncio.ensure_future(loader.level([2, 3])), asyncio.ensure_future(loader.one(1))
    await settled()
    reads.may.set()
    assert await together(first, second, single) == [[10, 20], [20, 30], 10]
    assert reads.asked == [[1, 2], [3]]


async def test_what_was_read_is_not_read_again(loader: Loader[int, int], reads: Reads) -> None:
    await loader.level([1, 0])
    assert [await loader.level([0, 1, 1]), await loader.one(1), await loader.one(0)] == [
        [None, 10, 10],
        10,
        None,
    ]
    assert reads.asked == [[1, 0]]


async def test_no_key_is_no_read(loader: Loader[int, int], reads: Reads) -> None:
    assert await loader.level([]) == []
    assert reads.asked == []


async def test_a_key_that_the_read_leaves_out_has_no_row(loader: Loader[int, int]) -> None:
    assert await together(loader.one(0), loader.level([0, 1])) == [None, [None, 10]]


async def test_a_read_that_fails_fails_all_who_asked(loader: Loader[int, int], reads: Reads) -> None:
    reads.error = Broken()
    found = await together(loader.level([1, 2]), loader.one(1), loader.one(3))
    assert found == [reads.error] * 3


async def test_a_read_that_fails_is_not_remembered(loader: Loader[int, int], reads: Reads) -> None:
    reads.error = Broken()
    with pytest.raises(Broken):
        await loader.level([1])
    reads.error = None
    assert await loader.level([1]) == [10]
    assert reads.asked == [[1], [1]]


async def test_a_read_that_is_stopped_leaves_nobody_waiting(loader: Loader[int, int], reads: Reads) -> None:
    reads.error = asyncio.CancelledError()
    found = await asyncio.wait_for(together(loader.level([1]), loader.one(2)), timeout=5)
    assert [type(each) for each in found] == [ReadStopped, ReadStopped]


async def test_who_waits_no_longer_takes_the_rows_from_nobody(loader: Loader[int, int], reads: Reads) -> None:
    reads.may.clear()
    gone, patient = asyncio.ensure_future(loader.level([1])), asyncio.ensure_future(loader.level([1]))
    await settled()
    gone.cancel()
    await settled()
    reads.may.set()
    assert await patient == [10]
    assert gone.cancelled()
    assert reads.asked == [[1]]


async def test_what_is_forgotten_is_read_anew(loader: Loader[int, int], reads: Reads) -> None:
    await loader.level([1])
    loader.forget()
    assert await loader.one(1) == 10
    assert reads.asked == [[1], [1]]


def test_the_rows_of_lists_of_keys_are_dealt_to_their_lists() -> None:
    assert dealt(["one", None, "two", "one"], [[1, 0], [], [2], [1]]) == [["one"], [], ["two"], ["one"]]
