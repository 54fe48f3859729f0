"""Categories."""

from typing import Annotated

import strawberry

import resolvers.categories
from rules.permissions import Permission
from schema.fields import field, query
from schema.nodes import Node


@strawberry.type(description="A node of the tree in which products hang.")
class Category(Node):
    """db.categories.Category."""

    code: Annotated[str, field(description="The company's own code.")]
    name: Annotated[str, field(description="Its name.")]
    parent: Annotated[
        "Category | None", field(resolvers.categories.parent, description="The category above.")
    ]
    children: Annotated[
        list["Category"],
        field(resolvers.categories.children, description="The categories right below, by name.", size=10),
    ]


@strawberry.type
class CategoryQueries:
    """Query fields on categories."""

    categories: Annotated[
        list[Category],
        query(
            resolvers.categories.every,
            needs=Permission.PRODUCTS_READ,
            description="The whole tree as a flat list, by name; roots have no parent.",
            size=50,
        ),
    ]
