"""Access groups: why an account sees something, or does not, group by group."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import db
from db.access_groups import AccessGroup
from db.categories import Category
from db.connections import Connection
from db.portals import Portal
from db.products import Product
from db.warehouses import Warehouse
from rules.permissions import Permission
from rules.restrictions import (
    KINDS_OF_CATEGORIES,
    KINDS_OF_PRODUCTS,
    KINDS_OF_WAREHOUSES,
    RestrictionKind,
    RestrictionMode,
    lets_pass,
)
from rules.viewers import Viewer


@dataclass(slots=True)
class RestrictionVerdict:
    """What one restriction of a group says of an object; `value` is the listed id that decided, if one did."""

    kind: RestrictionKind
    mode: RestrictionMode
    in_force: bool
    allowed: bool
    value: UUID | None


@dataclass(slots=True)
class GroupVerdict:
    """What one group says of an object: all its restrictions have to let pass, and its profile has to permit."""

    group: AccessGroup
    missing_permission: Permission | None
    restrictions: list[RestrictionVerdict]

    @property
    def allowed(self) -> bool:
        """Whether this group is enough."""
        return self.missing_permission is None and all(each.allowed for each in self.restrictions)


async def verdicts(
    connection: Connection,
    portal: Portal,
    staff: Viewer,
    account: Viewer,
    needed: Permission | None,
    row: Any,
) -> list[GroupVerdict]:
    """What each group of an account says of an object (a row that the staff sees), by name of the group."""
    ids = [grant.access_group_id for grant in account.grants]
    groups = await db.access_groups.by_ids(connection, staff, ids)
    permitted = {grant.access_group_id: grant.permissions for grant in account.grants}
    asked = await _asked(connection, row)
    listed = {kind: await db.access_groups.listed(connection, kind, ids) for kind in asked}
    found = []
    for group_id, group in groups.items():
        verdict = GroupVerdict(group, None if needed is None or needed in permitted[group_id] else needed, [])
        for kind, values in asked.items():
            mode = group.modes.of(kind)
            if mode is not None:
                in_force = kind in portal.restriction_kinds
                verdict.restrictions.append(_judged(kind, mode, in_force, values, listed[kind][group_id]))
        found.append(verdict)
    return found


def _judged(
    kind: RestrictionKind,
    mode: RestrictionMode,
    in_force: bool,
    values: Sequence[UUID],
    listed: Sequence[UUID],
) -> RestrictionVerdict:
    value = next((each for each in values if each in listed), None)
    allowed = not in_force or lets_pass(mode, listed=value is not None)
    return RestrictionVerdict(kind, mode, in_force, allowed, value)


async def _asked(connection: Connection, row: Any) -> dict[RestrictionKind, list[UUID]]:
    """Which kinds of restrictions an object is held to, and which values of each would speak of it."""
    if isinstance(row, Product):
        path = await db.categories.path_of(connection, row.category_id) if row.category_id else []
        return dict(zip(KINDS_OF_PRODUCTS, (path, [row.id]), strict=True))
    if isinstance(row, Category):
        return {kind: await db.categories.path_of(connection, row.id) for kind in KINDS_OF_CATEGORIES}
    if isinstance(row, Warehouse):
        return {kind: [row.id] for kind in KINDS_OF_WAREHOUSES}
    return {}
