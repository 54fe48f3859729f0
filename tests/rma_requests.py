"""Requests to return goods, for tests, as customers submit them and the staff decides them."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import uuid_utils.compat as uuid

import db
from db.invoices import Invoice
from db.lifecycle_statuses import predefined
from db.rma_requests import RMARequest, RMARequestLine
from rules.lifecycle import ProcessingState, Subject
from rules.rma_requests import Resolution, RMAStage
from tests.client import Client
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


ERRORS = "errors { code message path }"
LINE = """position invoicePosition invoiceLine { sku position } sku name unit product { sku } quantity problem serialNumber
  wish state resolution authorisedQuantity reason receivedQuantity creditedQuantity replacedQuantity"""
REQUEST = f"""id number stage status {{ code processingState }} comment note expectedOn createdAt submittedAt decidedAt
  closedAt version customer {{ code }} invoice {{ number }} account {{ userName }} lines {{ {LINE} }}
  attachments {{ id fileName mediaType size sha256 attachedAt download {{ url }} }}
  actions {{ name allowed reason {{ code path }} missingPermission }}"""
LIST = f"""query($filter: RMARequestFilter, $orderBy: [RMARequestOrder!]) {{ rmaRequests(filter: $filter, orderBy: $orderBy)
  {{ totalCount nodes {{ {REQUEST} }} }} }}"""
ONE = f"query($id: ID, $number: String) {{ rmaRequest(id: $id, number: $number) {{ {REQUEST} }} }}"
RETURNABLE = """query($invoice: ID!) { returnableLines(invoice: $invoice) { position sku name unit product { sku } quantity
  returnableQuantity obstacles { code message quantity lastDay } } }"""


async def send(client: Client, mutation: str, **given: Any) -> dict[str, Any]:
    """The payload of a mutation on a request."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input!"
    result = "deletedId" if mutation == "rmaRequestDelete" else f"rmaRequest {{ {REQUEST} }}"
    document = f"mutation($input: {kind}) {{ {mutation}(input: $input) {{ {result} {ERRORS} }} }}"
    answer: dict[str, Any] = (await client.ask(document, input=given))[mutation]
    return answer


async def done(client: Client, mutation: str, **given: Any) -> dict[str, Any]:
    """The request after a mutation that has to work."""
    answer = await send(client, mutation, **given)
    assert answer["errors"] == [], answer
    request: dict[str, Any] = answer["rmaRequest"]
    return request


async def refused(client: Client, mutation: str, **given: Any) -> list[tuple[str, list[str]]]:
    """The codes and paths of a mutation that must not work."""
    answer = await send(client, mutation, **given)
    errors = answer.pop("errors")
    assert errors != []
    assert set(answer.values()) == {None}
    return [(each["code"], each["path"]) for each in errors]


async def one(client: Client, **by: str) -> dict[str, Any] | None:
    """A request by its id or number."""
    found: dict[str, Any] | None = (await client.ask(ONE, **by))["rmaRequest"]
    return found


async def numbers(client: Client, **filter: Any) -> list[str]:
    """The numbers of all requests that somebody sees, newest first."""
    found = (await client.ask(LIST, filter=filter))["rmaRequests"]
    assert found["totalCount"] == len(found["nodes"])
    return [each["number"] for each in found["nodes"]]


async def returnable(client: Client, invoice: str) -> list[tuple[str, dict[str, str]]] | None:
    """How much of each line of an invoice can be returned, and how much each reason keeps back."""
    found = (await client.ask(RETURNABLE, invoice=invoice))["returnableLines"]
    return found and [
        (each["returnableQuantity"], {why["code"]: why["quantity"] for why in each["obstacles"]})
        for each in found
    ]


def asked(*lines: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Lines of an input: the place in the invoice, quantity, problem, serial number, wish."""
    names = ("invoicePosition", "quantity", "problem", "serialNumber", "wish")
    return [dict(zip(names, each, strict=False)) for each in lines]
