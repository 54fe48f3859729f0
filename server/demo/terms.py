"""What the made-up companies promise: how long goods can be returned, and how soon questions are answered."""

import db
from db.connections import Connection
from rules.returnable_lines import MOST_RETURN_DAYS

# The imported trade is of fixed days, and somebody may want to return some of it in years.
_RETURN_DAYS = MOST_RETURN_DAYS
FIRST_ANSWER_HOURS = 24
RESOLUTION_HOURS = 120


async def add(connection: Connection) -> None:
    """The same promises at each company."""
    portal = await db.portals.by_tenant(connection)
    assert portal is not None
    await db.portals.change(
        connection,
        portal.id,
        return_days=_RETURN_DAYS,
        first_answer_hours=FIRST_ANSWER_HOURS,
        resolution_hours=RESOLUTION_HOURS,
    )
