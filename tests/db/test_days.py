"""Days: each that there is goes into the database and comes back as the day that it is."""

from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from db.codecs import _as_days, _from_days
from db.isolation import Mode
from tests.world import World

DAYS = [date.min, date.min + timedelta(1), date(1999, 12, 31), date(2000, 1, 1), date(2024, 2, 29), date.max]


async def test_a_day_is_kept_as_it_is_alone_and_in_lists(world: World) -> None:
    async with world.database.transaction(Mode.SNAPSHOT, None) as connection:
        for day in DAYS:
            ((text, back),) = await connection.fetch_text("select $1::date::text, $1::date", day)
            assert (text, back) == (day.isoformat(), day)
        ((texts, back),) = await connection.fetch_text("select $1::date[]::text[], $1::date[]", DAYS)
    assert (texts, back) == ([each.isoformat() for each in DAYS], DAYS)


@pytest.mark.parametrize(
    ("kept", "read"),
    [("infinity", date.max), ("-infinity", date.min), ("20000-01-01", date.max), ("0044-03-15 BC", date.min)],
)
async def test_what_is_no_day_of_ours_is_read_as_the_nearest_one(kept: str, read: date, world: World) -> None:
    async with world.database.transaction(Mode.SNAPSHOT, None) as connection:
        assert (await connection.fetch_text(f"select '{kept}'::date"))[0][0] == read


@given(st.dates())
@example(date.min)
@example(date.max)
def test_every_day_is_counted_there_and_back(day: date) -> None:
    assert _from_days(_as_days(day)) == day
