"""Restrictions of an access group: as they are shown, and as they are given."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import strawberry

import db
from db.access_groups import AccessGroup
from db.connections import Connection
from execution.levels import level
from resolvers import nodes
from resolvers.context import BatchedRead, Context
from resolvers.loaders import dealt
from resolvers.relations import Relation
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


async def restrictions_of(context: Context, groups: Sequence[AccessGroup]) -> list[list[Restriction]]:
    """The restrictions of each group, in force or not."""
    lists = await asyncio.gather(
        *(
            context.load_lists(read, [group.id if group.modes.of(kind) else None for group in groups])
            for kind, read in _LISTED.items()
        )
    )
    in_force = context.portal.restriction_kinds
    return [
        [
            Restriction(kind, mode, in_force=kind in in_force, values=values)
            for kind, values in zip(_LISTED, listed, strict=True)
            if (mode := group.modes.of(kind)) is not None
        ]
        for group, *listed in zip(groups, *lists, strict=True)
    ]


def _listed(kind: RestrictionKind, read: BatchedRead[UUID, Any]) -> Relation:
    """The rows that restrictions of a kind list, as far as the viewer may see them; none for other kinds."""

    async def answers(roots: Sequence[Restriction], context: Context) -> list[list[Any]]:
        lists = [root.values if root.kind is kind else [] for root in roots]
        return dealt(await context.load_level(read, [key for keys in lists for key in keys]), lists)

    return level(answers)


# Restriction.categories.
categories = _listed(RestrictionKind.PRODUCT_CATEGORY, db.categories.by_ids)


# Restriction.products: those that are still sold.
products = _listed(RestrictionKind.PRODUCT, db.products.by_ids)


# Restriction.warehouses.
warehouses = _listed(RestrictionKind.WAREHOUSE, db.warehouses.by_ids)


def document_kinds(root: strawberry.Parent[Restriction]) -> list[DocumentKind]:
    """Restriction.documentKinds."""
    return [DocumentKind(each) for each in root.values] if root.kind is RestrictionKind.DOCUMENT_KIND else []


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
