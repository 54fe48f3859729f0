"""RMA requests: what customers ask to send back, and what becomes of it."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import strawberry

import resolvers.chains
import resolvers.document_lines
import resolvers.rma_request_chains
import resolvers.rma_request_changes
import resolvers.rma_request_previews
import resolvers.rma_requests
import resolvers.tickets
from rules.permissions import Permission
from rules.rma_requests import Resolution, RMALineState, RMAStage, RMAWish
from schema.accounts import Account
from schema.actions import Action
from schema.attachments import Attachment
from schema.customers import Customer
from schema.errors import UserError
from schema.fields import field, mutation, query, subscription
from schema.invoices import Invoice, InvoiceLine
from schema.lifecycle_statuses import LifecycleStatus
from schema.nodes import Node
from schema.orders import Order
from schema.pages import Connection
from schema.products import Product
from schema.profiles import DeletedPayload
from schema.rma_request_previews import RMACreditPreview
from schema.tickets import ABOUT_THIS, SupportTicket


@strawberry.type(
    description="What is asked of one line of the invoice, and what became of it, with its own copy of what that was. "
    "Quantities are in its unit."
)
class RMARequestLine:
    """db.rma_requests.RMARequestLine."""

    position: Annotated[int, field(description="Its place in the request, from 1 on.")]
    invoice_position: Annotated[int, field(description="The place of its line in the invoice.")]
    invoice_line: Annotated[
        InvoiceLine | None,
        field(
            resolvers.rma_requests.invoice_line,
            description="The line of the invoice; null for who may not read it.",
        ),
    ]
    sku: Annotated[str, field(description="Its own copy of the SKU.")]
    name: Annotated[str, field(description="Its own copy of the name.")]
    unit: Annotated[str, field(description="The unit of quantities; empty where the ERP told none.")]
    product: Annotated[
        Product | None,
        field(
            resolvers.document_lines.product,
            description="The product; null when it is no longer sold to the viewer.",
        ),
    ]
    quantity: Annotated[Decimal, field(description="How much the customer asks to send back.")]
    problem: Annotated[str, field(description="What is wrong with it; of a draft maybe still empty.")]
    serial_number: Annotated[str | None, field(description="Which piece it is.")]
    wish: Annotated[RMAWish | None, field(description="What the customer would like best.")]
    state: Annotated[
        RMALineState,
        field(
            resolvers.rma_requests.state,
            description="Where it stands, derived from what was decided and has happened.",
        ),
    ]
    resolution: Annotated[
        Resolution | None, field(description="What the company will do; null until it has decided.")
    ]
    authorised_quantity: Annotated[
        Decimal | None, field(description="How much the company has granted; null: nothing.")
    ]
    reason: Annotated[str | None, field(description="Why the company declines it, or grants less.")]
    received_quantity: Annotated[
        Decimal,
        field(
            resolvers.rma_requests.received_quantity, description="How much has come back for the request."
        ),
    ]
    credited_quantity: Annotated[
        Decimal,
        field(resolvers.rma_requests.credited_quantity, description="How much was credited for the request."),
    ]
    replaced_quantity: Annotated[
        Decimal,
        field(
            resolvers.rma_requests.replaced_quantity,
            description="How much was ordered for the request to be sent instead.",
        ),
    ]


@strawberry.type(
    description="A customer's request to return goods of one invoice (return merchandise authorization). A draft is seen by "
    "its customer alone; once it is submitted, the customer changes nothing any more."
)
class RMARequest(Node):
    """db.rma_requests.RMARequest."""

    number: Annotated[
        str,
        field(resolvers.rma_requests.number, description="Its number, e.g. RM-000012; empty for a draft."),
    ]
    customer: Annotated[Customer | None, field(resolvers.rma_requests.customer, description="Who asks.")]
    invoice: Annotated[
        Invoice | None,
        field(
            resolvers.rma_requests.invoice,
            description="The invoice of whose lines it is; null for who may not read it.",
        ),
    ]
    account: Annotated[
        Account | None,
        field(
            resolvers.rma_requests.account,
            description="The account that wrote it; null for who may not see that.",
        ),
    ]
    stage: Annotated[
        RMAStage,
        field(description="Where it stands, derived from its lines: the same words at every company."),
    ]
    status: Annotated[
        LifecycleStatus | None,
        field(
            resolvers.rma_requests.status,
            description="Where it stands in the company's own words; null for a draft.",
        ),
    ]
    comment: Annotated[str | None, field(description="What the customer says to it.")]
    note: Annotated[str | None, field(description="What the company says to it.")]
    expected_on: Annotated[date | None, field(description="By which day the company expects it to be done.")]
    created_at: Annotated[datetime, field(description="When it was begun.")]
    submitted_at: Annotated[datetime | None, field(description="When it was submitted; null for a draft.")]
    decided_at: Annotated[datetime | None, field(description="When the company last decided about it.")]
    closed_at: Annotated[
        datetime | None, field(description="When the company ended it before all of it was done.")
    ]
    tickets: Annotated[Connection[SupportTicket], field(resolvers.tickets.about_this, description=ABOUT_THIS)]
    version: Annotated[int, field(description="Counts the changes.")]
    lines: Annotated[
        list[RMARequestLine],
        field(resolvers.rma_requests.lines, description="Its lines, by position.", size=5),
    ]
    attachments: Annotated[
        list[Attachment],
        field(resolvers.rma_requests.attachments, description="Files to it, e.g. photos.", size=3),
    ]
    actions: Annotated[
        list[Action],
        field(
            resolvers.rma_requests.actions_of,
            description="What can be done with it: for the customer UPDATE, DELETE and SUBMIT of a draft; for staff DECIDE, "
            "RECEIVE (goodsReturnReceive), CREDIT (creditNoteIssue), REPLACE, REFUND (paymentRecord) and CLOSE.",
            size=6,
        ),
    ]
    credit_preview: Annotated[
        RMACreditPreview,
        field(
            resolvers.rma_request_previews.credit_preview,
            description="The credit note to which it would lead, by what was granted and, where nothing is decided yet, "
            "by what is asked; nothing is posted.",
        ),
    ]
    replacement_orders: Annotated[
        list[Order],
        field(
            resolvers.rma_request_chains.replacement_orders,
            description="The orders that replace its goods, by number; none for whoever may not read orders.",
            size=1,
        ),
    ]
    related: Annotated[
        list[Node],
        field(
            resolvers.chains.related,
            description="What is next to it in the chain from quotation to payment, in both directions and as far as "
            "the viewer may see it, in the order of the chain and then by number.",
            size=5,
        ),
    ]


@strawberry.type(description="What a mutation on a request answers.")
class RMARequestPayload:
    """resolvers.rma_request_changes.RMARequestPayload."""

    rma_request: Annotated[RMARequest | None, field(description="The request as it is now.")]
    errors: Annotated[list[UserError], field(description="Why nothing was done.", size=2)]


@strawberry.type
class RMARequestQueries:
    """Query fields on requests to return goods."""

    rma_requests: Annotated[
        Connection[RMARequest],
        query(
            resolvers.rma_requests.page,
            needs=Permission.RMA_REQUESTS_READ,
            description="The customer's requests to return goods, or for staff those that all customers have submitted.",
        ),
    ]
    rma_request: Annotated[
        RMARequest | None,
        query(
            resolvers.rma_requests.request,
            needs=Permission.RMA_REQUESTS_READ,
            description="One request, by exactly one of id and number.",
        ),
    ]


@strawberry.type
class RMARequestSubscriptions:
    """Subscription fields on requests to return goods."""

    rma_request_changed: Annotated[
        RMARequest | None,
        subscription(
            resolvers.rma_requests.changed,
            needs=Permission.RMA_REQUESTS_READ,
            description="A request as it is now, whenever one is written, submitted or moves on: the customer's, or for "
            "staff those that all customers have submitted.",
        ),
    ]


@strawberry.type
class RMARequestMutations:
    """Mutation fields on requests to return goods."""

    rma_request_create: Annotated[
        RMARequestPayload,
        mutation(
            resolvers.rma_request_changes.create,
            needs=Permission.RMA_REQUESTS_WRITE,
            description="Write a request to return goods of an invoice, as a draft or submitted at once.",
        ),
    ]
    rma_request_update: Annotated[
        RMARequestPayload,
        mutation(
            resolvers.rma_request_changes.update,
            needs=Permission.RMA_REQUESTS_WRITE,
            description="Change a draft.",
        ),
    ]
    rma_request_delete: Annotated[
        DeletedPayload,
        mutation(
            resolvers.rma_request_changes.delete,
            needs=Permission.RMA_REQUESTS_WRITE,
            description="Delete a draft.",
        ),
    ]
    rma_request_submit: Annotated[
        RMARequestPayload,
        mutation(
            resolvers.rma_request_changes.submit,
            needs=Permission.RMA_REQUESTS_WRITE,
            description="Send a draft to the company. All that no longer fits is told at once.",
        ),
    ]
