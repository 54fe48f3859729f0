"""Updates of nothing: what is as it was keeps its version, and the audit says nothing of it."""

from typing import Any

import pytest

from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_fulfilments import do
from tests.world import Portal, World

READ = """{ portal { id name version } profiles { id name builtIn version }
  lifecycleStatuses(subject: ORDER) { id nameEn version } auditLog(first: 50) { nodes { action } } }"""


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.account("bea")
    await portal.staff_member(f"stan-{portal.slug}")
    return portal


@pytest.fixture
async def stan(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in(f"stan-{portal.slug}")


async def update(client: Client, noun: str, payload: str, **given: Any) -> None:
    mutation = f"{noun}Update"
    kind = mutation[0].upper() + mutation[1:]
    document = (
        f"mutation($input: {kind}Input!) {{ {mutation}(input: $input)"
        f" {{ errors {{ code }} {payload} {{ version }} }} }}"
    )
    answer = (await client.ask(document, input=given))[mutation]
    assert answer == {"errors": [], payload: {"version": 1}}


async def test_the_portal_and_its_statuses_stay_as_they_are(stan: Client) -> None:
    before = await stan.ask(READ)
    await update(stan, "portal", "portal")
    await update(stan, "portal", "portal", name=before["portal"]["name"])
    status = before["lifecycleStatuses"][0]
    await update(stan, "lifecycleStatus", "lifecycleStatus", lifecycleStatus=status["id"])
    assert await stan.ask(READ) == before


async def test_an_order_stays_as_it_is(portal: Portal, stan: Client, at: At) -> None:
    bea = await at(portal).sign_in("bea")
    await bea.ask(
        'mutation { cartAddItems(input: {items: [{sku: "A", quantity: "1"}]}) { errors { code } } }'
    )
    placed = await bea.ask("mutation { orderPlace(input: {}) { orders { id } } }")
    order = placed["orderPlace"]["orders"][0]["id"]
    before = await stan.ask(READ)
    for given in ({}, {"note": None}, {"note": ""}):
        answer = await do(stan, "orderUpdate", order, **given)
        assert (answer["errors"], answer["order"]["version"]) == ([], 1)
    assert await stan.ask(READ) == before
