"""Documents: the kinds of documents that a supplier issues to its customers."""

from enum import StrEnum


class DocumentKind(StrEnum):
    """What a supplier document is."""

    QUOTATION = "QUOTATION"
    GOODS_ISSUE = "GOODS_ISSUE"
    INVOICE = "INVOICE"
    TAX_INVOICE = "TAX_INVOICE"
    GOODS_RETURN = "GOODS_RETURN"
    CREDIT_NOTE = "CREDIT_NOTE"
    RECONCILIATION_STATEMENT = "RECONCILIATION_STATEMENT"
