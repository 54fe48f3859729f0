"""Permissions: the words, and which profile or staff role holds which of them."""

from dataclasses import dataclass
from enum import Enum, StrEnum

from rules.broken import BrokenRule


class Permission(Enum):
    """What somebody may do. The name is the GraphQL value, the value is the word people read."""

    PRODUCTS_READ = "products:read"
    ORDERS_READ = "orders:read"
    ORDERS_PLACE = "orders:place"
    DOCUMENTS_READ = "documents:read"
    BALANCES_READ = "balances:read"
    PORTAL_WRITE = "portal:write"


class Profile(StrEnum):
    """A named set of permissions for the people of a customer; an access group has one."""

    CUSTOMER = "CUSTOMER"
    BUYER = "BUYER"
    ACCOUNTANT = "ACCOUNTANT"
    VIEWER = "VIEWER"


class StaffRole(StrEnum):
    """What a supplier's own user is at a company."""

    OWNER = "OWNER"
    MANAGER = "MANAGER"
    AGENT = "AGENT"
    ACCOUNTANT = "ACCOUNTANT"


@dataclass(eq=False, kw_only=True)
class MissingPermission(BrokenRule):
    """The viewer lacks a permission that this needs."""

    english = "This needs the permission {words}."
    german = "Dafür fehlt die Berechtigung {words}."

    permissions: tuple[Permission, ...]

    @property
    def words(self) -> str:
        """The permissions as people read them."""
        return ", ".join(permission.value for permission in self.permissions)


class Unauthenticated(BrokenRule):
    """Nobody is signed in at this portal."""

    english = "Sign in at this portal first."
    german = "Melden Sie sich zuerst an diesem Portal an."


_P = Permission

PROFILES: dict[Profile, frozenset[Permission]] = {
    Profile.CUSTOMER: frozenset(
        {_P.PRODUCTS_READ, _P.ORDERS_READ, _P.ORDERS_PLACE, _P.DOCUMENTS_READ, _P.BALANCES_READ}
    ),
    Profile.BUYER: frozenset({_P.PRODUCTS_READ, _P.ORDERS_READ, _P.ORDERS_PLACE, _P.DOCUMENTS_READ}),
    Profile.ACCOUNTANT: frozenset({_P.PRODUCTS_READ, _P.ORDERS_READ, _P.DOCUMENTS_READ, _P.BALANCES_READ}),
    Profile.VIEWER: frozenset({_P.PRODUCTS_READ, _P.ORDERS_READ, _P.DOCUMENTS_READ}),
}

# Nobody on the staff places orders: a cart belongs to a customer's account.
_READ_ALL = frozenset({_P.PRODUCTS_READ, _P.ORDERS_READ, _P.DOCUMENTS_READ, _P.BALANCES_READ})

STAFF_ROLES: dict[StaffRole, frozenset[Permission]] = {
    StaffRole.OWNER: _READ_ALL | {_P.PORTAL_WRITE},
    StaffRole.MANAGER: _READ_ALL | {_P.PORTAL_WRITE},
    StaffRole.AGENT: frozenset({_P.PRODUCTS_READ, _P.ORDERS_READ, _P.DOCUMENTS_READ}),
    StaffRole.ACCOUNTANT: _READ_ALL,
}
