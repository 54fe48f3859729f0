"""Payments."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import resolvers.chains
import resolvers.document_actions
import resolvers.documents
import resolvers.payment_postings
import resolvers.payments
import resolvers.reversals
import resolvers.rma_request_chains
import resolvers.tickets
from rules.balances import PaymentKind
from rules.documents import DocumentStatus
from rules.permissions import Permission
from schema.actions import Action
from schema.customers import Customer
from schema.errors import UserError
from schema.fields import field, mutation, query
from schema.money import Money
from schema.nodes import Node
from schema.pages import Connection
from schema.tickets import ABOUT_THIS, SupportTicket

if TYPE_CHECKING:  # they know each other
    from schema.rma_requests import RMARequest

_RMARequest = Annotated["RMARequest", strawberry.lazy("schema.rma_requests")]


@strawberry.type(description="Money that came from a customer or went back to it; posted, it never changes.")
class Payment(Node):
    """db.payments.Payment."""

    number: Annotated[str, field(description="Its number, e.g. PA-000123.")]
    kind: Annotated[PaymentKind, field(description="Which way the money went.")]
    status: Annotated[DocumentStatus, field(resolvers.documents.status, description="ISSUED, or REVERSED.")]
    paid_at: Annotated[datetime, field(description="When it was paid.")]
    customer: Annotated[
        Customer | None, field(resolvers.payments.customer, description="Who paid, or was paid.")
    ]
    amount: Annotated[Money, field(resolvers.payments.amount, description="How much; never below zero.")]
    rma_request: Annotated[
        _RMARequest | None,
        field(resolvers.rma_request_chains.rma_request, description="The request for which it is a refund."),
    ]
    reference: Annotated[str | None, field(description="What the bank's statement says.")]
    related: Annotated[
        list[Node],
        field(
            resolvers.chains.related,
            description="What is next to it in the chain from quotation to payment, in both directions and as far as "
            "the viewer may see it, in the order of the chain and then by number.",
            size=5,
        ),
    ]
    tickets: Annotated[Connection[SupportTicket], field(resolvers.tickets.about_this, description=ABOUT_THIS)]
    on_account: Annotated[
        Money,
        field(
            resolvers.payments.on_account,
            description="What of it can still be allocated: settles no invoice, and was not paid back.",
        ),
    ]
    actions: Annotated[
        list[Action],
        field(
            resolvers.document_actions.of_payment,
            description="What the staff can do with it: ALLOCATE (paymentAllocate) and REVERSE (paymentReverse). Empty for customers.",
            size=2,
        ),
    ]


@strawberry.type(description="What a mutation on a payment answers.")
class PaymentPayload:
    """resolvers.payment_postings.PaymentPayload."""

    payment: Annotated[Payment | None, field(description="The payment as it is now.")]
    errors: Annotated[list[UserError], field(description="Why nothing was posted.", size=2)]


@strawberry.type
class PaymentQueries:
    """Query fields on payments."""

    payments: Annotated[
        Connection[Payment],
        query(
            resolvers.payments.page,
            needs=Permission.BALANCES_READ,
            description="What the customer has paid and was paid back, or for staff what all customers have.",
        ),
    ]


@strawberry.type
class PaymentMutations:
    """Mutation fields on payments."""

    payment_record: Annotated[
        PaymentPayload,
        mutation(
            resolvers.payment_postings.record,
            needs=Permission.PAYMENTS_WRITE,
            description="Record money that came in or went back, and say which invoices it settles.",
        ),
    ]
    payment_allocate: Annotated[
        PaymentPayload,
        mutation(
            resolvers.payment_postings.allocate,
            needs=Permission.PAYMENTS_WRITE,
            description="Let what of a payment lies on account settle invoices.",
        ),
    ]
    payment_reverse: Annotated[
        PaymentPayload,
        mutation(
            resolvers.reversals.reverse_payment,
            needs=Permission.PAYMENTS_WRITE,
            description="Take a payment back: what it settled is open again.",
        ),
    ]
