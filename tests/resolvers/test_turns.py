"""Turns: going through many rows lets others have theirs."""

import asyncio
import time

import pytest

import resolvers.turns
from resolvers.turns import in_turns


def busy(seconds: float) -> None:
    ends = time.thread_time() + seconds
    while time.thread_time() < ends:
        pass


async def test_others_have_their_turn_in_between_and_each_item_comes_once() -> None:
    others = 0

    async def count() -> None:
        nonlocal others
        while True:
            others += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    went = []
    async for each in in_turns(range(20)):
        went.append(each)
        busy(0.001)
    counting.cancel()
    assert went == list(range(20))
    assert others >= 19


async def test_what_is_gone_through_soon_is_gone_through_in_one_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolvers.turns, "_SECONDS", 60.0)
    asyncio.get_running_loop().call_soon(lambda: went.append("another"))
    went: list[object] = []
    async for each in in_turns(range(3)):
        went.append(each)
    assert went == [0, 1, 2]
