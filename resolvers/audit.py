"""The audit, as the company's staff reads it."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from operator import attrgetter
from typing import Annotated, Any

import orjson
import strawberry

import db
from db.audit import AuditEntry
from resolvers import nodes, pages
from resolvers.context import Info
from resolvers.enums import publish
from resolvers.relations import relation
from rules.periods import check_period


class AuditOrder(Enum):
    """In what order entries come."""

    AT_ASC = "AT_ASC"
    AT_DESC = "AT_DESC"


publish(
    AuditOrder,
    description="In what order entries of the audit come.",
    value={AuditOrder.AT_ASC: "Oldest first.", AuditOrder.AT_DESC: "Newest first."}.__getitem__,
)


@strawberry.input(description="Which entries; all that is given must hold.")
class AuditFilter:
    """auditLog(filter:)."""

    node: strawberry.ID | None = strawberry.field(
        default=None, description="About this object, also when it is no more."
    )
    account: strawberry.ID | None = strawberry.field(default=None, description="Done by this account.")
    staff_member: strawberry.ID | None = strawberry.field(
        default=None, description="Done by this staff member."
    )
    customer: strawberry.ID | None = strawberry.field(default=None, description="Done for this customer.")
    actions: list[str] | None = strawberry.field(
        default=None, description="One of these actions: names of mutations, or import."
    )
    request_id: str | None = strawberry.field(default=None, description="Done with this request.")
    since: datetime | None = strawberry.field(default=None, description="At this moment or later.")
    until: datetime | None = strawberry.field(default=None, description="Before this moment.")


_Filter = Annotated[AuditFilter | None, strawberry.argument(description="Which entries.")]
_Order = Annotated[
    list[AuditOrder] | None,
    strawberry.argument(description="In what order; newest first when nothing is said."),
]


async def page(
    info: Info,
    filter: _Filter = None,
    order_by: _Order = None,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> pages.Connection:
    """Query.auditLog."""
    order = order_by or [AuditOrder.AT_DESC]
    asked = pages.Asked(first, after, last, before)
    return await pages.connection(info.context, db.audit, _filters(filter or AuditFilter()), order, asked)


def _filters(given: AuditFilter) -> dict[str, Any]:
    check_period(given.since, given.until, "filter", "until")
    named = nodes.parsed(str(given.node)) if given.node is not None else None
    return {
        "node_id": None if given.node is None else named[1] if named else nodes.NOTHING,
        "account_id": nodes.key_or_nothing(given.account, "Account"),
        "staff_member_id": nodes.key_or_nothing(given.staff_member, "StaffMember"),
        "customer_id": nodes.key_or_nothing(given.customer, "Customer"),
        "actions": given.actions,
        "request_id": given.request_id,
        "since": given.since,
        "until": given.until,
    }


# AuditEntry.account.
account = relation(db.accounts.by_ids, "account_id")


# AuditEntry.staffMember.
staff_member = relation(db.staff_members.by_ids, "staff_member_id")


# AuditEntry.onBehalfOf.
on_behalf_of = relation(db.customers.by_ids, "customer_id")


def node_id(root: strawberry.Parent[AuditEntry]) -> strawberry.ID:
    """AuditEntry.nodeId."""
    return strawberry.ID(nodes.global_id(root.node_type, root.node_id))


# AuditEntry.node: None when it is no more, or not for the viewer.
node = nodes.relation_to_any(attrgetter("node_type", "node_id"))


@dataclass(slots=True)
class AuditChange:
    """One fact of an object that has changed, as JSON; None for what was not, or is no more."""

    field: str
    before: str | None
    after: str | None


def changes(root: strawberry.Parent[AuditEntry]) -> list[AuditChange]:
    """AuditEntry.changes: by field, what differs."""
    before, after = root.states
    return [
        AuditChange(name, _json(before, name), _json(after, name))
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    ]


def _json(facts: dict[str, Any], name: str) -> str | None:
    return orjson.dumps(facts[name]).decode() if name in facts else None
