"""Ticket messages: reading them, and hearing of them."""

from collections.abc import AsyncGenerator
from typing import Annotated
from uuid import UUID

import strawberry

import db
from db.ticket_messages import SupportMessage
from resolvers import nodes, subscriptions
from resolvers.context import Info
from resolvers.relations import relation, relations
from resolvers.tickets import SupportPerson

_Watched = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="The one ticket to watch; all that the viewer may see when left out."),
]


async def written(info: Info, ticket: _Watched = None) -> AsyncGenerator[SupportMessage, None]:
    """Subscription.supportTicketMessage. Raises NotFound for a ticket that the viewer may not see."""
    context = info.context
    key: UUID | None = None
    if ticket is not None:
        key = (await nodes.found(context, str(ticket), "SupportTicket", "ticket")).id
    return subscriptions.changes(
        context, "SupportMessage", None, accepts=lambda message: key in (None, message.ticket_id)
    )


# SupportMessage.ticket.
ticket = relation(db.tickets.by_ids, "ticket_id")


def author(root: strawberry.Parent[SupportMessage]) -> SupportPerson:
    """SupportMessage.author."""
    return SupportPerson(root.author, root.account_id, root.staff_member_id)


# SupportMessage.attachments.
attachments = relations(db.attachments.of_ticket_messages, "id")
