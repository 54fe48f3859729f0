"""Balance movements: the lines of reconciliations."""

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.balance_movements
from rules.balances import MovementKind
from schema.fields import field
from schema.money import Money
from schema.nodes import Node


@strawberry.type(
    description="What a document moved at a moment. A payment for several invoices is one of them; what was only moved "
    "between invoices and the account is none."
)
class BalanceMovement:
    """db.balance_movements.BalanceMovement, or db.reconciliation_statements.ReconciliationStatementLine."""

    moved_at: Annotated[datetime, field(description="When it counts from.")]
    kind: Annotated[MovementKind, field(resolvers.balance_movements.kind, description="Why it moved.")]
    number: Annotated[
        str, field(resolvers.balance_movements.number, description="The number of what moved it.")
    ]
    document: Annotated[
        Node | None,
        field(
            resolvers.balance_movements.document,
            description="What moved it: an Invoice, CreditNote or Payment; null when the viewer may not see it.",
        ),
    ]
    debit: Annotated[
        Money | None,
        field(resolvers.balance_movements.raised, description="By how much it raised what is owed, or null."),
    ]
    credit: Annotated[
        Money | None,
        field(
            resolvers.balance_movements.lowered, description="By how much it lowered what is owed, or null."
        ),
    ]
    balance: Annotated[
        Money,
        field(resolvers.balance_movements.balance, description="What is owed after it; below zero: prepaid."),
    ]
