"""The audit."""

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.audit
from rules.permissions import Permission
from schema.accounts import Account
from schema.customers import Customer
from schema.fields import field, query
from schema.nodes import Node
from schema.pages import Connection
from schema.staff_members import StaffMember


@strawberry.type(description="A fact that has changed.")
class AuditChange:
    """resolvers.audit.AuditChange."""

    field: Annotated[
        str, field(description="What it is called where it is kept; amounts are in minor units.")
    ]
    before: Annotated[str | None, field(description="What it was, as JSON; null when it was not.")]
    after: Annotated[str | None, field(description="What it is, as JSON; null when it is no more.")]


@strawberry.type(description="Something that somebody did to one object.")
class AuditEntry(Node):
    """db.audit.AuditEntry."""

    at: Annotated[datetime, field(description="When, by the database's clock.")]
    action: Annotated[str, field(description="What: the name of a mutation, or import.")]
    account: Annotated[
        Account | None, field(resolvers.audit.account, description="Who: the account, if it was one.")
    ]
    staff_member: Annotated[
        StaffMember | None,
        field(
            resolvers.audit.staff_member,
            description="Who: the staff member, if it was one. Neither: somebody at the command line.",
        ),
    ]
    on_behalf_of: Annotated[
        Customer | None, field(resolvers.audit.on_behalf_of, description="For which customer.")
    ]
    node_id: Annotated[
        strawberry.ID, field(resolvers.audit.node_id, description="The global id of the object.")
    ]
    node: Annotated[
        Node | None, field(resolvers.audit.node, description="The object; null when it is no more.")
    ]
    changes: Annotated[
        list[AuditChange], field(resolvers.audit.changes, description="What differs, by field.", size=10)
    ]
    request_id: Annotated[str, field(description="The X-Request-Id of the request.")]


@strawberry.type
class AuditQueries:
    """Query fields on the audit."""

    audit_log: Annotated[
        Connection[AuditEntry],
        query(
            resolvers.audit.page,
            needs=Permission.AUDIT_READ,
            description="Who did what, for whom, when and with which request.",
        ),
    ]
