"""Tenant isolation: the one place that tells PostgreSQL whose rows a transaction may touch.

Every tenant table has forced row-level security whose policy compares tenant_id with the setting
app.tenant_id. The setting is local to the transaction, so it cannot leak to the next user of a pooled
connection, and a statement outside such a transaction fails instead of seeing nothing.
"""

from enum import StrEnum
from uuid import UUID

# How long a write waits for a row that another transaction holds. Whoever waits holds a connection, and
# those who wait at one tenant must not keep all other tenants from theirs.
LOCK_SECONDS = 2


class Mode(StrEnum):
    """What a transaction may do."""

    SNAPSHOT = "isolation level repeatable read read only"
    WRITE = "isolation level read committed"
    # A write that nobody waits for to be on the disk: what a crash of PostgreSQL takes back was counted in vain.
    COUNT = "isolation level read committed read write"


def begin(mode: Mode, tenant_id: UUID | None) -> str:
    """The SQL that opens a transaction for one tenant (None: the registry alone), as one round trip."""
    waits = "" if mode is Mode.SNAPSHOT else f"; set local lock_timeout = '{LOCK_SECONDS}s'"
    if mode is Mode.COUNT:
        waits += "; set local synchronous_commit = off"
    if tenant_id is None:
        return f"begin {mode}{waits}"
    return f"begin {mode}; {set_tenant(tenant_id)}{waits}"


def set_tenant(tenant_id: UUID) -> str:
    """The SQL that makes a transaction one tenant's from here on.

    SET LOCAL takes no parameters, so the value is written into the text: only a UUID can get there.
    """
    if not isinstance(tenant_id, UUID):
        raise TypeError(f"a tenant is named by its UUID, not by {tenant_id!r}")
    return f"set local app.tenant_id = '{tenant_id}'"
