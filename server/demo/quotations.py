"""The demo's quotation: what a made-up company offers its first customer."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import uuid_utils.compat as uuid

import db
from db.connections import Connection
from db.quotations import Quotation, QuotationLine
from rules.amounts import line_amount, totals
from rules.numbers import NumberKind, numbered
from rules.quotations import QuotationState
from rules.viewers import Viewer
from server.demo import personas
from server.demo.portals import DemoPortal
from tenants import sessions

# SKU, quantity, and what of the customer's own price is asked.
_OFFERED = [("K-1004", "48", "0.80"), ("K-1006", "24", "0.85"), ("K-EXPRESS", "1", "0")]
_COMMENTS = {
    "en": "As discussed: for the summer season, delivery on us.",
    "de": "Wie besprochen: für die Sommersaison, Lieferung frei Haus.",
}
_VALID_DAYS = 365


async def add(connection: Connection, portal: DemoPortal) -> None:
    """An issued quotation for the customer of the portal's first person; once."""
    buyer = await first_buyer(connection, portal)
    if await db.quotations.by_numbers(connection, buyer, [numbered(NumberKind.QUOTATION, 1)]):
        return
    quotation_id = uuid.uuid7()
    lines = await _lines(connection, buyer, quotation_id)
    sums = totals([(line.amount, line.tax_rate) for line in lines], tax_included=False)
    now = datetime.now(UTC)
    assert buyer.customer_id is not None
    new = Quotation(
        id=quotation_id,
        number=(await db.numbers.take(connection, NumberKind.QUOTATION, 1))[0],
        customer_id=buyer.customer_id,
        state=QuotationState.ISSUED.value,
        dated_at=now,
        valid_until=now.date() + timedelta(days=_VALID_DAYS),
        currency=buyer.currency,
        tax_included=False,
        net=sums.net,
        tax=sums.tax,
        total=sums.total,
        comment=_COMMENTS[portal.locale],
        decline_reason=None,
        version=1,
        is_past=False,
    )
    await db.quotations.add(connection, new, lines)


async def first_buyer(connection: Connection, portal: DemoPortal) -> Viewer:
    """Whoever comes first at a portal, who is restricted in nothing."""
    there = await db.portals.by_tenant(connection)
    login = await db.accounts.login(connection, personas.of_portal(portal.slug)[0].user_name)
    assert there is not None
    assert login is not None, "people come before what they are offered"
    assert login.account_id is not None
    buyer = await sessions.as_account(connection, there, login.account_id)
    assert buyer is not None
    return buyer


async def _lines(connection: Connection, buyer: Viewer, quotation_id: UUID) -> list[QuotationLine]:
    """What is offered, at less than the customer's own prices."""
    products = await db.products.by_skus(connection, buyer, [sku for sku, *_ in _OFFERED])
    prices = await db.prices.of_products(connection, buyer, [each.id for each in products.values()])
    lines = []
    for position, (sku, quantity, part) in enumerate(_OFFERED, start=1):
        product = products[sku]
        unit_price = (prices[product.id][0].unit_price * Decimal(part)).quantize(Decimal("0.01"))
        line = QuotationLine(
            quotation_id=quotation_id,
            position=position,
            product_id=product.id,
            sku=sku,
            name=product.name,
            unit=product.unit,
            description="",
            quantity=Decimal(quantity),
            unit_price=unit_price,
            tax_rate=product.tax_rate,
            amount=line_amount(Decimal(quantity), unit_price, buyer.currency),
            warehouse_id=None,
            currency=buyer.currency,
        )
        lines.append(line)
    return lines
