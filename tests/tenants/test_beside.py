"""Beside: what computes holds up nobody, and the portals take turns at it."""

import asyncio
import threading
from uuid import UUID, uuid4

import pytest

from db.failures import Crowded, Unavailable
from tenants import beside
from tenants.beside import Beside

LOUD, QUIET = uuid4(), uuid4()


async def turn() -> None:
    """Let whoever was woken go on."""
    for _ in range(5):
        await asyncio.sleep(0)


class Gate:
    """Work that lasts until it is let through."""

    def __init__(self) -> None:
        self.begun, self._open = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self._open.wait(20)
        return threading.current_thread().name

    async def begins(self) -> None:
        assert await asyncio.to_thread(self.begun.wait, 20)

    def let_through(self) -> None:
        self._open.set()


async def test_whoever_has_one_to_do_comes_next_however_many_of_another_portal_wait() -> None:
    done: list[UUID] = []
    there, gate = Beside(), Gate()

    async def one(tenant_id: UUID) -> None:
        await there.do(tenant_id, lambda: done.append(tenant_id))

    first = asyncio.create_task(there.do(LOUD, gate))
    await gate.begins()
    tasks = [asyncio.create_task(one(LOUD)) for _ in range(5)]
    await turn()
    tasks.append(asyncio.create_task(one(QUIET)))
    await turn()
    gate.let_through()
    assert (await first).startswith("beside"), "the event loop goes on meanwhile"
    await asyncio.gather(*tasks)
    assert done.index(QUIET) <= 1
    assert len(done) == 6


async def test_what_somebody_gave_up_is_not_done_at_the_same_time_as_the_next() -> None:
    there, gate, second = Beside(), Gate(), Gate()
    first = asyncio.create_task(there.do(LOUD, gate))
    await gate.begins()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    second.let_through()
    following = asyncio.create_task(there.do(QUIET, second))
    await asyncio.sleep(0.05)
    assert not second.begun.is_set()
    gate.let_through()
    await following


async def test_whoever_gives_up_waiting_is_passed_over() -> None:
    there, gate = Beside(), Gate()
    first = asyncio.create_task(there.do(LOUD, gate))
    await gate.begins()
    waiting = asyncio.create_task(there.do(LOUD, Gate()))
    await turn()
    waiting.cancel()
    following = asyncio.create_task(there.do(LOUD, lambda: 7))
    await turn()
    gate.let_through()
    await first
    assert await following == 7


async def test_what_goes_wrong_is_raised_and_the_next_is_done() -> None:
    there = Beside()
    with pytest.raises(ZeroDivisionError):
        await there.do(LOUD, lambda: 1 / 0)
    assert await there.do(LOUD, lambda: 7) == 7


async def test_more_than_may_wait_of_one_portal_is_refused_at_once_and_another_may_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(beside, "_WAITING", 2)
    there, gate = Beside(), Gate()
    tasks = [asyncio.create_task(there.do(LOUD, gate))]
    await gate.begins()
    tasks += [asyncio.create_task(there.do(LOUD, gate)) for _ in range(2)]
    await turn()
    with pytest.raises(Crowded):
        await there.do(LOUD, gate)
    tasks.append(asyncio.create_task(there.do(QUIET, gate)))
    await turn()
    gate.let_through()
    await asyncio.gather(*tasks)


async def test_when_no_turn_comes_for_long_it_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "_WAIT_SECONDS", 0.05)
    there, gate = Beside(), Gate()
    first = asyncio.create_task(there.do(LOUD, gate))
    await gate.begins()
    with pytest.raises(Unavailable):
        await there.do(QUIET, gate)
    gate.let_through()
    await first
