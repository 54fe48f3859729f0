"""RMA progress: what was received, credited and replaced of each line of a request, and of no other."""

from uuid import UUID

import pytest

import db
from db.invoices import Invoice
from db.isolation import Mode
from rules.documents import CreditOperation
from rules.rma_progress import RMALineProgress
from rules.rma_requests import Resolution
from rules.viewers import Viewer
from tests import documents
from tests.documents import Sold
from tests.rma_requests import Asked, rma_request
from tests.world import Portal, World

TEN = (Sold("A", "10"), Sold("B", "5"), Sold("A", "4"))


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    for sku in ("A", "B"):
        await portal.product(sku)
    await portal.account("bea")
    return portal


@pytest.fixture
async def invoice(portal: Portal) -> Invoice:
    return await documents.invoice(portal, "IN-1", TEN)


def anybody(portal: Portal) -> Viewer:
    """Whose requests they are has been asked before."""
    return Viewer(
        tenant_id=portal.tenant_id,
        session_id=None,
        account_id=None,
        staff_member_id=None,
        customer_id=None,
        price_list_id=None,
        currency=portal.currency,
        permissions=frozenset(),
    )


async def progress(portal: Portal, *ids: UUID) -> dict[UUID, list[RMALineProgress]]:
    async with portal.world.database.transaction(Mode.SNAPSHOT, portal.tenant_id) as connection:
        return dict(await db.rma_progress.of_requests(connection, anybody(portal), ids))


def sums(lines: list[RMALineProgress]) -> list[tuple[int, int, int]]:
    """What was received, credited and replaced of each; all of it is in whole pieces here."""
    return [
        (int(each.received_quantity), int(each.credited_quantity), int(each.replaced_quantity))
        for each in lines
    ]


async def test_another_company_finds_nothing(portal: Portal, invoice: Invoice, world: World) -> None:
    asked = await rma_request(portal, "RM-1", invoice)
    assert await progress(await world.portal(), asked.id) == {asked.id: []}


async def test_of_a_request_for_which_nothing_was_done_nothing_is_told(
    portal: Portal, invoice: Invoice
) -> None:
    wanted = (Asked(1, "3"), Asked(2, "2", Resolution.RETURN, "1"))
    asked = await rma_request(portal, "RM-1", invoice, wanted)
    await documents.goods_return(portal, "GR-1", invoice, quantity="2")
    await documents.credit_note(portal, "CN-1", invoice, (Sold("A", "2"),))
    lines = (await progress(portal, asked.id))[asked.id]
    assert sums(lines) == [(0, 0, 0), (0, 0, 0)]
    assert [(each.position, each.invoice_position, int(each.quantity)) for each in lines] == [
        (1, 1, 3),
        (2, 2, 2),
    ]
    assert [(each.resolution, each.authorised_quantity) for each in lines] == [
        (None, None),
        (Resolution.RETURN, 1),
    ]


async def test_what_names_a_request_counts_for_it_once_and_not_when_it_was_reversed(
    portal: Portal, invoice: Invoice
) -> None:
    asked = await rma_request(portal, "RM-1", invoice, (Asked(1, "6", Resolution.REFUND, "6"), Asked(2, "1")))
    other = await rma_request(portal, "RM-2", invoice, (Asked(1, "1"),))
    back = await documents.goods_return(portal, "GR-1", invoice, quantity="2", rma_request_id=asked.id)
    again = await documents.goods_return(portal, "GR-2", invoice, quantity="3", rma_request_id=asked.id)
    # One names both, one the goods return alone, one the request alone.
    await documents.credit_note(
        portal, "CN-1", invoice, (Sold("A", "1"),), goods_return_id=back.id, rma_request_id=asked.id
    )
    await documents.credit_note(portal, "CN-2", invoice, (Sold("A", "1"),), goods_return_id=back.id)
    wrong = await documents.credit_note(portal, "CN-3", invoice, (Sold("A", "2"),), rma_request_id=asked.id)
    discount = CreditOperation.DISCOUNT
    sold = (Sold("A", "10", "1.00"),)
    await documents.credit_note(portal, "CN-4", invoice, sold, rma_request_id=asked.id, operation=discount)
    found = await progress(portal, asked.id, other.id)
    assert sums(found[asked.id]) == [(5, 4, 0), (0, 0, 0)]
    assert sums(found[other.id]) == [(0, 0, 0)]
    await documents.reverse(portal, wrong)
    await documents.reverse(portal, again)
    assert sums((await progress(portal, asked.id))[asked.id]) == [(2, 2, 0), (0, 0, 0)]


async def test_what_was_ordered_in_its_place_is_told_of_the_line_that_is_to_be_replaced(
    portal: Portal, invoice: Invoice
) -> None:
    wanted = (Asked(1, "2", Resolution.REFUND, "2"), Asked(2, "1"), Asked(3, "2", Resolution.REPLACE, "2"))
    asked = await rma_request(portal, "RM-1", invoice, wanted)
    for number in ("SO-1", "SO-2", "SO-3"):
        order_id = await portal.order(number)
        async with portal.writing() as connection:
            await connection.fetch_text(
                "update orders set rma_request_id = $1 where id = $2", asked.id, order_id
            )
            if number == "SO-3":
                await connection.fetch_text(
                    "update order_lines set cancelled_quantity = quantity where order_id = $1", order_id
                )
    assert sums((await progress(portal, asked.id))[asked.id]) == [(0, 0, 0), (0, 0, 0), (0, 0, 2)]


async def test_however_many_requests_are_read_with_two_statements(portal: Portal, invoice: Invoice) -> None:
    ids = [(await rma_request(portal, f"RM-{number}", invoice)).id for number in range(5)]
    async with portal.world.database.transaction(Mode.SNAPSHOT, portal.tenant_id) as connection:
        before = connection.statements
        assert len(await db.rma_progress.of_requests(connection, anybody(portal), ids)) == 5
        assert connection.statements == before + 2
