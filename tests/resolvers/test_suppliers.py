"""The supplier: its portals as far as one may enter them, what waits at each, and its people."""

import json
from typing import Any

import pytest

from db.contact_changes import contact_changes
from db.staff_members import staff_roles
from resolvers.nodes import global_id
from rules.contacts import ContactChangeState
from rules.lifecycle import ProcessingState
from rules.permissions import StaffRole
from tests.client import Client
from tests.conftest import At
from tests.world import Portal, World, put

PORTALS = "{ supplier { portals { slug waiting { newOrders contactChanges } } } }"
STAFF = """{ supplier { id code name staffMembers { id userName name email active activated version
  roles { role everywhere portal { slug } } } } }"""
NODE = """query($id: ID!) { node(id: $id) { id ... on Portal { slug waiting { newOrders } }
  ... on Supplier { code } ... on StaffMember { userName } } }"""

Waiting = dict[str, tuple[int, int]]


async def waits(portal: Portal, *, orders: int = 0, requests: int = 0) -> None:
    """Let orders and requests wait at a portal, beside those that are done with."""
    account_id = await portal.account("bea")
    await portal.product("A")
    numbers = iter(range(100))
    for state, times in ((ProcessingState.NOT_STARTED, orders), *((each, 1) for each in OTHER_STATES)):
        for _ in range(times):
            await portal.order(f"SO-{next(numbers)}", state=state)
    asked = {"email": "new@customers.example", "phone": None, "contacts": None, "addresses": None}
    for request, times in ((ContactChangeState.OPEN, requests), *((each, 1) for each in CLOSED)):
        for _ in range(times):
            async with portal.writing() as connection:
                await put(
                    connection,
                    contact_changes,
                    customer_id=portal.customers["C1"],
                    account_id=account_id,
                    asked=json.dumps(asked),
                    state=request,
                )


OTHER_STATES = [each for each in ProcessingState if each is not ProcessingState.NOT_STARTED]
CLOSED = [each for each in ContactChangeState if each is not ContactChangeState.OPEN]


async def waiting(client: Client) -> Waiting:
    """What waits at each portal that somebody may enter: new orders, requests."""
    portals = (await client.ask(PORTALS))["supplier"]["portals"]
    return {each["slug"]: tuple(each["waiting"].values()) for each in portals}


async def nobody(client: Client, *ids: str) -> None:
    """Refuse to believe that there is anything behind the ids."""
    for each in ids:
        assert await client.ask(NODE, id=each) == {"node": None}


@pytest.fixture
async def portal(world: World) -> Portal:
    return await world.portal()


@pytest.fixture
async def sister(world: World, portal: Portal) -> Portal:
    return await world.portal(supplier=portal.slug)


async def test_an_outsider_and_customers_see_no_supplier(portal: Portal, sister: Portal, at: At) -> None:
    await portal.account("bea")
    mona = await portal.staff_member("mona")
    bea = await at(portal).sign_in("bea")
    assert (await at(portal).refusal(PORTALS))["extensions"]["code"] == "UNAUTHENTICATED"
    assert (await bea.refusal(PORTALS))["extensions"]["code"] == "MISSING_PERMISSION"
    await nobody(
        bea,
        global_id("Supplier", portal.supplier_id),
        global_id("Portal", sister.tenant_id),
        global_id("StaffMember", mona),
    )
    for client in (at(portal), bea):
        assert await client.ask("{ portal { waiting { newOrders contactChanges } } }") == {
            "portal": {"waiting": None}
        }


async def test_another_suppliers_people_see_nothing(world: World, portal: Portal, at: At) -> None:
    other = await world.portal()
    await waits(portal, orders=2)
    mona_id = await portal.staff_member("mona")
    await other.staff_member("nora", role=StaffRole.OWNER)
    nora = await at(other).sign_in("nora")
    await nobody(
        nora,
        global_id("Supplier", portal.supplier_id),
        global_id("Portal", portal.tenant_id),
        global_id("StaffMember", mona_id),
    )
    assert await waiting(nora) == {other.slug: (0, 0)}
    found = (await nora.ask(STAFF))["supplier"]
    assert (found["code"], [each["userName"] for each in found["staffMembers"]]) == (other.slug, ["nora"])


async def test_one_answer_tells_what_waits_at_each_portal_and_nothing_else_of_the_sisters(
    world: World, portal: Portal, sister: Portal, at: At
) -> None:
    third = await world.portal(supplier=portal.slug)
    await waits(portal, orders=3, requests=1)
    await waits(sister, orders=1, requests=4)
    await sister.customer("C2")
    await sister.product("B")
    await portal.staff_member("mona")
    mona = await at(portal).sign_in("mona")
    found = await mona.ask(
        """{ before: products { nodes { sku } } supplier { portals { slug name waiting { newOrders contactChanges } } }
        orders(first: 50) { totalCount } customers { nodes { code } } contactChanges { totalCount }
        portal { slug waiting { newOrders contactChanges } } after: products { nodes { sku } } }"""
    )
    here = {"newOrders": 3, "contactChanges": 1}
    there = {"newOrders": 1, "contactChanges": 4}
    nothing = {"newOrders": 0, "contactChanges": 0}
    every = ((portal, here), (sister, there), (third, nothing))
    assert found == {
        "before": {"nodes": [{"sku": "A"}]},
        "supplier": {
            "portals": [
                {"slug": each.slug, "name": each.slug.title(), "waiting": waits}
                for each, waits in sorted(every, key=lambda each: each[0].slug.title())
            ]
        },
        "orders": {"totalCount": 3 + len(OTHER_STATES)},
        "customers": {"nodes": [{"code": "C1"}]},
        "contactChanges": {"totalCount": 1 + len(CLOSED)},
        "portal": {"slug": portal.slug, "waiting": here},
        "after": {"nodes": [{"sku": "A"}]},
    }


async def test_only_portals_that_one_may_enter_are_there(
    world: World, portal: Portal, sister: Portal, at: At
) -> None:
    third = await world.portal(supplier=portal.slug)
    await waits(sister, orders=1)
    hanna_id = await portal.staff_member("hanna", role=StaffRole.ACCOUNTANT, here_only=True)
    await sister.staff_member("selma", here_only=True)
    hanna = await at(portal).sign_in("hanna")
    assert await waiting(hanna) == {portal.slug: (0, 0)}
    await nobody(hanna, *(global_id("Portal", each.tenant_id) for each in (sister, third)))
    people = (await hanna.ask(STAFF))["supplier"]["staffMembers"]
    assert {each["userName"]: each["roles"] for each in people} == {
        "hanna": [{"role": "ACCOUNTANT", "everywhere": False, "portal": {"slug": portal.slug}}],
        "selma": [{"role": "MANAGER", "everywhere": False, "portal": None}],
    }
    role: dict[str, Any] = {"supplier_id": portal.supplier_id, "at_tenant_id": sister.tenant_id}
    async with portal.writing() as connection:
        await put(connection, staff_roles, **role, staff_member_id=hanna_id, role=StaffRole.AGENT)
    assert await waiting(hanna) == {portal.slug: (0, 0), sister.slug: (1, 0)}
    node = await hanna.ask(NODE, id=global_id("Portal", sister.tenant_id))
    assert (node["node"]["slug"], node["node"]["waiting"]) == (sister.slug, {"newOrders": 1})


async def test_the_staff_sees_its_supplier_and_everybody_who_works_there(
    portal: Portal, sister: Portal, at: At
) -> None:
    mona_id = await portal.staff_member("mona", role=StaffRole.AGENT)
    await sister.staff_member("abel", here_only=True)
    mona = await at(portal).sign_in("mona")
    supplier = (await mona.ask(STAFF))["supplier"]
    abel, found = supplier.pop("staffMembers")
    assert supplier == {
        "id": global_id("Supplier", portal.supplier_id),
        "code": portal.slug,
        "name": portal.slug,
    }
    assert (abel["userName"], abel["roles"][0]["everywhere"]) == ("abel", False)
    assert found == {
        "id": global_id("StaffMember", mona_id),
        "userName": "mona",
        "name": "Mona",
        "email": "mona@staff.example",
        "active": True,
        "activated": True,
        "version": 1,
        "roles": [{"role": "AGENT", "everywhere": True, "portal": None}],
    }
    assert await mona.ask(NODE, id=supplier["id"]) == {"node": {"id": supplier["id"], "code": portal.slug}}


async def test_whoever_looks_through_a_customers_eyes_sees_no_supplier(portal: Portal, at: At) -> None:
    account_id = await portal.account("bea")
    await portal.staff_member("mona")
    mona = await at(portal).sign_in("mona")
    eyes = await mona.view_as(global_id("Account", account_id))
    assert (await eyes.refusal(PORTALS))["extensions"]["code"] == "MISSING_PERMISSION"
    assert await eyes.ask("{ portal { waiting { newOrders } } }") == {"portal": {"waiting": None}}
    await nobody(eyes, global_id("Supplier", portal.supplier_id))
