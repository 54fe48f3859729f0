"""Transactions that stand in each other's way: line 45."""

import asyncio

from bench.faults import places
from bench.faults.asking import ADD, asking, sku
from bench.faults.lines import Claims, line
from bench.faults.places import Ground
from bench.faults.servers import serving

# Fails the first so many inserts of orders as a serialization failure; sequences count what is rolled back too.
_FAIL = """
create sequence bench.tries;
grant usage on schema bench to app_rw;
grant usage on sequence bench.tries to app_rw;
create function bench.fail() returns trigger language plpgsql as $$ begin
    if nextval('bench.tries') <= {times} then raise exception using errcode = '40001', message = 'not now'; end if;
    return new;
end $$;
create trigger fail before insert on orders for each statement execute function bench.fail();
"""
_NO_MORE = "drop trigger fail on orders; drop function bench.fail(); drop sequence bench.tries"


@line(
    45,
    must="deadlock: a bounded retry or a clean error",
    done="an order holds its cart and waits for a product's stock, a transaction of ours the other way round",
)
async def deadlock(ground: Ground, claims: Claims) -> str:
    """PostgreSQL ends one of the two, the server tries it again."""
    place, portal = ground.place, ground.portal
    buyer = portal.buyers[3]
    before = await places.asked(
        place, "select deadlocks from pg_stat_database where datname = current_database()"
    )
    async with serving(place) as server, asking(server, portal, buyer) as client:
        await client.ask(ADD, sku=sku(40))
        stock = "select 1 from stock s join products p on p.id = s.product_id where p.sku = $1 and s.tenant_id = $2 for update of s"
        async with places.held(place, stock, sku(40), portal.tenant_id) as other:
            asked = asyncio.create_task(client.place("deadlock"))
            await places.waiting(place, 1)
            await other.fetch("select from carts where account_id = $1 for update", buyer.account_id)
        answer = await asked
        await asyncio.sleep(1.2)  # statistics are told once a second
    met = (
        await places.asked(place, "select deadlocks from pg_stat_database where datname = current_database()")
        - before
    )
    claims.that(met == 1, "there was a deadlock")
    claims.that(answer.right and answer.number is not None, "the order is placed")
    claims.that(await places.orders_are_whole(place, portal), "once")
    return f"{met} deadlock, then {answer.number} after {answer.seconds:.1f} s"


@line(
    45,
    must="serialization failure: a bounded retry or a clean error",
    done="the insert of an order fails with SQLSTATE 40001, twice and then for ever",
)
async def serialization_failure(ground: Ground, claims: Claims) -> str:
    """Tried three times; then the client is told to come again, and can."""
    place, portal = ground.place, ground.portal
    async with serving(place) as server, asking(server, portal, portal.buyers[4]) as client:
        await client.ask(ADD, sku=sku(41))
        await _execute(ground, _FAIL.format(times=2))
        try:
            twice = await client.place("twice")
        finally:
            await _execute(ground, _NO_MORE)
        await client.ask(ADD, sku=sku(41))
        await _execute(ground, _FAIL.format(times=1_000))
        try:
            always = await client.place("always")
            tries = await places.asked(place, "select last_value from bench.tries")
        finally:
            await _execute(ground, _NO_MORE)
        later = await client.place("always")
    claims.that(twice.number is not None, "after two failures the order is placed")
    claims.that(
        always.refused_cleanly and always.codes == ["CONTENTION"], "one that always fails is CONTENTION"
    )
    claims.that(tries == 3, "it is tried three times")
    claims.that(later.number is not None, "and can be repeated under its key")
    claims.that(await places.orders_are_whole(place, portal), "numbers are unique and without gaps")
    return f"{twice.number} at the third try; 503 {always.codes} after {tries} tries, later {later.number}"


async def _execute(ground: Ground, script: str) -> None:
    admin = await ground.place.admin()
    try:
        await admin.execute(script)
    finally:
        await admin.close()
