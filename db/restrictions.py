"""Restrictions: what access groups list, and the predicates that hold every read to them.

A predicate is made of the shape of a viewer's groups (which kinds each of them restricts, and how); the
groups themselves are parameters. So each shape's statements are built once, and what a group lists is read
where it is needed: a change works at once.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    ColumnElement,
    Table,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    literal,
    literal_column,
    not_,
    or_,
    select,
    true,
)

from db.tables import one_of, refers_to, tenant_table
from db.trees import subtree
from rules.documents import DocumentKind
from rules.permissions import Permission
from rules.restrictions import Modes, RestrictionMode, holding
from rules.viewers import Viewer


def _listing(name: str, value: Column[Any], *constraints: Any) -> Table:
    return tenant_table(
        name,
        Column("access_group_id", Uuid, nullable=False),
        value,
        refers_to("access_groups", "access_group_id", name=f"{name}_group_fkey"),
        *constraints,
        key=("access_group_id", value.name),
    )


access_group_categories = _listing(
    "access_group_categories",
    Column("category_id", Uuid, nullable=False),
    refers_to("categories", "category_id", name="access_group_categories_category_fkey"),
)
access_group_products = _listing(
    "access_group_products",
    Column("product_id", Uuid, nullable=False),
    refers_to("products", "product_id", name="access_group_products_product_fkey"),
)
access_group_warehouses = _listing(
    "access_group_warehouses",
    Column("warehouse_id", Uuid, nullable=False),
    refers_to("warehouses", "warehouse_id", name="access_group_warehouses_warehouse_fkey"),
)
access_group_document_kinds = _listing(
    "access_group_document_kinds",
    Column("document_kind", Text, nullable=False),
    one_of("document_kind", list(DocumentKind), name="access_group_document_kinds_kind_check"),
)

# How each of a viewer's groups restricts the catalogue; None: nothing is restricted, (): nothing is allowed.
Shape = tuple[Modes, ...] | None
_NO_MODES = Modes()
# Not false(): that would swallow the conditions beside it, and the tenant with them.
NOTHING = literal_column("false", Boolean)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a viewer may see of the catalogue: the shape of its groups, and their ids as parameters."""

    shape: Shape
    groups: dict[str, list[UUID]]


_UNRESTRICTED = Scope(None, {})


def scope_of(viewer: Viewer, permission: Permission = Permission.PRODUCTS_READ) -> Scope:
    """What a viewer may see, or with another permission do, of the catalogue. Nothing restricts the staff."""
    if viewer.is_staff:
        return _UNRESTRICTED
    arms: list[tuple[Modes, list[UUID]]] = []
    for grant in holding(holding(viewer.grants, Permission.PRODUCTS_READ), permission):
        modes = replace(grant.modes, document_kind=None)
        if modes == _NO_MODES:
            return _UNRESTRICTED
        same = next((ids for each, ids in arms if each == modes and _adds_up(modes)), None)
        if same is None:
            arms.append((modes, [grant.access_group_id]))
        else:
            same.append(grant.access_group_id)
    arms.sort(key=lambda arm: repr(arm[0]))
    return Scope(
        tuple(modes for modes, _ in arms), {f"group_{number}": ids for number, (_, ids) in enumerate(arms)}
    )


def _adds_up(modes: Modes) -> bool:
    """Whether groups of these modes allow together what their lists say together: lists of one kind that allow."""
    restricted = [mode for mode in (modes.category, modes.product, modes.warehouse) if mode is not None]
    return restricted == [RestrictionMode.DENY_EXCEPT]


# How a viewer's groups restrict the kinds of documents; None: not at all, (): there are none.
DocumentShape = tuple[RestrictionMode, ...] | None


@dataclass(frozen=True, slots=True)
class DocumentScope:
    """What documents a viewer may see: how its groups restrict the kinds, and their ids as parameters."""

    shape: DocumentShape
    groups: dict[str, list[UUID]]


def documents_of(viewer: Viewer) -> DocumentScope:
    """What kinds of documents a viewer may see. Nothing restricts the staff."""
    grants = holding(viewer.grants, Permission.DOCUMENTS_READ)
    modes = [grant.modes.document_kind for grant in grants]
    if viewer.is_staff or None in modes:
        return DocumentScope(None, {})
    # Lists that allow add up; lists that forbid are looked at each by itself.
    allowing = [
        grant.access_group_id
        for grant, mode in zip(grants, modes, strict=True)
        if mode is RestrictionMode.DENY_EXCEPT
    ]
    arms = [(RestrictionMode.DENY_EXCEPT, allowing)] if allowing else []
    arms += [
        (mode, [grant.access_group_id])
        for grant, mode in zip(grants, modes, strict=True)
        if mode is RestrictionMode.ALLOW_EXCEPT
    ]
    return DocumentScope(
        tuple(mode for mode, _ in arms),
        {f"documents_group_{number}": ids for number, (_, ids) in enumerate(arms)},
    )


def documents_in(shape: DocumentShape, kind: DocumentKind) -> ColumnElement[bool]:
    """Whether documents of a kind are allowed."""
    if shape is None:
        return true()
    listed = access_group_document_kinds.c
    arms = [
        (
            literal(kind.value, Text)
            == any_(
                select(listed.document_kind)
                .where(
                    listed.tenant_id == bindparam("tenant_id"),
                    listed.access_group_id == any_(bindparam(f"documents_group_{number}", type_=ARRAY(Uuid))),
                )
                .scalar_subquery()
            )
        )
        for number in range(len(shape))
    ]
    return (
        or_(
            *(
                arm if mode is RestrictionMode.DENY_EXCEPT else not_(arm)
                for mode, arm in zip(shape, arms, strict=True)
            )
        )
        if arms
        else NOTHING
    )


# Whose documents a viewer sees: None for all, or how its groups restrict the documents of its customer.
WhoseDocuments = tuple[DocumentShape] | None


def whose_documents(viewer: Viewer) -> tuple[WhoseDocuments, dict[str, Any]]:
    """Whose documents a viewer sees, and the parameters of `own_documents`; for staff who may read them, all."""
    if viewer.oversees(Permission.DOCUMENTS_READ):
        return None, {}
    scope = documents_of(viewer)
    return (scope.shape,), {"own_customer_id": viewer.customer_id, **scope.groups}


def own_documents(
    whose: tuple[DocumentShape], customer_id: ColumnElement[UUID], kind: DocumentKind
) -> ColumnElement[bool]:
    """Whether a document is the viewer's customer's, of a kind that is allowed."""
    return and_(customer_id == bindparam("own_customer_id", type_=Uuid), documents_in(whose[0], kind))


def products_in(
    shape: Shape, product_id: ColumnElement[UUID], category_id: ColumnElement[Any]
) -> ColumnElement[bool]:
    """Whether a product, in its category, is allowed."""
    return _some(
        shape,
        lambda modes, number: [*_category(modes, number, category_id), *_product(modes, number, product_id)],
    )


def stock_in(
    shape: Shape,
    product_id: ColumnElement[UUID],
    category_id: ColumnElement[Any],
    warehouse_id: ColumnElement[UUID],
) -> ColumnElement[bool]:
    """Whether the stock of a product in a warehouse is allowed, all by one group.

    Stock is read for products at hand. IS TRUE keeps the lists out of the joins: the planner would begin with
    all that is listed and look for its stock.
    """
    allowed = _some(
        shape,
        lambda modes, number: [
            *_category(modes, number, category_id),
            *_product(modes, number, product_id),
            *_warehouse(modes, number, warehouse_id),
        ],
    )
    return allowed.is_(true()) if shape else allowed


def categories_in(shape: Shape, category_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """Whether a category is allowed."""
    return _some(shape, lambda modes, number: _category(modes, number, category_id))


def warehouses_in(shape: Shape, warehouse_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """Whether a warehouse is allowed."""
    return _some(shape, lambda modes, number: _warehouse(modes, number, warehouse_id))


def _some(shape: Shape, conditions_of: Any) -> ColumnElement[bool]:
    """One group is enough, and inside it every kind has to let pass."""
    if shape is None:
        return true()
    arms = [conditions_of(modes, number) for number, modes in enumerate(shape)]
    if not all(arms):  # a group that does not restrict these kinds
        return true()
    return or_(*(and_(*conditions) for conditions in arms)) if arms else NOTHING


def _category(modes: Modes, number: int, category_id: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    if modes.category is None:
        return []
    is_listed = category_id == _listed_trees(number)
    if modes.category is RestrictionMode.DENY_EXCEPT:
        # IS TRUE keeps the tree out of the joins: nobody can tell the planner how many categories it has, and
        # it would sort the whole catalogue for one page. So rows come in their order and are looked up in it.
        return [is_listed.is_(true())]
    return [or_(category_id.is_(None), not_(is_listed))]


@cache
def _listed_trees(number: int) -> ColumnElement[Any]:
    """The categories that a group lists and all below them; one object, so that a statement may ask it twice."""
    listed = access_group_categories.c
    roots = (
        select(listed.category_id)
        .where(listed.tenant_id == bindparam("tenant_id"), _of_group(listed.access_group_id, number))
        .scalar_subquery()
    )
    return subtree(lambda c: c.id == any_(roots), f"restricted_{number}")


def _product(modes: Modes, number: int, product_id: ColumnElement[UUID]) -> list[ColumnElement[bool]]:
    return _listed(modes.product, number, access_group_products, "product_id", product_id)


def _warehouse(modes: Modes, number: int, warehouse_id: ColumnElement[UUID]) -> list[ColumnElement[bool]]:
    return _listed(modes.warehouse, number, access_group_warehouses, "warehouse_id", warehouse_id)


def _listed(
    mode: RestrictionMode | None, number: int, table: Table, name: str, value: ColumnElement[Any]
) -> list[ColumnElement[bool]]:
    if mode is None:
        return []
    is_listed = value == any_(
        select(table.c[name])
        .where(table.c.tenant_id == bindparam("tenant_id"), _of_group(table.c.access_group_id, number))
        .scalar_subquery()
    )
    return [is_listed if mode is RestrictionMode.DENY_EXCEPT else not_(is_listed)]


def _of_group(access_group_id: ColumnElement[UUID], number: int) -> ColumnElement[bool]:
    return access_group_id == any_(bindparam(f"group_{number}", type_=ARRAY(Uuid)))
