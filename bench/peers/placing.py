"""orderPlace under load: some buyers fill their carts, which is not measured, and all of them order at once, which is."""

import asyncio
import time

import asyncpg

from bench.peers.data import Portal
from bench.peers.database import Place
from bench.peers.load import Line, Load, WrongAnswer, connected
from bench.peers.meter import Cost, Meter
from bench.peers.meter import cost as cost_of
from bench.peers.operations import E
from bench.peers.servers import Running

_FILL = """
    insert into cart_items (tenant_id, id, account_id, product_id, quantity, warehouse_id)
    select $1, gen_random_uuid(), $2, product_id, 3, $4 from unnest($3::uuid[]) product_id"""
_RIGHT = b'"errors":[]'
_SECONDS = 30


async def fill_carts(place: Place, portal: Portal) -> None:
    """Put 20 lines into the cart of each buyer, whatever was in it before."""
    admin = await place.admin()
    try:
        await _fill(admin, portal)
    finally:
        await admin.close()


async def _fill(admin: asyncpg.Connection, portal: Portal) -> None:
    await admin.execute("delete from cart_items where tenant_id = $1", portal.tenant_id)
    for buyer in portal.buyers:
        given = portal.tenant_id, buyer.account_id, buyer.product_ids, buyer.warehouse_id
        await admin.execute(_FILL, *given)


async def cost(server: Running, place: Place, portal: Portal, *, seconds: float) -> Cost:
    """All buyers order, over and over, until the ordering alone has taken some seconds."""
    asked = [server.request(E, portal, buyer.token) for buyer in portal.buyers]
    admin = await place.admin()
    lines = await connected(server.port, len(asked))
    load = Load([], 0.0)
    try:
        meter = Meter([server], place, leave_out=[await admin.fetchval("select pg_backend_pid()")])
        while load.seconds < seconds:
            await _fill(admin, portal)
            meter.start()
            start = time.perf_counter()
            async with asyncio.timeout(_SECONDS):
                load.latencies += await asyncio.gather(*map(_order, lines, asked))
            load.seconds += time.perf_counter() - start
            meter.stop()
        return cost_of(load, meter)
    finally:
        for line in lines:
            line.close()
        await admin.close()


async def _order(line: Line, asked: bytes) -> float:
    start = time.perf_counter()
    answer = await line.ask(asked)
    if _RIGHT not in answer:
        raise WrongAnswer(answer[:500].decode(errors="replace"))
    return time.perf_counter() - start
