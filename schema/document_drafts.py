"""Document drafts: what the staff has prepared and not posted."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

import resolvers.document_draft_changes
import resolvers.document_drafts
from rules.documents import CreditOperation, DocumentKind
from rules.permissions import Permission
from schema.actions import Action
from schema.customers import Customer
from schema.document_lines import PricedLine
from schema.errors import UserError
from schema.fields import field, mutation, query
from schema.money import Totals
from schema.nodes import Node
from schema.pages import Connection
from schema.profiles import DeletedPayload
from schema.staff_members import StaffMember

if TYPE_CHECKING:  # they know each other
    from schema.goods_issues import GoodsIssue
    from schema.goods_returns import GoodsReturn
    from schema.invoices import Invoice
    from schema.orders import Order
    from schema.rma_requests import RMARequest

_GoodsIssue = Annotated["GoodsIssue", strawberry.lazy("schema.goods_issues")]
_GoodsReturn = Annotated["GoodsReturn", strawberry.lazy("schema.goods_returns")]
_Invoice = Annotated["Invoice", strawberry.lazy("schema.invoices")]
_Order = Annotated["Order", strawberry.lazy("schema.orders")]
_RMARequest = Annotated["RMARequest", strawberry.lazy("schema.rma_requests")]


@strawberry.type(description="A line as it was put into a draft.")
class DocumentDraftAskedLine:
    """resolvers.invoice_drafts.InvoiceIssueLineInput or resolvers.credit_note_drafts.CreditNoteIssueLineInput."""

    goods_issue: Annotated[
        _GoodsIssue | None,
        field(
            resolvers.document_drafts.line_goods_issue,
            description="The goods issue, of a draft of an invoice.",
        ),
    ]
    position: Annotated[int, field(description="The line's place in the goods issue or in the invoice.")]
    quantity: Annotated[Decimal | None, field(description="How much; null: all that is left.")]
    unit_price: Annotated[
        Decimal | None,
        field(
            resolvers.document_drafts.line_unit_price,
            description="What is credited for one unit, where that was said.",
        ),
    ]


@strawberry.type(description="A line as it would be posted.")
class DocumentDraftLine(PricedLine):
    """db.invoices.InvoiceLine or db.credit_notes.CreditNoteLine."""


@strawberry.type(
    description="An invoice or a credit note that is not posted: it has no number, moves nothing, and is seen by nobody but "
    "the staff who could issue it."
)
class DocumentDraft(Node):
    """db.document_drafts.DocumentDraft."""

    kind: Annotated[
        DocumentKind, field(resolvers.document_drafts.kind, description="INVOICE or CREDIT_NOTE.")
    ]
    customer: Annotated[
        Customer | None, field(resolvers.document_drafts.customer, description="For which customer.")
    ]
    made_at: Annotated[datetime, field(description="When it was begun.")]
    made_by: Annotated[
        StaffMember | None, field(resolvers.document_drafts.made_by, description="Who began it.")
    ]
    version: Annotated[int, field(description="Counts the changes.")]
    order: Annotated[
        _Order | None,
        field(resolvers.document_drafts.order, description="The order that an invoice would charge."),
    ]
    goods_issues: Annotated[
        list[_GoodsIssue],
        field(
            resolvers.document_drafts.goods_issues,
            description="The goods issues that it would charge; empty: whatever was shipped of the order.",
            size=2,
        ),
    ]
    due_on: Annotated[
        date | None,
        field(
            resolvers.document_drafts.due_on,
            description="The last day on which it is to be paid; null: the day of issue and the portal's paymentDays.",
        ),
    ]
    invoice: Annotated[
        _Invoice | None,
        field(resolvers.document_drafts.invoice, description="The invoice that a credit note would lower."),
    ]
    operation: Annotated[
        CreditOperation | None,
        field(resolvers.document_drafts.operation, description="Why a credit note would give back."),
    ]
    goods_return: Annotated[
        _GoodsReturn | None,
        field(resolvers.document_drafts.goods_return, description="The goods that came back for it."),
    ]
    rma_request: Annotated[
        _RMARequest | None,
        field(
            resolvers.document_drafts.rma_request, description="The request for which it would be given back."
        ),
    ]
    comment: Annotated[
        str | None, field(resolvers.document_drafts.comment, description="A word to the customer.")
    ]
    asked_lines: Annotated[
        list[DocumentDraftAskedLine] | None,
        field(
            resolvers.document_drafts.asked_lines,
            description="The lines as they were put into it; null: all that is left when it is issued.",
            size=20,
        ),
    ]
    lines: Annotated[
        list[DocumentDraftLine],
        field(
            resolvers.document_drafts.lines,
            description="The lines as they would be posted now; none while there are problems.",
            size=20,
        ),
    ]
    totals: Annotated[
        Totals | None,
        field(
            resolvers.document_drafts.totals,
            description="What it would add up to now; null while there are problems.",
        ),
    ]
    problems: Annotated[
        list[UserError],
        field(
            resolvers.document_drafts.problems,
            description="What stands in the way of issuing it now; paths as in the input that made it.",
            size=2,
        ),
    ]
    actions: Annotated[
        list[Action],
        field(
            resolvers.document_drafts.actions_of,
            description="What can be done with it: ISSUE (invoiceIssue or creditNoteIssue), UPDATE and DELETE.",
            size=3,
        ),
    ]


@strawberry.type(description="What a mutation on a draft answers.")
class DocumentDraftPayload:
    """resolvers.document_draft_changes.DocumentDraftPayload."""

    draft: Annotated[DocumentDraft | None, field(description="The draft as it is now.")]
    errors: Annotated[list[UserError], field(description="Why nothing was done.", size=2)]


@strawberry.type
class DocumentDraftQueries:
    """Query fields on drafts."""

    document_drafts: Annotated[
        Connection[DocumentDraft],
        query(
            resolvers.document_drafts.page,
            needs=Permission.INVOICES_WRITE,
            description="Invoices and credit notes that are not posted yet, newest first.",
        ),
    ]


@strawberry.type
class DocumentDraftMutations:
    """Mutation fields on drafts; invoiceIssue and creditNoteIssue keep and issue them."""

    invoice_draft_update: Annotated[
        DocumentDraftPayload,
        mutation(
            resolvers.document_draft_changes.update_invoice,
            needs=Permission.INVOICES_WRITE,
            description="Change a draft of an invoice.",
        ),
    ]
    credit_note_draft_update: Annotated[
        DocumentDraftPayload,
        mutation(
            resolvers.document_draft_changes.update_credit_note,
            needs=Permission.INVOICES_WRITE,
            description="Change a draft of a credit note.",
        ),
    ]
    document_draft_delete: Annotated[
        DeletedPayload,
        mutation(
            resolvers.document_draft_changes.delete,
            needs=Permission.INVOICES_WRITE,
            description="Delete a draft.",
        ),
    ]
