"""Events: that something has changed, told by PostgreSQL to every process. Ids only, never what they stand for."""

import asyncio
import contextvars
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy import ARRAY, Text, Uuid, bindparam, func, literal, select

from db.connections import Connection
from db.failures import UNREACHABLE, Unavailable
from db.statements import Statement

_log = structlog.get_logger("kontor.events")

_CHANNEL = "kontor_events"

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 10.0
# A connection on which nothing arrives may be dead without knowing: so often it is asked.
_PULSE_SECONDS = 15.0
_PULSE_TIMEOUT_SECONDS = 5.0
# What ends a connection, or keeps it from being made, and may be better the next time.
_FAILURES = (*UNREACHABLE, asyncpg.PostgresError)

# Called with the tenant, the kind and the id of what has changed; must not take time.
Heard: TypeAlias = Callable[[UUID, str, UUID], None]

_changed = func.unnest(bindparam("ids", type_=ARRAY(Uuid))).column_valued("changed")
_notify = Statement[None](
    select(
        func.pg_notify(
            literal(_CHANNEL),
            func.concat_ws(
                " ",
                bindparam("tenant_id", type_=Uuid).cast(Text),
                bindparam("kind", type_=Text),
                _changed.cast(Text),
            ),
        )
    )
)


async def notify(connection: Connection, kind: str, ids: Sequence[UUID]) -> None:
    """Tell every process, once this transaction has committed, that objects were made or changed.

    `kind` is the name of their GraphQL type. One statement however many ids; what is said twice in a
    transaction arrives once.
    """
    await connection.run(_notify, kind=kind, ids=list(ids))


class Listener:
    """This process's one connection that listens; outside of the pool, opened when it is first needed.

    While it is away nothing is heard. It comes back by itself, with growing pauses, and then says that
    something may have been `missed`.
    """

    def __init__(self, url: str, heard: Heard, missed: Callable[[], None]) -> None:
        self._url = url.replace("postgresql+asyncpg://", "postgresql://", 1)
        self._heard = heard
        self._missed = missed
        self._listening = asyncio.Event()
        self._again = False  # whether somebody may have watched before
        self._work: asyncio.Task[None] | None = None

    async def ready(self, *, wait_seconds: float) -> None:
        """Listen from here on. Raises Unavailable when that takes too long."""
        if self._work is None or self._work.done():
            # In surroundings of its own: it is nobody's who came first, and its lines of the log bear no request's id.
            self._work = asyncio.create_task(self._listen_for_ever(), context=contextvars.Context())
        try:
            async with asyncio.timeout(wait_seconds):
                await self._listening.wait()
        except TimeoutError:
            raise Unavailable("events cannot be heard") from None

    async def close(self) -> None:
        """Listen no more."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
            self._work = None

    async def _listen_for_ever(self) -> None:
        try:
            await self._come_back_for_ever()
        except Exception:  # who watches is let go now: nobody may come and have it listen again
            self._missed()
            raise

    async def _come_back_for_ever(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                raw = await asyncpg.connect(
                    self._url,
                    timeout=5,
                    command_timeout=_PULSE_TIMEOUT_SECONDS,
                    server_settings={"application_name": "kontor-events"},
                )
            except _FAILURES as error:
                _log.warning("not listening", cause=str(error) or type(error).__name__)
            else:
                try:
                    await self._listen(raw)
                except _FAILURES as error:
                    _log.warning("listening ended", cause=str(error) or type(error).__name__)
                finally:
                    if self._listening.is_set():
                        self._again, pause = True, _FIRST_PAUSE_SECONDS
                    self._listening.clear()
                    raw.terminate()
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  (spreads processes)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _listen(self, raw: Any) -> None:
        """Listen as long as the connection lives. Raises what the driver raises when it does not."""
        ended = asyncio.Event()
        raw.add_termination_listener(lambda _raw: ended.set())
        await raw.add_listener(_CHANNEL, self._received)
        self._listening.set()
        if self._again:
            self._missed()
        while not ended.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_PULSE_SECONDS):
                    await ended.wait()
                    break
            await raw.execute("select 1", timeout=_PULSE_TIMEOUT_SECONDS)
        _log.warning("listening ended", cause="the connection was closed")

    def _received(self, _raw: Any, _process: int, _channel: str, payload: str) -> None:
        tenant_id, kind, key = payload.split(" ")
        self._heard(UUID(tenant_id), kind, UUID(key))
