"""The viewer: who is asking, as plain values that every floor understands."""

from dataclasses import dataclass
from uuid import UUID

from rules.permissions import Permission


@dataclass(slots=True, frozen=True, kw_only=True)
class Viewer:
    """Somebody who is signed in at one portal, and what they may do there.

    Either an account, bound to one customer, or a staff member of the company's supplier.
    `price_list_id` and `currency` say which prices the viewer sees.
    """

    tenant_id: UUID
    session_id: UUID
    account_id: UUID | None
    staff_member_id: UUID | None
    customer_id: UUID | None
    price_list_id: UUID | None
    currency: str
    permissions: frozenset[Permission]

    @property
    def is_staff(self) -> bool:
        """Whether the company's own people are asking; they see all customers' objects."""
        return self.staff_member_id is not None

    @property
    def actor_id(self) -> UUID:
        """The account or staff member."""
        actor = self.account_id or self.staff_member_id
        assert actor is not None
        return actor
