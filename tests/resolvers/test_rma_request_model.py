"""Requests to return goods among all else that is posted, at random and over HTTP, against a naive bookkeeper: nothing is
granted, received, credited, replaced or paid back twice, and where a request stands is what its papers say."""

import random

import pytest

from tests.bookkeeping import PRODUCTS
from tests.conftest import At
from tests.request_dealings import RequestDealings
from tests.world import World

ACTS = {
    "order_and_ship": 1,
    "invoice": 3,
    "credit": 2,
    "receive": 1,
    "pay": 3,
    "reverse": 4,
    "ask": 8,
    "decide": 8,
    "receive_for": 6,
    "credit_for": 7,
    "refund_for": 4,
    "replace_for": 4,
    "ship_or_cancel": 3,
    "end": 2,
}


async def deal(
    world: World, at: At, seed: int, currency: str, *, included: bool, acts: int
) -> dict[str, int]:
    """So many acts at a new portal; returns how often each was done and refused."""
    portal = await world.portal(currency=currency, tax_included=included)
    for sku, (unit, price, rate) in PRODUCTS.items():
        await portal.product(sku, unit=unit, price=price, tax_rate=rate, stock_at={"W1": "100000"})
    await portal.staff_member("olga")
    for name, customer in (("bea", "C1"), ("cleo", "C2")):
        await portal.account(name, customer=customer)
    buyers = {"C1": await at(portal).sign_in("bea"), "C2": await at(portal).sign_in("cleo")}
    book = RequestDealings(portal, await at(portal).sign_in("olga"), buyers, random.Random(seed))
    book.included = included
    chosen = [name for name, times in ACTS.items() for _ in range(times)]
    for _ in range(3):
        await book.order_and_ship()
        await book.invoice()
    for turn in range(1, acts + 1):
        name = book.chance.choice(chosen)
        await getattr(book, name)()
        if name not in ("order_and_ship", "invoice", "pay"):
            for request in book.requests:
                await book.check_request(request)
        if turn % 50 == 0:
            await book.check()
    await book.check()
    return book.done


@pytest.mark.parametrize(("seed", "currency", "included"), [(1, "GBP", False), (2, "JPY", True)])
async def test_whatever_becomes_of_requests_adds_up_and_what_may_not_be_done_changes_nothing(
    seed: int, currency: str, included: bool, world: World, at: At
) -> None:
    done = await deal(world, at, seed, currency, included=included, acts=120)
    for each in ("rmaRequestCreate", "rmaRequestDecide", "goodsReturnReceive", "creditNoteIssue"):
        assert done.get(f"{each} done"), done
        assert done.get(f"{each} refused"), done
