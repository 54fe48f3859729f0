"""Permissions: the words, and which profile or staff role holds which of them."""

from dataclasses import dataclass
from enum import Enum, StrEnum

from rules.broken import BrokenRule


class Permission(Enum):
    """What somebody may do. The name is the GraphQL value, the value is the word people read."""

    PRODUCTS_READ = "products:read"
    CATALOGUE_WRITE = "catalogue:write"
    ORDERS_READ = "orders:read"
    ORDERS_PLACE = "orders:place"
    ORDERS_CANCEL = "orders:cancel"
    ORDERS_FULFIL = "orders:fulfil"
    DOCUMENTS_READ = "documents:read"
    QUOTATIONS_WRITE = "quotations:write"
    INVOICES_WRITE = "invoices:write"
    PAYMENTS_WRITE = "payments:write"
    BALANCES_READ = "balances:read"
    STATEMENTS_WRITE = "statements:write"
    STATEMENTS_ANSWER = "statements:answer"
    RMA_REQUESTS_READ = "rma-requests:read"
    RMA_REQUESTS_WRITE = "rma-requests:write"
    RMA_REQUESTS_DECIDE = "rma-requests:decide"
    TICKETS_READ = "tickets:read"
    TICKETS_WRITE = "tickets:write"
    TICKETS_HANDLE = "tickets:handle"
    UPLOADS_WRITE = "uploads:write"
    FILES_READ = "files:read"
    FILES_WRITE = "files:write"
    CONTACTS_READ = "contacts:read"
    CONTACTS_REQUEST = "contacts:request"
    CUSTOMERS_READ = "customers:read"
    CUSTOMERS_WRITE = "customers:write"
    ACCOUNTS_READ = "accounts:read"
    ACCOUNTS_WRITE = "accounts:write"
    ACCOUNTS_VIEW_AS = "accounts:view-as"
    ACCESS_READ = "access:read"
    ACCESS_WRITE = "access:write"
    PORTAL_WRITE = "portal:write"
    PORTALS_CREATE = "portals:create"
    SUPPLIER_READ = "supplier:read"
    STAFF_WRITE = "staff:write"
    AUDIT_READ = "audit:read"
    CHANGES_READ = "changes:read"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    NOTICES_READ = "notices:read"
    TRUSTED_DOCUMENTS_READ = "trusted-documents:read"
    TRUSTED_DOCUMENTS_WRITE = "trusted-documents:write"


class BuiltInProfile(StrEnum):
    """The profiles that every company has: named sets of permissions for the people of a customer."""

    CUSTOMER = "CUSTOMER"
    BUYER = "BUYER"
    ACCOUNTANT = "ACCOUNTANT"
    VIEWER = "VIEWER"


class StaffRole(StrEnum):
    """What a supplier's own user is at one company, or at all of them."""

    OWNER = "OWNER"
    MANAGER = "MANAGER"
    AGENT = "AGENT"
    ACCOUNTANT = "ACCOUNTANT"


# Who may do what. A cart belongs to a customer's account, so nobody on the staff places orders. `all` in
# the owner's column: only an owner at all of the supplier's companies. Who writes the list of trusted documents also
# runs what is not on it.
_MATRIX = """
                        | CUSTOMER BUYER ACCOUNTANT VIEWER | OWNER MANAGER AGENT ACCOUNTANT
products:read           |    x       x       x        x    |   x      x      x       x
catalogue:write         |    -       -       -        -    |   x      x      -       -
orders:read             |    x       x       x        x    |   x      x      x       x
orders:place            |    x       x       -        -    |   -      -      -       -
orders:cancel           |    x       x       -        -    |   x      x      x       -
orders:fulfil           |    -       -       -        -    |   x      x      x       -
documents:read          |    x       x       x        x    |   x      x      x       x
quotations:write        |    -       -       -        -    |   x      x      x       -
invoices:write          |    -       -       -        -    |   x      x      -       x
payments:write          |    -       -       -        -    |   x      x      -       x
balances:read           |    x       -       x        -    |   x      x      -       x
statements:write        |    -       -       -        -    |   x      x      -       x
statements:answer       |    x       -       x        -    |   -      -      -       -
rma-requests:read       |    x       x       x        x    |   x      x      x       x
rma-requests:write      |    x       x       -        -    |   -      -      -       -
rma-requests:decide     |    -       -       -        -    |   x      x      x       -
tickets:read            |    x       x       x        x    |   x      x      x       x
tickets:write           |    x       x       x        -    |   x      x      x       x
tickets:handle          |    -       -       -        -    |   x      x      x       -
uploads:write           |    x       x       x        -    |   x      x      x       x
files:read              |    x       x       x        x    |   x      x      x       x
files:write             |    -       -       -        -    |   x      x      x       -
contacts:read           |    x       x       x        x    |   x      x      x       x
contacts:request        |    x       x       x        -    |   -      -      -       -
customers:read          |    -       -       -        -    |   x      x      x       x
customers:write         |    -       -       -        -    |   x      x      -       -
accounts:read           |    -       -       -        -    |   x      x      x       -
accounts:write          |    -       -       -        -    |   x      x      -       -
accounts:view-as        |    -       -       -        -    |   x      x      x       -
access:read             |    -       -       -        -    |   x      x      x       -
access:write            |    -       -       -        -    |   x      x      -       -
portal:write            |    -       -       -        -    |   x      x      -       -
portals:create          |    -       -       -        -    |  all     -      -       -
supplier:read           |    -       -       -        -    |   x      x      x       x
staff:write             |    -       -       -        -    |   x      -      -       -
audit:read              |    -       -       -        -    |   x      x      -       -
changes:read            |    -       -       -        -    |   x      x      -       -
webhooks:read           |    -       -       -        -    |   x      x      -       -
webhooks:write          |    -       -       -        -    |   x      x      -       -
notices:read            |    -       -       -        -    |   x      x      x       -
trusted-documents:read  |    -       -       -        -    |   x      x      -       -
trusted-documents:write |    -       -       -        -    |   x      x      -       -
"""

_HEAD, *_ROWS = [line.split("|") for line in _MATRIX.strip("\n").splitlines()]


def _holders(part: int, name: str, *marks: str) -> frozenset[Permission]:
    column = _HEAD[part].split().index(name)
    return frozenset(Permission(row[0].strip()) for row in _ROWS if row[part].split()[column] in marks)


PROFILES: dict[BuiltInProfile, frozenset[Permission]] = {
    profile: _holders(1, profile, "x") for profile in BuiltInProfile
}
# What the people of a customer can be given at all: no profile of a company holds more.
FOR_CUSTOMERS: frozenset[Permission] = frozenset().union(*PROFILES.values())

STAFF_ROLES: dict[StaffRole, frozenset[Permission]] = {role: _holders(2, role, "x") for role in StaffRole}
# What a role gives on top to those who have it at all of the supplier's companies.
STAFF_ROLES_EVERYWHERE: dict[StaffRole, frozenset[Permission]] = {
    role: _holders(2, role, "all") for role in StaffRole
}

# What nobody on the staff can do: it acts for one customer.
ONLY_CUSTOMERS: frozenset[Permission] = FOR_CUSTOMERS - frozenset().union(*STAFF_ROLES.values())

PROFILE_NAMES: dict[BuiltInProfile, tuple[str, str]] = {
    BuiltInProfile.CUSTOMER: ("Customer", "Kunde"),
    BuiltInProfile.BUYER: ("Buyer", "Einkauf"),
    BuiltInProfile.ACCOUNTANT: ("Accountant", "Buchhaltung"),
    BuiltInProfile.VIEWER: ("Viewer", "Betrachter"),
}


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


class ReadOnlySession(BrokenRule):
    """A staff member who looks at the portal as a customer's account changes nothing there."""

    english = "Whoever looks at the portal as somebody else changes nothing."
    german = "Wer das Portal mit den Augen eines anderen ansieht, ändert nichts."
