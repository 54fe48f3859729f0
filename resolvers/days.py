"""Days: which day it is, by the database's date, asked once for all of an operation."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

import db
from db.connections import Connection
from resolvers.context import Context
from rules.viewers import Viewer


async def _todays(connection: Connection, _viewer: Viewer, keys: Sequence[UUID]) -> Mapping[UUID, date]:
    return dict.fromkeys(keys, await db.order_changes.today(connection))


async def today(context: Context) -> date:
    """Today: one statement for all that ask at once."""
    found = await context.load(_todays, context.tenant_id)
    assert found is not None
    return found
