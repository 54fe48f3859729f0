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
    costs, viewer = info.context.costs, info.context.viewer
    own = costs.balance
    if own is None:
        return None
    everybodys = costs.of_portal if viewer is not None and viewer.is_staff else None
    return RateLimit(costs.requested, own.limit, own.remaining, own.per_second, own.reset_at, everybodys)
