"""Loaders: the rows of one batched read, asked for a key at a time or for a level's keys at once, each read once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

from aiodataloader import DataLoader

Key = TypeVar("Key")
Row = TypeVar("Row")


class Absent:
    """What stands for the row of a key that a read left out: it is not there, or not for the viewer to see."""


ABSENT = Absent()


class Loader(Generic[Key, Row]):
    """The rows of one batched read in one transaction.

    The DataLoader gathers what is asked for at once; to it a level's keys are one key. `rows` is the one cache.
    """

    def __init__(self, read: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Row]]]) -> None:
        self._read = read
        self._rows: dict[Key, Row | Absent] = {}
        self._being_read: dict[Key, asyncio.Future[None]] = {}
        self._gathering: DataLoader[tuple[Key, ...], list[Row | Absent]] = DataLoader(self._load, cache=False)

    async def one(self, key: Key) -> Row | Absent:
        """The row of a key."""
        if key in self._rows:
            return self._rows[key]
        (row,) = await self._gathering.load((key,))
        return row

    async def level(self, keys: Sequence[Key]) -> list[Row | Absent]:
        """The rows of many keys, in their order; keys may repeat."""
        rows = self._rows
        if all(key in rows for key in keys):
            return [rows[key] for key in keys]
        return await self._gathering.load(tuple(keys))

    async def _load(self, levels: list[tuple[Key, ...]]) -> list[list[Row | Absent]]:
        rows = self._rows
        wanted = dict.fromkeys(key for level in levels for key in level if key not in rows)
        others = {self._being_read[key] for key in wanted if key in self._being_read}
        mine = [key for key in wanted if key not in self._being_read]
        if mine:
            await self._read_now(mine)
        for other in others:
            await other
        return [[rows[key] for key in level] for level in levels]

    async def _read_now(self, keys: list[Key]) -> None:
        read = asyncio.get_running_loop().create_future()
        self._being_read.update(dict.fromkeys(keys, read))
        try:
            found = await self._read(keys)
            self._rows.update((key, found.get(key, ABSENT)) for key in keys)
        except BaseException as error:
            read.set_exception(
                error if isinstance(error, Exception) else RuntimeError("the read was stopped")
            )
            read.exception()  # whoever waits for it is told; it may be nobody
            raise
        else:
            read.set_result(None)
        finally:
            for key in keys:
                del self._being_read[key]
