"""orderChanged on real sockets: who hears of what."""

from typing import Any

import db
from db.isolation import Mode
from tests.client import Client
from tests.conftest import At
from tests.server.live import (
    Serving,
    asking,
    is_silent,
    order,
    orders_of,
    streaming,
    tell,
    watching,
)
from tests.world import Portal, World


async def test_an_outsider_is_refused(live: Serving, portal: Portal, at: At) -> None:
    async with asking(live, at(portal)) as socket:
        assert await socket.code() == "UNAUTHENTICATED"
    async with streaming(live, portal.slug, None) as stream:
        assert stream.response.status_code == 200
        assert await stream.code() == "UNAUTHENTICATED"


async def test_a_session_of_another_portal_is_none_here(
    live: Serving, world: World, portal: Portal, bea: Client, at: At
) -> None:
    elsewhere = await world.portal()
    stranger = at(elsewhere)
    stranger.token = bea.token
    async with asking(live, stranger) as socket:
        assert await socket.code() == "UNAUTHENTICATED"


async def test_another_tenant_and_another_customer_hear_nothing(
    live: Serving, world: World, portal: Portal, bea: Client, at: At
) -> None:
    other = await world.portal()
    await other.account("bea")
    await portal.account("carl", customer="C2")
    foreigner, carl = await at(other).sign_in("bea"), await at(portal).sign_in("carl")
    async with (
        watching(live, foreigner) as abroad,
        watching(live, carl) as next_door,
        watching(live, bea) as own,
    ):
        numbers = [await order(bea) for _ in range(3)]
        assert await own.numbers(3) == numbers
        await tell(other, *await orders_of(portal))  # even if it were told wrongly
        assert await is_silent(abroad)
        assert await is_silent(next_door)


async def test_an_order_that_one_may_not_see_cannot_be_watched(
    live: Serving, world: World, portal: Portal, bea: Client, at: At
) -> None:
    await portal.account("carl", customer="C2")
    carl = await at(portal).sign_in("carl")
    await order(bea)
    found = await bea.ask("{ orders { nodes { id } } }")
    for key in (found["orders"]["nodes"][0]["id"], "T3JkZXI6MDAwMDAwMDA=", "x"):
        async with asking(live, carl, order=key) as socket:
            assert await socket.code() == "NOT_FOUND"


async def test_who_may_not_read_orders_may_not_watch_them(live: Serving, portal: Portal, at: At) -> None:
    await portal.account("nick", profile=None)
    nick = await at(portal).sign_in("nick")
    async with asking(live, nick) as socket:
        assert await socket.code() == "MISSING_PERMISSION"


async def test_staff_hears_of_the_orders_of_all_customers(
    live: Serving, portal: Portal, bea: Client, at: At
) -> None:
    await portal.staff_member("simone")
    async with watching(live, await at(portal).sign_in("simone")) as socket:
        number = await order(bea)
        assert await socket.numbers() == [number]


async def test_an_order_comes_as_it_is_now_over_both_transports(
    live: Serving, portal: Portal, bea: Client
) -> None:
    async with (
        watching(live, bea) as socket,
        streaming(live, portal.slug, bea.token) as stream,
        streaming(live, portal.slug, bea.token, method="GET") as gotten,
    ):
        await live.watched(3)
        number = await order(bea)
        heard = await socket.hear()
        assert (heard["type"], heard["id"]) == ("next", "1")
        assert heard["payload"]["data"]["orderChanged"]["lines"] == [{"sku": "A"}]
        assert heard["payload"]["data"]["orderChanged"]["number"] == number
        for each in (stream, gotten):
            assert each.response.headers["content-type"] == "text/event-stream; charset=utf-8"
            assert each.response.headers["cache-control"] == "no-store"
            assert (await each.data())["data"] == heard["payload"]["data"]
        await socket.say(type="complete", id="1")
        await live.watched(2)
        await order(bea)
        assert await is_silent(socket)


async def test_one_order_is_watched_alone(live: Serving, portal: Portal, bea: Client) -> None:
    first = await order(bea)
    found = (await bea.ask("{ orders { nodes { id number } } }"))["orders"]["nodes"][0]
    async with watching(live, bea, order=found["id"]) as socket:
        await order(bea)
        assert await is_silent(socket)
        await tell(portal, *await orders_of(portal))
        assert await socket.numbers() == [first]


async def test_whatever_becomes_of_an_order_is_heard(
    live: Serving, portal: Portal, bea: Client, at: At
) -> None:
    await portal.staff_member("simone")
    simone = await at(portal).sign_in("simone")
    numbers = [await order(bea) for _ in range(2)]
    found = (await bea.ask("{ orders { nodes { id number } } }"))["orders"]["nodes"]
    first, second = (next(each["id"] for each in found if each["number"] == number) for number in numbers)
    acts: list[tuple[Client, str, dict[str, Any], str]] = [
        (simone, "orderUpdate", {"order": first, "note": "Soon"}, numbers[0]),
        (simone, "orderShip", {"order": first}, numbers[0]),
        (bea, "orderCancel", {"order": second, "reason": "A mistake"}, numbers[1]),
    ]
    async with watching(live, bea) as socket:
        for who, name, given, number in acts:
            document = f"mutation($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ errors {{ code }} }} }}"
            assert (await who.ask(document, input=given))[name] == {"errors": []}
            assert await socket.numbers() == [number]


async def test_what_is_rolled_back_is_not_told(live: Serving, portal: Portal, bea: Client) -> None:
    await order(bea)
    ids = await orders_of(portal)
    async with watching(live, bea) as socket:
        async with portal.world.database.connect(portal.tenant_id) as connection:
            await connection.begin(Mode.WRITE)
            await db.events.notify(connection, "Order", ids)
            await connection.rollback()
        assert await is_silent(socket)
