"""Quotations: what the company offers its customers."""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

import resolvers.document_lines
import resolvers.quotation_changes
import resolvers.quotations
from rules.permissions import Permission
from rules.quotations import QuotationState
from schema.actions import Action
from schema.document_lines import PricedLine
from schema.documents import SupplierDocument
from schema.errors import UserError
from schema.fields import field, mutation, query
from schema.money import Totals
from schema.pages import Connection
from schema.products import Warehouse
from schema.profiles import DeletedPayload

if TYPE_CHECKING:
    from schema.orders import Order

_Order = Annotated["Order", strawberry.lazy("schema.orders")]


@strawberry.type(description="A line of a quotation, with its own copy of what was offered.")
class QuotationLine(PricedLine):
    """db.quotations.QuotationLine."""

    description: Annotated[str, field(description="The company's word to it; may be empty.")]
    quantity: Annotated[Decimal, field(description="How much at most is to be had at this price.")]
    warehouse: Annotated[
        Warehouse | None,
        field(resolvers.document_lines.warehouse, description="Where it is to ship from, if that was said."),
    ]


@strawberry.type(description="Goods, services and prices that the company offers, valid until a date.")
class Quotation(SupplierDocument):
    """db.quotations.Quotation."""

    state: Annotated[QuotationState, field(description="Where it stands.")]
    valid_until: Annotated[date, field(description="The last day on which it can be ordered (UTC).")]
    tax_included: Annotated[bool, field(description="Whether unit prices and amounts contain the tax.")]
    totals: Annotated[Totals, field(resolvers.quotations.totals, description="What it adds up to.")]
    comment: Annotated[str | None, field(description="The company's word to it.")]
    decline_reason: Annotated[str | None, field(description="Why the customer does not want it.")]
    version: Annotated[int, field(description="Counts the changes.")]
    lines: Annotated[
        list[QuotationLine],
        field(resolvers.quotations.lines, description="Its lines, by position.", size=20),
    ]
    orders: Annotated[
        list[_Order],
        field(resolvers.quotations.orders, description="The orders placed from it, by number.", size=2),
    ]
    actions: Annotated[
        list[Action],
        field(
            resolvers.quotations.actions_of,
            description="What can be done with it: ORDER (cartFill at its prices), DECLINE, and for staff ISSUE, "
            "UPDATE and DELETE.",
            size=5,
        ),
    ]


@strawberry.type(description="What a mutation on a quotation answers.")
class QuotationPayload:
    """resolvers.quotation_changes.QuotationPayload."""

    quotation: Annotated[Quotation | None, field(description="The quotation as it is now.")]
    errors: Annotated[list[UserError], field(description="Why nothing was done.", size=2)]


@strawberry.type
class QuotationQueries:
    """Query fields on quotations."""

    quotations: Annotated[
        Connection[Quotation],
        query(
            resolvers.quotations.page,
            needs=Permission.DOCUMENTS_READ,
            description="The quotations issued to the customer, or for staff those of all customers, and drafts.",
        ),
    ]
    quotation: Annotated[
        Quotation | None,
        query(
            resolvers.quotations.quotation,
            needs=Permission.DOCUMENTS_READ,
            description="One quotation, by exactly one of id and number.",
        ),
    ]


@strawberry.type
class QuotationMutations:
    """Mutation fields on quotations."""

    quotation_issue: Annotated[
        QuotationPayload,
        mutation(
            resolvers.quotation_changes.issue,
            needs=Permission.QUOTATIONS_WRITE,
            description="Offer something to a customer, or keep it as a draft; or issue a draft.",
        ),
    ]
    quotation_update: Annotated[
        QuotationPayload,
        mutation(
            resolvers.quotation_changes.update,
            needs=Permission.QUOTATIONS_WRITE,
            description="Change a draft.",
        ),
    ]
    quotation_delete: Annotated[
        DeletedPayload,
        mutation(
            resolvers.quotation_changes.delete,
            needs=Permission.QUOTATIONS_WRITE,
            description="Delete a draft.",
        ),
    ]
    quotation_decline: Annotated[
        QuotationPayload,
        mutation(
            resolvers.quotation_changes.decline,
            needs=Permission.ORDERS_PLACE,
            description="Say that the customer does not want what is offered.",
        ),
    ]
