"""Documents: the kinds of documents that a supplier issues to its customers, and where they stand."""

from enum import StrEnum

LONGEST_SEARCH = 200


class DocumentKind(StrEnum):
    """What a supplier document is."""

    QUOTATION = "QUOTATION"
    GOODS_ISSUE = "GOODS_ISSUE"
    INVOICE = "INVOICE"
    TAX_INVOICE = "TAX_INVOICE"
    GOODS_RETURN = "GOODS_RETURN"
    CREDIT_NOTE = "CREDIT_NOTE"
    RECONCILIATION_STATEMENT = "RECONCILIATION_STATEMENT"


class DocumentStatus(StrEnum):
    """Where a document stands. A kind has some of these; those of a quotation are QuotationState's."""

    DRAFT = "DRAFT"
    ISSUED = "ISSUED"
    DECLINED = "DECLINED"
    ORDERED = "ORDERED"
    EXPIRED = "EXPIRED"
    UNPAID = "UNPAID"
    PARTLY_PAID = "PARTLY_PAID"
    PAID = "PAID"
    OVERDUE = "OVERDUE"
    CONFIRMED = "CONFIRMED"
    DISPUTED = "DISPUTED"
    REVERSED = "REVERSED"


# In what states the documents of each kind can be.
STATUSES: dict[DocumentKind, tuple[DocumentStatus, ...]] = {
    DocumentKind.QUOTATION: (
        DocumentStatus.DRAFT,
        DocumentStatus.ISSUED,
        DocumentStatus.DECLINED,
        DocumentStatus.ORDERED,
        DocumentStatus.EXPIRED,
    ),
    DocumentKind.GOODS_ISSUE: (DocumentStatus.ISSUED,),
    DocumentKind.INVOICE: (
        DocumentStatus.UNPAID,
        DocumentStatus.PARTLY_PAID,
        DocumentStatus.PAID,
        DocumentStatus.OVERDUE,
        DocumentStatus.REVERSED,
    ),
    DocumentKind.TAX_INVOICE: (DocumentStatus.ISSUED, DocumentStatus.REVERSED),
    DocumentKind.GOODS_RETURN: (DocumentStatus.ISSUED, DocumentStatus.REVERSED),
    DocumentKind.CREDIT_NOTE: (DocumentStatus.ISSUED, DocumentStatus.REVERSED),
    DocumentKind.RECONCILIATION_STATEMENT: (
        DocumentStatus.ISSUED,
        DocumentStatus.CONFIRMED,
        DocumentStatus.DISPUTED,
    ),
}


class CreditOperation(StrEnum):
    """Why a credit note gives back: goods came back, a discount was granted, or an invoice was wrong."""

    SALES_RETURN = "SALES_RETURN"
    DISCOUNT = "DISCOUNT"
    ADJUSTMENT = "ADJUSTMENT"
