"""The list of payments over HTTP: a customer's own, or for staff all."""

from datetime import UTC, datetime
from typing import Any

import pytest

from rules.permissions import BuiltInProfile, StaffRole
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.world import Portal, World

PAYMENTS = """query($filter: PaymentFilter, $orderBy: [PaymentOrder!], $first: Int, $after: String) {
  payments(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
    totalCount nodes { number kind status paidAt amount { amount } reference customer { code } }
    pageInfo { hasNextPage endCursor } } }"""


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.account("ada", profile=BuiltInProfile.ACCOUNTANT)
    for day, number in enumerate(("PA-1", "PA-2", "PA-30"), start=1):
        await documents.payment(portal, number, 100 * day, paid_at=datetime(2026, 3, day, tzinfo=UTC))
    await portal.account("cleo", customer="C2", profile=BuiltInProfile.ACCOUNTANT)
    await documents.payment(portal, "PA-4", 400, customer="C2")
    await portal.staff_member("olga")
    return portal


async def numbers(somebody: Client, **asked: Any) -> list[str]:
    found = (await somebody.ask(PAYMENTS, **asked))["payments"]
    assert found["totalCount"] == len(found["nodes"])
    return [each["number"] for each in found["nodes"]]


async def test_an_outsider_a_buyer_and_an_agent_list_none(portal: Portal, at: At) -> None:
    await portal.account("bea", profile=BuiltInProfile.BUYER)
    await portal.staff_member("otto", role=StaffRole.AGENT)
    codes = [(await at(portal).refusal(PAYMENTS))["extensions"]["code"]]
    for name in ("bea", "otto"):
        somebody = await at(portal).sign_in(name)
        codes.append((await somebody.refusal(PAYMENTS))["extensions"]["code"])
    assert codes == ["UNAUTHENTICATED", "MISSING_PERMISSION", "MISSING_PERMISSION"]


async def test_payments_are_their_customers_and_their_companys(portal: Portal, world: World, at: At) -> None:
    elsewhere = await world.portal()
    await elsewhere.account("eve", profile=BuiltInProfile.ACCOUNTANT)
    assert await numbers(await at(elsewhere).sign_in("eve")) == []
    assert await numbers(await at(portal).sign_in("cleo")) == ["PA-4"]
    assert await numbers(await at(portal).sign_in("ada")) == ["PA-30", "PA-2", "PA-1"]
    assert await numbers(await at(portal).sign_in("olga")) == ["PA-4", "PA-30", "PA-2", "PA-1"]


async def test_payments_are_filtered(portal: Portal, at: At) -> None:
    olga = await at(portal).sign_in("olga")
    by_code = {each["customer"]["code"]: each for each in (await olga.ask(PAYMENTS))["payments"]["nodes"]}
    assert by_code.keys() == {"C1", "C2"}
    ids = (await olga.ask("{ customers { nodes { id code } } }"))["customers"]["nodes"]
    cleos = next(each["id"] for each in ids if each["code"] == "C2")
    assert await numbers(olga, filter={"customer": cleos}) == ["PA-4"]
    assert await numbers(olga, filter={"number": "PA-3"}) == ["PA-30"]
    assert await numbers(olga, filter={"from": "2026-03-02", "to": "2026-03-02"}) == ["PA-2"]
    assert await numbers(olga, filter={"kind": "REFUND"}) == []
    assert await numbers(olga, filter={"reference": "x"}) == []
    refused = await olga.refusal(PAYMENTS, filter={"from": "2026-03-02", "to": "2026-03-01"})
    assert refused["extensions"]["code"] == "PERIOD_REVERSED"


async def test_pages_of_payments_follow_each_other(portal: Portal, at: At) -> None:
    olga = await at(portal).sign_in("olga")
    seen: list[str] = []
    page: dict[str, Any] = {"pageInfo": {"endCursor": None, "hasNextPage": True}}
    while page["pageInfo"]["hasNextPage"]:
        after = page["pageInfo"]["endCursor"]
        page = (await olga.ask(PAYMENTS, orderBy=["PAID_AT_ASC"], first=1, after=after))["payments"]
        seen += [each["number"] for each in page["nodes"]]
    assert seen == ["PA-1", "PA-2", "PA-30", "PA-4"]
