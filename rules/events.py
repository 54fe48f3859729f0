"""Events: what happens in a portal that the company's own systems are told, and how objects change."""

from enum import StrEnum


class Event(StrEnum):
    """Something that happened; the value is what a webhook's message calls it."""

    ORDER_PLACED = "order.placed"
    ORDER_CANCELLED = "order.cancelled"
    QUOTATION_DECLINED = "quotation.declined"
    RMA_REQUEST_SUBMITTED = "rma_request.submitted"
    STATEMENT_CONFIRMED = "statement.confirmed"
    STATEMENT_DISPUTED = "statement.disputed"
    TICKET_OPENED = "ticket.opened"
    TICKET_REPLIED = "ticket.replied"
    ACCOUNT_ACTIVATED = "account.activated"
    WEBHOOK_TEST = "webhook.test"  # told to the one webhook that is tested, whatever it is there for


class Operation(StrEnum):
    """How an object changed."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"


def operation(*, was_there: bool, is_there: bool) -> Operation:
    """How an object changed that was there before or not, and is there now or not."""
    if not was_there:
        return Operation.CREATED
    return Operation.UPDATED if is_there else Operation.DELETED
