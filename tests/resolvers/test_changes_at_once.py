"""The change feed under concurrent writers: a reader that polls all the while misses nothing, and is told nothing twice."""

import asyncio
import itertools
import random
from collections.abc import Sequence
from typing import Any

import pytest

import db
from db.change_feed import Change, Feed, KeptChange
from db.connections import Connection
from rules.broken import InvalidInput
from rules.permissions import StaffRole
from tests.client import Client
from tests.conftest import At
from tests.world import Portal, World

WRITERS = 8
ROUNDS = 15
UPSERT = """mutation($input: CustomersUpsertInput!) { customersUpsert(input: $input) {
  customers { id code } errors { code } } }"""
POLL = """query($since: String) { changes(since: $since, first: 20, types: [CUSTOMER]) {
  cursor more latest changes { cursor id operation } } }"""
# Each transaction changes one customer that all of them change, and whose version counts how often that was committed.
VERSIONS = """
    select (shared.after::json->>'version')::integer from changes c
    join customers u on u.id = c.node_id and u.code <> 'SHARED'
    join audit_entries own on own.node_id = c.node_id
    join audit_entries shared on shared.request_id = own.request_id and shared.node_id <> own.node_id
    where c.node_type = 'Customer' order by c.position
"""

_add = db.change_feed.add


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.staff_member("olga", role=StaffRole.OWNER)
    await portal.customer("SHARED")
    return portal


@pytest.fixture
def chance() -> random.Random:
    return random.Random(8)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch, chance: random.Random) -> None:
    """Between the feed and the commit some time goes by, and some transactions are rolled back then."""

    async def add(connection: Connection, new: Sequence[Change]) -> list[KeptChange]:
        kept = await _add(connection, new)
        await pause(chance)
        return kept

    monkeypatch.setattr(db.change_feed, "add", add)


@pytest.fixture
def sequence(monkeypatch: pytest.MonkeyPatch, chance: random.Random) -> None:
    """A feed as it must not be: positions come from a sequence, for which nobody waits."""
    positions = itertools.count(1)

    async def add(connection: Connection, new: Sequence[Change]) -> list[KeptChange]:
        for each in new:
            await connection.fetch_text(
                """insert into changes (tenant_id, position, node_type, node_id, operation, subject_id)
                values ($1, $2, $3, $4, $5, $4)""",
                connection.tenant_id,
                next(positions),
                each.node_type,
                each.node_id,
                each.operation,
            )
        await pause(chance)
        return []

    async def feed(connection: Connection, _viewer: Any) -> Feed:
        found = await connection.fetch_text("select coalesce(max(position), 0) from changes")
        return Feed(position=found[0][0], forgotten=0)

    monkeypatch.setattr(db.change_feed, "add", add)
    monkeypatch.setattr(db.change_feed, "feed", feed)


async def pause(chance: random.Random) -> None:
    await asyncio.sleep(chance.choice((0, 0.001, 0.005, 0.02)))
    if chance.random() < 0.2:
        raise InvalidInput


async def write(olga: Client, writer: int, *, shared: bool) -> list[str]:
    """Add customers, one a transaction; returns those that were committed."""
    done = []
    for number in range(ROUNDS):
        code = f"W{writer}-{number:02}"
        rows = [{"code": code, "name": code}]
        if shared:
            rows.append({"code": "SHARED", "name": code})
        somebody = Client(olga.http, olga.slug, olga.token, {"x-request-id": code})
        answer = (await somebody.ask(UPSERT, input={"rows": rows}))["customersUpsert"]
        assert [each["code"] for each in answer["errors"]] in ([], ["INVALID_INPUT"])
        done += [each["id"] for each in answer["customers"] or [] if each["code"] == code]
    return done


async def poll(olga: Client, since: str, ended: asyncio.Event) -> tuple[list[dict[str, str]], int]:
    """All that is told until the writers have ended and nothing more comes; and how often it was asked."""
    found: list[dict[str, str]] = []
    polls = 0
    while True:
        last_time = ended.is_set()
        page = (await olga.ask(POLL, since=since))["changes"]
        polls += 1
        found += page["changes"]
        since = page["cursor"]
        if last_time and not page["more"]:
            assert since == page["latest"]
            return found, polls


async def busy(olga: Client, *, shared: bool) -> tuple[list[str], list[dict[str, str]]]:
    """What eight writers have committed, and what one who polled meanwhile was told."""
    since = (await olga.ask(POLL))["changes"]["latest"]
    ended = asyncio.Event()
    reading = asyncio.create_task(poll(olga, since, ended))
    committed = await asyncio.gather(*(write(olga, each, shared=shared) for each in range(WRITERS)))
    ended.set()
    found, polls = await reading
    assert polls > WRITERS
    return [each for done in committed for each in done], found


@pytest.mark.usefixtures("pauses")
async def test_a_reader_misses_nothing_of_what_many_write_at_once(portal: Portal, at: At) -> None:
    olga = await at(portal).sign_in("olga")
    committed, found = await busy(olga, shared=False)
    assert WRITERS * ROUNDS / 2 < len(committed) < WRITERS * ROUNDS
    assert sorted(each["id"] for each in found) == sorted(committed)
    assert len({each["cursor"] for each in found}) == len(found)
    async with portal.writing() as connection:
        rows = await connection.fetch_text("select position from changes order by 1")
        newest = await connection.fetch_text("select position from feeds")
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    assert newest[0][0] == len(rows)
    again = (await olga.ask("{ changes(first: 100) { changes { id } } }"))["changes"]["changes"]
    assert [each["id"] for each in again] == [each["id"] for each in found[:100]]


@pytest.mark.usefixtures("pauses")
async def test_what_happens_to_one_object_is_told_in_the_order_in_which_it_was_committed(
    portal: Portal, at: At
) -> None:
    olga = await at(portal).sign_in("olga")
    committed, found = await busy(olga, shared=True)
    shared = [each for each in found if each["id"] not in committed]
    assert len(shared) == len(committed) == len(found) / 2
    assert {each["operation"] for each in shared} == {"UPDATED"}
    async with portal.writing() as connection:
        versions = [row[0] for row in await connection.fetch_text(VERSIONS)]
    assert versions == list(range(2, len(committed) + 2))


@pytest.mark.usefixtures("sequence")
async def test_with_positions_from_a_sequence_it_would_miss_some(portal: Portal, at: At) -> None:
    """The proof that the tests above can fail."""
    olga = await at(portal).sign_in("olga")
    committed, found = await busy(olga, shared=False)
    assert set(committed) - {each["id"] for each in found}
