"""Loaders: the rows of one batched read, asked for a key at a time or for a level's keys at once, each read once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

from aiodataloader import DataLoader

Key = TypeVar("Key")
Row = TypeVar("Row")


class MissingKey(Exception):
    """A read that has to answer for every key left one out."""

    def __init__(self, read: object, key: object) -> None:
        super().__init__(
            f"{getattr(read, '__module__', '')}.{getattr(read, '__name__', read)} left out {key!r}"
        )


class ReadStopped(Exception):
    """A read was stopped with its transaction before it had an answer."""


class Loader(Generic[Key, Row]):
    """The rows of one batched read in one transaction, None for a key that the read left out; each key is read once.

    A level brings its keys along; single keys are gathered by a DataLoader. Whatever is asked for in one turn of the
    event loop is read together.
    """

    def __init__(self, read: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Row]]]) -> None:
        self._read = read
        self._rows: dict[Key, Row | None] = {}
        self._being_read: dict[Key, asyncio.Future[None]] = {}
        self._gathered: list[Key] = []  # to be read next
        self._next: asyncio.Future[None] | None = None
        self._reading: set[asyncio.Task[None]] = set()
        self._singles: DataLoader[Key, Row | None] | None = None

    async def one(self, key: Key) -> Row | None:
        """The row of a key."""
        if key in self._rows:
            return self._rows[key]
        if self._singles is None:
            self._singles = DataLoader(self.level, cache=False)  # the one cache is here
        return await self._singles.load(key)

    async def level(self, keys: Sequence[Key]) -> list[Row | None]:
        """The rows of many keys, in their order; keys may repeat."""
        rows, being_read = self._rows, self._being_read
        missing = [key for key in dict.fromkeys(keys) if key not in rows]
        if missing:
            fresh = [key for key in missing if key not in being_read] if being_read else missing
            if fresh:
                self._gather(fresh)
            for read in {being_read[key] for key in missing}:
                await _over(read)
                read.result()
        return [rows[key] for key in keys]

    def forget(self) -> None:
        """Let go of all rows. A loader and its DataLoader know each other: else the rows would lie about until the
        garbage is collected."""
        self._rows.clear()

    def _gather(self, keys: Sequence[Key]) -> None:
        if self._next is None:
            loop = asyncio.get_running_loop()
            self._next = loop.create_future()
            loop.call_soon(self._begin)
        self._gathered.extend(keys)
        self._being_read.update(dict.fromkeys(keys, self._next))

    def _begin(self) -> None:
        keys, done = self._gathered, self._next
        assert done is not None
        self._gathered, self._next = [], None
        task = asyncio.ensure_future(self._read_now(keys, done))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _read_now(self, keys: list[Key], done: asyncio.Future[None]) -> None:
        try:
            found = await self._read(keys)
        except BaseException as error:
            # Of a read that is cancelled the DataLoader would tell nobody who waits.
            _fail(done, error if isinstance(error, Exception) else ReadStopped())
            if not isinstance(error, Exception):
                raise
        else:
            self._rows.update(found)
            self._rows.update((key, None) for key in keys if key not in found)
            if not done.done():
                done.set_result(None)
        finally:
            for key in keys:
                del self._being_read[key]


async def _over(read: asyncio.Future[None]) -> None:
    """Wait until a read is over. To await it itself would cancel it with one of those who wait."""
    if read.done():
        return
    waiting = read.get_loop().create_future()

    def over(_read: asyncio.Future[None]) -> None:
        if not waiting.done():
            waiting.set_result(None)

    read.add_done_callback(over)
    await waiting


def _fail(done: asyncio.Future[None], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
        done.exception()  # it may be that nobody waits any more


def dealt(rows: Iterable[Row | None], lists: Sequence[Sequence[Any]]) -> list[list[Row]]:
    """The rows of lists of keys that were asked for as one level, list by list, without those that are not there."""
    every = iter(rows)
    return [[row for row in islice(every, len(keys)) if row is not None] for keys in lists]
