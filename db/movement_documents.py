"""Movement documents: what moved a balance: an invoice, a credit note or a payment, with its type and number."""

from sqlalchemy import ColumnElement, Table, Text, bindparam, case, func, literal_column, select

from db.credit_notes import credit_notes
from db.invoices import invoices
from db.movements import movements
from db.payments import payments

_TABLES = {"Invoice": invoices, "CreditNote": credit_notes, "Payment": payments}

DOCUMENT_ID = func.coalesce(movements.c.invoice_id, movements.c.credit_note_id, movements.c.payment_id)
# The GraphQL type of what moved it.
DOCUMENT_TYPE = case(
    (movements.c.invoice_id.is_not(None), literal_column("'Invoice'", Text)),
    (movements.c.credit_note_id.is_not(None), literal_column("'CreditNote'", Text)),
    else_=literal_column("'Payment'", Text),
)


def number_of(document_id: ColumnElement[object]) -> ColumnElement[str]:
    """The number of the document with this id, whichever it is. It is told to whoever sees the balance, also where
    the document itself is not to be seen: a line without a number could not be checked."""

    def among(table: Table) -> ColumnElement[str]:
        return (
            select(table.c.number)
            .where(table.c.tenant_id == bindparam("tenant_id"), table.c.id == document_id)
            .scalar_subquery()
        )

    return func.coalesce(*(among(table) for table in _TABLES.values()))
