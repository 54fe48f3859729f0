"""Document drafts: which kinds of documents can be prepared before they are posted, and what is done with a draft."""

from enum import StrEnum

from rules.documents import DocumentKind

# Quotations have drafts too, which are quotations of their own state: nothing is posted with them.
KINDS = (DocumentKind.INVOICE, DocumentKind.CREDIT_NOTE)


class DraftAct(StrEnum):
    """What the staff does with a draft."""

    ISSUE = "ISSUE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
