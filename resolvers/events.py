"""Events as clients see them: what happens that a company's own systems are told, and how objects change."""

from resolvers.enums import publish
from rules.events import Event, Operation

publish(
    Operation,
    description="How an object changed.",
    value={
        Operation.CREATED: "It is new.",
        Operation.UPDATED: "It is other than before.",
        Operation.DELETED: "It is no more.",
    }.__getitem__,
)
publish(
    Event,
    description="Something that happened, which the company's own systems are told.",
    value={
        Event.ORDER_PLACED: "A customer has placed an order.",
        Event.ORDER_CANCELLED: "An order was cancelled.",
        Event.QUOTATION_DECLINED: "A customer does not want what was offered.",
        Event.RMA_REQUEST_SUBMITTED: "A customer has asked to return goods.",
        Event.STATEMENT_CONFIRMED: "A customer agrees with a reconciliation statement.",
        Event.STATEMENT_DISPUTED: "A customer does not agree with a reconciliation statement.",
        Event.TICKET_OPENED: "Somebody has opened a support ticket.",
        Event.TICKET_REPLIED: "Somebody has answered a support ticket.",
        Event.ACCOUNT_ACTIVATED: "Somebody has activated an account.",
        Event.WEBHOOK_TEST: "Somebody tests a webhook, which is told of it without being there for it.",
    }.__getitem__,
)
