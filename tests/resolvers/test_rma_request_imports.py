"""Imports while requests to return goods are under way: a request follows what becomes of the orders that replace its
goods, and of what is credited by an ERP nobody is credited again."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from db.invoices import Invoice
from resolvers.nodes import global_id
from rules.rma_requests import Resolution
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.documents import Sold
from tests.postings import allowed, post, posted, refused, request_of
from tests.resolvers.test_imports_beside_fulfilment import Load
from tests.resolvers.test_imports_beside_fulfilment import load as load
from tests.resolvers.test_rma_request_decisions import (
    CLOSE,
    CREDIT,
    DECIDE,
    RECEIVE,
    REPLACE,
    REVERSE,
    asked,
)
from tests.resolvers.test_rma_request_decisions import line as decision
from tests.rma_requests import Asked, returnable, send
from tests.world import Portal, World


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A", stock_at={"W1": "10"})
    await portal.account("bea")
    await portal.staff_member("mia")
    return portal


@pytest.fixture
async def mia(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("mia")


@pytest.fixture
async def bill(portal: Portal) -> Invoice:
    return await documents.invoice(portal, "IN-1", (Sold("A", "10"),))


def order(number: str, status: str) -> str:
    return f"{number},C1,2026-01-30T10:00:00,{status},GBP"


async def stands(client: Client, key: str) -> tuple[str, str, str, str]:
    found = await request_of(client, key)
    (line,) = found["lines"]
    return found["stage"], found["status"]["processingState"], line["state"], line["replacedQuantity"]


async def test_a_request_follows_what_an_import_makes_of_its_replacement(
    portal: Portal, bill: Invoice, mia: Client, load: Load
) -> None:
    key = await asked(portal, bill, Asked(1, "5", Resolution.REPLACE, "3"))
    await posted(mia, CREDIT, rmaRequest=key)
    (placed,) = (await post(mia, REPLACE, rmaRequest=key))["orders"]
    assert await stands(mia, key) == ("COMPLETED", "COMPLETED", "COMPLETED", "3")
    version = (await request_of(mia, key))["version"]
    number = placed["number"]

    files = {"orders": [order(number, "CANCELLED")], "order_lines": [f"{number},1,A,3,0,10,W1"]}
    await load(files)
    assert await stands(mia, key) == ("AUTHORISED", "IN_PROGRESS", "AUTHORISED", "0")
    async with portal.writing() as connection:
        told = await connection.fetch_text(
            "select node_type, operation, customer_id from changes order by position desc limit 2"
        )
    assert {tuple(each) for each in told} == {
        ("Order", "UPDATED", bill.customer_id),
        ("RMARequest", "UPDATED", bill.customer_id),
    }
    assert (await request_of(mia, key))["version"] == version + 1
    await load(files)
    assert (await request_of(mia, key))["version"] == version + 1

    (again,) = (await post(mia, REPLACE, rmaRequest=key))["orders"]
    assert again["lines"][0]["quantity"] == "3"
    number = again["number"]
    await load({"orders": [order(number, "COMPLETED")], "order_lines": [f"{number},1,A,3,2,10,W1"]})
    assert await stands(mia, key) == ("AUTHORISED", "IN_PROGRESS", "AUTHORISED", "2")
    await load({"orders": [order(number, "COMPLETED")], "order_lines": [f"{number},1,A,3,3,10,W1"]})
    assert await stands(mia, key) == ("COMPLETED", "COMPLETED", "COMPLETED", "3")


async def test_an_import_and_whoever_cancels_a_replacement_wait_for_each_other(
    portal: Portal, bill: Invoice, mia: Client, load: Load
) -> None:
    cancel = "mutation($input: OrderCancelInput!) { orderCancel(input: $input) { errors { code } } }"
    keys = [
        await asked(portal, bill, Asked(1, "2", Resolution.REPLACE, "2"), number=f"RM-{each}")
        for each in range(1, 4)
    ]
    placed = [(await post(mia, REPLACE, rmaRequest=key))["orders"][0] for key in keys]
    numbers = [each["number"] for each in placed]
    files = {
        "orders": [order(each, "CANCELLED") for each in numbers],
        "order_lines": [f"{each},1,A,2,0,10,W1" for each in numbers],
    }
    await asyncio.gather(
        load(files),
        *(mia.ask(cancel, input={"order": each["id"], "reason": "Wrong"}) for each in placed),
        *(post(mia, CREDIT, rmaRequest=key) for key in keys),
    )
    for key in keys:
        assert await stands(mia, key) == ("AUTHORISED", "IN_PROGRESS", "AUTHORISED", "0")


async def test_what_an_erp_credits_meanwhile_is_not_granted_or_credited_again(
    portal: Portal, bill: Invoice, mia: Client, load: Load, at: At
) -> None:
    undecided = await asked(portal, bill, Asked(1, "3"))
    granted = await asked(portal, bill, Asked(1, "3", Resolution.RETURN, "3"), number="RM-2")
    await load(
        {
            "credit_notes": ["E1,C1,IN-1,2026-03-10T10:00:00,GBP"],
            "credit_note_lines": ["E1,1,A,Product A,10,10,20,IN-1,1"],
        }
    )
    at_line = ["lines", "0", "authorisedQuantity"]
    none_left = [("MORE_THAN_RETURNABLE", at_line)]
    assert await refused(mia, DECIDE, rmaRequest=undecided, lines=[decision(1, "REFUND")]) == none_left
    await posted(mia, RECEIVE, rmaRequest=granted)
    assert await refused(mia, CREDIT, rmaRequest=granted) == [("NOTHING_TO_CREDIT", ["rmaRequest"])]
    bea = await at(portal).sign_in("bea")
    assert await returnable(bea, global_id("Invoice", bill.id)) == [
        ("0", {"ALREADY_RETURNED": "3", "ALREADY_CREDITED": "7"})
    ]
    await posted(mia, DECIDE, rmaRequest=undecided, lines=[decision(1, "DECLINED", None, "Credited")])
    ended = await posted(mia, "rmaRequestClose", rmaRequest=granted, outcome="COMPLETED")
    assert (ended["stage"], allowed(ended)["REFUND"]) == ("CLOSED", "NOTHING_TO_REFUND")


async def test_of_all_that_is_done_at_once_nothing_is_done_twice(
    portal: Portal, bill: Invoice, mia: Client, load: Load, at: At
) -> None:
    await documents.payment(portal, "PA-1", bill.total, settles=bill)
    bea, of_bill = await at(portal).sign_in("bea"), global_id("Invoice", bill.id)
    four = {"invoice": of_bill, "lines": [{"invoicePosition": 1, "quantity": "4", "problem": "Loud"}]}
    made = await asyncio.gather(*(send(bea, "rmaRequestCreate", **four, submit=True) for _ in range(4)))
    keys = [each["rmaRequest"]["id"] for each in made if each["rmaRequest"]]
    assert len(keys) == 2
    answers: list[Any] = await asyncio.gather(
        *(post(mia, DECIDE, rmaRequest=key, lines=[decision(1, "REPLACE")]) for key in keys * 2),
        *(send(bea, "rmaRequestCreate", **four, submit=True) for _ in range(2)),
        post(mia, RECEIVE, invoice=of_bill, lines=[{"position": 1, "quantity": "2"}]),
    )
    money = {"customer": global_id("Customer", bill.customer_id), "amount": "12", "kind": "REFUND"}
    of_erp = {
        "credit_notes": ["E1,C1,IN-1,2026-03-10T10:00:00,GBP"],
        "credit_note_lines": ["E1,1,A,Product A,1,10,20,IN-1,1"],
    }
    for _ in range(2):
        one = {"lines": [{"position": 1, "quantity": "1"}]}
        answers += await asyncio.gather(
            *(
                post(mia, each, rmaRequest=key, **one)
                for key in keys
                for each in (RECEIVE, CREDIT, REPLACE) * 3
            ),
            *(post(mia, "paymentRecord", rmaRequest=key, **money) for key in keys),
            load(of_erp),
        )
        backs = [
            each["goodsReturn"] for each in answers if isinstance(each, dict) and each.get("goodsReturn")
        ]
        answers += await asyncio.gather(
            *(post(mia, REVERSE, document=each["id"], reason="Wrong") for each in backs[:3] * 2),
            *(post(mia, CREDIT, rmaRequest=key, **one) for key in keys),
            post(mia, CLOSE, rmaRequest=keys[0], outcome="COMPLETED"),
        )
    for key in keys:
        found = await request_of(mia, key)
        (line,) = found["lines"]
        for each in ("received", "credited", "replaced"):
            assert Decimal(line[f"{each}Quantity"]) <= Decimal(line["authorisedQuantity"])
        assert found["stage"] == line["state"]
    (told,) = await returnable(bea, of_bill) or []
    assert sum(map(Decimal, told[1].values()), Decimal(told[0])) == 10
    async with portal.writing() as connection:
        (sums,) = await connection.fetch_text(
            """select (select sum(quantity) from credit_note_lines), (select sum(reserved) from stock),
            (select sum(quantity) from order_lines)"""
        )
    assert sums[0] <= 10
    assert sums[1] == sums[2]
