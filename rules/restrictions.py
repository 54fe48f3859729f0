"""Restrictions: what an access group leaves of the catalogue, the warehouses and the documents.

Inside a group every kind has to let pass (AND). Over the groups of an account one is enough (OR), group by
group: what one group allows of the categories and another of the warehouses does not add up. A group counts
only for what its profile permits.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from rules.permissions import Permission


class RestrictionKind(StrEnum):
    """What can be restricted. A portal says which kinds are in force; the others restrict nothing."""

    PRODUCT_CATEGORY = "PRODUCT_CATEGORY"
    PRODUCT = "PRODUCT"
    WAREHOUSE = "WAREHOUSE"
    DOCUMENT_KIND = "DOCUMENT_KIND"


class RestrictionMode(StrEnum):
    """How the listed values are meant."""

    ALLOW_EXCEPT = "ALLOW_EXCEPT"
    DENY_EXCEPT = "DENY_EXCEPT"


# The most values that one restriction lists.
MOST_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class Modes:
    """How a group restricts each kind; None: not at all, or the kind is not in force."""

    category: RestrictionMode | None = None
    product: RestrictionMode | None = None
    warehouse: RestrictionMode | None = None
    document_kind: RestrictionMode | None = None

    def of(self, kind: RestrictionKind) -> RestrictionMode | None:
        """The mode of one kind."""
        return {
            RestrictionKind.PRODUCT_CATEGORY: self.category,
            RestrictionKind.PRODUCT: self.product,
            RestrictionKind.WAREHOUSE: self.warehouse,
            RestrictionKind.DOCUMENT_KIND: self.document_kind,
        }[kind]

    def in_force(self, kinds: Collection[str]) -> "Modes":
        """The same with nothing but the kinds in force."""
        return Modes(*(self.of(kind) if kind in kinds else None for kind in RestrictionKind))


@dataclass(frozen=True, slots=True)
class Grant:
    """What one access group gives its members: permissions, and how it restricts them."""

    access_group_id: UUID
    permissions: frozenset[Permission]
    modes: Modes


def holding(grants: Iterable[Grant], permission: Permission) -> tuple[Grant, ...]:
    """The grants that count for a permission."""
    return tuple(grant for grant in grants if permission in grant.permissions)


def lets_pass(mode: RestrictionMode | None, *, listed: bool) -> bool:
    """Whether a restriction lets a value pass that is listed, or is not."""
    return mode is None or listed is (mode is RestrictionMode.DENY_EXCEPT)


# What a restriction of each kind is asked of: a stock level is of a product, in a warehouse.
KINDS_OF_PRODUCTS = (RestrictionKind.PRODUCT_CATEGORY, RestrictionKind.PRODUCT)
KINDS_OF_STOCK = (*KINDS_OF_PRODUCTS, RestrictionKind.WAREHOUSE)
KINDS_OF_CATEGORIES = (RestrictionKind.PRODUCT_CATEGORY,)
KINDS_OF_WAREHOUSES = (RestrictionKind.WAREHOUSE,)
