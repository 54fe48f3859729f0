"""Attributes: what can be said of products, and what is said of one."""

from decimal import Decimal

import strawberry

import db
from db.attributes import Attribute, AttributeChoice, ProductAttribute
from resolvers.context import Context, Info
from resolvers.relations import relations
from rules.attributes import AttributeKind, readable
from rules.broken import Language


async def every(info: Info) -> list[Attribute]:
    """Query.attributes."""
    return await db.attributes.every(info.context.connection)


def name(root: strawberry.Parent[Attribute], info: Info) -> str:
    """Attribute.name."""
    return root.name_de if info.context.language is Language.GERMAN else root.name_en


# Attribute.choices.
choices = relations(db.attributes.choices_of, "id")


def choice_name(root: strawberry.Parent[AttributeChoice], info: Info) -> str:
    """AttributeChoice.name."""
    return root.name_de if info.context.language is Language.GERMAN else root.name_en


# Product.attributes.
of_product = relations(db.attributes.of_products, "id")


async def attribute(root: strawberry.Parent[ProductAttribute], info: Info) -> Attribute:
    """ProductAttribute.attribute."""
    return await _attribute(root, info.context)


async def _attribute(value: ProductAttribute, context: Context) -> Attribute:
    found = await context.load(db.attributes.by_ids, value.attribute_id)
    assert found is not None, "an attribute that says something is there"
    return found


async def text(root: strawberry.Parent[ProductAttribute], info: Info) -> str:
    """ProductAttribute.text: for people, in the language of the request."""
    context = info.context
    said_by = await _attribute(root, context)
    chosen = await _choice(root, context)
    if chosen is not None:
        return choice_name(chosen, info)
    return readable(root.value, AttributeKind(said_by.kind), said_by.unit, context.language)


async def number(root: strawberry.Parent[ProductAttribute], info: Info) -> Decimal | None:
    """ProductAttribute.number."""
    said_by = await _attribute(root, info.context)
    return Decimal(root.value) if said_by.kind == AttributeKind.NUMBER else None


async def boolean(root: strawberry.Parent[ProductAttribute], info: Info) -> bool | None:
    """ProductAttribute.boolean."""
    said_by = await _attribute(root, info.context)
    return root.value == "true" if said_by.kind == AttributeKind.BOOLEAN else None


async def choice(root: strawberry.Parent[ProductAttribute], info: Info) -> AttributeChoice | None:
    """ProductAttribute.choice."""
    return await _choice(root, info.context)


async def _choice(value: ProductAttribute, context: Context) -> AttributeChoice | None:
    said_by = await _attribute(value, context)
    if said_by.kind != AttributeKind.CHOICE:
        return None
    listed = await context.load_list(db.attributes.choices_of, value.attribute_id)
    return next((each for each in listed if each.code == value.value), None)
