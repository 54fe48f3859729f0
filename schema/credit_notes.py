"""Credit notes."""

from typing import TYPE_CHECKING, Annotated

import strawberry

import resolvers.credit_note_postings
import resolvers.credit_notes
import resolvers.document_actions
import resolvers.document_lines
import resolvers.documents
import resolvers.rma_request_chains
from rules.documents import CreditOperation
from rules.permissions import Permission
from schema.actions import Action
from schema.customers import Address
from schema.document_drafts import DocumentDraft
from schema.document_lines import PricedLine
from schema.documents import SupplierDocument
from schema.errors import UserError
from schema.fields import field, mutation
from schema.goods_returns import GoodsReturn
from schema.invoices import Invoice
from schema.money import Money, RateTotal, Totals

if TYPE_CHECKING:  # they know each other
    from schema.rma_requests import RMARequest

_RMARequest = Annotated["RMARequest", strawberry.lazy("schema.rma_requests")]


@strawberry.type(description="A line of a credit note, with its own copy of what is credited.")
class CreditNoteLine(PricedLine):
    """db.credit_notes.CreditNoteLine."""

    amount: Annotated[
        Money,
        field(
            resolvers.document_lines.amount,
            description="Quantity times unit price; with tax where prices include it. Rounded so that parts of a line "
            "add up to what it charged.",
        ),
    ]
    invoice: Annotated[
        Invoice | None,
        field(
            resolvers.documents.invoice,
            description="The invoice of which it corrects a line; null where the ERP told none.",
        ),
    ]
    invoice_position: Annotated[int | None, field(description="The place of that line in the invoice.")]


@strawberry.type(
    description="What is given back: a refund, a discount or a correction; posted, it never changes."
)
class CreditNote(SupplierDocument):
    """db.credit_notes.CreditNote."""

    operation: Annotated[CreditOperation, field(description="Why it gives back.")]
    invoice: Annotated[
        Invoice | None,
        field(resolvers.documents.invoice, description="The invoice that it lowers; null: it is on account."),
    ]
    goods_return: Annotated[
        GoodsReturn | None,
        field(resolvers.credit_notes.goods_return, description="The goods that came back for it."),
    ]
    rma_request: Annotated[
        _RMARequest | None,
        field(resolvers.rma_request_chains.rma_request, description="The request for which it gives back."),
    ]
    customer_name: Annotated[
        str | None, field(description="The customer's name when it was issued; null where the ERP told none.")
    ]
    bill_to: Annotated[
        Address | None,
        field(resolvers.documents.bill_to, description="Where it went: its own copy of the address."),
    ]
    tax_included: Annotated[bool, field(description="Whether unit prices and amounts contain the tax.")]
    totals: Annotated[Totals, field(resolvers.documents.totals, description="What it adds up to.")]
    rates: Annotated[
        list[RateTotal], field(resolvers.credit_notes.rates, description="The same by tax rate.", size=2)
    ]
    comment: Annotated[str | None, field(description="What the company says to it.")]
    lines: Annotated[
        list[CreditNoteLine],
        field(resolvers.credit_notes.lines, description="Its lines, by position.", size=20),
    ]
    actions: Annotated[
        list[Action],
        field(
            resolvers.document_actions.of_document,
            description="What the staff can do with it: REVERSE (supplierDocumentReverse). Empty for customers.",
            size=1,
        ),
    ]


@strawberry.type(description="What creditNoteIssue answers.")
class CreditNotePayload:
    """resolvers.credit_note_postings.CreditNotePayload."""

    credit_note: Annotated[CreditNote | None, field(description="The credit note that was posted.")]
    draft: Annotated[DocumentDraft | None, field(description="The draft that is kept.")]
    errors: Annotated[list[UserError], field(description="Why nothing was done.", size=2)]


@strawberry.type
class CreditNoteMutations:
    """Mutation fields on credit notes."""

    credit_note_issue: Annotated[
        CreditNotePayload,
        mutation(
            resolvers.credit_note_postings.issue,
            needs=Permission.INVOICES_WRITE,
            description="Give back what was invoiced, never more than that; or keep that as a draft; or issue a draft. It lowers what is open of the invoice; what "
            "was paid already is prepaid then.",
        ),
    ]
