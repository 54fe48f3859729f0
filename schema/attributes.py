"""Attributes of products."""

from decimal import Decimal
from typing import Annotated

import strawberry

import resolvers.attributes
from rules.attributes import AttributeKind
from rules.permissions import Permission
from schema.fields import field, query
from schema.nodes import Node


@strawberry.type(description="One of the values that an attribute of choices can have.")
class AttributeChoice:
    """db.attributes.AttributeChoice."""

    code: Annotated[str, field(description="The company's own code.")]
    name: Annotated[
        str,
        field(resolvers.attributes.choice_name, description="Its name, in the language of the request."),
    ]
    name_en: Annotated[str, field(description="Its name in English.")]
    name_de: Annotated[str, field(description="Its name in German.")]


@strawberry.type(description="Something that a company says of its products, e.g. a width or a material.")
class Attribute(Node):
    """db.attributes.Attribute."""

    code: Annotated[str, field(description="The company's own code.")]
    name: Annotated[
        str, field(resolvers.attributes.name, description="Its name, in the language of the request.")
    ]
    name_en: Annotated[str, field(description="Its name in English.")]
    name_de: Annotated[str, field(description="Its name in German.")]
    kind: Annotated[AttributeKind, field(description="What can be said by it.")]
    unit: Annotated[str | None, field(description="The unit of a number; null: none.")]
    position: Annotated[int, field(description="Attributes come by position, then by code.")]
    choices: Annotated[
        list[AttributeChoice],
        field(
            resolvers.attributes.choices,
            description="What there is to choose from; empty for other kinds.",
            size=5,
        ),
    ]


@strawberry.type(description="What is said of a product by one attribute.")
class ProductAttribute:
    """db.attributes.ProductAttribute."""

    attribute: Annotated[Attribute, field(resolvers.attributes.attribute, description="By which attribute.")]
    text: Annotated[
        str,
        field(
            resolvers.attributes.text,
            description="As people read it, in the language of the request: 12.5 cm, Yes, a choice's name.",
        ),
    ]
    value: Annotated[
        str,
        field(description="As machines read it: 12.5, true, a choice's code. Equal values are equal texts."),
    ]
    number: Annotated[
        Decimal | None,
        field(resolvers.attributes.number, description="The number; null for other kinds."),
    ]
    boolean: Annotated[
        bool | None,
        field(resolvers.attributes.boolean, description="Yes or no; null for other kinds."),
    ]
    choice: Annotated[
        AttributeChoice | None,
        field(resolvers.attributes.choice, description="The choice; null for other kinds."),
    ]


@strawberry.type
class AttributeQueries:
    """Query fields on attributes."""

    attributes: Annotated[
        list[Attribute],
        query(
            resolvers.attributes.every,
            needs=Permission.PRODUCTS_READ,
            description="By what the company tells its products apart, by position and code.",
            size=20,
        ),
    ]
