"""Periods: days as moments, in UTC."""

from datetime import UTC, date, datetime, time, timedelta


def midnight(day: date) -> datetime:
    """When a day begins."""
    return datetime.combine(day, time.min, UTC)


def next_day(day: date) -> date:
    """The day after; the last of all days has none."""
    return day if day == date.max else day + timedelta(days=1)
