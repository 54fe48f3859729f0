"""Neighbours, line 24: whatever one request may bring along, no turn of the event loop is long. What many requests do to
others is measured with `python -m bench.faults 24`."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
import uuid_utils.compat as uuid

from execution import variables
from rules.permissions import StaffRole
from rules.stock import StockPolicy
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_carts import ADD
from tests.resolvers.test_orders import PLACE
from tests.safety.turns import LONGEST_MS, turns
from tests.world import World

Row = dict[str, Any]
MANY = range(1_000)
CONTACTS = [{"name": f"Contact {number}", "email": f"c{number}@example.com"} for number in range(5)]
SKUS = [f"P{number:04}" for number in MANY]
ROWS: dict[str, list[Row]] = {
    "warehouses": [{"code": f"X{number}", "name": "A warehouse"} for number in MANY],
    "categories": [{"code": f"K{number}", "name": "A category"} for number in MANY],
    "customers": [
        {"code": f"X{number}", "name": "A customer", "country": "GB", "currency": "GBP", "contacts": CONTACTS}
        for number in MANY
    ],
    "products": [
        {"sku": sku, "name": "A thing", "unit": "pcs", "taxRate": "20", "description": 100 * "x"}
        for sku in SKUS
    ],
    "prices": [
        {"sku": sku, "priceList": "wholesale", "currency": "GBP", "unitPrice": "12.50"} for sku in SKUS
    ],
    "stock": [{"sku": sku, "warehouse": "X1", "onHand": "5"} for sku in SKUS],
}
CHANGED = {"name": "Another", "unitPrice": "13.00", "onHand": "6", "contacts": CONTACTS[1:]}


def upsert(noun: str) -> str:
    name = noun.capitalize()
    return f"mutation($input: {name}UpsertInput!) {{ {noun}Upsert(input: $input) {{ errors {{ code message path }} }} }}"


async def turned(client: Client, document: str, rows: Sequence[Row]) -> tuple[Any, list[float]]:
    """The errors that came of rows, and the milliseconds of each turn."""
    given = {"rows": rows, "idempotencyKey": str(uuid.uuid7())}
    with turns() as spent:
        answer = await asyncio.create_task(client.ask(document, input=given))
    (payload,) = answer.values()
    return payload["errors"], spent


async def test_a_thousand_rows_of_any_kind_new_known_and_changed_hold_nobody_up(world: World, at: At) -> None:
    portal = await world.portal()
    await portal.staff_member("olga", role=StaffRole.OWNER)
    olga = await at(portal).sign_in("olga")
    for noun, rows in ROWS.items():
        changed = [{name: CHANGED.get(name, value) for name, value in row.items()} for row in rows]
        for each in (rows, rows, changed):
            errors, spent = await turned(olga, upsert(noun), each)
            assert errors == [], noun
            assert max(spent) < LONGEST_MS, noun


@pytest.mark.parametrize("noun", ["customers", "stock"])
async def test_as_many_values_as_variables_may_have_hold_nobody_up_whoever_sends_them(
    noun: str, world: World, at: At
) -> None:
    portal = await world.portal()
    await portal.staff_member("olga", role=StaffRole.OWNER)
    (row, *_) = ROWS[noun]
    rows = (variables.MOST // variables.count({"row": row}) - 1) * [row]
    for client, code in (
        (at(portal), "UNAUTHENTICATED"),
        (await at(portal).sign_in("olga"), "LIST_TOO_LONG"),
    ):
        (error,), spent = await turned(client, upsert(noun), rows)
        assert error["code"] == code
        assert max(spent) < LONGEST_MS


async def test_a_cart_of_a_thousand_lines_holds_nobody_up(world: World, at: At) -> None:
    portal = await world.portal(stock_policy=StockPolicy.ALLOW_BACKORDER)
    await portal.staff_member("olga", role=StaffRole.OWNER)
    olga = await at(portal).sign_in("olga")
    for noun in ("warehouses", "products", "prices", "stock"):
        assert (await olga.ask(upsert(noun), input={"rows": ROWS[noun]}))[f"{noun}Upsert"]["errors"] == []
    await portal.account("bea")
    bea = await at(portal).sign_in("bea")
    items = [{"sku": sku, "quantity": "1"} for sku in SKUS]
    for document, given in ((ADD, {"items": items}), (PLACE, {})):
        with turns() as spent:
            (payload,) = (await asyncio.create_task(bea.ask(document, input=given))).values()
        assert payload["errors"] == []
        assert max(spent) < LONGEST_MS
