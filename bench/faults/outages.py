"""PostgreSQL that dies, and PostgreSQL that comes late: line 38, and the start."""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.faults import places
from bench.faults.asking import Answer, Client, asking, client, sku
from bench.faults.lines import LATE, Claims, line
from bench.faults.places import Ground
from bench.faults.servers import Serving, serving
from bench.peers.data import Portal
from bench.peers.database import NAME, Place
from db import migrations, roles
from db.embedded import Cluster

_PORTAL = "/portals/nowhere/graphql"
_BEFORE_SECONDS, _AWAY_SECONDS, _AFTER_SECONDS = 1.5, 2.0, 1.5


@dataclass(slots=True)
class Ordering:
    """Buyers who order one after the other until they are told to stop. Each order has a key of its own, under which it
    is repeated until it is answered, as clients do."""

    serving: Serving
    portal: Portal
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    numbers: dict[tuple[int, str], str | None] = field(
        default_factory=dict
    )  # by buyer and key; None: no answer yet
    failed: list[Answer] = field(default_factory=list)

    async def buy(self, number: int) -> None:
        """What one buyer does."""
        async with asking(self.serving, self.portal, self.portal.buyers[number]) as asker:
            key = None
            while not self.stop.is_set():
                key = key or f"{self.serving.port}-{number}-{len(self.numbers)}"
                answer = await asker.order(sku(1 + number), key)
                self.numbers[number, key] = answer.number
                if answer.number:
                    key = None
                else:
                    self.failed.append(answer)
                    await asyncio.sleep(0.1)

    async def repeat_all(self, at: Serving) -> dict[tuple[int, str], str | None]:
        """Send every order again under its key, to whichever server; the numbers that are answered."""
        again: dict[tuple[int, str], str | None] = {}
        for number, buyer in enumerate(self.portal.buyers):
            async with asking(at, self.portal, buyer) as asker:
                for key in (key for who, key in self.numbers if who == number):
                    again[number, key] = (await asker.order(sku(1 + number), key)).number
        return again

    def agrees(self, again: dict[tuple[int, str], str | None], claims: Claims) -> int:
        """Claim that each key is one order, and the one that was answered; returns how many had no answer before."""
        told = {key: number for key, number in self.numbers.items() if number}
        claims.that(all(again[key] == number for key, number in told.items()), "answered orders are there")
        claims.that(None not in again.values(), "orders without an answer can be repeated")
        claims.that(len(set(again.values())) == len(again), "each key is one order")
        return len(again) - len(told)

    def run(self) -> "list[asyncio.Task[None]]":
        """Let all buyers begin."""
        return [asyncio.create_task(self.buy(number)) for number in range(len(self.portal.buyers))]


async def kill_postgres(place: Place) -> None:
    """End every process of PostgreSQL at once, as a loss of power does."""
    for pid in await places.every_process(place):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@line(
    38,
    must="Postgres kill -9 and restart: recovers without a restart of ours, committed orders there",
    done=f"8 buyers order without pause; all of PostgreSQL killed, started again after {_AWAY_SECONDS:.0f} s",
)
async def postgres_killed(ground: Ground, claims: Claims) -> str:
    """What was answered is there, what was not can be repeated, and the server finds the way back by itself."""
    place, portal = ground.place, ground.portal
    async with serving(place, {"pool_size": 5, "worker": "true"}) as server, asking(server, portal) as viewer:
        ordering = Ordering(server, portal)
        buying = ordering.run()
        await asyncio.sleep(_BEFORE_SECONDS)
        await kill_postgres(place)
        away = await _asked_for(viewer, _AWAY_SECONDS)
        ready = await server.at("/readyz")
        await asyncio.to_thread(place.cluster.up)
        recovered = await viewer.until_right()
        await asyncio.sleep(_AFTER_SECONDS)
        ordering.stop.set()
        await asyncio.gather(*buying)
        again = await ordering.repeat_all(server)
        claims.that(server.alive, "the server was not restarted")
    ordering.agrees(again, claims)
    claims.that(ready == 503, "/readyz says 503 meanwhile")
    claims.that(all(each.refused_cleanly for each in away), "every request meanwhile is 503 with retry-after")
    claims.that(recovered < 3, "it works within 3 s of PostgreSQL")
    claims.that(await places.orders_are_whole(place, portal), "numbers are unique and without gaps")
    return (
        f"{len(again)} orders, {len(ordering.failed)} times 503 and repeated: each there once; "
        f"works {recovered:.1f} s after PostgreSQL"
    )


async def _asked_for(asker: Client, seconds: float) -> Sequence[Answer]:
    """Ask for some seconds, ten times a second."""
    answers = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answers.append(await asker.ask())
        await asyncio.sleep(0.1)
    return answers


@line(
    LATE,
    must="started before the database: 503, then works",
    done="a server with its worker started while there is no PostgreSQL, then one that is not migrated, then migrated",
)
async def database_comes_late(_ground: Ground, claims: Claims) -> str:
    """The server waits for its database, and says in which way it is not ready."""
    home = Path(tempfile.mkdtemp(prefix="kontor-bench-"))
    place = Place(Cluster(home), home, 0)
    query = "{ portal { slug } }"
    try:
        async with (
            serving(place, {"worker": "true"}) as server,
            client(server.address(_PORTAL), "nobody") as asker,
        ):
            claims.that(await server.at("/readyz") == 503, "/readyz says 503 without a database")
            first = await asker.ask(query)
            claims.that(first.refused_cleanly, "requests are 503 with retry-after without a database")
            await asyncio.to_thread(place.cluster.up)
            await roles.prepare(place.cluster.url("postgres", "postgres"), NAME)
            claims.that(await server.at("/readyz") == 503, "/readyz says 503 before the migrations")
            empty = await asker.ask(query)
            claims.that(empty.status == 503, "requests are 503 before the migrations")
            await asyncio.to_thread(migrations.upgrade, place.url(roles.MIGRATION))
            started = time.monotonic()
            while await server.at("/readyz") != 200 and time.monotonic() - started < 10:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            took = time.monotonic() - started
            last = await asker.ask(query)
            claims.that(took < 5, "/readyz says 200 within 5 s of the migrations")
            claims.that(last.status == 404, "and requests are answered")
            claims.that(server.alive, "the server was not restarted")
        return f"503, {empty.status} before the migrations, ready {took:.1f} s after them"
    finally:
        await asyncio.to_thread(place.cluster.destroy)
        shutil.rmtree(home, ignore_errors=True)
