"""What becomes of orders, over HTTP: changed, closed, cancelled, and what the viewer is told may be done."""

import asyncio
import itertools
import json
from datetime import date, timedelta
from typing import Any

import pytest

from resolvers.nodes import global_id
from rules.lifecycle import ProcessingState
from rules.permissions import BuiltInProfile, StaffRole
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_carts import add
from tests.resolvers.test_orders import place
from tests.resolvers.test_shipments import codes, levels, ship
from tests.world import Portal, World

ORDER = """id number version note cancellationReason promisedOn status { code processingState }
  delivery { state schedule promisedOn }
  lines { quantity shippedQuantity cancelledQuantity outstandingQuantity }"""
ACTIONS = "query($id: ID!) { order(id: $id) { version actions { name allowed reason { code message } missingPermission } } }"


def document(mutation: str) -> str:
    kind = f"{mutation[0].upper()}{mutation[1:]}Input!"
    return f"""mutation($input: {kind}) {{ {mutation}(input: $input) {{ order {{ {ORDER} }}
      errors {{ code message path ... on VersionConflictError {{ current }} }} }} }}"""


async def do(client: Client, mutation: str, order: str, **given: Any) -> dict[str, Any]:
    found = await client.ask(document(mutation), input={"order": order, **given})
    answer: dict[str, Any] = found[mutation]
    return answer


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A", stock_at={"W1": "10"})
    await portal.product("B", stock_at={"W1": "5"})
    await portal.account("bea")
    await portal.staff_member("stan")
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


@pytest.fixture
async def stan(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("stan")


@pytest.fixture
async def order(bea: Client) -> str:
    """Three of A and two of B."""
    return await placed(bea)


async def placed(bea: Client) -> str:
    await add(bea, {"sku": "A", "quantity": "3"}, {"sku": "B", "quantity": "2"})
    return str((await place(bea))["orders"][0]["id"])


async def statuses(client: Client, subject: str = "ORDER") -> dict[str, str]:
    """The ids of the company's statuses by code."""
    found = await client.ask(f"{{ lifecycleStatuses(subject: {subject}) {{ id code }} }}")
    return {each["code"]: each["id"] for each in found["lifecycleStatuses"]}


GIVEN: dict[str, dict[str, Any]] = {
    "orderUpdate": {},
    "orderClose": {},
    "orderCancel": {"reason": "A mistake"},
}


@pytest.mark.parametrize("mutation", GIVEN)
async def test_an_outsider_and_another_customer_change_nothing(
    mutation: str, portal: Portal, bea: Client, order: str, at: At
) -> None:
    assert codes(await do(at(portal), mutation, order, **GIVEN[mutation])) == [("UNAUTHENTICATED", [])]
    await portal.account("cleo", customer="C2")
    cleo = await at(portal).sign_in("cleo")
    wanted = ("NOT_FOUND", ["order"]) if mutation == "orderCancel" else ("MISSING_PERMISSION", [])
    assert codes(await do(cleo, mutation, order, **GIVEN[mutation])) == [wanted]
    assert (await bea.ask(ACTIONS, id=order))["order"]["version"] == 1


@pytest.mark.parametrize("mutation", GIVEN)
async def test_another_companys_order_is_not_there(mutation: str, world: World, order: str, at: At) -> None:
    other = await world.portal()
    await other.staff_member("oscar")
    oscar = await at(other).sign_in("oscar")
    assert codes(await do(oscar, mutation, order, **GIVEN[mutation])) == [("NOT_FOUND", ["order"])]


async def test_staff_give_an_order_a_status_a_day_and_a_word(bea: Client, stan: Client, order: str) -> None:
    status = (await statuses(stan))["in-progress"]
    answer = await do(
        stan, "orderUpdate", order, status=status, promisedOn="2099-01-31", note="Soon", version=1
    )
    assert answer["errors"] == []
    changed = answer["order"]
    assert (changed["status"]["processingState"], changed["note"]) == ("IN_PROGRESS", "Soon")
    assert changed["delivery"] == {"state": "NONE", "schedule": "ON_SCHEDULE", "promisedOn": "2099-01-31"}
    assert changed["version"] == 2
    assert (await bea.ask(f"query($id: ID!) {{ order(id: $id) {{ {ORDER} }} }}", id=order))[
        "order"
    ] == changed
    again = await do(stan, "orderUpdate", order, promisedOn=None, note=None)
    assert (again["order"]["promisedOn"], again["order"]["note"]) == (None, None)
    assert again["order"]["delivery"]["schedule"] is None
    assert again["order"]["status"] == changed["status"]
    late = await do(stan, "orderUpdate", order, version=2)
    assert late["errors"][0]["current"] == 3


async def test_a_status_of_another_subject_or_company_is_not_there(
    world: World, stan: Client, order: str, at: At
) -> None:
    other = await world.portal()
    await other.staff_member("oscar")
    theirs = await statuses(await at(other).sign_in("oscar"))
    of_requests = await statuses(stan, "RMA_REQUEST")
    for status in (theirs["in-progress"], of_requests["in-progress"], "x", order):
        answer = await do(stan, "orderUpdate", order, status=status)
        assert codes(answer) == [("NOT_FOUND", ["status"])]


MOVES = list(itertools.product(ProcessingState, repeat=2))


@pytest.mark.parametrize(("before", "after"), MOVES)
async def test_an_update_moves_an_order_by_the_table_alone(
    before: ProcessingState, after: ProcessingState, portal: Portal, stan: Client
) -> None:
    order = global_id("Order", await portal.order("SO-900001", state=before))
    status = (await statuses(stan))[after.lower().replace("_", "-")]
    answer = await do(stan, "orderUpdate", order, status=status)
    allowed = {("NOT_STARTED", "IN_PROGRESS"), *((state, state) for state in ProcessingState)}
    ends = {("NOT_STARTED", "CANCELLED"), ("IN_PROGRESS", "COMPLETED"), ("IN_PROGRESS", "CANCELLED")}
    if (before, after) in allowed:
        assert answer["order"]["status"]["processingState"] == after
    else:  # what may end has to be shipped, closed or cancelled first
        code = "ORDER_OUTSTANDING" if (before, after) in ends else "TRANSITION_NOT_ALLOWED"
        assert codes(answer) == [(code, ["status"])]


async def test_closing_cancels_what_is_outstanding_and_frees_its_stock(
    portal: Portal, bea: Client, stan: Client, order: str
) -> None:
    await ship(stan, order, {"position": 1, "quantity": "2"})
    assert await levels(portal) == {("A", "W1"): (8, 1), ("B", "W1"): (5, 2)}
    answer = await do(stan, "orderClose", order, reason="No longer made")
    assert answer["errors"] == []
    assert answer["order"]["status"]["processingState"] == "COMPLETED"
    assert answer["order"]["cancellationReason"] == "No longer made"
    assert answer["order"]["delivery"]["state"] == "PARTIAL"
    assert answer["order"]["delivery"]["schedule"] is None
    assert answer["order"]["lines"] == [
        {"quantity": "3", "shippedQuantity": "2", "cancelledQuantity": "1", "outstandingQuantity": "0"},
        {"quantity": "2", "shippedQuantity": "0", "cancelledQuantity": "2", "outstandingQuantity": "0"},
    ]
    assert await levels(portal) == {("A", "W1"): (8, 0), ("B", "W1"): (5, 0)}
    assert codes(await do(stan, "orderClose", order)) == [("ORDER_CLOSED", ["order"])]
    assert codes(await ship(stan, order)) == [("ORDER_CLOSED", ["order"])]


async def test_closing_what_was_never_shipped_cancels_it(portal: Portal, stan: Client, order: str) -> None:
    assert codes(await do(stan, "orderClose", order)) == [("ORDER_NOT_IN_PROGRESS", ["order"])]
    await do(stan, "orderUpdate", order, status=(await statuses(stan))["in-progress"])
    answer = await do(stan, "orderClose", order)
    assert answer["order"]["status"]["processingState"] == "CANCELLED"
    assert await levels(portal) == {("A", "W1"): (10, 0), ("B", "W1"): (5, 0)}


@pytest.mark.parametrize("who", ["bea", "stan"])
async def test_an_order_of_which_nothing_is_shipped_can_be_cancelled(
    who: str, portal: Portal, order: str, at: At
) -> None:
    somebody = await at(portal).sign_in(who)
    answer = await do(somebody, "orderCancel", order, reason="Ordered twice")
    assert answer["order"]["status"]["processingState"] == "CANCELLED"
    assert answer["order"]["cancellationReason"] == "Ordered twice"
    assert {each["outstandingQuantity"] for each in answer["order"]["lines"]} == {"0"}
    assert answer["order"]["delivery"]["state"] == "NONE"
    assert await levels(portal) == {("A", "W1"): (10, 0), ("B", "W1"): (5, 0)}
    again = await do(somebody, "orderCancel", order, reason="Ordered twice")
    assert codes(again) == [("ORDER_CLOSED", ["order"])]


async def test_an_order_of_which_something_is_shipped_cannot_be_cancelled(
    bea: Client, stan: Client, order: str
) -> None:
    await ship(stan, order, {"position": 1, "quantity": "1"})
    for somebody in (bea, stan):
        answer = await do(somebody, "orderCancel", order, reason="Too late")
        assert codes(answer) == [("ORDER_SHIPPED", ["order"])]


async def test_customers_cancel_only_where_the_company_lets_them(
    bea: Client, stan: Client, order: str
) -> None:
    policy = """mutation($input: PortalUpdateInput!) { portalUpdate(input: $input) {
      portal { cancellationPolicy leadDays } errors { code path } } }"""
    changed = await stan.ask(policy, input={"cancellationPolicy": "NOT_ALLOWED", "leadDays": 5})
    assert changed["portalUpdate"]["portal"] == {"cancellationPolicy": "NOT_ALLOWED", "leadDays": 5}
    answer = await do(bea, "orderCancel", order, reason="Please")
    assert codes(answer) == [("CANCELLATION_NOT_ALLOWED", ["order"])]
    assert (await do(stan, "orderCancel", order, reason="They asked"))["errors"] == []


@pytest.mark.parametrize(
    ("mutation", "given", "error"),
    [
        ("orderCancel", {"reason": " "}, ("TEXT_MISSING", ["reason"])),
        ("orderCancel", {"reason": "x" * 2_001}, ("TEXT_TOO_LONG", ["reason"])),
        ("orderClose", {"reason": "x" * 2_001}, ("TEXT_TOO_LONG", ["reason"])),
        ("orderUpdate", {"note": "x" * 2_001}, ("TEXT_TOO_LONG", ["note"])),
    ],
)
async def test_texts_say_something_and_not_too_much(
    mutation: str, given: dict[str, str], error: Any, stan: Client, order: str
) -> None:
    assert codes(await do(stan, mutation, order, **given)) == [error]


async def test_a_reader_cannot_cancel(portal: Portal, order: str, at: At) -> None:
    await portal.account("rob", profile=BuiltInProfile.VIEWER)
    rob = await at(portal).sign_in("rob")
    assert codes(await do(rob, "orderCancel", order, reason="Mine")) == [("MISSING_PERMISSION", [])]


async def test_who_ships_and_who_cancels_at_once_do_not_both(
    portal: Portal, bea: Client, stan: Client
) -> None:
    for _ in range(2):
        order = await placed(bea)
        shipped, cancelled = await asyncio.gather(
            ship(stan, order), do(bea, "orderCancel", order, reason="Changed my mind")
        )
        assert (shipped["errors"] == []) is not (cancelled["errors"] == [])
    assert {reserved for _, reserved in (await levels(portal)).values()} == {0}


async def promised(bea: Client) -> date:
    found = await bea.ask(ACTIONS.replace("version", "promisedOn"), id=await placed(bea))
    return date.fromisoformat(found["order"]["promisedOn"])


async def test_an_order_is_promised_for_the_lead_time_of_the_company(
    portal: Portal, bea: Client, stan: Client
) -> None:
    async with portal.writing() as connection:
        today = (await connection.fetch_text("select current_date"))[0][0]
    assert await promised(bea) == today + timedelta(days=2)
    document = "mutation($input: PortalUpdateInput!) { portalUpdate(input: $input) { errors { code path } } }"
    await stan.ask(document, input={"leadDays": 0})
    assert await promised(bea) == today
    for days in (-1, 366):
        refused = await stan.ask(document, input={"leadDays": days})
        assert refused["portalUpdate"]["errors"] == [{"code": "LEAD_DAYS_INVALID", "path": ["leadDays"]}]


PEOPLE = ("buyer", "reader", "accountant", "agent")
ACTS = {
    "UPDATE": ("orderUpdate", {}),
    "SHIP": ("orderShip", {}),
    "CLOSE": ("orderClose", {}),
    "CANCEL": ("orderCancel", {"reason": "A walk"}),
}


async def standing(number: int, state: str, how: str, portal: Portal) -> str:
    """An order in a state, of which nothing, a part or all is shipped."""
    order_id = await portal.order(f"SO-9{number:05d}", skus=("A", "B"), state=ProcessingState(state))
    shipped = {"none": "false", "part": "position = 1", "all": "true"}[how]
    ended = state in ("COMPLETED", "CANCELLED")
    async with portal.writing() as connection:
        await connection.fetch_text(
            f"""update order_lines set shipped_quantity = case when {shipped} then quantity else 0 end,
            cancelled_quantity = case when {ended} and not ({shipped}) then quantity else 0 end
            where order_id = $1""",
            order_id,
        )
    return global_id("Order", order_id)


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("policy", ["NOT_ALLOWED", "UNTIL_SHIPPED"])
async def test_what_is_said_to_be_allowed_is_what_works(
    who: str, policy: str, portal: Portal, at: At
) -> None:
    """Every state, however far shipped, with everybody: each action is tried and has to agree."""
    await portal.account("buyer")
    await portal.account("reader", profile=BuiltInProfile.VIEWER)
    await portal.staff_member("agent", role=StaffRole.AGENT)
    await portal.staff_member("accountant", role=StaffRole.ACCOUNTANT)
    somebody = await at(portal).sign_in(who)
    async with portal.writing() as connection:
        await connection.fetch_text(
            "update portals set cancellation_policy = $1 where tenant_id = $2", policy, portal.tenant_id
        )
        await connection.fetch_text("update stock set on_hand = 1000")
    walk = itertools.product(ProcessingState, ("none", "part", "all"), ACTS)
    seen = set()
    for number, (state, how, act) in enumerate(walk):
        order = await standing(number, state, how, portal)
        told = (await somebody.ask(ACTIONS, id=order))["order"]["actions"]
        invoicing = (
            ["INVOICE"] if who in ("agent", "accountant") else []
        )  # tests/resolvers/test_invoice_postings.py
        assert [each["name"] for each in told] == [*ACTS, *invoicing]
        action = next(each for each in told if each["name"] == act)
        mutation, given = ACTS[act]
        if mutation == "orderShip":
            answer = await ship(somebody, order)
        else:
            answer = await do(somebody, mutation, order, **given)
        why = [action["reason"]] if action["reason"] else []
        assert [{name: each[name] for name in ("code", "message")} for each in answer["errors"]] == why
        assert action["allowed"] is (action["reason"] is None)
        lacking = [each["code"] for each in why] == ["MISSING_PERMISSION"]
        assert (action["missingPermission"] is not None) is lacking
        seen.add((act, action["allowed"]))
    expected = {"buyer": {"CANCEL"} if policy == "UNTIL_SHIPPED" else set(), "agent": set(ACTS)}
    assert {act for act, allowed in seen if allowed} == expected.get(who, set())


async def test_who_looks_as_somebody_else_is_told_what_that_one_may_do_and_does_nothing(
    portal: Portal, bea: Client, stan: Client, order: str
) -> None:
    async with portal.writing() as connection:
        account_id = (await connection.fetch_text("select id from accounts"))[0][0]
    onlooker = await stan.view_as(global_id("Account", account_id))
    assert await onlooker.ask(ACTIONS, id=order) == await bea.ask(ACTIONS, id=order)
    assert codes(await do(onlooker, "orderCancel", order, reason="Not mine")) == [("READ_ONLY_SESSION", [])]


async def test_reasons_are_told_in_the_language_of_the_request(bea: Client, order: str) -> None:
    bea.headers["accept-language"] = "de"
    told = (await bea.ask(ACTIONS, id=order))["order"]["actions"]
    ship_ = next(each for each in told if each["name"] == "SHIP")
    assert ship_["reason"]["message"] == "Dafür fehlt die Berechtigung orders:fulfil."
    assert ship_["missingPermission"] == "ORDERS_FULFIL"


async def test_what_was_cancelled_is_written_down(portal: Portal, bea: Client, order: str, at: At) -> None:
    await do(bea, "orderCancel", order, reason="Ordered twice")
    async with portal.writing() as connection:
        found = await connection.fetch_text("select after from audit_entries where action = 'orderCancel'")
    after = json.loads(found[0][0])
    assert after["cancellation_reason"] == "Ordered twice"
    assert [each["sku"] for each in after["cancelled"]] == ["A", "B"]
