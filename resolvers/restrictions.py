"""Restrictions of an access group: as they are shown, and as they are given."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import strawberry

import db
from db.access_groups import AccessGroup
from db.categories import Category
from db.connections import Connection
from db.products import Product
from db.warehouses import Warehouse
from resolvers import nodes
from resolvers.context import Context, Info
from rules.access_groups import RestrictionTwice, RestrictionValuesOfAnotherKind, check_length
from rules.documents import DocumentKind
from rules.restrictions import MOST_LISTED, Modes, RestrictionKind, RestrictionMode
from rules.viewers import Viewer


@dataclass(slots=True)
class Restriction:
    """How a group restricts one kind, and the ids (or document kinds) that it lists."""

    kind: RestrictionKind
    mode: RestrictionMode
    in_force: bool
    values: list[Any]


def _reading(kind: RestrictionKind) -> Callable[[Connection, Viewer, Sequence[UUID]], Awaitable[Any]]:
    async def listed(connection: Connection, _viewer: Viewer, ids: Sequence[UUID]) -> Any:
        return await db.access_groups.listed(connection, kind, ids)

    return listed


_LISTED = {kind: _reading(kind) for kind in RestrictionKind}


async def restrictions_of(context: Context, group: AccessGroup) -> list[Restriction]:
    """The restrictions of a group, in force or not."""
    return [
        Restriction(
            kind,
            mode,
            in_force=kind in context.portal.restriction_kinds,
            values=await context.load_list(_LISTED[kind], group.id),
        )
        for kind in RestrictionKind
        if (mode := group.modes.of(kind)) is not None
    ]


async def categories(root: strawberry.Parent[Restriction], info: Info) -> list[Category]:
    """Restriction.categories."""
    return await _rows(root, info, RestrictionKind.PRODUCT_CATEGORY, db.categories.by_ids)


async def products(root: strawberry.Parent[Restriction], info: Info) -> list[Product]:
    """Restriction.products: those that are still sold."""
    return await _rows(root, info, RestrictionKind.PRODUCT, db.products.by_ids)


async def warehouses(root: strawberry.Parent[Restriction], info: Info) -> list[Warehouse]:
    """Restriction.warehouses."""
    return await _rows(root, info, RestrictionKind.WAREHOUSE, db.warehouses.by_ids)


def document_kinds(root: strawberry.Parent[Restriction]) -> list[DocumentKind]:
    """Restriction.documentKinds."""
    return [DocumentKind(each) for each in root.values] if root.kind is RestrictionKind.DOCUMENT_KIND else []


async def _rows(root: Restriction, info: Info, kind: RestrictionKind, read: Any) -> list[Any]:
    if root.kind is not kind:
        return []
    rows = await asyncio.gather(*(info.context.load(read, each) for each in root.values))
    return [row for row in rows if row is not None]


@strawberry.input(description="How a group is to restrict one kind. The values are those of the kind.")
class RestrictionInput:
    """One of an access group's restrictions."""

    kind: RestrictionKind = strawberry.field(description="What is restricted.")
    mode: RestrictionMode = strawberry.field(description="How the listed values are meant.")
    categories: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Of the kind PRODUCT_CATEGORY: categories, each with all below it."
    )
    products: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Of the kind PRODUCT: products."
    )
    warehouses: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Of the kind WAREHOUSE: warehouses."
    )
    document_kinds: list[DocumentKind] | None = strawberry.field(
        default=None, description="Of the kind DOCUMENT_KIND: kinds of documents."
    )


# By kind: the field of the input, the field's name for clients, and the type of its ids.
_FIELDS = {
    RestrictionKind.PRODUCT_CATEGORY: ("categories", "categories", "Category"),
    RestrictionKind.PRODUCT: ("products", "products", "Product"),
    RestrictionKind.WAREHOUSE: ("warehouses", "warehouses", "Warehouse"),
    RestrictionKind.DOCUMENT_KIND: ("document_kinds", "documentKinds", None),
}


async def read_input(
    context: Context, given: Sequence[RestrictionInput]
) -> tuple[Modes, dict[RestrictionKind, list[Any]]]:
    """How each kind is restricted, and what is listed.

    Raises RestrictionTwice, RestrictionValuesOfAnotherKind, ListTooLong, or BrokenRules with NotFound for
    each value that is not this company's.
    """
    modes: dict[RestrictionKind, RestrictionMode] = {}
    lists: dict[RestrictionKind, list[Any]] = {}
    for index, each in enumerate(given):
        path = ("restrictions", str(index))
        if each.kind in modes:
            raise RestrictionTwice(kind=each.kind, path=(*path, "kind"))
        for kind, (name, shown, _) in _FIELDS.items():
            if kind is not each.kind and getattr(each, name) is not None:
                raise RestrictionValuesOfAnotherKind(kind=each.kind, path=(*path, shown))
        modes[each.kind] = each.mode
        lists[each.kind] = await _values(context, each, path)
    return Modes(*(modes.get(kind) for kind in RestrictionKind)), lists


async def _values(context: Context, given: RestrictionInput, path: tuple[str, ...]) -> list[Any]:
    name, shown, type_name = _FIELDS[given.kind]
    values: list[Any] = getattr(given, name) or []
    check_length(values, MOST_LISTED, *path, shown)
    if type_name is None:
        return list(dict.fromkeys(values))
    return list(await nodes.found_keys(context, [str(each) for each in values], type_name, *path, shown))
