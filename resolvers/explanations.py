"""Explanations: whether an account sees an object, and which group, kind and value decided."""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any

import strawberry

from db.accounts import Account
from db.files import SharedFile
from db.products import Product
from resolvers import nodes
from resolvers.context import Context, Info
from resolvers.enums import publish
from rules.restrictions import RestrictionKind
from tenants import access_groups, sessions
from tenants.access_groups import GroupVerdict, RestrictionVerdict


class AccessReason(Enum):
    """Why an account sees an object, or does not."""

    VISIBLE = "VISIBLE"
    ACCOUNT_INACTIVE = "ACCOUNT_INACTIVE"
    PORTAL_CLOSED = "PORTAL_CLOSED"
    NO_ACCESS_GROUP = "NO_ACCESS_GROUP"
    MISSING_PERMISSION = "MISSING_PERMISSION"
    NO_LONGER_SOLD = "NO_LONGER_SOLD"
    RESTRICTED = "RESTRICTED"
    NOT_SHARED = "NOT_SHARED"
    NOT_ITS_OWN = "NOT_ITS_OWN"


publish(
    AccessReason,
    description="Why an account sees an object, or does not.",
    value={
        AccessReason.VISIBLE: "It does.",
        AccessReason.ACCOUNT_INACTIVE: "The account was deactivated.",
        AccessReason.PORTAL_CLOSED: "The portal is switched off for customers.",
        AccessReason.NO_ACCESS_GROUP: "The account is a member of no access group today.",
        AccessReason.MISSING_PERMISSION: "No profile of its groups permits it.",
        AccessReason.NO_LONGER_SOLD: "The product is no longer sold: no customer sees it.",
        AccessReason.RESTRICTED: "Each of its groups that would permit it restricts it away.",
        AccessReason.NOT_SHARED: "The file is not for it, or not at this moment.",
        AccessReason.NOT_ITS_OWN: "It belongs to another customer, to another account, or to the staff.",
    }.__getitem__,
)


@dataclass(slots=True)
class AccessExplanation:
    """The answer, and what each group says."""

    account: Account
    node: Any
    reason: AccessReason
    groups: list[GroupVerdict]

    @property
    def visible(self) -> bool:
        """Whether the account sees the object."""
        return self.reason is AccessReason.VISIBLE


_Account = Annotated[strawberry.ID, strawberry.argument(description="The account.")]
_Node = Annotated[strawberry.ID, strawberry.argument(description="The object.")]


async def explain(info: Info, account: _Account, node: _Node) -> AccessExplanation | None:
    """Query.explainAccess: None when account or object are not there."""
    context = info.context
    who: Account | None = await nodes.by_global_id(context, str(account), "Account")
    row = await nodes.by_global_id(context, str(node))
    if who is None or row is None:
        return None
    needed = nodes.NODES[type(row).__name__][1]
    viewer = await sessions.as_account(context.connection, context.portal, who.id)
    assert viewer is not None, "an account that was found has its rights"
    groups = await access_groups.verdicts(
        context.connection, context.portal, context.signed_in, viewer, needed, row
    )
    reason = await _reason(context, who, viewer, row)
    return AccessExplanation(who, row, reason, groups)


async def _reason(context: Context, account: Account, viewer: Any, row: Any) -> AccessReason:
    """The reason; whether the object is visible is asked of the read that the account itself would use."""
    read, needed = nodes.NODES[type(row).__name__]
    if not account.active:
        return AccessReason.ACCOUNT_INACTIVE
    if not context.portal.open:
        return AccessReason.PORTAL_CLOSED
    permitted = needed is None or viewer.may(needed)
    if permitted and await read(context.connection, viewer, [row.id]):
        return AccessReason.VISIBLE
    if isinstance(row, Product) and not row.active:
        return AccessReason.NO_LONGER_SOLD
    if not viewer.grants:
        return AccessReason.NO_ACCESS_GROUP
    if not permitted:
        return AccessReason.MISSING_PERMISSION
    if isinstance(row, SharedFile):
        return AccessReason.NOT_SHARED
    restricted = type(row).__name__ in ("Product", "Category", "Warehouse")
    return AccessReason.RESTRICTED if restricted else AccessReason.NOT_ITS_OWN


_TYPES = {
    RestrictionKind.PRODUCT_CATEGORY: "Category",
    RestrictionKind.PRODUCT: "Product",
    RestrictionKind.WAREHOUSE: "Warehouse",
}


def _named(verdict: RestrictionVerdict) -> nodes.Named | None:
    return None if verdict.value is None else (_TYPES[verdict.kind], verdict.value)


# RestrictionVerdict.decidedBy.
decided_by = nodes.relation_to_any(_named)
