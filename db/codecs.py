"""Codecs: how the driver hands over values for which its own way is not ours."""

from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

_DAY_ZERO, _LAST_DAY = date(2000, 1, 1).toordinal(), date.max.toordinal()


async def keep_values(raw: Any) -> None:
    """Days are what they are, the first and the last that there is too: left alone, the driver makes them infinity.
    Decimals come as text: that is read in half the time, and most of it was read before."""
    await raw.set_type_codec(
        "date", schema="pg_catalog", encoder=_as_days, decoder=_from_days, format="tuple"
    )
    await raw.set_type_codec(
        "numeric", schema="pg_catalog", encoder=str, decoder=_from_numeric, format="text"
    )


@lru_cache(maxsize=10_000)
def _from_numeric(text: str) -> Decimal:
    return Decimal(text)


def _as_days(day: date) -> tuple[int]:
    """A date as PostgreSQL counts it: days since 2000-01-01."""
    return (day.toordinal() - _DAY_ZERO,)


def _from_days(counted: tuple[int]) -> date:
    """A date, of PostgreSQL's infinities and of years that nothing here counts the nearest one."""
    return date.fromordinal(min(max(counted[0] + _DAY_ZERO, 1), _LAST_DAY))
