"""Balance reports: what a customer owes and has paid ahead."""

from datetime import date, datetime
from typing import Annotated

import strawberry

import resolvers.balance_downloads
import resolvers.balance_reports
from rules.balances import BalanceReportKind
from rules.permissions import Permission
from schema.customers import Customer
from schema.downloads import Download
from schema.fields import field, query
from schema.scalars import CurrencyCode


@strawberry.interface(
    description="What a customer owes and has paid ahead at the end of a day, from the ledger. Currencies are never added, "
    "debt and prepayments are never one number. What is a shape's own comes by a fragment."
)
class BalanceReport:
    """resolvers.balance_reports.BalanceReport."""

    kind: Annotated[BalanceReportKind, field(resolvers.balance_reports.kind, description="In which shape.")]
    customer: Annotated[Customer, field(resolvers.balance_reports.customer, description="Whose.")]
    as_of: Annotated[
        date, field(description="At the end of which day (UTC): no later movement counts in any number.")
    ]
    currency: Annotated[
        CurrencyCode | None, field(description="In which currency alone; null: in every one.")
    ]
    generated_at: Annotated[datetime, field(description="When it was made.")]
    download: Annotated[
        Download,
        field(
            resolvers.balance_downloads.download,
            description="A link to it as a file: of what is there when the link is followed.",
        ),
    ]

    @classmethod
    def is_type_of(cls, row: object, _info: object) -> bool:
        """Whether a report is served as this type."""
        return type(row).__name__ == cls.__name__

    @classmethod
    def resolve_type(cls, row: object, _info: object, _type: object) -> str:
        """The type as which a report is served."""
        return type(row).__name__


@strawberry.type
class BalanceReportQueries:
    """Query fields on balances."""

    balance_report: Annotated[
        BalanceReport,
        query(
            resolvers.balance_reports.report,
            needs=Permission.BALANCES_READ,
            description="What a customer owes and has paid ahead.",
        ),
    ]
