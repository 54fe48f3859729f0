"""Returnable lines: what of an invoice can be returned, and why the rest cannot."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import strawberry

import resolvers.document_lines
import resolvers.errors
import resolvers.returnable_lines
from rules.permissions import Permission
from schema.errors import ErrorCode
from schema.fields import field, query
from schema.products import Product


@strawberry.type(description="Why some of a line cannot be returned.")
class ReturnObstacle:
    """rules.returnable_lines.ReturnObstacle."""

    code: Annotated[
        Any,
        field(
            resolvers.errors.code,
            description="Which rule: ALREADY_RETURNED, ALREADY_CREDITED, IN_ANOTHER_REQUEST, RETURN_PERIOD_OVER, SERVICE "
            "or INVOICE_REVERSED.",
            type_=ErrorCode,
        ),
    ]
    message: Annotated[
        str, field(resolvers.errors.message, description="A text for people, in the language of the request.")
    ]
    quantity: Annotated[
        Decimal,
        field(resolvers.returnable_lines.obstacle_quantity, description="How much of the line it is about."),
    ]
    last_day: Annotated[
        date | None,
        field(
            resolvers.returnable_lines.last_day,
            description="The last day on which it could have been returned, where that is the reason.",
        ),
    ]


@strawberry.type(
    description="A line of an invoice, and how much of it can be returned now. What can and what cannot together is what "
    "was invoiced."
)
class ReturnableLine:
    """resolvers.returnable_lines.ReturnableLine."""

    position: Annotated[int, field(description="Its place in the invoice.")]
    sku: Annotated[str, field(description="The invoice's copy of the SKU.")]
    name: Annotated[str, field(description="The invoice's copy of the name.")]
    unit: Annotated[str, field(description="The unit of quantities; empty where the ERP told none.")]
    product: Annotated[
        Product | None,
        field(
            resolvers.document_lines.product,
            description="The product; null when it is no longer sold to the viewer.",
        ),
    ]
    quantity: Annotated[Decimal, field(description="How much was invoiced.")]
    returnable_quantity: Annotated[Decimal, field(description="How much of it a request can ask for now.")]
    obstacles: Annotated[
        list[ReturnObstacle], field(description="Why the rest cannot be returned; each piece once.", size=2)
    ]


@strawberry.type
class ReturnableLineQueries:
    """Query fields on what can be returned."""

    returnable_lines: Annotated[
        list[ReturnableLine] | None,
        query(
            resolvers.returnable_lines.of_invoice,
            needs=Permission.RMA_REQUESTS_READ,
            description="The lines of an invoice with what can be returned of each, by position; null for an invoice that "
            "the viewer may not read.",
            size=20,
        ),
    ]
