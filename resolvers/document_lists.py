"""Lists over supplier documents of all kinds."""

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import strawberry

import db
from resolvers import nodes, pages
from resolvers.context import Context, Info
from resolvers.enums import publish
from rules.broken import InvalidInput
from rules.documents import LONGEST_SEARCH, DocumentKind, DocumentStatus
from rules.money import least_minor, most_minor
from rules.periods import check_period, midnight, next_day
from rules.permissions import Permission
from rules.portals import check_currency


class SupplierDocumentOrder(Enum):
    """In what order documents come."""

    ISSUED_AT_ASC = "ISSUED_AT_ASC"
    ISSUED_AT_DESC = "ISSUED_AT_DESC"
    NUMBER_ASC = "NUMBER_ASC"
    NUMBER_DESC = "NUMBER_DESC"


publish(
    SupplierDocumentOrder,
    description="In what order documents come.",
    value={
        SupplierDocumentOrder.ISSUED_AT_ASC: "By the time of issue (a draft: of its beginning), oldest first.",
        SupplierDocumentOrder.ISSUED_AT_DESC: "By the time of issue (a draft: of its beginning), newest first.",
        SupplierDocumentOrder.NUMBER_ASC: "By number, lowest first; drafts, which have none, before all.",
        SupplierDocumentOrder.NUMBER_DESC: "By number, highest first; drafts, which have none, after all.",
    }.__getitem__,
)


@strawberry.input(description="What documents come to, with tax; both ends included.")
class AmountFilter:
    """SupplierDocumentFilter.amount."""

    currency: str = strawberry.field(description="In this currency, as ISO 4217 has it.")
    min: Decimal | None = strawberry.field(default=None, description="At least so much.")
    max: Decimal | None = strawberry.field(default=None, description="At most so much.")


@strawberry.input(description="Which documents; all that is given must hold.")
class SupplierDocumentFilter:
    """supplierDocuments(filter:)."""

    kinds: list[DocumentKind] | None = strawberry.field(default=None, description="Of one of these kinds.")
    number: str | None = strawberry.field(default=None, description="Whose number begins like this.")
    order: strawberry.ID | None = strawberry.field(
        default=None,
        description="Of this order: its quotations, what was shipped and charged for it, and what came of that.",
    )
    product: strawberry.ID | None = strawberry.field(
        default=None, description="With a line of this product, as far as the viewer may see it."
    )
    customer: strawberry.ID | None = strawberry.field(default=None, description="For this customer.")
    from_: date | None = strawberry.field(
        default=None, name="from", description="Issued on this day or later (UTC)."
    )
    to: date | None = strawberry.field(default=None, description="Issued on this day or before (UTC).")
    status: list[DocumentStatus] | None = strawberry.field(
        default=None, description="In one of these states, by the database's date."
    )
    amount: AmountFilter | None = strawberry.field(
        default=None,
        description="That come to so much; of a reconciliation statement its closing balance. Kinds without amounts "
        "have no part.",
    )
    search: str | None = strawberry.field(
        default=None,
        description="Whose number, or the customer's purchase order number of whose order, begins like this; or with a "
        "line whose name has all these words or whose SKU begins like this. Staff searches lines of one `customer` at "
        "a time.",
    )


_Filter = Annotated[SupplierDocumentFilter | None, strawberry.argument(description="Which documents.")]
_Order = Annotated[
    list[SupplierDocumentOrder] | None,
    strawberry.argument(description="In what order; newest first when nothing is said."),
]


async def page(
    info: Info,
    filter: _Filter = None,
    order_by: _Order = None,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> pages.Connection:
    """Query.supplierDocuments."""
    context = info.context
    order = order_by or [SupplierDocumentOrder.ISSUED_AT_DESC]
    asked = pages.Asked(first, after, last, before)
    filters = await _filters(context, filter or SupplierDocumentFilter())
    return await pages.connection(context, db.document_lists, filters, order, asked)


async def ids_of(context: Context, given: SupplierDocumentFilter, most: int) -> tuple[int, list[UUID]]:
    """How many documents pass the filter, and the ids of the newest of them."""
    every = await _filters(context, given)
    filters = {name: value for name, value in every.items() if value is not None}
    newest = (SupplierDocumentOrder.ISSUED_AT_DESC.value,)
    connection, viewer = context.connection, context.signed_in
    count = await db.document_lists.count(connection, viewer, filters)
    return count, await db.document_lists.ids(connection, viewer, filters, newest, most)


async def _filters(context: Context, given: SupplierDocumentFilter) -> dict[str, Any]:
    """The filters of db.document_filters by name; None is none."""
    check_period(given.from_, given.to, "filter", "to")
    order_id = await _seen(context, given.order, "Order")
    return {
        "kinds": None if given.kinds is None else [kind.value for kind in given.kinds],
        "number": given.number or None,
        "order_ids": order_id and [order_id],
        "product_id": await _seen(context, given.product, "Product"),
        "customer_id": nodes.key_or_nothing(given.customer, "Customer"),
        "issued_from": given.from_ and midnight(given.from_),
        "issued_before": given.to and midnight(next_day(given.to)),
        "states": None if given.status is None else [each.value for each in given.status],
        **(_amount(given.amount) if given.amount else {}),
        **_search(context, given.search),
    }


async def _seen(context: Context, id: str | None, type_name: str) -> UUID | None:
    """The key that a filter names; one that nothing has, when the viewer may not see it."""
    if id is None:
        return None
    found = await nodes.by_global_id(context, str(id), type_name)
    return nodes.NOTHING if found is None else found.id


def _amount(given: AmountFilter) -> dict[str, Any]:
    check_currency(given.currency, "filter", "amount", "currency")
    return {
        "currency": given.currency,
        "least": None if given.min is None else least_minor(given.min, given.currency),
        "most": None if given.max is None else most_minor(given.max, given.currency),
    }


def _search(context: Context, given: str | None) -> dict[str, Any]:
    if given is not None and len(given) > LONGEST_SEARCH:
        raise InvalidInput(path=("filter", "search"))
    text = (given or "").strip()
    if not text:
        return {}
    may_read = Permission.ORDERS_READ in context.signed_in.permissions
    return {"search": text, "search_orders": may_read or None}
