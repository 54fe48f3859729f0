"""Shipping, over HTTP: goods issues, stock, what is outstanding, and what can go wrong."""

import asyncio
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

import db
from resolvers.nodes import global_id
from rules.documents import DocumentKind
from rules.lifecycle import ProcessingState
from rules.permissions import BuiltInProfile, StaffRole
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from rules.stock import StockPolicy
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_carts import add
from tests.resolvers.test_orders import place
from tests.world import Portal, World

ISSUE = """__typename id number shippedAt comment order { number } customer { code } warehouse { code }
  lines { position orderPosition sku name unit quantity product { sku } }"""
ORDER = f"""id number version status {{ processingState code }} delivery {{ state schedule promisedOn }}
  lines {{ position quantity shippedQuantity cancelledQuantity outstandingQuantity }}
  goodsIssues {{ {ISSUE} }}"""
SHIP = f"""mutation($input: OrderShipInput!) {{ orderShip(input: $input) {{ order {{ {ORDER} }}
  goodsIssues {{ {ISSUE} }} errors {{ __typename code message path
  ... on InsufficientStockError {{ available product {{ sku }} }} }} }} }}"""
ONE = f"query($id: ID!) {{ order(id: $id) {{ {ORDER} }} }}"
NODE = f"query($id: ID!) {{ node(id: $id) {{ id ... on GoodsIssue {{ {ISSUE} }} }} }}"


async def ship(client: Client, order: str, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    given = {"order": order, **({"lines": list(lines)} if lines else {}), **more}
    answer: dict[str, Any] = (await client.ask(SHIP, input=given))["orderShip"]
    return answer


async def levels(portal: Portal) -> dict[tuple[str, str], Any]:
    """On hand and reserved by SKU and warehouse."""
    async with portal.writing() as connection:
        rows = await connection.fetch_text(
            """select p.sku, w.code, s.on_hand, s.reserved from stock s
            join products p on p.tenant_id = s.tenant_id and p.id = s.product_id
            join warehouses w on w.tenant_id = s.tenant_id and w.id = s.warehouse_id"""
        )
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A", stock_at={"W1": "10"})
    await portal.product("B", stock_at={"W1": "5"}, unit="kg")
    await portal.product("S", kind="SERVICE")
    await portal.account("bea")
    await portal.staff_member("stan", role=StaffRole.AGENT)
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


@pytest.fixture
async def stan(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("stan")


@pytest.fixture
async def order(bea: Client) -> str:
    """Three of A, 2.5 kg of B and a service."""
    for sku, quantity in (("A", "3"), ("B", "2.5"), ("S", "1")):
        await add(bea, {"sku": sku, "quantity": quantity})
    return str((await place(bea))["orders"][0]["id"])


def codes(answer: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(each["code"], each["path"]) for each in answer["errors"]]


async def test_an_outsider_and_a_customer_ship_nothing(
    portal: Portal, bea: Client, order: str, at: At
) -> None:
    assert codes(await ship(at(portal), order)) == [("UNAUTHENTICATED", [])]
    assert codes(await ship(bea, order)) == [("MISSING_PERMISSION", [])]
    await portal.staff_member("ada", role=StaffRole.ACCOUNTANT)
    assert codes(await ship(await at(portal).sign_in("ada"), order)) == [("MISSING_PERMISSION", [])]


async def test_another_companys_order_is_not_there(world: World, order: str, at: At) -> None:
    other = await world.portal()
    await other.staff_member("oscar")
    oscar = await at(other).sign_in("oscar")
    for id_ in (order, "x", global_id("Order", other.tenant_id)):
        assert codes(await ship(oscar, id_)) == [("NOT_FOUND", ["order"])]


async def test_all_that_is_outstanding_ships_when_no_lines_are_named(
    portal: Portal, bea: Client, stan: Client, order: str
) -> None:
    answer = await ship(stan, order, comment="By rail")
    assert answer["errors"] == []
    (issue,) = answer["goodsIssues"]
    assert (issue["number"], issue["warehouse"], issue["comment"]) == (
        "GI-000001",
        {"code": "W1"},
        "By rail",
    )
    assert [(each["orderPosition"], each["sku"], each["quantity"]) for each in issue["lines"]] == [
        (1, "A", "3"),
        (2, "B", "2.5"),
        (3, "S", "1"),
    ]
    shipped = answer["order"]
    assert shipped["status"]["processingState"] == "COMPLETED"
    assert (shipped["delivery"]["state"], shipped["delivery"]["schedule"]) == ("FULL", None)
    assert [each["outstandingQuantity"] for each in shipped["lines"]] == ["0", "0", "0"]
    assert shipped["goodsIssues"] == [issue]
    assert await levels(portal) == {("A", "W1"): (7, 0), ("B", "W1"): (Decimal("2.5"), 0)}
    assert (await bea.ask(ONE, id=order))["order"] == shipped
    assert (await bea.ask(NODE, id=issue["id"]))["node"] == issue


async def test_a_part_ships_first_and_the_rest_later(portal: Portal, stan: Client, order: str) -> None:
    first = await ship(stan, order, {"position": 1, "quantity": "2"}, {"position": 2})
    assert first["errors"] == []
    assert first["order"]["status"]["processingState"] == "IN_PROGRESS"
    assert first["order"]["delivery"]["state"] == "PARTIAL"
    assert first["order"]["version"] == 2
    assert await levels(portal) == {("A", "W1"): (8, 1), ("B", "W1"): (Decimal("2.5"), 0)}
    second = await ship(stan, order, version=2)
    assert [(each["sku"], each["quantity"]) for each in second["goodsIssues"][0]["lines"]] == [
        ("A", "1"),
        ("S", "1"),
    ]
    assert second["order"]["status"]["processingState"] == "COMPLETED"
    assert [each["number"] for each in second["order"]["goodsIssues"]] == ["GI-000001", "GI-000002"]
    assert codes(await ship(stan, order)) == [("ORDER_CLOSED", ["order"])]


async def test_an_order_in_a_status_of_the_companys_own_stays_in_it(portal: Portal, stan: Client) -> None:
    order_id = await portal.order("SO-900001", skus=("A", "B"))
    async with portal.writing() as connection:
        await connection.fetch_text(
            """insert into lifecycle_statuses values ($1, $2, 'ORDER', 'packing', 'Packing', 'Wird gepackt',
            'IN_PROGRESS', false, 9)""",
            portal.tenant_id,
            order_id,
        )
        await connection.fetch_text("update orders set lifecycle_status_id = id")
    answer = await ship(stan, global_id("Order", order_id), {"position": 1})
    assert answer["order"]["status"] == {"processingState": "IN_PROGRESS", "code": "packing"}


@pytest.mark.parametrize(
    ("lines", "errors"),
    [
        ([], [("SHIPMENT_EMPTY", ["lines"])]),
        ([{"position": 9}], [("NOT_FOUND", ["lines", "0", "position"])]),
        (
            [{"position": 1, "quantity": "1"}, {"position": 1, "quantity": "1"}],
            [("LINE_TWICE", ["lines", "1", "position"])],
        ),
        ([{"position": 1, "quantity": "4"}], [("MORE_THAN_OUTSTANDING", ["lines", "0", "quantity"])]),
        ([{"position": 1, "quantity": "0"}], [("QUANTITY_NOT_POSITIVE", ["lines", "0", "quantity"])]),
        ([{"position": 1, "quantity": "-1"}], [("QUANTITY_NOT_POSITIVE", ["lines", "0", "quantity"])]),
        ([{"position": 1, "quantity": "0.5"}], [("QUANTITY_NOT_DIVISIBLE", ["lines", "0", "quantity"])]),
        (
            [{"position": 1, "quantity": "9"}, {"position": 2}, {"position": 7}],
            [
                ("MORE_THAN_OUTSTANDING", ["lines", "0", "quantity"]),
                ("NOT_FOUND", ["lines", "2", "position"]),
            ],
        ),
    ],
)
async def test_what_cannot_be_shipped_is_told_line_by_line_and_nothing_is_shipped(
    lines: list[dict[str, Any]], errors: Any, portal: Portal, stan: Client, order: str
) -> None:
    before = await levels(portal)
    answer = (await stan.ask(SHIP, input={"order": order, "lines": lines}))["orderShip"]
    assert codes(answer) == errors
    assert (answer["order"], answer["goodsIssues"]) == (None, None)
    assert await levels(portal) == before
    assert (await ship(stan, order))["goodsIssues"][0]["number"] == "GI-000001"


async def test_a_line_of_which_nothing_is_outstanding_ships_no_more(stan: Client, order: str) -> None:
    await ship(stan, order, {"position": 1})
    assert codes(await ship(stan, order, {"position": 1})) == [
        ("MORE_THAN_OUTSTANDING", ["lines", "0", "quantity"])
    ]


async def test_no_more_ships_than_is_on_hand(world: World, at: At) -> None:
    portal = await world.portal(stock_policy=StockPolicy.ALLOW_BACKORDER)
    await portal.product("A", stock_at={"W1": "2"})
    await portal.account("bea")
    await portal.staff_member("stan")
    bea, stan = await at(portal).sign_in("bea"), await at(portal).sign_in("stan")
    await add(bea, {"sku": "A", "quantity": "5"})
    order = (await place(bea))["orders"][0]["id"]
    answer = await ship(stan, order)
    assert answer["errors"] == [
        {
            "__typename": "InsufficientStockError",
            "code": "INSUFFICIENT_STOCK",
            "message": "Only 2 of A are available.",
            "path": ["order", "lines", "0"],
            "available": "2",
            "product": {"sku": "A"},
        }
    ]
    assert await levels(portal) == {("A", "W1"): (2, 5)}
    assert (await ship(stan, order, {"position": 1, "quantity": "2"}))["errors"] == []
    assert await levels(portal) == {("A", "W1"): (0, 3)}


async def test_two_who_ship_the_same_at_once_ship_it_once(portal: Portal, stan: Client, order: str) -> None:
    answers = await asyncio.gather(*(ship(stan, order) for _ in range(5)))
    assert [each["goodsIssues"][0]["number"] for each in answers if each["goodsIssues"]] == ["GI-000001"]
    assert sorted(codes(each)[0][0] for each in answers if each["errors"]) == ["ORDER_CLOSED"] * 4
    assert await levels(portal) == {("A", "W1"): (7, 0), ("B", "W1"): (Decimal("2.5"), 0)}


async def test_two_who_ship_a_part_each_at_once_both_do(portal: Portal, stan: Client, order: str) -> None:
    part = {"position": 1, "quantity": "2"}
    answers = await asyncio.gather(*(ship(stan, order, part) for _ in range(2)))
    assert sorted(len(each["errors"]) for each in answers) == [0, 1]
    assert [code for each in answers for code, _ in codes(each)] == ["MORE_THAN_OUTSTANDING"]
    assert (await levels(portal))["A", "W1"] == (8, 1)


async def test_a_version_that_was_read_before_a_change_is_refused(stan: Client, order: str) -> None:
    await ship(stan, order, {"position": 1})
    assert codes(await ship(stan, order, version=1)) == [("VERSION_CONFLICT", ["version"])]


async def test_the_same_key_ships_once(portal: Portal, stan: Client, order: str) -> None:
    part = {"position": 1, "quantity": "1"}
    answers = [await ship(stan, order, part, idempotencyKey="once") for _ in range(2)]
    assert answers[0] == answers[1]
    assert (await levels(portal))["A", "W1"] == (9, 2)


async def test_numbers_have_no_gaps_when_shipping_fails(
    bea: Client, stan: Client, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_given: object) -> None:
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as patched:
        patched.setattr(db.goods_issues, "add", fails)
        answer = (await stan.post(SHIP, {"input": {"order": order}})).json()
    assert answer["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert (await bea.ask(ONE, id=order))["order"]["delivery"]["state"] == "NONE"
    assert (await ship(stan, order))["goodsIssues"][0]["number"] == "GI-000001"


async def test_lines_from_two_warehouses_make_two_goods_issues(portal: Portal, stan: Client) -> None:
    await portal.product("C", stock_at={"W2": "5"})
    order_id = await portal.order("SO-900001", skus=("A", "C"))
    async with portal.writing() as connection:
        await connection.fetch_text(
            "update order_lines set warehouse_id = $1 where sku = 'C'", portal.warehouse_ids["W2"]
        )
    answer = await ship(stan, global_id("Order", order_id))
    assert [(each["number"], each["warehouse"]["code"]) for each in answer["goodsIssues"]] == [
        ("GI-000001", "W1"),
        ("GI-000002", "W2"),
    ]


async def test_services_ship_without_a_warehouse(portal: Portal, bea: Client, stan: Client) -> None:
    await add(bea, {"sku": "S", "quantity": "2"})
    answer = await ship(stan, (await place(bea))["orders"][0]["id"])
    assert answer["goodsIssues"][0]["warehouse"] is None
    assert answer["order"]["status"]["processingState"] == "COMPLETED"
    assert await levels(portal) == {("A", "W1"): (10, 0), ("B", "W1"): (5, 0)}


async def test_a_service_with_a_warehouse_ships_where_no_stock_is_kept_of_it(
    portal: Portal, stan: Client
) -> None:
    order = await portal.order("SO-900002", skus=("S",))
    async with portal.writing() as connection:
        await connection.fetch_text(
            "update order_lines set warehouse_id = $1 where sku = 'S'", portal.warehouse_ids["W1"]
        )
    answer = await ship(stan, global_id("Order", order))
    assert codes(answer) == []
    assert answer["order"]["status"]["processingState"] == "COMPLETED"


@pytest.mark.parametrize("state", [ProcessingState.COMPLETED, ProcessingState.CANCELLED])
async def test_an_order_that_has_ended_ships_no_more(
    state: ProcessingState, portal: Portal, stan: Client
) -> None:
    order_id = await portal.order("SO-900001", state=state)
    assert codes(await ship(stan, global_id("Order", order_id))) == [("ORDER_CLOSED", ["order"])]


async def test_a_goods_issue_is_read_by_its_customer_alone(
    portal: Portal, bea: Client, stan: Client, order: str, at: At
) -> None:
    issue = (await ship(stan, order))["goodsIssues"][0]
    await portal.account("cleo", customer="C2")
    for stranger in (await at(portal).sign_in("cleo"), at(portal)):
        body = (await stranger.post(NODE, {"id": issue["id"]})).json()
        assert (body.get("data") or {"node": None}) == {"node": None}
    assert (await bea.ask(NODE, id=issue["id"]))["node"]["number"] == "GI-000001"


async def test_a_goods_issue_keeps_its_own_copy(
    portal: Portal, bea: Client, stan: Client, order: str
) -> None:
    issue = (await ship(stan, order, {"position": 1}))["goodsIssues"][0]
    async with portal.writing() as connection:
        await connection.fetch_text("update products set name = 'Renamed', active = false where sku = 'A'")
    again = (await bea.ask(NODE, id=issue["id"]))["node"]
    assert again["lines"][0]["product"] is None
    again["lines"][0]["product"] = {"sku": "A"}
    assert again == issue


@pytest.mark.parametrize(
    ("mode", "listed", "seen"),
    [
        (RestrictionMode.DENY_EXCEPT, [DocumentKind.GOODS_ISSUE], True),
        (RestrictionMode.DENY_EXCEPT, [DocumentKind.INVOICE], False),
        (RestrictionMode.ALLOW_EXCEPT, [DocumentKind.GOODS_ISSUE], False),
        (RestrictionMode.ALLOW_EXCEPT, [], True),
    ],
)
async def test_a_group_may_keep_its_members_from_goods_issues(
    mode: RestrictionMode,
    listed: list[DocumentKind],
    seen: bool,
    portal: Portal,
    stan: Client,
    order: str,
    at: At,
) -> None:
    issue = (await ship(stan, order))["goodsIssues"][0]
    account_id = await portal.account("rob", profile=None)
    rob = await at(portal).sign_in("rob")
    lists: dict[RestrictionKind, list[Any]] = {RestrictionKind.DOCUMENT_KIND: listed}
    group = {"modes": Modes(document_kind=mode), "lists": lists}
    await portal.group("held", account_id, profile=BuiltInProfile.VIEWER, **group)  # type: ignore[arg-type]
    assert (await rob.ask(NODE, id=issue["id"]))["node"] is not None  # the kind is not in force
    await portal.enforce(RestrictionKind.DOCUMENT_KIND)
    assert ((await rob.ask(NODE, id=issue["id"]))["node"] is not None) is seen
    found = (await rob.ask(ONE, id=order))["order"]
    assert (found["goodsIssues"] != []) is seen
    await portal.group("free", account_id, profile=BuiltInProfile.VIEWER)
    assert (await rob.ask(ONE, id=order))["order"]["goodsIssues"] != []


@pytest.mark.parametrize("sql", ["update goods_issues set number = 'x'", "delete from goods_issue_lines"])
async def test_the_server_itself_cannot_change_what_was_posted(
    sql: str, portal: Portal, stan: Client, order: str
) -> None:
    await ship(stan, order)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with portal.writing() as connection:
            await connection.fetch_text(sql)
