"""Filters of lists over all kinds of documents: what each of them means for a document of one kind."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    DateTime,
    Select,
    Text,
    Uuid,
    all_,
    and_,
    any_,
    bindparam,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    union,
)

from db.credit_notes import credit_note_lines, credit_notes
from db.document_kinds import Documents
from db.goods_issues import goods_issue_lines, goods_issues
from db.goods_returns import goods_return_lines, goods_returns
from db.invoices import invoice_lines, invoices
from db.orders import orders
from db.quotation_orders import quotation_orders
from db.quotations import quotation_lines, quotations
from db.restrictions import NOTHING, WhoseDocuments
from db.tables import leads_to
from db.tax_invoices import tax_invoices
from db.words import patterns
from rules.documents import STATUSES, DocumentKind

Kind: TypeAlias = Documents[Any]
# What a filter means for documents of a kind, for whoever asks, beside the other filters.
Condition: TypeAlias = Callable[[Kind, WhoseDocuments, Collection[str]], ColumnElement[bool]]

_TENANT = bindparam("tenant_id", type_=Uuid)

# Where the lines of a kind are: the column that names their document, and what it is equal to. A tax invoice's are
# its invoice's.
_LINES: dict[DocumentKind, tuple[ColumnElement[Any], ColumnElement[Any]]] = {
    DocumentKind.QUOTATION: (quotation_lines.c.quotation_id, quotations.c.id),
    DocumentKind.GOODS_ISSUE: (goods_issue_lines.c.goods_issue_id, goods_issues.c.id),
    DocumentKind.INVOICE: (invoice_lines.c.invoice_id, invoices.c.id),
    DocumentKind.TAX_INVOICE: (invoice_lines.c.invoice_id, tax_invoices.c.invoice_id),
    DocumentKind.GOODS_RETURN: (goods_return_lines.c.goods_return_id, goods_returns.c.id),
    DocumentKind.CREDIT_NOTE: (credit_note_lines.c.credit_note_id, credit_notes.c.id),
}


def _has_line(
    kind: Kind, passes: Callable[[Any], ColumnElement[bool]], *, at_hand: bool = False
) -> ColumnElement[bool]:
    """Whether a document has a line that passes; `at_hand`: what no index finds is looked for in the lines of each
    document, or the planner would go through the lines of all companies once and keep what passes (OFFSET 0 bars it
    from that)."""
    if kind.kind not in _LINES:
        return NOTHING
    names, document = _LINES[kind.kind]
    lines = names.table.c
    found: Select[Any] = select(literal_column("1")).where(
        lines.tenant_id == _TENANT, names == document, passes(lines)
    )
    return exists(found.offset(literal_column("0")) if at_hand else found)


def _invoices_of(among: ColumnElement[Any]) -> CompoundSelect[Any]:
    """The invoices of orders: made for one of them, or charging what was shipped for it."""
    return union(
        select(invoices.c.id).where(invoices.c.tenant_id == _TENANT, invoices.c.order_id == among),
        select(invoice_lines.c.invoice_id)
        .join_from(
            goods_issues,
            invoice_lines,
            leads_to(invoice_lines.c.goods_issue_id, goods_issues),
        )
        .where(goods_issues.c.tenant_id == _TENANT, goods_issues.c.order_id == among),
    )


def _credit_notes_of(among: ColumnElement[Any]) -> CompoundSelect[Any]:
    """The credit notes to invoices of orders, by their heads or a line."""
    corrected = any_(_uncorrelated(_invoices_of(among)))
    return union(
        select(credit_notes.c.id).where(
            credit_notes.c.tenant_id == _TENANT, credit_notes.c.invoice_id == corrected
        ),
        select(credit_note_lines.c.credit_note_id).where(
            credit_note_lines.c.tenant_id == _TENANT, credit_note_lines.c.invoice_id == corrected
        ),
    )


def _uncorrelated(query: Select[Any] | CompoundSelect[Any]) -> Any:
    """The query as a set of values; what it reads is its own, also where the query around reads the same table."""
    return select(query.subquery().c[0]).correlate(None).scalar_subquery()


def _of_orders(kind: Kind, among: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a document belongs to one of the orders; `among` is what is equal to their ids."""
    if kind.kind is DocumentKind.QUOTATION:
        offered = select(quotation_orders.c.quotation_id).where(
            quotation_orders.c.tenant_id == _TENANT, quotation_orders.c.order_id == among
        )
        return quotations.c.id == any_(offered.scalar_subquery())
    if kind.kind is DocumentKind.GOODS_ISSUE:
        return goods_issues.c.order_id == among
    if kind.kind is DocumentKind.CREDIT_NOTE:
        return credit_notes.c.id == any_(_uncorrelated(_credit_notes_of(among)))
    if kind.kind is DocumentKind.RECONCILIATION_STATEMENT:
        return NOTHING
    invoice_id = kind.table.c.id if kind.kind is DocumentKind.INVOICE else kind.table.c.invoice_id
    return invoice_id == any_(_uncorrelated(_invoices_of(among)))


def _searched(kind: Kind, whose: WhoseDocuments, filters: Collection[str]) -> ColumnElement[bool]:
    """Whether a number begins like what is searched: the document's or, if orders may be searched, its order's at the
    customer; or a line has it: its words in the name, or a SKU that begins like it.

    No index finds words under row-level security. So lines are looked at among the documents of one customer, which
    are few beside all.
    """
    begins = bindparam("search", type_=Text)
    found: list[ColumnElement[bool]] = [kind.table.c.number.op("^@")(begins)]
    if "search_orders" in filters:
        named = select(orders.c.id).where(
            orders.c.tenant_id == _TENANT, orders.c.purchase_order_number.op("^@")(begins)
        )
        if whose is not None:
            named = named.where(orders.c.customer_id == bindparam("own_customer_id", type_=Uuid))
        found.append(_of_orders(kind, any_(named.scalar_subquery())))
    if whose is not None or "customer_id" in filters:
        words = bindparam("search_words", type_=ARRAY(Text))
        found.append(
            _has_line(
                kind,
                lambda line: or_(
                    func.upper(line.sku).op("^@")(func.upper(begins)),
                    func.lower(line.name).op("like")(all_(words)),
                ),
                at_hand=True,
            )
        )
    return or_(*found)


def _in_states(kind: Kind, _whose: WhoseDocuments, _filters: Collection[str]) -> ColumnElement[bool]:
    """Whether a document stands in one of the states. A kind that has none of them is not read at all."""
    states = bindparam("states", type_=ARRAY(Text))
    own = ", ".join(f"'{each}'" for each in STATUSES[kind.kind])
    passes = [literal_column(f"array[{own}]", ARRAY(Text)).op("&&")(states), kind.state == any_(states)]
    return and_(*passes)


def _issued(kind: Kind, moment: ColumnElement[bool]) -> ColumnElement[bool]:
    """A draft was issued on no day."""
    return moment if kind.issued is None else and_(moment, kind.issued)


def _amount(kind: Kind, passes: Callable[[ColumnElement[Any]], ColumnElement[bool]]) -> ColumnElement[bool]:
    """Whether the total passes, in the currency that is asked for."""
    if kind.total is None:
        return NOTHING
    return and_(kind.table.c.currency == bindparam("currency", type_=Text), passes(kind.total))


# Filters: kinds, number (its beginning), order_ids (those orders'), product_id (with a line of it), customer_id,
# issued_from (UTC, from this moment on), issued_before (UTC, that moment excluded), states, currency, least and most
# (minor units of `currency`), search.
CONDITIONS: Mapping[str, Condition] = {
    "kinds": lambda kind, _whose, _filters: (
        literal(kind.kind.value, Text) == any_(bindparam("kinds", type_=ARRAY(Text)))
    ),
    "number": lambda kind, _whose, _filters: kind.table.c.number.op("^@")(bindparam("number", type_=Text)),
    "order_ids": lambda kind, _whose, _filters: _of_orders(
        kind, any_(bindparam("order_ids", type_=ARRAY(Uuid)))
    ),
    "product_id": lambda kind, _whose, _filters: _has_line(
        kind, lambda line: line.product_id == bindparam("product_id", type_=Uuid)
    ),
    "customer_id": lambda kind, _whose, _filters: (
        kind.table.c.customer_id == bindparam("customer_id", type_=Uuid)
    ),
    "issued_from": lambda kind, _whose, _filters: _issued(
        kind, kind.issued_at >= bindparam("issued_from", type_=DateTime(timezone=True))
    ),
    "issued_before": lambda kind, _whose, _filters: _issued(
        kind, kind.issued_at < bindparam("issued_before", type_=DateTime(timezone=True))
    ),
    "states": _in_states,
    "currency": lambda kind, _whose, _filters: _amount(kind, lambda total: total.is_not(None)),
    "least": lambda kind, _whose, _filters: _amount(
        kind, lambda total: total >= bindparam("least", type_=BigInteger)
    ),
    "most": lambda kind, _whose, _filters: _amount(
        kind, lambda total: total <= bindparam("most", type_=BigInteger)
    ),
    "search": _searched,
}
# Said beside another filter: that orders may be searched.
BESIDE = frozenset({"search_orders"})


def parameters(filters: Mapping[str, Any]) -> dict[str, Any]:
    """What the conditions are given, of the filters by name."""
    if "search" not in filters:
        return dict(filters)
    return {**filters, "search_words": patterns(filters["search"])}
