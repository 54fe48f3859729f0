"""Balance reports: what a customer owes and has paid ahead at the end of a day, from the ledger alone.

Filters have names, as in every list: `customer_id` and `before` (the moment at which the day has ended) say which
movements count at all, the others which rows of them are shown.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    true,
)

from db.connections import Connection
from db.invoices import invoices
from db.movements import movements
from db.pages import Condition
from db.statements import Statement
from rules.balances import LAST_DAYS, Aged, AgeingBucket, Standing
from rules.permissions import Permission
from rules.viewers import Viewer

# What a report is held to: values by name, as a key of what is loaded with it.
Filters: TypeAlias = frozenset[tuple[str, Any]]

AS_OF = bindparam("as_of", type_=Date)
# Conditions of the movements themselves, so that each list has nothing more to say of them.
GIVEN: dict[str, Condition] = dict.fromkeys(("customer_id", "before", "as_of"), true())


def filters(customer_id: UUID, before: datetime, as_of: date, currency: str | None) -> dict[str, Any]:
    """The filters of a customer's report as of the end of a day; None is every currency."""
    given = {"customer_id": customer_id, "before": before, "as_of": as_of, "currency": currency}
    return {name: value for name, value in given.items() if value is not None}


def whose(viewer: Viewer) -> tuple[None, dict[str, Any]]:
    """Whose balances a viewer sees: its customer's, or for staff all; as the parameters of `COUNTED`."""
    oversees = viewer.oversees(Permission.BALANCES_READ)
    return None, {"oversees": oversees, "own_customer_id": viewer.customer_id}


# Which movements count in a customer's report, as far as the viewer sees that customer.
OF_CUSTOMER = (
    movements.c.tenant_id == bindparam("tenant_id"),
    movements.c.customer_id == bindparam("customer_id", type_=Uuid),
    or_(
        bindparam("oversees", type_=Boolean),
        movements.c.customer_id == bindparam("own_customer_id", type_=Uuid),
    ),
)
COUNTED = (*OF_CUSTOMER, movements.c.moved_at < bindparam("before", type_=DateTime(timezone=True)))


def total(amounts: ColumnElement[Any]) -> ColumnElement[int]:
    """A sum of minor units: those of one customer fit a bigint, which the driver makes an int."""
    return func.coalesce(func.sum(amounts), 0).cast(BigInteger)


# What the movements of each invoice come to, and in a row of its own what lies on account; by currency.
SETTLED = (
    select(movements.c.currency, movements.c.settles_id, total(movements.c.amount).label("open"))
    .where(*COUNTED)
    .group_by(movements.c.currency, movements.c.settles_id)
    .subquery("settled")
)


def in_currency(currency: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a row is in the currency asked for; none is every one."""
    return func.coalesce(bindparam("currency", None, type_=Text), currency) == currency


def bucket_of(due_on: ColumnElement[Any]) -> ColumnElement[str]:
    """The bucket of an open invoice by the end of the day."""
    over = AS_OF - due_on
    steps = [(over <= days, literal_column(f"'{bucket}'", Text)) for bucket, days in LAST_DAYS.items()]
    return case(*steps, else_=literal_column(f"'{AgeingBucket.OVER_90_DAYS}'", Text))


_ON_ACCOUNT, _OVERPAID = "ON_ACCOUNT", "OVERPAID"
_PART = case(
    (SETTLED.c.settles_id.is_(None), literal_column(f"'{_ON_ACCOUNT}'", Text)),
    (SETTLED.c.open <= 0, literal_column(f"'{_OVERPAID}'", Text)),
    else_=bucket_of(invoices.c.due_on),
).label("part")
_OF_INVOICE = and_(
    SETTLED.c.open > 0,
    invoices.c.tenant_id == bindparam("tenant_id"),
    invoices.c.id == SETTLED.c.settles_id,
)
_standings = Statement(
    select(SETTLED.c.currency, _PART, total(SETTLED.c.open), func.count())
    .select_from(SETTLED.outerjoin(invoices, _OF_INVOICE))
    .where(in_currency(SETTLED.c.currency))
    .group_by(SETTLED.c.currency, literal_column("part"))
    .order_by(SETTLED.c.currency),
    lambda *values: values,
)


async def standings(
    connection: Connection, viewer: Viewer, keys: Sequence[Filters]
) -> Mapping[Filters, list[Standing]]:
    """What the customer of each report owes and has paid ahead, one a currency in which anything moved."""
    _, mine = whose(viewer)
    found = {}
    for key in keys:
        rows = await connection.rows(_standings, **dict(key), **mine)
        parts: defaultdict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
        for currency, part, amount, count in rows:
            parts[currency][part] = amount, count
        found[key] = [_standing(currency, each) for currency, each in parts.items()]
    return found


def _standing(currency: str, parts: Mapping[str, tuple[int, int]]) -> Standing:
    return Standing(
        currency,
        tuple(Aged(bucket, *parts.get(bucket, (0, 0))) for bucket in AgeingBucket),
        on_account=parts.get(_ON_ACCOUNT, (0, 0))[0],
        overpaid=-parts.get(_OVERPAID, (0, 0))[0],
    )
