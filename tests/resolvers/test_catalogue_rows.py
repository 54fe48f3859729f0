"""The upkeep of the catalogue, over HTTP: categories, warehouses, products, prices and stock, many at a time."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from structlog.testing import capture_logs

from rules.permissions import StaffRole
from tests.client import Client
from tests.conftest import At
from tests.world import Portal, World

PRODUCT = """sku name kind unit taxRate description active category { code }
  attributes { attribute { code } value } stock { warehouse { code } onHand reserved }
  priceBreaks { minQuantity unitPrice { amount currency } }"""
RESULTS = {
    "productsUpsert": f"products {{ {PRODUCT} }}",
    "pricesUpsert": f"products {{ {PRODUCT} }}",
    "stockUpsert": f"products {{ {PRODUCT} }}",
    "categoriesUpsert": "categories { code name parent { code } }",
    "warehousesUpsert": "warehouses { code name }",
}
LOG = "{ auditLog(first: 100) { nodes { action node { __typename } changes { field before after } } } }"
NEW = {"sku": "N", "name": "New", "unit": "pcs", "taxRate": "19.5"}
PRICE = {"sku": "A", "priceList": "wholesale", "minQuantity": "0.001"}
TABLES = (
    *("products", "prices", "price_lists", "stock", "categories", "warehouses", "attributes"),
    *("product_attributes", "audit_entries", "portals"),
)


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A", stock_at={"W1": "100"})
    await portal.product("S", kind="SERVICE")
    await portal.account("bea")
    await portal.staff_member("olga", role=StaffRole.OWNER)
    return portal


@pytest.fixture
async def olga(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("olga")


async def upsert(client: Client, mutation: str, *rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    kind = f"{mutation[0].upper()}{mutation[1:]}Input!"
    document = f"""mutation($input: {kind}) {{ {mutation}(input: $input) {{ {RESULTS[mutation]}
      errors {{ code path message }} }} }}"""
    answer: dict[str, Any] = (await client.ask(document, input={"rows": list(rows), **more}))[mutation]
    return answer


async def taken(client: Client, mutation: str, *rows: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """What comes of rows that all have to be taken."""
    answer = await upsert(client, mutation, *rows, **more)
    assert answer.pop("errors") == []
    (result,) = answer.values()
    found: list[dict[str, Any]] = result
    return found


def told(answer: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(each["code"], each["path"]) for each in answer["errors"]]


async def written(portal: Portal) -> list[Any]:
    """Where and since which transaction all rows of the catalogue are, and how long the audit is."""
    async with portal.writing() as connection:
        return [
            list(
                await connection.fetch_text(
                    f"select ctid, xmin from {table} where tenant_id = $1 order by 1", portal.tenant_id
                )
            )
            for table in TABLES
        ]


async def log(client: Client, action: str) -> list[dict[str, Any]]:
    """What the entries of a mutation say, newest first."""
    nodes = (await client.ask(LOG))["auditLog"]["nodes"]
    return [each for each in nodes if each["action"] == action]


GOOD: dict[str, dict[str, Any]] = {
    "productsUpsert": NEW,
    "pricesUpsert": PRICE | {"unitPrice": "9"},
    "stockUpsert": {"warehouse": "W1", "sku": "A", "onHand": "7"},
    "categoriesUpsert": {"code": "C", "name": "C"},
    "warehousesUpsert": {"code": "W9", "name": "Ninth"},
}


@pytest.mark.parametrize("mutation", GOOD)
async def test_an_outsider_a_customer_and_lesser_staff_keep_nothing(
    mutation: str, portal: Portal, at: At
) -> None:
    await portal.staff_member("sam", role=StaffRole.AGENT)
    people = [at(portal), await at(portal).sign_in("bea"), await at(portal).sign_in("sam")]
    before = await written(portal)
    answers = [await upsert(each, mutation, GOOD[mutation]) for each in people]
    assert [told(each)[0][0] for each in answers] == [
        "UNAUTHENTICATED",
        "MISSING_PERMISSION",
        "MISSING_PERMISSION",
    ]
    assert await written(portal) == before


async def test_another_tenants_catalogue_is_neither_touched_nor_used(
    world: World, portal: Portal, olga: Client
) -> None:
    other = await world.portal()
    await other.product("A")
    await other.product("T")
    before = await written(other)
    for mutation, row in GOOD.items():
        await taken(olga, mutation, row)
    assert told(await upsert(olga, "stockUpsert", {"warehouse": "W1", "sku": "T", "onHand": "1"})) == [
        ("NOT_FOUND", ["rows", "0", "sku"])
    ]
    assert await written(other) == before


@pytest.mark.parametrize("mutation", GOOD)
async def test_a_repeat_changes_nothing(mutation: str, portal: Portal, olga: Client) -> None:
    first = await taken(olga, mutation, GOOD[mutation])
    before = await written(portal)
    assert await taken(olga, mutation, GOOD[mutation]) == first
    assert await written(portal) == before


@pytest.mark.parametrize("mutation", GOOD)
async def test_a_row_that_stands_twice_is_refused(mutation: str, portal: Portal, olga: Client) -> None:
    answer = await upsert(olga, mutation, GOOD[mutation], GOOD[mutation], policy="GOOD_ROWS")
    (code, path), *more = told(answer)
    assert (code, path[:2], more) == ("CODE_TWICE", ["rows", "1"], [])
    assert len(next(iter(answer.values()))) == 1


@pytest.mark.parametrize("mutation", GOOD)
async def test_a_thousand_rows_and_not_one_more(mutation: str, olga: Client) -> None:
    answer = await upsert(olga, mutation, *([GOOD[mutation]] * 1_001))
    assert told(answer) == [("LIST_TOO_LONG", ["rows"])]


@pytest.mark.parametrize("mutation", GOOD)
async def test_many_rows_cost_as_many_statements_as_a_few(
    mutation: str, portal: Portal, olga: Client
) -> None:
    async def statements(how_many: int) -> int:
        names = [f"{mutation}{how_many}-{number}" for number in range(how_many)]
        if mutation in ("pricesUpsert", "stockUpsert"):
            await taken(olga, "productsUpsert", *(NEW | {"sku": name} for name in names))
        key = "sku" if "sku" in GOOD[mutation] else "code"
        with capture_logs() as logs:
            await taken(olga, mutation, *(GOOD[mutation] | {key: name} for name in names))
        count: int = logs[-1]["statements"]
        return count

    assert await statements(3) == await statements(200)


async def test_a_new_product_is_kept_with_what_is_said_of_it(olga: Client) -> None:
    assert await taken(olga, "productsUpsert", NEW) == [
        NEW
        | {"kind": "GOODS", "description": "", "active": True, "category": None}
        | {"attributes": [], "stock": [], "priceBreaks": []}
    ]
    full = {"kind": "SERVICE", "description": "Long", "active": False, "category": "all", "taxRate": "0"}
    (changed,) = await taken(olga, "productsUpsert", {"sku": "N", **full})
    assert changed | {"stock": []} == NEW | full | {
        "category": {"code": "all"},
        "attributes": [],
        "stock": [],
        "priceBreaks": [],
    }
    assert await taken(olga, "productsUpsert", {"sku": "N", "name": None, "kind": None}) == [changed]
    (changed,) = await taken(olga, "productsUpsert", {"sku": "N", "category": None})
    assert changed["category"] is None


async def test_a_product_keeps_its_kind_while_it_is_in_stock_or_still_to_be_shipped(
    portal: Portal, olga: Client, at: At
) -> None:
    await portal.product("P", stock_at={"W1": "0"})
    await portal.order("SO-900001", skus=("S", "P"))
    for sku, other in (("A", "SERVICE"), ("P", "SERVICE"), ("S", "GOODS")):
        answer = await upsert(olga, "productsUpsert", NEW, {"sku": sku, "kind": other}, policy="GOOD_ROWS")
        assert told(answer) == [("PRODUCT_IN_USE", ["rows", "1", "kind"])]
    await taken(olga, "productsUpsert", {"sku": "A", "kind": "GOODS"})
    async with portal.writing() as connection:
        await connection.fetch_text("update order_lines set cancelled_quantity = quantity")
    await taken(olga, "stockUpsert", {"warehouse": "W1", "sku": "A", "onHand": "0"})
    rows = [{"sku": sku, "kind": kind} for sku, kind in (("A", "SERVICE"), ("P", "SERVICE"), ("S", "GOODS"))]
    with capture_logs() as logs:
        changed = await taken(olga, "productsUpsert", *rows)
    several = logs[-1]["statements"]
    assert [each["kind"] for each in changed] == ["SERVICE", "SERVICE", "GOODS"]
    with capture_logs() as logs:
        await taken(olga, "productsUpsert", {"sku": "A", "kind": "GOODS"})
    assert logs[-1]["statements"] == several


async def test_what_is_no_longer_sold_is_seen_by_who_keeps_the_catalogue_alone(
    portal: Portal, olga: Client, at: At
) -> None:
    await portal.staff_member("sam", role=StaffRole.AGENT)
    await taken(olga, "productsUpsert", {"sku": "A", "active": False}, idempotencyKey="once")
    again = await taken(olga, "productsUpsert", {"sku": "A", "active": False}, idempotencyKey="once")
    assert [each["active"] for each in again] == [False]
    one = '{ product(sku: "A") { id active } products { nodes { sku } } }'
    assert (await olga.ask(one))["product"]["active"] is False
    for name in ("bea", "sam"):
        assert (await (await at(portal).sign_in(name)).ask(one))["product"] is None
    assert (await olga.ask(one))["products"]["nodes"] == [{"sku": "S"}]


BAD: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "TEXT_MISSING sku": ("productsUpsert", NEW | {"sku": " "}, ["sku"]),
    "TEXT_TOO_LONG sku": ("productsUpsert", NEW | {"sku": "x" * 201}, ["sku"]),
    "TEXT_MISSING name": ("productsUpsert", NEW | {"name": None}, ["name"]),
    "TEXT_MISSING unit": ("productsUpsert", NEW | {"unit": " "}, ["unit"]),
    "VALUE_MISSING tax": ("productsUpsert", NEW | {"taxRate": None}, ["taxRate"]),
    "NUMBER_OUT_OF_RANGE tax": ("productsUpsert", NEW | {"taxRate": "100.01"}, ["taxRate"]),
    "NUMBER_OUT_OF_RANGE negative": ("productsUpsert", NEW | {"taxRate": "-1"}, ["taxRate"]),
    "DECIMAL_PLACES_TOO_MANY tax": ("productsUpsert", NEW | {"taxRate": "1.999"}, ["taxRate"]),
    "TEXT_TOO_LONG text": ("productsUpsert", NEW | {"description": "x" * 10_001}, ["description"]),
    "NOT_FOUND category": ("productsUpsert", NEW | {"category": "nowhere"}, ["category"]),
    "NOT_FOUND attribute": (
        "productsUpsert",
        NEW | {"attributes": [{"attribute": "none", "value": "1"}]},
        ["attributes", "0", "attribute"],
    ),
    "NOT_FOUND price": ("pricesUpsert", PRICE | {"sku": "NONE", "unitPrice": "1"}, ["sku"]),
    "VALUE_MISSING price": ("pricesUpsert", PRICE | {"minQuantity": "5"}, ["unitPrice"]),
    "VALUE_MISSING list": ("pricesUpsert", PRICE | {"priceList": "new"}, ["unitPrice"]),
    "TEXT_MISSING list": ("pricesUpsert", PRICE | {"priceList": "", "unitPrice": "1"}, ["priceList"]),
    "CURRENCY_INVALID": ("pricesUpsert", PRICE | {"currency": "gbp", "unitPrice": "1"}, ["currency"]),
    "NUMBER_OUT_OF_RANGE min": (
        "pricesUpsert",
        PRICE | {"minQuantity": "0", "unitPrice": "1"},
        ["minQuantity"],
    ),
    "DECIMAL_PLACES_TOO_MANY min": (
        "pricesUpsert",
        PRICE | {"minQuantity": "1.0001", "unitPrice": "1"},
        ["minQuantity"],
    ),
    "NUMBER_OUT_OF_RANGE price": ("pricesUpsert", PRICE | {"unitPrice": "-1"}, ["unitPrice"]),
    "DECIMAL_PLACES_TOO_MANY price": ("pricesUpsert", PRICE | {"unitPrice": "1.0000001"}, ["unitPrice"]),
    "PERIOD_REVERSED": ("pricesUpsert", PRICE | {"validTo": "1999-12-31"}, ["validTo"]),
    "NUMBER_OUT_OF_RANGE stock": ("stockUpsert", GOOD["stockUpsert"] | {"onHand": "-0.001"}, ["onHand"]),
    "NUMBER_OUT_OF_RANGE huge": ("stockUpsert", GOOD["stockUpsert"] | {"onHand": "9" * 10}, ["onHand"]),
    "DECIMAL_PLACES_TOO_MANY stock": ("stockUpsert", GOOD["stockUpsert"] | {"onHand": "1.0001"}, ["onHand"]),
    "NOT_FOUND warehouse": ("stockUpsert", GOOD["stockUpsert"] | {"warehouse": "W7"}, ["warehouse"]),
    "SERVICE_WITHOUT_STOCK": ("stockUpsert", GOOD["stockUpsert"] | {"sku": "S"}, ["sku"]),
    "TEXT_MISSING category": ("categoriesUpsert", {"code": "D"}, ["name"]),
    "CATEGORY_PARENT_UNKNOWN": ("categoriesUpsert", {"code": "D", "name": "D", "parent": "none"}, ["parent"]),
    "CATEGORY_BELOW_ITSELF": ("categoriesUpsert", {"code": "all", "parent": "all"}, ["parent"]),
    "TEXT_MISSING warehouse": ("warehousesUpsert", {"code": "W8"}, ["name"]),
    "TEXT_TOO_LONG warehouse": ("warehousesUpsert", {"code": "W1", "name": "x" * 201}, ["name"]),
}


@pytest.mark.parametrize("case", BAD)
async def test_what_makes_no_sense_is_refused_with_its_row_and_place(
    case: str, portal: Portal, olga: Client
) -> None:
    mutation, row, path = BAD[case]
    good = GOOD[mutation] | ({"sku": "OTHER"} if mutation == "productsUpsert" else {"code": "OTHER"})
    if mutation == "pricesUpsert":
        good = PRICE | {"minQuantity": "77", "unitPrice": "1"}
    if mutation == "stockUpsert":
        good = GOOD[mutation] | {"warehouse": "W2"}
    before = await written(portal)
    answer = await upsert(olga, mutation, good, row)
    assert told(answer) == [(case.split()[0], ["rows", "1", *path])]
    assert next(iter(answer.values())) is None
    assert await written(portal) == before
    answer = await upsert(olga, mutation, good, row, policy="GOOD_ROWS")
    assert told(answer) == [(case.split()[0], ["rows", "1", *path])]
    assert len(next(iter(answer.values()))) == 1
    assert await written(portal) != before


async def test_parents_may_come_after_their_children_and_trees_may_turn(olga: Client) -> None:
    rows = [{"code": "b", "name": "B", "parent": "a"}, {"code": "a", "name": "A", "parent": "all"}]
    assert await taken(olga, "categoriesUpsert", *rows) == [
        {"code": "b", "name": "B", "parent": {"code": "a"}},
        {"code": "a", "name": "A", "parent": {"code": "all"}},
    ]
    turned: list[dict[str, Any]] = [{"code": "a", "parent": "b"}, {"code": "b", "parent": None}]
    assert [each["parent"] for each in await taken(olga, "categoriesUpsert", *turned)] == [
        {"code": "b"},
        None,
    ]
    assert [each["name"] for each in await taken(olga, "categoriesUpsert", {"code": "a"})] == ["A"]


async def test_two_calls_at_once_make_no_circle(olga: Client) -> None:
    await taken(olga, "categoriesUpsert", *({"code": code, "name": code} for code in "xy"))
    answers = await asyncio.gather(
        upsert(olga, "categoriesUpsert", {"code": "x", "parent": "y"}),
        upsert(olga, "categoriesUpsert", {"code": "y", "parent": "x"}),
    )
    assert sorted(told(each) for each in answers) == [
        [],
        [("CATEGORY_BELOW_ITSELF", ["rows", "0", "parent"])],
    ]


async def test_calls_that_keep_the_same_new_things_at_once_all_succeed(olga: Client) -> None:
    skus = [f"N{number}" for number in range(20)]
    answers = await asyncio.gather(
        *(
            upsert(olga, "productsUpsert", *(NEW | {"sku": sku, "name": str(turn)} for sku in order))
            for turn, order in enumerate((skus, skus[::-1], skus))
        )
    )
    assert [told(each) for each in answers] == [[]] * 3


async def test_prices_are_kept_by_list_currency_quantity_and_first_day(portal: Portal, olga: Client) -> None:
    rows = [
        PRICE | {"unitPrice": "9.123456"},
        PRICE | {"minQuantity": "10", "unitPrice": "8"},
        PRICE | {"currency": "EUR", "unitPrice": "11"},
        PRICE | {"priceList": "gold", "unitPrice": "7"},
        PRICE | {"minQuantity": "50", "unitPrice": "6", "validFrom": "2999-01-01"},
    ]
    (product,) = await taken(olga, "pricesUpsert", *rows)
    assert product["priceBreaks"] == [
        {"minQuantity": "0.001", "unitPrice": {"amount": "9.123456", "currency": "GBP"}},
        {"minQuantity": "10", "unitPrice": {"amount": "8.00", "currency": "GBP"}},
    ]
    async with portal.writing() as connection:
        kept = await connection.fetch_text(
            """select l.code, l.name, currency, min_quantity, unit_price from prices p
            join price_lists l on l.id = p.price_list_id where p.tenant_id = $1 and l.code = 'gold'""",
            portal.tenant_id,
        )
    assert [tuple(each) for each in kept] == [("gold", "gold", "GBP", Decimal("0.001"), Decimal(7))]
    (entry,) = await log(olga, "pricesUpsert")
    assert entry["node"] == {"__typename": "Product"}
    assert [each["field"] for each in entry["changes"]] == ["prices"]


async def test_a_price_ends_with_its_last_day(olga: Client) -> None:
    (product,) = await taken(olga, "pricesUpsert", PRICE | {"validTo": "2020-01-01"})
    assert product["priceBreaks"] == []
    (product,) = await taken(olga, "pricesUpsert", PRICE | {"unitPrice": "5"})
    assert product["priceBreaks"] == []
    (product,) = await taken(olga, "pricesUpsert", PRICE | {"validTo": None})
    assert [each["unitPrice"]["amount"] for each in product["priceBreaks"]] == ["5.00"]


@pytest.mark.parametrize("first", ["0001-01-01", "0001-01-02", "1999-12-31", "9999-12-30", "9999-12-31"])
async def test_the_first_and_the_last_of_all_days_are_kept_as_days(
    first: str, portal: Portal, olga: Client
) -> None:
    row = PRICE | {"minQuantity": "7", "validFrom": first, "validTo": "9999-12-31", "unitPrice": "1"}
    await taken(olga, "pricesUpsert", row)
    (product,) = await taken(olga, "pricesUpsert", row | {"unitPrice": "2"})
    today = [each for each in product["priceBreaks"] if each["minQuantity"] == "7"]
    assert len(today) == (first < "2000")
    async with portal.writing() as connection:
        kept = await connection.fetch_text(
            "select valid_from::text, valid_to::text, unit_price from prices where min_quantity = 7"
        )
    assert [tuple(each) for each in kept] == [(first, "9999-12-31", Decimal(2))]


async def test_left_out_is_not_the_same_as_an_empty_text(olga: Client) -> None:
    row = {"code": "C", "name": "C"}
    await taken(olga, "categoriesUpsert", row, idempotencyKey="once")
    await taken(olga, "categoriesUpsert", row, idempotencyKey="once")
    for parent in ("", None):
        answer = await upsert(olga, "categoriesUpsert", row | {"parent": parent}, idempotencyKey="once")
        assert told(answer) == [("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"])]


async def test_the_first_price_list_ever_is_the_portals(portal: Portal, olga: Client) -> None:
    async with portal.writing() as connection:
        await connection.fetch_text("update portals set price_list_id = null")
    (product,) = await taken(olga, "pricesUpsert", PRICE | {"priceList": "first", "unitPrice": "4"})
    assert [each["unitPrice"]["amount"] for each in product["priceBreaks"]] == ["4.00"]
    entries = await log(olga, "pricesUpsert")
    assert {each["node"]["__typename"] for each in entries} == {"Portal", "Product"}


async def test_calls_that_make_the_same_price_list_at_once_all_succeed(olga: Client) -> None:
    answers = await asyncio.gather(
        *(
            upsert(olga, "pricesUpsert", PRICE | {"priceList": "new", "unitPrice": price})
            for price in ("1", "2", "3")
        )
    )
    assert [told(each) for each in answers] == [[]] * 3


async def test_stock_is_counted_and_what_is_promised_stays_promised(portal: Portal, olga: Client) -> None:
    async with portal.writing() as connection:
        await connection.fetch_text("update stock set reserved = 30")
    rows = [
        {"warehouse": "W2", "sku": "A", "onHand": "2.5"},
        {"warehouse": "W1", "sku": "A", "onHand": "20"},
    ]
    (product,) = await taken(olga, "stockUpsert", *rows)
    assert product["stock"] == [
        {"warehouse": {"code": "W1"}, "onHand": "20", "reserved": "30"},
        {"warehouse": {"code": "W2"}, "onHand": "2.5", "reserved": "0"},
    ]
    (entry,) = await log(olga, "stockUpsert")
    assert entry["node"] == {"__typename": "Product"}
    assert entry["changes"] == [
        {"field": "on_hand", "before": '{"W1":"100"}', "after": '{"W2":"2.5","W1":"20"}'}
    ]


async def test_counting_and_ordering_at_once_wait_for_each_other_and_lose_nothing(
    portal: Portal, olga: Client, at: At
) -> None:
    skus = [f"P{number}" for number in range(10)]
    for sku in skus:
        await portal.product(sku, stock_at={"W1": "100", "W2": "5"})
    bea = await at(portal).sign_in("bea")
    add = "mutation($input: CartAddItemsInput!) { cartAddItems(input: $input) { errors { code } } }"
    place = "mutation { orderPlace(input: {}) { orders { number } errors { code } } }"
    count = [
        {"warehouse": code, "sku": sku, "onHand": "200"} for code in ("W2", "W1") for sku in reversed(skus)
    ]
    for _ in range(5):
        await bea.ask(add, input={"items": [{"sku": sku, "quantity": "1"} for sku in skus]})
        placed, *counted = await asyncio.gather(
            bea.ask(place), *(upsert(olga, "stockUpsert", *rows) for rows in (count, count[::-1]))
        )
        assert placed["orderPlace"]["errors"] == []
        assert [told(each) for each in counted] == [[], []]
    async with portal.writing() as connection:
        found = await connection.fetch_text(
            "select sum(reserved) from stock where tenant_id = $1", portal.tenant_id
        )
    assert found[0][0] == 50
