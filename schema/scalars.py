"""Scalars: decimals as strings, moments as RFC 3339 in UTC, currencies as ISO 4217."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal as DecimalValue
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig

CurrencyCode = NewType("CurrencyCode", str)

# More digits than any amount or quantity has; what is larger is refused by the rules, with its path.
_DECIMAL = re.compile(r"-?[0-9]{1,25}(\.[0-9]{1,12})?")


def _parse_decimal(value: Any) -> DecimalValue:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise GraphQLError('A Decimal is a string of digits, like "12.50".')
    return DecimalValue(value)


def _serialize_decimal(value: DecimalValue) -> str:
    """Without the zeros that the database's scale adds; an amount of money brings its own places."""
    text = str(value)  # faster than format, and nearly always the same
    return format(value, "f") if "E" in text else text


def _serialize_moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _parse_moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):  # the last: before the year 1 or after 9999 in UTC
        pass
    raise GraphQLError('A DateTime is RFC 3339 with a time zone, like "2026-01-31T12:00:00Z".')


def _parse_date(value: Any) -> date:
    try:
        return datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007  (a date has no zone)
    except (TypeError, ValueError):
        raise GraphQLError('A Date is like "2026-01-31".') from None


SCALARS: dict[object, Any] = {
    DecimalValue: strawberry.scalar(
        name="Decimal",
        description='An exact decimal number, as a string in and out: "12.50".',
        serialize=_serialize_decimal,
        parse_value=_parse_decimal,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment in UTC, as RFC 3339 has it.",
        specified_by_url="https://datatracker.ietf.org/doc/html/rfc3339",
        serialize=_serialize_moment,
        parse_value=_parse_moment,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A calendar day, as ISO 8601 has it: 2026-01-31.",
        serialize=date.isoformat,
        parse_value=_parse_date,
    ),
    CurrencyCode: strawberry.scalar(
        name="CurrencyCode",
        description="A currency, as ISO 4217 has it: EUR.",
        specified_by_url="https://www.iso.org/iso-4217-currency-codes.html",
        serialize=str,
        parse_value=str,
    ),
}

CONFIG = StrawberryConfig(scalar_map=SCALARS, relay_max_results=100, disable_field_suggestions=True)
