"""Budgets: how much may be asked for."""

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.budgets
from resolvers.permissions import PUBLIC
from schema.fields import field, query


@strawberry.type(description="How much may be asked for. It comes back steadily.")
class Budget:
    """tenants.budgets.Balance."""

    limit: Annotated[int, field(description="How many units there are at most.")]
    remaining: Annotated[int, field(description="How many of them are left.")]
    reset_at: Annotated[
        datetime, field(description="When all of them will be there again, if none are spent until then.")
    ]
    per_second: Annotated[int, field(description="How many come back every second.")]


@strawberry.type(
    description="What this operation costs, and what the viewer has left: an account, a staff member, or the address "
    "from which nobody is signed in yet. It is the `cost` in the extensions of every answer."
)
class RateLimit:
    """resolvers.budgets.RateLimit."""

    requested: Annotated[
        int,
        field(
            description="What the operation costs, in units: one for each value that it asks for at most, and 1,000 for "
            "each root field, and 20 for each value in its variables. It is known, and paid, before anything runs. A "
            "document that is new to the server costs 40 for each of its characters besides."
        ),
    ]
    limit: Annotated[int, field(description="How many units the viewer has at most.")]
    remaining: Annotated[int, field(description="How many of them are left after this operation.")]
    reset_at: Annotated[
        datetime, field(description="When all of them will be there again, if none are spent until then.")
    ]
    per_second: Annotated[int, field(description="How many come back every second.")]
    portal: Annotated[
        Budget | None,
        field(description="What all viewers of the portal have together; null for customers."),
    ]


@strawberry.type
class BudgetQueries:
    """Query fields on budgets."""

    rate_limit: Annotated[
        RateLimit | None,
        query(
            resolvers.budgets.rate_limit,
            needs=PUBLIC,
            description="What this operation costs, and how much more may be asked for. Whoever has too little left for "
            "an operation is refused with `RATE_LIMITED` and told after how many seconds to try again. Null in what a "
            "webhook is told, which costs nothing.",
        ),
    ]
