"""Payments."""

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.chains
import resolvers.documents
import resolvers.payments
from rules.balances import PaymentKind
from rules.documents import DocumentStatus
from schema.customers import Customer
from schema.fields import field
from schema.money import Money
from schema.nodes import Node


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
