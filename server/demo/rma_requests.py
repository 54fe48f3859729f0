"""The demo's requests to return goods: what a made-up company's first customer sends back, at different stages."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import uuid_utils.compat as uuid

import db
from db.connections import Connection
from db.invoices import InvoiceLine
from db.pages import Window
from db.rma_requests import RMARequest, RMARequestLine
from rules.documents import DocumentKind
from rules.lifecycle import Subject
from rules.numbers import NumberKind
from rules.rma_decisions import STATES
from rules.rma_requests import Resolution, RMAStage, RMAWish
from rules.viewers import Viewer
from server.demo import people
from server.demo.portals import DemoPortal

_EXPECTED_DAYS = 14


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of a line of an invoice, and what was decided; texts in the portal's language."""

    quantity: str
    problem: dict[str, str]
    wish: RMAWish
    resolution: Resolution | None = None
    authorised: str | None = None
    reason: dict[str, str] | None = None


_BROKEN = {"en": "It arrived broken.", "de": "Kam zerbrochen an."}
_WRONG = {"en": "We ordered another colour.", "de": "Wir hatten eine andere Farbe bestellt."}
_COMPLETED = [_Asked("1", _BROKEN, RMAWish.RETURN, Resolution.RETURN, "1")]
_DECIDED = [
    _Asked(
        "3",
        _BROKEN,
        RMAWish.REPLACE,
        Resolution.REPLACE,
        "2",
        {"en": "One of them can still be sold.", "de": "Eines davon ist noch verkäuflich."},
    ),
    _Asked(
        "2",
        _WRONG,
        RMAWish.RETURN,
        Resolution.DECLINED,
        None,
        {"en": "It is the colour that was ordered.", "de": "Es ist die bestellte Farbe."},
    ),
]
_SUBMITTED = [_Asked("2", _BROKEN, RMAWish.REFUND), _Asked("4", _WRONG, RMAWish.RETURN)]


async def add(connection: Connection, portal: DemoPortal) -> RMARequest:
    """A request that is decided and one that waits for it, for goods of the first two imported invoices; returns the
    latter."""
    buyer = await people.first_buyer(connection, portal)
    oldest, second = (
        await db.document_lists.page(
            connection, buyer, {"kinds": [DocumentKind.INVOICE.value]}, ("ISSUED_AT_ASC",), Window(2)
        )
    ).rows
    lines = await db.invoices.lines_of(connection, buyer, [oldest.id, second.id])
    await _keep(connection, portal, buyer, RMAStage.AUTHORISED, _DECIDED, lines[oldest.id])
    return await _keep(connection, portal, buyer, RMAStage.SUBMITTED, _SUBMITTED, lines[second.id])


async def add_completed(connection: Connection, portal: DemoPortal, line: InvoiceLine) -> UUID:
    """The request of which a piece of an invoice's line came back and is credited."""
    buyer = await people.first_buyer(connection, portal)
    return (await _keep(connection, portal, buyer, RMAStage.COMPLETED, _COMPLETED, [line])).id


async def _keep(
    connection: Connection,
    portal: DemoPortal,
    buyer: Viewer,
    stage: RMAStage,
    asked: list[_Asked],
    lines: list[InvoiceLine],
) -> RMARequest:
    """A request for the first of an invoice's lines."""
    assert buyer.customer_id is not None
    assert buyer.account_id is not None
    now = datetime.now(UTC)
    is_decided = stage is not RMAStage.SUBMITTED
    new = RMARequest(
        id=uuid.uuid7(),
        number=(await db.numbers.take(connection, NumberKind.RMA_REQUEST, 1))[0],
        customer_id=buyer.customer_id,
        invoice_id=lines[0].invoice_id,
        account_id=buyer.account_id,
        stage=stage.value,
        lifecycle_status_id=await db.lifecycle_statuses.predefined(
            connection, Subject.RMA_REQUEST, STATES[stage]
        ),
        comment=None,
        note=None,
        expected_on=now.date() + timedelta(days=_EXPECTED_DAYS) if stage is RMAStage.AUTHORISED else None,
        created_at=now,
        submitted_at=now,
        decided_at=now if is_decided else None,
        closed_at=None,
        version=1,
    )
    kept = [
        _line(new.id, position, each, line, portal.locale)
        for position, (each, line) in enumerate(zip(asked, lines, strict=False), start=1)
    ]
    await db.rma_requests.add(connection, new, kept)
    return new


def _line(request_id: UUID, position: int, asked: _Asked, line: InvoiceLine, locale: str) -> RMARequestLine:
    return RMARequestLine(
        rma_request_id=request_id,
        position=position,
        invoice_position=line.position,
        product_id=line.product_id,
        sku=line.sku,
        name=line.name,
        unit=line.unit,
        quantity=Decimal(asked.quantity),
        problem=asked.problem[locale],
        serial_number=None,
        wish=asked.wish.value,
        resolution=asked.resolution.value if asked.resolution else None,
        authorised_quantity=Decimal(asked.authorised) if asked.authorised else None,
        reason=asked.reason[locale] if asked.reason else None,
    )
