"""Explanations over HTTP: why an account sees something or does not, and which group, kind and value decided."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from resolvers.nodes import global_id
from rules.permissions import BuiltInProfile, StaffRole
from rules.restrictions import RestrictionKind
from tests.client import Client
from tests.conftest import At
from tests.tenants.shops import Listing, Shop, but, only, open_shop
from tests.world import World

EXPLAIN = """query($account: ID!, $node: ID!) { explainAccess(account: $account, node: $node) {
  visible reason account { id userName } node { id ... on Product { sku } ... on Order { number } }
  groups { group { name } allowed missingPermission restrictions { kind mode inForce allowed
    decidedBy { id ... on Category { code } ... on Product { sku } ... on Warehouse { code } } } } } }"""
NODE = "query($id: ID!) { node(id: $id) { id } }"
NEVER = UUID(int=1)


@pytest.fixture
async def shop(world: World) -> Shop:
    return await open_shop(world)


async def staff(shop: Shop, at: At, role: StaffRole = StaffRole.OWNER) -> Client:
    name = f"{role.lower()}-{shop.portal.slug}"
    await shop.portal.staff_member(name, role=role)
    return await at(shop.portal).sign_in(name)


async def explained(client: Client, account: UUID, node: str) -> Any:
    """What somebody is told of an account and an object."""
    answer = await client.ask(EXPLAIN, account=global_id("Account", account), node=node)
    return answer["explainAccess"]


async def member(shop: Shop, **groups: dict[str, Listing]) -> UUID:
    """An account in groups with these restrictions."""
    account_id = await shop.portal.account("mia", profile=None)
    for name, listings in groups.items():
        await shop.group(name, account_id)
        await shop.restrict(name, **listings)
    return account_id


async def session_ids(shop: Shop) -> list[UUID]:
    """The sessions of everybody at the portal."""
    async with shop.portal.writing() as connection:
        return [row[0] for row in await connection.fetch_text("select id from sessions")]


def verdicts(explanation: dict[str, Any]) -> list[tuple[str, bool]]:
    """Each group by name, and whether it alone is enough."""
    return [(each["group"]["name"], each["allowed"]) for each in explanation["groups"]]


async def test_an_outsider_customers_and_staff_that_keeps_no_access_may_not_ask(shop: Shop, at: At) -> None:
    account_id = await shop.portal.account("bea")
    for client, code in (
        (at(shop.portal), "UNAUTHENTICATED"),
        (await at(shop.portal).sign_in("bea"), "MISSING_PERMISSION"),
        (await staff(shop, at, StaffRole.ACCOUNTANT), "MISSING_PERMISSION"),
    ):
        error = await client.refusal(
            EXPLAIN, account=global_id("Account", account_id), node=shop.id_of("MUG")
        )
        assert (error["extensions"]["code"], error["path"]) == (code, ["explainAccess"])


async def test_accounts_and_objects_of_another_company_are_not_there(
    world: World, shop: Shop, at: At
) -> None:
    other = await open_shop(world)
    theirs, ours = await other.portal.account("mia"), await shop.portal.account("mia")
    sam = await staff(shop, at, StaffRole.AGENT)
    assert (await explained(sam, ours, shop.id_of("MUG")))["visible"] is True
    for account_id, node in (
        (theirs, shop.id_of("MUG")),
        (ours, other.id_of("MUG")),
        (ours, other.id_of("mugs")),
        (ours, other.id_of("W1")),
        (theirs, other.id_of("MUG")),
        (NEVER, shop.id_of("MUG")),
        (ours, global_id("Product", NEVER)),
        (ours, "bm90aGluZw=="),
    ):
        assert await explained(sam, account_id, node) is None
    answer = await sam.ask(EXPLAIN, account=shop.id_of("MUG"), node=shop.id_of("MUG"))
    assert answer == {"explainAccess": None}


async def test_a_product_that_is_no_longer_sold_is_seen_by_no_customer(shop: Shop, at: At) -> None:
    account_id = await shop.portal.account("mia")
    await shop.portal.withdraw("MUG")
    found = await explained(await staff(shop, at), account_id, shop.id_of("MUG"))
    assert found is not None
    assert (found["visible"], found["reason"]) == (False, "NO_LONGER_SOLD")


async def test_what_is_visible_says_by_which_group_and_listed_category(shop: Shop, at: At) -> None:
    account_id = await member(shop, wide={"category": only("all")}, narrow={"category": only("bowls")})
    found = await explained(await staff(shop, at), account_id, shop.id_of("BLUE"))
    listed = {"kind": "PRODUCT_CATEGORY", "mode": "DENY_EXCEPT", "inForce": True}
    assert found == {
        "visible": True,
        "reason": "VISIBLE",
        "account": {"id": global_id("Account", account_id), "userName": "mia"},
        "node": {"id": shop.id_of("BLUE"), "sku": "BLUE"},
        "groups": [
            {
                "group": {"name": "narrow"},
                "allowed": False,
                "missingPermission": None,
                "restrictions": [listed | {"allowed": False, "decidedBy": None}],
            },
            {
                "group": {"name": "wide"},
                "allowed": True,
                "missingPermission": None,
                "restrictions": [
                    listed | {"allowed": True, "decidedBy": {"id": shop.id_of("all"), "code": "all"}}
                ],
            },
        ],
    }


@pytest.mark.parametrize(
    ("node", "listings", "visible", "decided"),
    [
        ("BLUE", {"category": but("mugs")}, False, [{"code": "mugs"}]),
        ("BLUE", {"category": but("all", "blue", "mugs")}, False, [{"code": "blue"}]),
        ("BLUE", {"category": only("all", "mugs")}, True, [{"code": "mugs"}]),
        ("MUG", {"category": but("blue")}, True, [None]),
        ("LOOSE", {"category": only("all")}, False, [None]),
        ("LOOSE", {"category": but("all")}, True, [None]),
        ("MUG", {"product": only("MUG", "BOWL")}, True, [{"sku": "MUG"}]),
        ("MUG", {"product": but("MUG", "BOWL")}, False, [{"sku": "MUG"}]),
        ("MUG", {"product": only()}, False, [None]),
        ("MUG", {"category": only("mugs"), "product": but("MUG")}, False, [{"code": "mugs"}, {"sku": "MUG"}]),
        ("MUG", {"warehouse": only()}, True, []),
        ("blue", {"category": but("mugs")}, False, [{"code": "mugs"}]),
        ("blue", {"category": only("all")}, True, [{"code": "all"}]),
        ("blue", {"product": only(), "warehouse": only()}, True, []),
        ("W1", {"warehouse": but("W1")}, False, [{"code": "W1"}]),
        ("W1", {"warehouse": only("W1"), "category": only()}, True, [{"code": "W1"}]),
        ("W1", {"warehouse": only("W2")}, False, [None]),
    ],
)
async def test_the_listed_value_that_decided_is_named(
    node: str,
    listings: dict[str, Listing],
    visible: bool,
    decided: list[dict[str, str] | None],
    shop: Shop,
    at: At,
) -> None:
    account_id = await member(shop, g=listings)
    found = await explained(await staff(shop, at), account_id, shop.id_of(node))
    assert (found["visible"], found["reason"]) == (visible, "VISIBLE" if visible else "RESTRICTED")
    assert verdicts(found) == [("g", visible)]
    named = [each["decidedBy"] for each in found["groups"][0]["restrictions"]]
    assert [each and each | {"id": None} for each in named] == [
        each and {"id": None} | each for each in decided
    ]
    assert all(each is None or each["id"] == shop.id_of(each.get("code") or each["sku"]) for each in named)


async def test_each_kind_tells_its_own_verdict_and_the_group_is_all_of_them(shop: Shop, at: At) -> None:
    account_id = await member(
        shop, g={"category": only("mugs"), "product": only("BOWL"), "warehouse": only()}
    )
    found = await explained(await staff(shop, at), account_id, shop.id_of("MUG"))
    assert [(each["kind"], each["mode"], each["allowed"]) for each in found["groups"][0]["restrictions"]] == [
        ("PRODUCT_CATEGORY", "DENY_EXCEPT", True),
        ("PRODUCT", "DENY_EXCEPT", False),
    ]
    assert verdicts(found) == [("g", False)]


async def test_a_kind_that_is_not_in_force_is_told_and_lets_pass(shop: Shop, at: At) -> None:
    account_id = await member(shop, g={"category": but("mugs"), "product": but("BOWL")})
    await shop.portal.enforce(RestrictionKind.PRODUCT)
    found = await explained(await staff(shop, at), account_id, shop.id_of("MUG"))
    assert (found["visible"], verdicts(found)) == (True, [("g", True)])
    category, product = found["groups"][0]["restrictions"]
    assert (category["inForce"], category["allowed"], category["decidedBy"]["code"]) == (False, True, "mugs")
    assert (product["inForce"], product["allowed"], product["decidedBy"]) == (True, True, None)


async def test_a_group_whose_profile_does_not_permit_it_is_not_enough_whatever_it_allows(
    shop: Shop, at: At
) -> None:
    account_id = await member(shop, blind={}, seeing={"product": but("MUG")})
    await shop.permit("blind", "ORDERS_READ")
    sam = await staff(shop, at)
    found = await explained(sam, account_id, shop.id_of("MUG"))
    assert (found["visible"], found["reason"]) == (False, "RESTRICTED")
    assert verdicts(found) == [("blind", False), ("seeing", False)]
    assert [each["missingPermission"] for each in found["groups"]] == ["PRODUCTS_READ", None]
    assert verdicts(await explained(sam, account_id, shop.id_of("BOWL"))) == [
        ("blind", False),
        ("seeing", True),
    ]


async def test_when_no_profile_permits_it_the_reason_is_the_permission(shop: Shop, at: At) -> None:
    account_id = await member(shop, blind={"category": only("mugs")})
    await shop.permit("blind", "ORDERS_READ")
    found = await explained(await staff(shop, at), account_id, shop.id_of("MUG"))
    assert (found["visible"], found["reason"]) == (False, "MISSING_PERMISSION")
    assert verdicts(found) == [("blind", False)]
    assert found["groups"][0]["restrictions"][0]["allowed"] is True


async def test_a_membership_that_has_ended_is_no_group(shop: Shop, at: At) -> None:
    account_id = await shop.portal.account("mia", profile=None)
    await shop.group("past", account_id, ends_on=datetime.now(UTC).date() - timedelta(days=2))
    found = await explained(await staff(shop, at), account_id, shop.id_of("MUG"))
    assert (found["visible"], found["reason"], found["groups"]) == (False, "NO_ACCESS_GROUP", [])


async def test_an_account_that_was_deactivated_and_a_portal_that_is_closed_come_first(
    shop: Shop, at: At
) -> None:
    account_id = await member(shop, g={"category": only("mugs")})
    sam = await staff(shop, at)
    await shop.portal.switch(is_open=False)
    for sku, allowed in (("MUG", True), ("BOWL", False)):
        found = await explained(sam, account_id, shop.id_of(sku))
        assert (found["visible"], found["reason"]) == (False, "PORTAL_CLOSED")
        assert verdicts(found) == [("g", allowed)]
    async with shop.portal.writing() as connection:
        await connection.fetch_text("update accounts set active = false")
    found = await explained(sam, account_id, shop.id_of("MUG"))
    assert (found["visible"], found["reason"]) == (False, "ACCOUNT_INACTIVE")


async def test_what_belongs_to_somebody_else_is_not_its_own(shop: Shop, at: At) -> None:
    account_id = await member(shop, g={})
    await shop.portal.customer("C2")
    await shop.group("elsewhere")
    sam = await staff(shop, at)
    mine = await shop.portal.order("SO-1", skus=("MUG",))
    theirs = await shop.portal.order("SO-2", customer="C2", skus=("MUG",))
    found = await explained(sam, account_id, global_id("Order", mine))
    assert (found["reason"], found["node"]["number"], verdicts(found)) == ("VISIBLE", "SO-1", [("g", True)])
    staff_member = (await sam.ask("{ viewer { staffMember { id } } }"))["viewer"]["staffMember"]["id"]
    for node in (
        global_id("Order", theirs),
        global_id("Customer", shop.portal.customers["C2"]),
        global_id("AccessGroup", shop.groups["elsewhere"]),
        staff_member,
    ):
        found = await explained(sam, account_id, node)
        assert (found["visible"], found["reason"]) == (False, "NOT_ITS_OWN")
        assert found["node"]["id"] == node


async def test_a_later_restriction_of_its_product_takes_no_order_away(shop: Shop, at: At) -> None:
    account_id = await member(shop, g={"product": only()})
    order_id = await shop.portal.order("SO-1", skus=("MUG",))
    found = await explained(await staff(shop, at), account_id, global_id("Order", order_id))
    assert (found["visible"], found["groups"][0]["restrictions"]) == (True, [])


@pytest.mark.parametrize("profile_name", [*BuiltInProfile, None])
async def test_what_is_explained_is_what_the_account_itself_is_answered(
    profile_name: BuiltInProfile | None, shop: Shop, at: At
) -> None:
    account_id = await shop.portal.account("mia", profile=None)
    colleague = await shop.portal.account("ben")
    stranger = await shop.portal.account("carl", customer="C2")
    if profile_name is not None:
        await shop.group("g", account_id, profile=profile_name, category=only("mugs"), warehouse=but("W1"))
    mine = await shop.portal.order("SO-1", skus=("MUG",))
    theirs = await shop.portal.order("SO-2", customer="C2", skus=("MUG",))
    mia, sam = await at(shop.portal).sign_in("mia"), await staff(shop, at)
    everybody = await sam.ask(
        "{ portal { id } supplier { id } profiles { id } viewer { staffMember { id } } }"
    )
    keys = [
        *(("Account", each) for each in (account_id, colleague, stranger)),
        *(("AccessGroup", each) for each in shop.groups.values()),
        *(("Order", each) for each in (mine, theirs)),
        *(("Customer", each) for each in shop.portal.customers.values()),
        *(("Session", each) for each in await session_ids(shop)),
    ]
    nodes = [
        *(shop.id_of(name) for name in ("MUG", "BLUE", "BOWL", "LOOSE", "all", "mugs", "W1", "W2")),
        *(global_id(*key) for key in keys),
        everybody["portal"]["id"],
        everybody["supplier"]["id"],
        everybody["viewer"]["staffMember"]["id"],
        *(each["id"] for each in everybody["profiles"]),
    ]
    for node in nodes:
        found = await explained(sam, account_id, node)
        there = (await mia.ask(NODE, id=node))["node"]
        assert found["visible"] == (there is not None), found
