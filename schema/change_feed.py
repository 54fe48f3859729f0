"""The change feed, for the company's own systems."""

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.change_feed
from resolvers.change_feed import NodeType
from rules.events import Event, Operation
from rules.permissions import Permission
from schema.customers import Customer
from schema.fields import field, query
from schema.nodes import Node


@strawberry.type(
    description="That an object was made, changed or removed. Its lines belong to a document, its prices, stock and "
    "attributes to a product. What follows from a document alone is told by the document: stock by the order that "
    "reserves it and the goods issue that takes it out, what is open of an invoice by the payment that settles it."
)
class Change:
    """db.change_feed.KeptChange."""

    cursor: Annotated[
        str, field(resolvers.change_feed.cursor, description="Give it as `since` for what came after this.")
    ]
    at: Annotated[
        datetime,
        field(description="When, by the database's clock. The order is the feed's, not the clock's."),
    ]
    type: Annotated[NodeType, field(resolvers.change_feed.node_type, description="What the object is.")]
    id: Annotated[
        strawberry.ID, field(resolvers.change_feed.node_id, description="The global id of the object.")
    ]
    operation: Annotated[Operation, field(description="How it changed.")]
    event: Annotated[
        Event | None,
        field(description="What happened to it, where that has a name; webhooks tell of it too."),
    ]
    node: Annotated[
        Node | None,
        field(
            resolvers.change_feed.node,
            description="The object as it is now, at least as new as the change; null when it is no more, or not for "
            "the viewer to see.",
        ),
    ]
    customer: Annotated[
        Customer | None,
        field(resolvers.change_feed.customer, description="For which customer, where it was for one."),
    ]


@strawberry.type(description="What has changed after a cursor, in the order in which it was committed.")
class ChangePage:
    """resolvers.change_feed.ChangePage."""

    changes: Annotated[
        list[Change], field(description="The changes, oldest first; one object can be there several times.")
    ]
    cursor: Annotated[
        str,
        field(
            description="Where this page ends. Keep it, also when nothing came, and give it as `since` the next time."
        ),
    ]
    more: Annotated[
        bool,
        field(
            description="Whether the feed goes on behind this page: ask again at once. A page looks at 10,000 changes "
            "at most, so that one of few types can be empty and say so."
        ),
    ]
    latest: Annotated[
        str,
        field(
            description="Where the feed ends at this moment: begin here to follow only what is still to come. Take it "
            "before reading everything, not after."
        ),
    ]


@strawberry.type
class ChangeFeedQueries:
    """Query fields on the change feed."""

    changes: Annotated[
        ChangePage,
        query(
            resolvers.change_feed.page,
            needs=Permission.CHANGES_READ,
            description="What has changed after a cursor: nothing is missed and nothing told twice, however many "
            "write at once. `CHANGES_FORGOTTEN` when the cursor is older than what is kept.",
        ),
    ]
