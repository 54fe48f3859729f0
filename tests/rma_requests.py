"""Requests to return goods, for tests, as customers submit them and the staff decides them."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import uuid_utils.compat as uuid

import db
from db.invoices import Invoice
from db.lifecycle_statuses import predefined
from db.rma_requests import RMARequest, RMARequestLine
from rules.lifecycle import ProcessingState, Subject
from rules.rma_requests import Resolution, RMAStage
from tests.documents import AT
from tests.world import Portal


class Asked(NamedTuple):
    """What is asked of a line of an invoice, and what was decided about it."""

    invoice_position: int = 1
    quantity: str = "1"
    resolution: Resolution | None = None
    authorised: str | None = None


async def rma_request(
    portal: Portal,
    number: str | None,
    of: Invoice,
    asked: Sequence[Asked] = (Asked(),),
    *,
    account: str = "bea",
    stage: RMAStage = RMAStage.SUBMITTED,
    closed_at: datetime | None = None,
) -> RMARequest:
    """A request for lines of an invoice by an account that there is; without a number a draft."""
    async with portal.writing() as connection:
        invoiced = await connection.fetch_text(
            "select position, product_id, sku, name, unit from invoice_lines where invoice_id = $1", of.id
        )
        lines = {each[0]: each[1:] for each in invoiced}
        ((account_id,),) = await connection.fetch_text(
            "select id from accounts where user_name = $1", account
        )
        not_started = await predefined(connection, Subject.RMA_REQUEST, ProcessingState.NOT_STARTED)
        new = RMARequest(
            id=uuid.uuid7(),
            number=number,
            customer_id=of.customer_id,
            invoice_id=of.id,
            account_id=account_id,
            stage=(stage if number else RMAStage.DRAFT).value,
            lifecycle_status_id=not_started if number else None,
            comment=None,
            note=None,
            expected_on=None,
            created_at=AT,
            submitted_at=AT if number else None,
            decided_at=None,
            closed_at=closed_at,
            version=1,
        )
        kept = []
        for position, each in enumerate(asked, start=1):
            product_id, sku, name, unit = lines[each.invoice_position]
            line = RMARequestLine(
                rma_request_id=new.id,
                position=position,
                invoice_position=each.invoice_position,
                product_id=product_id,
                sku=sku,
                name=name,
                unit=unit,
                quantity=Decimal(each.quantity),
                problem="broken",
                serial_number=None,
                wish=None,
                resolution=each.resolution and each.resolution.value,
                authorised_quantity=None if each.authorised is None else Decimal(each.authorised),
                reason="as it is" if each.resolution is Resolution.DECLINED else None,
            )
            kept.append(line)
        await db.rma_requests.add(connection, new, kept)
    return new
