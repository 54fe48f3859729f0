"""Turns: who goes through a thousand rows lets others have the event loop in between."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

_SECONDS = 0.0005

Item = TypeVar("Item")


async def in_turns(items: Iterable[Item]) -> AsyncIterator[Item]:
    """The items, one after the other; after each half millisecond everybody else has a turn."""
    since = time.perf_counter()
    for each in items:
        if time.perf_counter() - since > _SECONDS:
            await asyncio.sleep(0)
            since = time.perf_counter()
        yield each
