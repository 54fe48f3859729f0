"""Periods: days as moments, in UTC, and from when to when."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from rules.broken import BrokenRule

AnyTime = TypeVar("AnyTime", date, datetime)


class PeriodReversed(BrokenRule):
    """A period ends before it begins, so nothing could ever be in it."""

    english = "This period ends before it begins."
    german = "Dieser Zeitraum endet, bevor er beginnt."


def check_period(begin: AnyTime | None, end: AnyTime | None, *path: str) -> None:
    """Refuse a period that ends before it begins; `path` leads to its end. None is open. Raises PeriodReversed."""
    if begin is not None and end is not None and end < begin:
        raise PeriodReversed(path=path)


def midnight(day: date) -> datetime:
    """When a day begins."""
    return datetime.combine(day, time.min, UTC)


def next_day(day: date) -> date:
    """The day after; the last of all days has none."""
    return day if day == date.max else day + timedelta(days=1)
