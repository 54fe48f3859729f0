"""The change feed, as the company's own systems read it: page by page from a cursor on, in commit order."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Annotated

import strawberry

import db
from db.change_feed import Feed, KeptChange
from resolvers import cursors, nodes
from resolvers.context import Context, Info
from resolvers.enums import publish
from resolvers.relations import relation
from rules.change_feed import STRETCH, ChangesForgotten, is_followed
from rules.pages import DEFAULT_PAGE, LARGEST_PAGE, InvalidCursor, InvalidPage

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

# The types whose objects are followed, as __typename says them and, in capitals, as an enum does.
NodeType = Enum(  # type: ignore[misc]  # what it has is what there is
    "NodeType", {_WORDS.sub("_", name).upper(): name for name in nodes.NODES if is_followed(name)}
)
publish(
    NodeType, description="What kind of object has changed.", value=lambda each: f"Of the type {each.value}."
)


@dataclass(slots=True)
class ChangePage:
    """Changes after a cursor; `cursor` is where the page ends, `latest` where the feed does."""

    changes: Sequence[KeptChange]
    cursor: str
    latest: str
    more: bool


_Since = Annotated[
    str | None,
    strawberry.argument(
        description="Only what was changed after this cursor; all that is kept when nothing is said."
    ),
]
_Types = Annotated[
    list[NodeType] | None,
    strawberry.argument(description="Only changes of objects of these types; of all when left out."),
]
_First = Annotated[
    int | None, strawberry.argument(description="At most how many, 1 to 100; 20 when nothing is said.")
]


async def page(info: Info, since: _Since = None, types: _Types = None, first: _First = None) -> ChangePage:
    """Query.changes. However few changes are of the types, a page looks at a stretch of the feed and no further."""
    context = info.context
    size = DEFAULT_PAGE if first is None else first
    if not 1 <= size <= LARGEST_PAGE:
        raise InvalidPage(path=("first",))
    feed = await db.change_feed.feed(context.connection, context.signed_in)
    after = _after(context, feed, since)
    until = min(after + STRETCH, feed.position)
    names = [each.value for each in (NodeType if types is None else types)]
    found = await db.change_feed.between(context.connection, context.signed_in, after, until, names, size)
    end = found[-1].position if len(found) == size else until
    return ChangePage(found, _cursor(context, end), _cursor(context, feed.position), more=end < feed.position)


def _after(context: Context, feed: Feed, since: str | None) -> int:
    """The position from which on is read. Raises InvalidCursor or ChangesForgotten, also for a position that the feed
    has not reached: then the database is an older one than that of which the cursor told."""
    opened = cursors.opened(context.facilities.cursor_key, _list_name(context), 1, since, "since")
    if opened is None:
        return feed.forgotten
    position = opened[0]
    if not isinstance(position, int):
        raise InvalidCursor(path=("since",))
    if not feed.forgotten <= position <= feed.position:
        raise ChangesForgotten(path=("since",))
    return position


def _list_name(context: Context) -> tuple[str, str]:
    return "change_feed", str(context.tenant_id)


def _cursor(context: Context, position: int) -> str:
    return cursors.sealed(context.facilities.cursor_key, _list_name(context), [position])


def cursor(root: strawberry.Parent[KeptChange], info: Info) -> str:
    """Change.cursor."""
    return _cursor(info.context, root.position)


def node_type(root: strawberry.Parent[KeptChange]) -> NodeType:
    """Change.type."""
    return NodeType(root.node_type)


def node_id(root: strawberry.Parent[KeptChange]) -> strawberry.ID:
    """Change.id."""
    return strawberry.ID(nodes.global_id(root.node_type, root.node_id))


# Change.node: None when it is no more, or not for the viewer.
node = nodes.relation_to_any(attrgetter("node_type", "node_id"))


# Change.customer.
customer = relation(db.customers.by_ids, "customer_id")
