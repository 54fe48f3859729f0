"""Restrictions over HTTP: what a member of restricted groups finds of catalogue and stock, and what is not there."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from resolvers.nodes import global_id
from rules.restrictions import RestrictionKind
from tests.client import Client, answered
from tests.conftest import At
from tests.tenants.shops import EVERYTHING, Listing, Shop, but, only, open_shop, skus
from tests.world import World

TREE = "{ categories { code parent { code } children { code } } }"
STOCK = """query($sku: String!) { product(sku: $sku) { available
  stock { warehouse { code } onHand reserved available } } }"""
NODES = """query($ids: [ID!]!) { nodes(ids: $ids) { id
  ... on Product { sku category { code } } ... on Category { code name } ... on Warehouse { code name } } }"""
NODE = """query($id: ID!) { node(id: $id) { id
  ... on Product { sku } ... on Category { code } ... on Warehouse { code } } }"""
BY_ID = "query($id: ID!) { product(id: $id) { id sku name } }"
BY_SKU = "query($id: String!) { product(sku: $id) { id sku name } }"
ADD_BY_ID = """mutation($id: ID!) { cartAddItems(input: { items: [{ product: $id, quantity: "1" }] }) {
  cart { id } errors { __typename code path message } } }"""
ADD_BY_SKU = """mutation($id: String!) { cartAddItems(input: { items: [{ sku: $id, quantity: "1" }] }) {
  cart { id } errors { __typename code path message } } }"""


@pytest.fixture
async def shop(world: World) -> Shop:
    shop = await open_shop(world)
    await shop.portal.account("bea", profile=None)
    return shop


async def member(shop: Shop, at: At, **groups: dict[str, Listing]) -> Client:
    """Somebody in groups with these restrictions, signed in."""
    account_id = await shop.portal.account("mia", profile=None)
    for name, listings in groups.items():
        await shop.group(name, account_id)
        await shop.restrict(name, **listings)
    return await at(shop.portal).sign_in("mia")


async def stock(client: Client, sku: str) -> dict[str, Any] | None:
    """How much of a product somebody sees, by warehouse, and what all of that comes to."""
    product = (await client.ask(STOCK, sku=sku))["product"]
    if product is None:
        return None
    return {each["warehouse"]["code"]: each["available"] for each in product["stock"]} | {
        "all": product["available"]
    }


async def test_an_outsider_sees_nothing_and_an_account_in_no_group_nothing_either(shop: Shop, at: At) -> None:
    bea = await at(shop.portal).sign_in("bea")
    for field in ("products { totalCount }", "categories { id }", 'product(sku: "MUG") { id }'):
        for client, code in ((at(shop.portal), "UNAUTHENTICATED"), (bea, "MISSING_PERMISSION")):
            error = await client.refusal(f"{{ {field} }}")
            assert (error["extensions"]["code"], error["path"]) == (code, [field.split(" ")[0].split("(")[0]])
    ids = [shop.id_of(name) for name in ("MUG", "mugs", "W1")]
    assert (await bea.ask(NODES, ids=ids))["nodes"] == [None, None, None]


async def test_another_companys_groups_and_kinds_in_force_restrict_nothing_here(
    world: World, shop: Shop, at: At
) -> None:
    other = await open_shop(world)
    theirs = await member(other, at, g={"category": only()})
    ours = await member(shop, at, g={"category": only("mugs")})
    assert (await skus(theirs), await skus(ours)) == ([], ["BLUE", "MUG", "WASH"])
    await other.portal.enforce()
    assert (await skus(theirs), await skus(ours)) == (EVERYTHING, ["BLUE", "MUG", "WASH"])


async def test_nothing_changes_for_accounts_of_other_groups(shop: Shop, at: At) -> None:
    await shop.portal.account("oscar")
    oscar = await at(shop.portal).sign_in("oscar")
    before = answered(await oscar.post(TREE)), await skus(oscar), await stock(oscar, "MUG")
    mia = await member(shop, at, g={"category": only("bowls"), "warehouse": only("W1")})
    assert await skus(mia) == ["BOWL"]
    assert (answered(await oscar.post(TREE)), await skus(oscar), await stock(oscar, "MUG")) == before


@pytest.mark.parametrize(
    ("listings", "seen"),
    [
        ({"category": only("mugs")}, ["BLUE", "MUG", "WASH"]),
        ({"category": only("blue")}, ["BLUE"]),
        ({"category": only("all")}, ["BLUE", "BOWL", "MUG", "WASH"]),
        ({"category": only("blue", "bowls")}, ["BLUE", "BOWL"]),
        ({"category": only()}, []),
        ({"category": but("mugs")}, ["BOWL", "LOOSE"]),
        ({"category": but("blue", "mugs")}, ["BOWL", "LOOSE"]),
        ({"category": but("blue")}, ["BOWL", "LOOSE", "MUG", "WASH"]),
        ({"category": but("all")}, ["LOOSE"]),
        ({"category": but()}, EVERYTHING),
        ({"product": only("LOOSE", "MUG")}, ["LOOSE", "MUG"]),
        ({"product": only()}, []),
        ({"product": but("LOOSE", "MUG")}, ["BLUE", "BOWL", "WASH"]),
        ({"product": but()}, EVERYTHING),
        ({"category": only("mugs"), "product": but("BLUE")}, ["MUG", "WASH"]),
        ({"category": only("mugs"), "product": only("BOWL")}, []),
        ({"category": but("blue"), "product": but("LOOSE")}, ["BOWL", "MUG", "WASH"]),
    ],
)
async def test_one_group_shows_the_products_that_all_its_restrictions_let_pass(
    listings: dict[str, Listing], seen: list[str], shop: Shop, at: At
) -> None:
    mia = await member(shop, at, g=listings)
    assert await skus(mia) == seen
    assert await skus(mia, search="product") == seen
    assert await skus(mia, skus=EVERYTHING) == seen
    assert await skus(mia, availableOnly=True) == seen
    ids = {sku: shop.id_of(sku) for sku in EVERYTHING}
    nodes = (await mia.ask(NODES, ids=list(ids.values())))["nodes"]
    assert [each["sku"] for each in nodes if each] == seen
    for sku, key in ids.items():
        there = {"id": key, "sku": sku, "name": f"Product {sku}"} if sku in seen else None
        assert await mia.ask(BY_ID, id=key) == await mia.ask(BY_SKU, id=sku) == {"product": there}


async def test_one_of_several_groups_is_enough(shop: Shop, at: At) -> None:
    mia = await member(
        shop,
        at,
        one={"category": only("blue")},
        other={"category": only("bowls")},
        third={"product": only("MUG")},
    )
    assert await skus(mia) == ["BLUE", "BOWL", "MUG"]


async def test_the_category_of_one_group_and_the_warehouse_of_another_do_not_add_up(
    shop: Shop, at: At
) -> None:
    mia = await member(
        shop,
        at,
        one={"category": only("mugs"), "warehouse": only("W1")},
        other={"category": only("bowls"), "warehouse": only("W2")},
    )
    assert await stock(mia, "MUG") == {"W1": "5", "all": "5"}
    assert await stock(mia, "BOWL") == {"W2": "7", "all": "7"}
    assert await stock(mia, "LOOSE") is None
    nodes = (await mia.ask(NODES, ids=[shop.id_of("W1"), shop.id_of("W2")]))["nodes"]
    assert [each["name"] for each in nodes] == ["Warehouse W1", "Warehouse W2"]


async def test_the_category_of_one_group_and_the_product_of_another_do_not_add_up(shop: Shop, at: At) -> None:
    mia = await member(
        shop,
        at,
        one={"category": only("mugs"), "product": only("BOWL")},
        other={"category": only("bowls"), "product": only("MUG")},
    )
    assert await skus(mia) == []


@pytest.mark.parametrize(
    ("in_force", "seen", "warehouses"),
    [
        ([], EVERYTHING, ["W1", "W2"]),
        (["DOCUMENT_KIND"], EVERYTHING, ["W1", "W2"]),
        (["PRODUCT_CATEGORY"], ["BLUE", "MUG", "WASH"], ["W1", "W2"]),
        (["PRODUCT"], ["BOWL", "MUG"], ["W1", "W2"]),
        (["WAREHOUSE"], EVERYTHING, ["W2"]),
        (["PRODUCT_CATEGORY", "PRODUCT", "WAREHOUSE", "DOCUMENT_KIND"], ["MUG"], ["W2"]),
    ],
)
async def test_a_kind_that_is_not_in_force_restricts_nothing(
    in_force: list[str], seen: list[str], warehouses: list[str], shop: Shop, at: At
) -> None:
    mia = await member(
        shop, at, g={"category": only("mugs"), "product": only("MUG", "BOWL"), "warehouse": but("W1")}
    )
    await shop.portal.enforce(*map(RestrictionKind, in_force))
    assert await skus(mia) == seen
    levels = await stock(mia, "MUG")
    assert levels is not None
    assert sorted(levels.keys() - {"all"}) == warehouses


async def test_a_group_that_restricts_nothing_of_a_kind_in_force_lets_all_pass(shop: Shop, at: At) -> None:
    mia = await member(shop, at, narrow={"category": only("blue")}, wide={"warehouse": only("W1")})
    assert await skus(mia) == EVERYTHING
    assert await stock(mia, "BLUE") == {"W1": "5", "W2": "7", "all": "12"}
    assert await stock(mia, "BOWL") == {"W1": "5", "all": "5"}


async def test_a_membership_that_has_ended_gives_nothing(shop: Shop, at: At) -> None:
    today = datetime.now(UTC).date()
    account_id = await shop.portal.account("mia", profile=None)
    await shop.group("past", account_id, ends_on=today - timedelta(days=2))
    await shop.group("now", account_id, ends_on=today + timedelta(days=2), category=only("bowls"))
    mia = await at(shop.portal).sign_in("mia")
    assert await skus(mia) == ["BOWL"]
    async with shop.portal.writing() as connection:
        await connection.fetch_text("update access_group_members set ends_on = current_date - 1")
    error = await mia.refusal("{ products { totalCount } }")
    assert (error["extensions"]["code"], error["path"]) == ("MISSING_PERMISSION", ["products"])


async def test_every_change_works_at_once_for_a_session_that_is_signed_in(shop: Shop, at: At) -> None:
    mia = await member(shop, at, g={})
    assert await skus(mia) == EVERYTHING
    await shop.restrict("g", category=only("mugs"))
    assert await skus(mia) == ["BLUE", "MUG", "WASH"]
    await shop.restrict("g", category=only("mugs"), product=but("MUG"))
    assert await skus(mia) == ["BLUE", "WASH"]
    await shop.portal.enforce(RestrictionKind.PRODUCT)
    assert await skus(mia) == ["BLUE", "BOWL", "LOOSE", "WASH"]
    await shop.portal.enforce(RestrictionKind.PRODUCT_CATEGORY)
    async with shop.portal.writing() as connection:
        await connection.fetch_text("update categories set parent_id = null where code = 'blue'")
    assert await skus(mia) == ["MUG", "WASH"]
    async with shop.portal.writing() as connection:
        await connection.fetch_text("delete from access_group_members")
    assert (await mia.refusal("{ products { totalCount } }"))["extensions"]["code"] == "MISSING_PERMISSION"


async def test_a_page_goes_on_behind_a_product_that_is_gone_in_the_meantime(shop: Shop, at: At) -> None:
    mia = await member(shop, at, g={})
    pages = """query($after: String) { products(first: 2, after: $after) {
      nodes { sku } pageInfo { endCursor hasNextPage } } }"""
    first = (await mia.ask(pages))["products"]
    assert first["nodes"] == [{"sku": "BLUE"}, {"sku": "BOWL"}]
    await shop.restrict("g", product=but("BOWL", "LOOSE"))
    second = (await mia.ask(pages, after=first["pageInfo"]["endCursor"]))["products"]
    assert second["nodes"] == [{"sku": "MUG"}, {"sku": "WASH"}]
    assert second["pageInfo"]["hasNextPage"] is False


async def test_the_tree_is_cut_to_what_is_allowed(shop: Shop, at: At) -> None:
    mia = await member(shop, at, g={"category": only("mugs")})
    assert (await mia.ask(TREE))["categories"] == [
        {"code": "blue", "parent": {"code": "mugs"}, "children": []},
        {"code": "mugs", "parent": None, "children": [{"code": "blue"}]},
    ]
    await shop.restrict("g", category=but("mugs"))
    assert (await mia.ask(TREE))["categories"] == [
        {"code": "bowls", "parent": {"code": "all"}, "children": []},
        {"code": "all", "parent": None, "children": [{"code": "bowls"}]},
    ]
    nodes = (await mia.ask(NODES, ids=[shop.id_of(code) for code in ("all", "mugs", "blue", "bowls")]))[
        "nodes"
    ]
    assert [each and each["code"] for each in nodes] == ["all", None, None, "bowls"]


async def test_a_warehouse_that_is_not_allowed_is_not_listed_and_not_counted(shop: Shop, at: At) -> None:
    mia = await member(shop, at, g={"warehouse": but("W2")})
    await shop.portal.product("FAR", stock_at={"W2": "9"}, category_id=shop.categories["bowls"])
    assert await stock(mia, "MUG") == {"W1": "5", "all": "5"}
    assert await stock(mia, "FAR") == {"all": "0"}
    assert await skus(mia) == sorted([*EVERYTHING, "FAR"])
    assert await skus(mia, availableOnly=True) == EVERYTHING
    nodes = (await mia.ask(NODES, ids=[shop.id_of("W1"), shop.id_of("W2")]))["nodes"]
    assert [each and each["code"] for each in nodes] == ["W1", None]
    await shop.restrict("g", warehouse=only())
    assert await skus(mia, availableOnly=True) == ["WASH"]


@pytest.mark.parametrize(
    ("query", "type_name", "name"),
    [
        (BY_ID, "Product", "MUG"),
        (ADD_BY_ID, "Product", "MUG"),
        (NODE, "Product", "MUG"),
        (NODE, "Category", "mugs"),
        (NODE, "Warehouse", "W2"),
        (NODES.replace("$ids: [ID!]!", "$id: ID!").replace("ids: $ids", "ids: [$id]"), "Product", "MUG"),
        (
            "query($id: ID!) { products(filter: { category: $id }) { totalCount nodes { sku } } }",
            "Category",
            "mugs",
        ),
    ],
)
async def test_what_is_not_allowed_answers_byte_for_byte_like_an_id_that_never_existed(
    query: str, type_name: str, name: str, shop: Shop, at: At
) -> None:
    mia = await member(shop, at, g={"category": but("mugs"), "warehouse": but("W2")})
    await shop.portal.account("oscar")
    oscar = await at(shop.portal).sign_in("oscar")
    hidden, never = shop.id_of(name), global_id(type_name, shop.portal.tenant_id)
    answers = [await mia.post(query, {"id": each}) for each in (hidden, never)]
    first, second = map(answered, answers)
    assert first.replace(hidden.encode(), never.encode()) == second
    assert answers[0].status_code == answers[1].status_code == 200
    own = answered(await oscar.post(query, {"id": hidden})).replace(hidden.encode(), never.encode())
    assert own != answered(await oscar.post(query, {"id": never}))


@pytest.mark.parametrize(
    ("query", "hidden", "never"),
    [
        (BY_SKU, "MUG", "GUM"),
        (ADD_BY_SKU, "MUG", "GUM"),
        (
            "query($id: String!) { products(filter: { skus: [$id] }) { totalCount nodes { sku } } }",
            "MUG",
            "GUM",
        ),
        (
            "query($id: String!) { products(filter: { search: $id }) { totalCount nodes { sku } } }",
            "MUG",
            "GUM",
        ),
        ("query($id: String!) { products(filter: { categoryCode: $id }) { totalCount } }", "mugs", "gums"),
    ],
)
async def test_what_is_not_allowed_answers_byte_for_byte_like_a_code_that_never_existed(
    query: str, hidden: str, never: str, shop: Shop, at: At
) -> None:
    mia = await member(shop, at, g={"category": but("mugs")})
    answers = [await mia.post(query, {"id": each}) for each in (hidden, never)]
    first, second = map(answered, answers)
    assert first.replace(hidden.encode(), never.encode()) == second


@pytest.mark.parametrize("filter", ["category", "categoryCode"])
async def test_a_category_that_is_not_allowed_finds_nothing_not_even_what_is_allowed_below_it(
    filter: str, shop: Shop, at: At
) -> None:
    mia = await member(shop, at, g={"category": only("blue")})
    values = {code: shop.id_of(code) if filter == "category" else code for code in ("blue", "mugs")}
    assert await skus(mia, **{filter: values["blue"]}) == ["BLUE"]
    assert await skus(mia, **{filter: values["mugs"]}) == []


async def test_nothing_restricts_the_staff_and_whoever_it_looks_through_is_restricted(
    shop: Shop, at: At
) -> None:
    mia = await member(shop, at, g={"category": only("bowls"), "warehouse": only()})
    await shop.portal.staff_member(f"sam-{shop.portal.slug}")
    sam = await at(shop.portal).sign_in(f"sam-{shop.portal.slug}")
    assert (await skus(mia), await skus(sam)) == (["BOWL"], EVERYTHING)
    assert await stock(sam, "MUG") == {"W1": "5", "W2": "7", "all": "12"}
    account = (await mia.ask("{ viewer { account { id } } }"))["viewer"]["account"]["id"]
    through = await sam.view_as(account)
    assert (await skus(through), await stock(through, "BOWL")) == (["BOWL"], {"all": "0"})


async def test_a_product_no_longer_sold_is_gone_however_it_is_allowed(shop: Shop, at: At) -> None:
    mia = await member(shop, at, g={"product": only("MUG", "BOWL")})
    await shop.portal.withdraw("MUG")
    assert await skus(mia) == ["BOWL"]


async def test_a_profile_that_permits_no_look_at_products_shows_none_whatever_it_allows(
    shop: Shop, at: At
) -> None:
    mia = await member(shop, at, seeing={"category": only("bowls")}, blind={})
    await shop.permit("blind", "ORDERS_READ")
    assert await skus(mia) == ["BOWL"]
