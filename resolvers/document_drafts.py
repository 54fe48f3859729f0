"""Document drafts: what they would be if they were issued at this moment, and what stands in the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import strawberry

import db
from db.credit_notes import CreditNote, CreditNoteLine
from db.document_drafts import DocumentDraft
from db.goods_issues import GoodsIssue
from db.invoices import Invoice, InvoiceLine
from db.orders import Order
from execution.levels import level
from resolvers import actions, credit_note_drafts, invoice_drafts, money, nodes, pages
from resolvers.actions import Action
from resolvers.context import Context, Info
from resolvers.credit_note_drafts import CreditNoteIssueInput, CreditNoteIssueLineInput
from resolvers.errors import Broken
from resolvers.invoice_drafts import InvoiceIssueInput, InvoiceIssueLineInput
from resolvers.relations import relation
from rules import amounts
from rules.broken import BrokenRule, BrokenRules, InvalidInput
from rules.document_drafts import KINDS, DraftAct
from rules.documents import CreditOperation, DocumentKind
from rules.permissions import Permission


@strawberry.input(description="Which drafts; all that is given must hold.")
class DocumentDraftFilter:
    """documentDrafts(filter:)."""

    kind: DocumentKind | None = strawberry.field(
        default=None, description="Of this kind: INVOICE or CREDIT_NOTE."
    )
    customer: strawberry.ID | None = strawberry.field(default=None, description="For this customer.")


_Filter = Annotated[DocumentDraftFilter | None, strawberry.argument(description="Which drafts.")]


async def page(
    info: Info,
    filter: _Filter = None,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> pages.Connection:
    """Query.documentDrafts, newest first."""
    given = filter or DocumentDraftFilter()
    if given.kind is not None and given.kind not in KINDS:
        raise InvalidInput(path=("filter", "kind"))
    filters = {
        "kind": given.kind and given.kind.value,
        "customer_id": nodes.key_or_nothing(given.customer, "Customer"),
    }
    asked = pages.Asked(first, after, last, before)
    return await pages.connection(info.context, db.document_drafts, filters, ["MADE_AT_DESC"], asked)


@dataclass(slots=True)
class Outcome:
    """What a draft would be if it were issued now; the document is None while there are problems."""

    document: Invoice | CreditNote | None
    lines: Sequence[InvoiceLine | CreditNoteLine]
    problems: list[BrokenRule]


async def outcome(context: Context, draft: DocumentDraft) -> Outcome:
    """What a draft would be, by what posts it."""
    document: Invoice | CreditNote
    lines: Sequence[InvoiceLine | CreditNoteLine]
    asked = _asked(draft)
    try:
        if isinstance(asked, InvoiceIssueInput):
            document, lines = await invoice_drafts.drafted_now(context, asked, draft.today)
        else:
            document, lines = await credit_note_drafts.drafted_now(context, asked)
    except BrokenRules as several:
        return Outcome(None, [], several.rules)
    except BrokenRule as rule:
        return Outcome(None, [], [rule])
    return Outcome(document, lines, [])


def _asked(draft: DocumentDraft) -> InvoiceIssueInput | CreditNoteIssueInput:
    if draft.kind == DocumentKind.INVOICE:
        return invoice_drafts.asked_in(draft.asked)
    return credit_note_drafts.asked_in(draft.asked)


def kind(root: strawberry.Parent[DocumentDraft]) -> DocumentKind:
    """DocumentDraft.kind."""
    return DocumentKind(root.kind)


# DocumentDraft.customer.
customer = relation(db.customers.by_ids, "customer_id")


# DocumentDraft.madeBy.
made_by = relation(db.staff_members.by_ids, "staff_member_id")


@level
async def order(roots: Sequence[DocumentDraft], context: Context) -> list[Order | None]:
    """DocumentDraft.order: that of its goods issues where it names none; None for a credit note."""
    named = [_order_key(root) for root in roots]
    lists = [[] if key else _goods_issue_keys(root) for root, key in zip(roots, named, strict=True)]
    issues = await nodes.load_lists(context, "GoodsIssue", lists)
    shipped = [each[0].order_id if each else None for each in issues]
    keys = [key or of_issues for key, of_issues in zip(named, shipped, strict=True)]
    return await nodes.load_level(context, "Order", keys)


def _order_key(root: DocumentDraft) -> UUID | None:
    asked = _asked(root)
    if not isinstance(asked, InvoiceIssueInput) or asked.order is None:
        return None
    return nodes.key_of(asked.order, "Order")


@level
async def goods_issues(roots: Sequence[DocumentDraft], context: Context) -> list[list[GoodsIssue]]:
    """DocumentDraft.goodsIssues."""
    return await nodes.load_lists(context, "GoodsIssue", [_goods_issue_keys(root) for root in roots])


def _goods_issue_keys(root: DocumentDraft) -> list[UUID]:
    asked = _asked(root)
    if not isinstance(asked, InvoiceIssueInput):
        return []
    keys = [nodes.key_of(each, "GoodsIssue") for each in asked.goods_issues or []]
    return [key for key in keys if key is not None]


def _invoice_key(root: DocumentDraft) -> UUID | None:
    asked = _asked(root)
    if not isinstance(asked, CreditNoteIssueInput) or asked.invoice is None:
        return None
    return nodes.key_of(asked.invoice, "Invoice")


# DocumentDraft.invoice: None for an invoice.
invoice = nodes.relation("Invoice", _invoice_key)


def _goods_return_key(root: DocumentDraft) -> UUID | None:
    asked = _asked(root)
    if not isinstance(asked, CreditNoteIssueInput) or asked.goods_return is None:
        return None
    return nodes.key_of(asked.goods_return, "GoodsReturn")


# DocumentDraft.goodsReturn.
goods_return = nodes.relation("GoodsReturn", _goods_return_key)


def _rma_request_key(root: DocumentDraft) -> UUID | None:
    asked = _asked(root)
    if not isinstance(asked, CreditNoteIssueInput) or asked.rma_request is None:
        return None
    return nodes.key_of(asked.rma_request, "RMARequest")


# DocumentDraft.rmaRequest.
rma_request = nodes.relation("RMARequest", _rma_request_key)


def operation(root: strawberry.Parent[DocumentDraft]) -> CreditOperation | None:
    """DocumentDraft.operation."""
    asked = _asked(root)
    return asked.operation if isinstance(asked, CreditNoteIssueInput) else None


def due_on(root: strawberry.Parent[DocumentDraft]) -> date | None:
    """DocumentDraft.dueOn."""
    asked = _asked(root)
    return asked.due_on if isinstance(asked, InvoiceIssueInput) else None


def comment(root: strawberry.Parent[DocumentDraft]) -> str | None:
    """DocumentDraft.comment."""
    return _asked(root).comment


def asked_lines(
    root: strawberry.Parent[DocumentDraft],
) -> list[InvoiceIssueLineInput] | list[CreditNoteIssueLineInput] | None:
    """DocumentDraft.askedLines."""
    return _asked(root).lines


def _goods_issue_key(root: InvoiceIssueLineInput | CreditNoteIssueLineInput) -> UUID | None:
    return nodes.key_of(root.goods_issue, "GoodsIssue") if isinstance(root, InvoiceIssueLineInput) else None


# DocumentDraftAskedLine.goodsIssue.
line_goods_issue = nodes.relation("GoodsIssue", _goods_issue_key)


def line_unit_price(
    root: strawberry.Parent[InvoiceIssueLineInput | CreditNoteIssueLineInput],
) -> Decimal | None:
    """DocumentDraftAskedLine.unitPrice."""
    return root.unit_price if isinstance(root, CreditNoteIssueLineInput) else None


async def lines(root: strawberry.Parent[DocumentDraft], info: Info) -> Sequence[InvoiceLine | CreditNoteLine]:
    """DocumentDraft.lines."""
    return (await outcome(info.context, root)).lines


async def totals(root: strawberry.Parent[DocumentDraft], info: Info) -> money.Totals | None:
    """DocumentDraft.totals."""
    document = (await outcome(info.context, root)).document
    if document is None:
        return None
    return money.Totals(amounts.Totals(document.net, document.tax, document.total), document.currency)


async def problems(root: strawberry.Parent[DocumentDraft], info: Info) -> list[Broken]:
    """DocumentDraft.problems."""
    return [Broken(rule) for rule in (await outcome(info.context, root)).problems]


async def actions_of(root: strawberry.Parent[DocumentDraft], info: Info) -> list[Action]:
    """DocumentDraft.actions."""
    context = info.context
    found = (await outcome(context, root)).problems
    broken = {DraftAct.ISSUE: found[0].at("documentDraft")} if found else {}
    return [actions.weigh(context, act.value, Permission.INVOICES_WRITE, broken.get(act)) for act in DraftAct]
