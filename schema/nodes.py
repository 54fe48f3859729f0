"""Node: whatever has a global id."""

from typing import Annotated

import strawberry

import resolvers.nodes
from execution.classes import by_class
from resolvers.permissions import SIGNED_IN
from schema.fields import field, query


@strawberry.interface(
    description="An object with a global id. What the viewer may not see answers as what does not exist."
)
class Node:
    """Rows carry the name of their type: `db.orders.Order` is served as `Order`."""

    id: Annotated[
        strawberry.ID, field(resolvers.nodes.id_of, description="The opaque global id of the object.")
    ]

    @classmethod
    @by_class
    def is_type_of(cls, row: object, _info: object) -> bool:
        """Whether a row is served as this type."""
        return type(row).__name__ == cls.__name__

    @classmethod
    @by_class
    def resolve_type(cls, row: object, _info: object, _type: object) -> str:
        """The type as which a row is served."""
        return type(row).__name__


@strawberry.type
class NodeQueries:
    """Query fields on nodes."""

    node: Annotated[
        Node | None, query(resolvers.nodes.node, needs=SIGNED_IN, description="Any object by its global id.")
    ]
    nodes: Annotated[
        list[Node | None],
        query(
            resolvers.nodes.many,
            needs=SIGNED_IN,
            description="Several objects by their global ids, at most 100; null for what is not there.",
            size=100,
        ),
    ]
