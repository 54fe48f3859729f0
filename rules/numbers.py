"""Numbers that people read on documents."""

from enum import StrEnum


class NumberKind(StrEnum):
    """What is numbered; the value is the prefix."""

    ORDER = "SO"
    GOODS_ISSUE = "GI"
    QUOTATION = "QU"
    INVOICE = "IN"
    TAX_INVOICE = "TI"
    GOODS_RETURN = "GR"
    CREDIT_NOTE = "CN"
    RECONCILIATION_STATEMENT = "RS"
    PAYMENT = "PA"
    RMA_REQUEST = "RM"
    TICKET = "ST"


def numbered(kind: NumberKind, value: int) -> str:
    """The number of the value-th document of a kind: SO-000123."""
    return f"{kind}-{value:06d}"
