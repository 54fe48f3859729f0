"""Loaders: each key is read once, whoever asks for it, alone or with a level."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from resolvers.loaders import Loader, ReadStopped, dealt


class Reads:
    """A batched read that notes what it was asked, and answers for all keys but odd ones."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.fails = False
        self.hangs = asyncio.Event()
        self.hangs.set()

    async def __call__(self, keys: Sequence[int]) -> Mapping[int, str]:
        """The words of the even keys."""
        self.asked.append(list(keys))
        await self.hangs.wait()
        if self.fails:
            raise OSError("no database")
        return {key: f"row {key}" for key in keys if key % 2 == 0}


@pytest.fixture
def reads() -> Reads:
    return Reads()


@pytest.fixture
def loader(reads: Reads) -> Loader[int, str]:
    return Loader(reads)


async def some_turns() -> None:
    """Let what was begun go as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_level_is_read_at_once_and_each_key_once(loader: Loader[int, str], reads: Reads) -> None:
    assert await loader.level([2, 4, 2, 6, 4]) == ["row 2", "row 4", "row 2", "row 6", "row 4"]
    assert reads.asked == [[2, 4, 6]]


async def test_levels_that_ask_in_one_turn_are_read_together(loader: Loader[int, str], reads: Reads) -> None:
    answers = await asyncio.gather(loader.level([2, 4]), loader.level([4, 6]))
    assert [*answers] == [["row 2", "row 4"], ["row 4", "row 6"]]
    assert reads.asked == [[2, 4, 6]]


async def test_single_keys_that_are_asked_for_in_one_turn_are_read_together(
    loader: Loader[int, str], reads: Reads
) -> None:
    assert await asyncio.gather(*map(loader.one, (2, 4, 2))) == ["row 2", "row 4", "row 2"]
    assert reads.asked == [[2, 4]]


async def test_what_was_read_is_not_read_again(loader: Loader[int, str], reads: Reads) -> None:
    await loader.level([2, 3])
    assert await loader.one(2) == "row 2"
    assert await loader.one(3) is None
    assert await loader.level([3, 2, 4]) == [None, "row 2", "row 4"]
    assert reads.asked == [[2, 3], [4]]


async def test_what_is_being_read_is_waited_for(loader: Loader[int, str], reads: Reads) -> None:
    reads.hangs.clear()
    first = asyncio.ensure_future(loader.level([2, 4]))
    await some_turns()
    second = asyncio.ensure_future(loader.level([4, 6]))
    third = asyncio.ensure_future(loader.one(2))
    await some_turns()
    reads.hangs.set()
    answers = await asyncio.gather(first, second, third)
    assert [*answers] == [["row 2", "row 4"], ["row 4", "row 6"], "row 2"]
    assert reads.asked == [[2, 4], [6]]


async def test_a_key_that_is_left_out_has_no_row(loader: Loader[int, str]) -> None:
    assert await loader.level([1, 2]) == [None, "row 2"]
    assert await loader.one(5) is None


async def test_a_read_that_fails_fails_whoever_asked_and_is_not_remembered(
    loader: Loader[int, str], reads: Reads
) -> None:
    reads.fails = True
    failed = await asyncio.gather(loader.level([2]), loader.one(4), loader.level([2]), return_exceptions=True)
    assert [type(each) for each in failed] == [OSError, OSError, OSError]
    reads.fails = False
    assert await loader.level([2, 4]) == ["row 2", "row 4"]


async def test_a_read_that_is_stopped_leaves_nobody_waiting(loader: Loader[int, str], reads: Reads) -> None:
    reads.hangs.clear()
    waiting = [asyncio.ensure_future(each) for each in (loader.level([2]), loader.one(4), loader.one(2))]
    await some_turns()
    assert len(reads.asked) == 2
    for read in loader._reading:
        read.cancel()
    async with asyncio.timeout(5):
        stopped = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(each) for each in stopped} == {ReadStopped}


async def test_whoever_is_cancelled_takes_the_read_from_nobody(
    loader: Loader[int, str], reads: Reads
) -> None:
    reads.hangs.clear()
    leaving, staying = asyncio.ensure_future(loader.level([2])), asyncio.ensure_future(loader.level([2, 4]))
    await some_turns()
    leaving.cancel()
    await some_turns()
    reads.hangs.set()
    assert await staying == ["row 2", "row 4"]
    assert leaving.cancelled()


async def test_forgotten_rows_are_read_anew(loader: Loader[int, str], reads: Reads) -> None:
    await loader.level([2])
    loader.forget()
    await loader.level([2])
    assert reads.asked == [[2], [2]]


def test_the_rows_of_lists_of_keys_are_dealt_to_their_lists() -> None:
    assert dealt(["one", None, "two", "one"], [[1, 0], [], [2], [1]]) == [["one"], [], ["two"], ["one"]]
