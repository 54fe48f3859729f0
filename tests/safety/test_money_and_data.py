"""Money and data, lines 32 to 35: what is not in tests/resolvers/test_orders.py and tests/resolvers/test_posting_model.py."""

import asyncio
import random
from typing import Any

import httpx
import pytest

from db.isolation import Mode
from tests.client import Client, answered
from tests.conftest import At
from tests.resolvers.test_carts import add
from tests.resolvers.test_orders import ORDERS, PLACE
from tests.resolvers.test_posting_model import deal
from tests.safety.asker import Asker
from tests.safety.places import places
from tests.server.live import Serving
from tests.tenants.questions import Question
from tests.tenants.test_isolation import settle
from tests.world import Portal, World


async def posted(live: Serving, client: Client, body: dict[str, Any]) -> httpx.Response:
    """The answer on a connection of its own."""
    async with httpx.AsyncClient(timeout=30) as http:
        return await http.post(
            live.url(client.slug), json=body, headers={"authorization": f"Bearer {client.token}"}
        )


async def test_twenty_equal_calls_on_twenty_connections_have_one_order_and_one_answer(
    live: Serving, bea: Client
) -> None:
    await add(bea, {"sku": "A", "quantity": "1"})
    body = {"query": PLACE, "variables": {"input": {"idempotencyKey": "twice"}}}
    answers = await asyncio.gather(*(posted(live, bea, body) for _ in range(20)))
    answers.append(await posted(live, bea, body))
    assert {each.status_code for each in answers} == {200}
    assert len({answered(each) for each in answers}) == 1
    assert answers[0].json()["data"]["orderPlace"]["orders"][0]["number"] == "SO-000001"
    assert (await bea.ask(ORDERS))["orders"]["totalCount"] == 1


async def test_whoever_hangs_up_and_asks_again_with_the_key_has_ordered_once(
    live: Serving, bea: Client, portal: Portal
) -> None:
    """However far the first call has come when its client goes."""
    chance = random.Random(32)
    for number in range(1, 26):
        await add(bea, {"sku": "A", "quantity": "1"})
        body = {"query": PLACE, "variables": {"input": {"idempotencyKey": f"key {number}"}}}
        first = asyncio.create_task(posted(live, bea, body))
        await asyncio.wait({first}, timeout=chance.uniform(0.001, 0.04))
        first.cancel()
        again = [await posted(live, bea, body) for _ in range(2)]
        assert answered(again[0]) == answered(again[1])
        assert again[0].json()["data"]["orderPlace"]["orders"][0]["number"] == f"SO-{number:06d}"
        await asyncio.gather(first, return_exceptions=True)
    async with portal.writing() as connection:
        kept = await connection.fetch_text("select count(*), count(distinct number) from orders")
        reserved = await connection.fetch_text("select sum(reserved) from stock")
    assert (kept, reserved) == ([(25, 25)], [(25,)])


IMPOSSIBLE: list[Any] = [
    "-1",
    "-0",
    "0",
    "-0.001",
    "1000000000000000000",
    "NaN",
    "-Infinity",
    "1e18",
    -1,
    10**18,
]
# Who ships more than was ordered, charges more than was shipped, or gives back more than was charged is in
# tests/resolvers/test_posting_model.py, where there is something to be shipped, charged and given back.
NOTHING_THERE = {
    "creditNoteIssue(input.lines.quantity)",
    "goodsReturnReceive(input.lines.quantity)",
    "invoiceDraftUpdate(input.lines.quantity)",
    "invoiceIssue(input.lines.quantity)",
    "rmaRequestReplace(input.lines.quantity)",
}


def quantities() -> list[Question]:
    """Every place in a mutation where somebody says how many."""
    return [
        each
        for each in places()
        if each.operation == "mutation" and each.scalar == "Decimal" and "quantity" in each.path[-1].lower()
    ]


def refusals(body: dict[str, Any], field: str) -> list[str]:
    """The codes with which all of it, or what stands on its lines, is refused."""
    payload = (body.get("data") or {}).get(field) or {}
    every = [
        *payload.get("errors", []),
        *(each for line in payload.get("rejected") or () for each in line["reasons"]),
    ]
    return sorted(
        {each["extensions"]["code"] for each in body.get("errors", [])} | {each["code"] for each in every}
    )


@pytest.mark.usefixtures("many_tries")
async def test_no_place_takes_a_quantity_that_is_negative_zero_huge_or_no_number(
    world: World, at: At
) -> None:
    town = await settle(world)
    asker, before = Asker(town, at), await town.checksums(but=COMING)
    assert len(quantities()) > 14
    for question in quantities():
        for value in IMPOSSIBLE:
            body = await asker.ask(question, value)
            assert refusals(body, question.field), (str(question), value)
    after = await town.checksums(but=COMING)
    assert [name for name in after if after[name] != before[name]] == []


# Whoever signs in is written down; a cart that was looked at is there from then on.
COMING = ("audit_entries", "sessions")


@pytest.mark.usefixtures("many_tries")
async def test_the_quantity_is_what_is_refused(world: World, at: At) -> None:
    """Otherwise the test above would prove nothing: one is taken where minus one is not."""
    town = await settle(world)
    asker = Asker(town, at)
    for question in quantities():
        codes = [refusals(await asker.ask(question, value), question.field) for value in ("-1", "1")]
        assert (codes[0] == codes[1]) is (str(question) in NOTHING_THERE), (str(question), codes)


# Lines that do not add up to their document, and documents of which net and tax are not the total.
WRONG_SUMS = " union all ".join(
    f"""select d.number from {name}s d where net + tax <> total or case when tax_included then total else net end
        <> (select sum(amount) from {name}_lines l where l.tenant_id = d.tenant_id and l.{name}_id = d.id)"""
    for name in ("order", "invoice", "credit_note")
)
KEPT = " union all ".join(
    f"(select '{name}' from {name}s limit 1)" for name in ("order", "invoice", "credit_note")
)


@pytest.mark.parametrize(("currency", "included"), [("GBP", False), ("JPY", True), ("KWD", False)])
async def test_totals_are_the_sums_of_their_lines_on_everything_that_is_posted(
    world: World, at: At, currency: str, included: bool
) -> None:
    before = {row[0] for row in await every(world, "select tenant_id from portals")}
    await deal(world, at, 34, currency, included=included, acts=30)
    (tenant_id,) = {row[0] for row in await every(world, "select tenant_id from portals")} - before
    async with world.database.transaction(Mode.SNAPSHOT, tenant_id) as connection:
        assert len(await connection.fetch_text(KEPT)) == 3
        assert await connection.fetch_text(WRONG_SUMS) == []


async def every(world: World, sql: str) -> Any:
    async with world.registry.transaction(Mode.SNAPSHOT, None) as connection:
        return await connection.fetch_text(sql)
