"""Chains: what led to a document and what followed from it, from a quotation to its payment, in both directions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Column,
    ColumnElement,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    literal_column,
    select,
    union,
)

from db.connections import Connection, many_each
from db.credit_notes import credit_note_lines, credit_notes
from db.goods_issues import goods_issues
from db.goods_returns import goods_returns
from db.invoices import invoice_lines, invoices
from db.movements import movements
from db.orders import orders
from db.payments import payments
from db.quotation_orders import quotation_orders
from db.rma_requests import rma_requests
from db.statements import Statement
from db.tax_invoices import tax_invoices
from rules.viewers import Viewer


@dataclass(slots=True)
class Link:
    """That something of the GraphQL type `type` is next to the one with `near_id` in a chain."""

    near_id: UUID
    type: str
    far_id: UUID


@dataclass(frozen=True, slots=True)
class _Relation:
    """Two columns of a table that name neighbours, with the types of what they name; `holds` is said of all rows that
    name the same two."""

    one: str
    one_id: Column[UUID]
    other: str
    other_id: Column[UUID]
    holds: ColumnElement[bool] | None = None


# The types in the order of a chain.
TYPES = (
    "Quotation",
    "Order",
    "GoodsIssue",
    "Invoice",
    "TaxInvoice",
    "RMARequest",
    "GoodsReturn",
    "CreditNote",
    "Payment",
)
# Every pair of neighbours. A reconciliation statement has none: it lists all that was in its period.
_RELATIONS = (
    _Relation("Quotation", quotation_orders.c.quotation_id, "Order", quotation_orders.c.order_id),
    _Relation("Order", goods_issues.c.order_id, "GoodsIssue", goods_issues.c.id),
    _Relation("Order", invoices.c.order_id, "Invoice", invoices.c.id),
    _Relation("GoodsIssue", invoice_lines.c.goods_issue_id, "Invoice", invoice_lines.c.invoice_id),
    _Relation("Invoice", tax_invoices.c.invoice_id, "TaxInvoice", tax_invoices.c.id),
    _Relation("Invoice", goods_returns.c.invoice_id, "GoodsReturn", goods_returns.c.id),
    _Relation("Invoice", credit_notes.c.invoice_id, "CreditNote", credit_notes.c.id),
    _Relation("Invoice", credit_note_lines.c.invoice_id, "CreditNote", credit_note_lines.c.credit_note_id),
    _Relation("Invoice", rma_requests.c.invoice_id, "RMARequest", rma_requests.c.id),
    _Relation("RMARequest", goods_returns.c.rma_request_id, "GoodsReturn", goods_returns.c.id),
    _Relation("RMARequest", credit_notes.c.rma_request_id, "CreditNote", credit_notes.c.id),
    _Relation("RMARequest", orders.c.rma_request_id, "Order", orders.c.id),  # a replacement
    _Relation("RMARequest", payments.c.rma_request_id, "Payment", payments.c.id),  # a refund
    _Relation("GoodsReturn", credit_notes.c.goods_return_id, "CreditNote", credit_notes.c.id),
    _Relation(  # settled, and not taken back
        "Invoice",
        movements.c.settles_id,
        "Payment",
        movements.c.payment_id,
        func.sum(movements.c.amount) != 0,
    ),
)


def _side(
    near_id: Column[UUID], far: str, far_id: Column[UUID], relation: _Relation
) -> Select[UUID, str, UUID]:
    """The neighbours of one type that those in `ids` have by a relation."""
    query = select(
        near_id.label("near_id"), literal_column(f"'{far}'", Text).label("type"), far_id.label("far_id")
    ).where(
        near_id.table.c.tenant_id == bindparam("tenant_id"),
        near_id == any_(bindparam("ids", type_=ARRAY(Uuid))),
        far_id.is_not(None),
    )
    return query if relation.holds is None else query.group_by(near_id, far_id).having(relation.holds)


_links_of = Statement(
    union(
        *(_side(each.one_id, each.other, each.other_id, each) for each in _RELATIONS),
        *(_side(each.other_id, each.one, each.one_id, each) for each in _RELATIONS),
    ),
    Link,
)


async def links_of(connection: Connection, _viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, list[Link]]:
    """The neighbours of each document, order, request or payment, each once. Ask for what the viewer may see; whether it may
    see the neighbours, has to be asked of them."""
    return many_each(await connection.rows(_links_of, ids=ids), ids, "near_id")
