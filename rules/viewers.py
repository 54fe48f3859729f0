"""The viewer: who is asking, as plain values that every floor understands."""

from dataclasses import dataclass
from uuid import UUID

from rules.permissions import Permission
from rules.restrictions import Grant


@dataclass(slots=True, frozen=True, kw_only=True)
class Viewer:
    """Somebody who is signed in at one portal, and what they may do there.

    Either an account, bound to one customer, or a staff member of the company's supplier, or one of the company's
    webhooks, which sees what staff with its permissions sees, and only reads. `grants` are an account's access groups;
    the others have none, and nothing is restricted for them. `price_list_id` and `currency` say which prices the
    viewer sees. `viewed_by` is the staff member who looks at the portal as this account, and may change nothing.
    """

    tenant_id: UUID
    session_id: UUID | None
    account_id: UUID | None
    staff_member_id: UUID | None
    customer_id: UUID | None
    price_list_id: UUID | None
    currency: str
    permissions: frozenset[Permission]
    grants: tuple[Grant, ...] = ()
    viewed_by: UUID | None = None
    webhook_id: UUID | None = None

    @property
    def is_staff(self) -> bool:
        """Whether the company's own people or systems are asking; they see all customers' objects."""
        return self.staff_member_id is not None or self.webhook_id is not None

    @property
    def actor_id(self) -> UUID:
        """The account, staff member or webhook."""
        actor = self.account_id or self.staff_member_id or self.webhook_id
        assert actor is not None
        return actor

    def may(self, permission: Permission) -> bool:
        """Whether the viewer holds a permission."""
        return permission in self.permissions

    def oversees(self, permission: Permission) -> bool:
        """Whether the viewer is of the company's staff and holds a permission: then it sees all customers'."""
        return self.is_staff and permission in self.permissions
