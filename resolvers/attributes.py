"""Attributes: what can be said of products, and what is said of one."""

from collections.abc import Sequence
from decimal import Decimal

import strawberry

import db
from db.attributes import Attribute, AttributeChoice, ProductAttribute
from execution.levels import level
from resolvers.context import Context, Info
from resolvers.relations import relation, relations
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
    return _choice_name(root, info.context.language)


def _choice_name(choice: AttributeChoice, language: Language) -> str:
    return choice.name_de if language is Language.GERMAN else choice.name_en


# Product.attributes.
of_product = relations(db.attributes.of_products, "id")


# ProductAttribute.attribute.
attribute = relation(db.attributes.by_ids, "attribute_id")


async def _said_by(context: Context, values: Sequence[ProductAttribute]) -> list[Attribute]:
    return await context.load_each(db.attributes.by_ids, [value.attribute_id for value in values])


@level
async def text(roots: Sequence[ProductAttribute], context: Context) -> list[str]:
    """ProductAttribute.text: for people, in the language of the request."""
    attributes = await _said_by(context, roots)
    choices = await _chosen(context, roots, attributes)
    return [_text(*each, context.language) for each in zip(roots, attributes, choices, strict=True)]


def _text(
    root: ProductAttribute, said_by: Attribute, chosen: AttributeChoice | None, language: Language
) -> str:
    if chosen is not None:
        return _choice_name(chosen, language)
    return readable(root.value, AttributeKind(said_by.kind), said_by.unit, language)


def _number(root: ProductAttribute, said_by: Attribute) -> Decimal | None:
    return Decimal(root.value) if said_by.kind == AttributeKind.NUMBER else None


# ProductAttribute.number.
number = relation(db.attributes.by_ids, "attribute_id", then=_number)


def _boolean(root: ProductAttribute, said_by: Attribute) -> bool | None:
    return root.value == "true" if said_by.kind == AttributeKind.BOOLEAN else None


# ProductAttribute.boolean.
boolean = relation(db.attributes.by_ids, "attribute_id", then=_boolean)


@level
async def choice(roots: Sequence[ProductAttribute], context: Context) -> list[AttributeChoice | None]:
    """ProductAttribute.choice."""
    return await _chosen(context, roots, await _said_by(context, roots))


async def _chosen(
    context: Context, values: Sequence[ProductAttribute], attributes: Sequence[Attribute]
) -> list[AttributeChoice | None]:
    """The choice that each value is; None for values of other kinds."""
    keys = [each.id if each.kind == AttributeKind.CHOICE else None for each in attributes]
    listed = await context.load_lists(db.attributes.choices_of, keys)
    return [
        next((each for each in choices if each.code == value.value), None)
        for value, choices in zip(values, listed, strict=True)
    ]
