"""Budgets: what an operation costs, and what is left for the next ones."""

from dataclasses import dataclass
from datetime import datetime

from resolvers.context import Info
from tenants.budgets import Balance


@dataclass(slots=True, frozen=True)
class RateLimit:
    """What an operation costs, what is left of the viewer's budget, and for staff of the portal's."""

    requested: int
    limit: int
    remaining: int
    per_second: int
    reset_at: datetime
    portal: Balance | None


async def rate_limit(info: Info) -> RateLimit | None:
    """Query.rateLimit: what the extensions of the answer say too; takes no statement."""
    context = info.context
    own = context.balance
    if own is None:
        return None
    staff = context.viewer is not None and context.viewer.is_staff
    everybodys = context.facilities.budgets.balance_of_portal(context.tenant_id) if staff else None
    return RateLimit(context.cost, own.limit, own.remaining, own.per_second, own.reset_at, everybodys)
