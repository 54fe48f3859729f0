"""Connections, as the Relay Cursor Connections Specification has them."""

from typing import Annotated, Generic, TypeVar

import strawberry

import resolvers.pages
from schema.fields import field

NodeType = TypeVar("NodeType")


@strawberry.type(description="What lies on either side of the rows of a connection.")
class PageInfo:
    """The Relay type of this name."""

    has_next_page: Annotated[bool, field(description="Whether more rows come after these.")]
    has_previous_page: Annotated[bool, field(description="Whether more rows come before these.")]
    start_cursor: Annotated[str | None, field(description="The cursor of the first row.")]
    end_cursor: Annotated[str | None, field(description="The cursor of the last row.")]


@strawberry.type(description="A row of a connection with its cursor.")
class Edge(Generic[NodeType]):
    """The Relay type of this name."""

    cursor: Annotated[str, field(description="The opaque position of this row in this list and order.")]
    node: Annotated[NodeType, field(description="The row.")]


@strawberry.type(description="A window over a list.")
class Connection(Generic[NodeType]):
    """The Relay type of this name."""

    edges: Annotated[list[Edge[NodeType]], field(description="The rows with their cursors.")]
    nodes: Annotated[list[NodeType], field(description="The rows alone.")]
    page_info: Annotated[PageInfo, field(description="What lies on either side.")]
    total_count: Annotated[
        int,
        field(
            resolvers.pages.total_count,
            description="How many there are in all. Counted only when it is asked for.",
        ),
    ]
