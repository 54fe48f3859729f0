"""Connections to PostgreSQL that end, fall silent, or are all in use: lines 37, 39, 40, 41."""

import asyncio
import os
import signal
import time
from contextlib import suppress

from bench.faults import places
from bench.faults.asking import READ, Answer, Client, asking, sku
from bench.faults.lines import Claims, line
from bench.faults.places import Ground
from bench.faults.proxy import before_postgres
from bench.faults.servers import serving

_POOL = 5
_OF_ONE = 4  # that one portal may have of them
# Deadlines that are short, so that a run is: what is claimed of them holds for longer ones as well.
_DEADLINE_SECONDS, _STATEMENT_MS, _WAIT_SECONDS = 3.0, 2_000, 1.0
# What an answer may take beyond its deadline: undoing a transaction, on a machine that is busy.
_LEEWAY_SECONDS = 1.5
_SHORT = {
    "pool_size": _POOL,
    "pool_wait_seconds": _WAIT_SECONDS,
    "request_deadline_seconds": _DEADLINE_SECONDS,
    "statement_timeout_ms": _STATEMENT_MS,
}
_ROUNDS = 20
_HEARTBEAT_SECONDS = 4


async def _at_once(client: Client, count: int, query: str = READ) -> list[Answer]:
    return await asyncio.gather(*(client.ask(query) for _ in range(count)))


def _slowest(answers: list[Answer]) -> float:
    return max(each.seconds for each in answers)


@line(
    37,
    must="backend terminated between requests: nobody notices",
    done=f"all connections of a server's pool terminated {_ROUNDS} times, and {_POOL} requests asked at once right after",
)
async def terminated_between_requests(ground: Ground, claims: Claims) -> str:
    """The first thing that a request says on a dead connection is said again on another."""
    answers: list[Answer] = []
    async with serving(ground.place, _SHORT) as server, asking(server, ground.portal) as client:
        for _ in range(_ROUNDS):
            claims.that(all(each.right for each in await _at_once(client, _POOL)), "requests before work")
            await places.terminate(ground.place, await places.backends(ground.place))
            answers += await _at_once(client, _POOL)
    right = sum(each.right for each in answers)
    claims.that(right == len(answers), "every request after is answered")
    return f"{right} of {len(answers)} answered, the slowest in {_slowest(answers) * 1_000:.0f} ms"


@line(
    37,
    must="backend terminated in mid-query: clean error, next works",
    done="a read and an order made to wait for a lock, their connections terminated meanwhile",
)
async def terminated_in_mid_query(ground: Ground, claims: Claims) -> str:
    """What was under way is told to have failed; a repeat is done once."""
    place, portal = ground.place, ground.portal
    async with (
        serving(place, _SHORT) as server,
        asking(server, portal) as viewer,
        asking(server, portal, portal.buyers[0]) as buyer,
    ):
        async with places.held(place, "lock table orders in access exclusive mode"):
            asked = [
                asyncio.create_task(viewer.ask()),
                asyncio.create_task(buyer.order(sku(1), "terminated")),
            ]
            await places.waiting(place, 2)
            await places.terminate(place, await places.backends(place))
            answers = await asyncio.gather(*asked)
        claims.that(all(each.refused_cleanly for each in answers), "both are 503 with retry-after")
        claims.that((await viewer.ask()).right, "the next read works")
        again = await buyer.order(sku(1), "terminated")
        claims.that(again.number is not None, "the order can be repeated")
        claims.that(await places.orders_are_whole(place, portal), "no number is lost")
    return f"503 {' and '.join(code for each in answers for code in each.codes)}, then 200 and {again.number}"


@line(
    39,
    must="backend stopped: ends by deadline, the pool heals",
    done=f"SIGSTOP to all {_POOL} connections of a pool while idle, and to one in mid-query; deadline {_DEADLINE_SECONDS:.0f} s",
)
async def backends_stopped(ground: Ground, claims: Claims) -> str:
    """A process that is there and says nothing is given up by the deadline, and another takes its place."""
    place = ground.place
    stopped: list[int] = []
    async with serving(place, _SHORT) as server, asking(server, ground.portal) as client:
        try:
            await _at_once(client, _POOL)
            stopped += _stop(await places.backends(place))
            idle = await _at_once(client, _POOL)
            healed = await client.until_right()
            async with places.held(place, "lock table orders in access exclusive mode"):
                asked = asyncio.create_task(client.ask())
                await places.waiting(place, 1)
                stopped += _stop(set(await places.backends(place)) - set(stopped))
                middle = await asked
            healed_again = await client.until_right()
        finally:
            _let_go(stopped)
        await asyncio.sleep(0.2)
        claims.that(all(each.right for each in await _at_once(client, _POOL)), "all of the pool works")
    worst = _slowest([*idle, middle])
    limit = _DEADLINE_SECONDS + _LEEWAY_SECONDS
    claims.that(worst < limit, f"every request ends within {limit:.0f} s")
    claims.that(all(each.right or each.refused_cleanly for each in [*idle, middle]), "with an answer or 503")
    claims.that(max(healed, healed_again) < limit, f"the pool heals within {limit:.0f} s more")
    return f"ended in {worst:.1f} s at most, healed {max(healed, healed_again):.1f} s later"


def _stop(pids: "set[int] | list[int]") -> list[int]:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    return list(pids)


def _let_go(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@line(
    39,
    must="network black-holed: ends by deadline, the pool heals",
    done=f"a proxy between server and PostgreSQL swallows everything for a while, new connections too; deadline {_DEADLINE_SECONDS:.0f} s",
)
async def network_black_holed(ground: Ground, claims: Claims) -> str:
    """Connections that never answer again are given up, and new ones are made when the network is back."""
    async with (
        before_postgres(ground.place) as (proxy, url),
        serving(ground.place, _SHORT, database_url=url) as server,
        asking(server, ground.portal) as client,
    ):
        await _at_once(client, _POOL)
        proxy.black_hole()
        lost = await _at_once(client, _POOL)
        lost += await _at_once(client, 2 * _POOL)
        ready, alive = await server.at("/readyz"), await server.at("/healthz")
        proxy.mend()
        healed = await client.until_right()
        claims.that(all(each.right for each in await _at_once(client, _POOL)), "all of the pool works")
        proxy.reset()
        claims.that((await client.ask()).right, "a reset of all connections is not noticed")
    limit = _DEADLINE_SECONDS + _LEEWAY_SECONDS
    claims.that(_slowest(lost) < limit, f"every request ends within {limit:.0f} s")
    claims.that(all(each.refused_cleanly for each in lost), "with 503 and retry-after")
    claims.that((ready, alive) == (503, 200), "/readyz says 503 and /healthz 200 meanwhile")
    claims.that(healed < limit, f"the pool heals within {limit:.0f} s")
    return f"{len(lost)} requests ended in {_slowest(lost):.1f} s at most, the pool healed in {healed:.1f} s"


@line(
    39,
    must="network black-holed under a worker: it takes up jobs again",
    done=f"the same under a worker's connections; others hold it for dead after {_HEARTBEAT_SECONDS} s, a statement of its "
    f"jobs may take {_STATEMENT_MS / 1_000:.0f} s",
)
async def worker_black_holed(ground: Ground, claims: Claims) -> str:
    """A worker's connection listens and is quiet: that it is dead shows when the next look into the queue gets no answer.
    What it was at is given up first: a job's statement 5 s after its deadline."""
    question = """select count(*) from pg_stat_activity where application_name = 'kontor-worker'
        and datname = current_database() and backend_start > now() - make_interval(secs => $1)"""
    settings = {
        "worker": "true",
        "worker_poll_seconds": 1,
        "worker_heartbeat_seconds": _HEARTBEAT_SECONDS,
        "statement_timeout_ms": _STATEMENT_MS,
    }

    async def works_since(moment: float) -> float:
        async with asyncio.timeout(60):
            while not await places.asked(ground.place, question, time.monotonic() - moment):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        return time.monotonic() - moment

    async with (
        before_postgres(ground.place) as (proxy, url),
        serving(ground.place, settings, database_url=url),
    ):
        await works_since(time.monotonic() - 10)
        proxy.black_hole()
        await asyncio.sleep(1)
        proxy.mend()
        took = await works_since(time.monotonic())
    limit = 2 * _HEARTBEAT_SECONDS + 2
    claims.that(took < limit, f"it is connected anew within {limit} s")
    return f"connected anew {took:.1f} s after the network"


@line(
    40,
    must="pool exhausted: fast 503",
    done=f"orders that wait for a lock hold all {_OF_ONE} connections of {_POOL} that a portal may have while 40 requests come; they may wait {_WAIT_SECONDS:.0f} s",
)
async def pool_exhausted(ground: Ground, claims: Claims) -> str:
    """Whoever finds no connection free is told so soon, and when to come again."""
    place, portal = ground.place, ground.portal
    async with serving(place, _SHORT) as server, asking(server, portal) as client:
        await client.ask()
        async with places.held(place, "lock table orders in access exclusive mode"):
            holding = [asyncio.create_task(client.ask()) for _ in range(_OF_ONE)]
            await places.waiting(place, _OF_ONE)
            asked = asyncio.create_task(_at_once(client, 40))
            await asyncio.sleep(_WAIT_SECONDS / 2)
            started = time.perf_counter()
            alive = await server.at("/healthz")
            lag = time.perf_counter() - started
            refused = await asked
            await asyncio.gather(*holding)
        claims.that((await client.ask()).right, "when connections are free again, requests work")
    limit = _WAIT_SECONDS + _LEEWAY_SECONDS / 2
    claims.that(all(each.refused_cleanly for each in refused), "all are 503 with retry-after")
    claims.that(_slowest(refused) < limit, f"within {limit:.1f} s")
    claims.that(alive == 200 and lag < 0.2, "/healthz answers in 0.2 s meanwhile")
    return f"40 answers of 503 in {_slowest(refused):.2f} s at most, /healthz in {lag * 1_000:.0f} ms"


@line(
    41,
    must="slow query: ended, masked",
    done=f"a policy that sleeps for every row of orders; a statement may take {_STATEMENT_MS / 1_000:.0f} s",
)
async def slow_query(ground: Ground, claims: Claims) -> str:
    """PostgreSQL ends it, and the client learns that it took too long, not what it was."""
    place = ground.place
    slow = "create policy slow on orders as restrictive for select to app_rw using (pg_sleep(1) is not null)"
    async with serving(place, _SHORT) as server, asking(server, ground.portal) as client:
        await client.ask()
        await places.asked(place, slow)
        try:
            answer = await client.ask()
            others = await client.ask("{ portal { slug } }")
        finally:
            await places.asked(place, "drop policy slow on orders")
        claims.that((await client.ask()).right, "the next works")
    limit = _STATEMENT_MS / 1_000 + _LEEWAY_SECONDS
    claims.that(answer.refused_cleanly and answer.codes == ["DEADLINE_EXCEEDED"], "it is DEADLINE_EXCEEDED")
    claims.that(answer.seconds < limit, f"within {limit:.0f} s")
    claims.that(
        "select" not in answer.text.lower() and "orders" not in answer.text.replace('"orders"', ""), "no SQL"
    )
    claims.that(others.right, "others are served meanwhile")
    return f"503 {answer.codes[0]} after {answer.seconds:.1f} s"
