"""The bench of peers: the floor answers what the server answers, so that one can be compared with the other."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest
import pytest_asyncio
from sqlalchemy import make_url

from bench.peers import data, floor, load, report
from bench.peers.data import Portal, Size
from bench.peers.operations import READS, Operation
from tests.client import Client
from tests.world import World

SMALL = Size(orders=240, products=60, customers=5)
ANSWERED = [each for each in READS if each.postgraphile is not None]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def portal(world: World, admin_url: str, database: str) -> AsyncIterator[Portal]:
    """A portal as the bench fills it, only smaller."""
    url = make_url(admin_url).set(drivername="postgresql", database=database)
    admin = await asyncpg.connect(url.render_as_string(hide_password=False))
    yield await data.make(admin, world.registry, SMALL, 0)
    await admin.execute("drop schema bench cascade")
    await admin.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def by_hand(portal: Portal, database_url: str) -> AsyncIterator[floor.Floor]:
    """The floor over the same database, as the same role."""
    pool = await floor.open_pool(database_url)
    yield floor.Floor(pool, portal.tenant_id)
    await pool.close()


@pytest.mark.parametrize("operation", ANSWERED, ids=lambda each: each.name)
async def test_the_floor_answers_what_the_server_answers(
    http: httpx.AsyncClient, portal: Portal, by_hand: floor.Floor, operation: Operation
) -> None:
    query, variables = operation.ours.query, operation.ours.variables(portal)
    ours = await Client(http, portal.slug, portal.token).ask(query, **variables)
    answer = await by_hand.answer({"query": query, "variables": variables}, portal.token.encode())
    assert json.loads(json.dumps(answer)) == ours
    assert operation.ours.plain(ours)


async def test_every_read_gives_as_much_as_the_bench_says(http: httpx.AsyncClient, portal: Portal) -> None:
    viewer = Client(http, portal.slug, portal.token)
    answers = {each.name: await viewer.ask(each.ours.query, **each.ours.variables(portal)) for each in READS}
    assert len(answers["A"]["orders"]["nodes"]) == 50
    assert {len(each["lines"]) for each in answers["A"]["orders"]["nodes"]} == {5}
    assert {len(each["stock"]) for each in answers["B"]["products"]["nodes"]} == {3}
    assert all(each["price"] for each in answers["B"]["products"]["nodes"])
    documents = answers["D"]["supplierDocuments"]["nodes"]
    assert {each["__typename"] for each in documents} == {"Invoice", "GoodsIssue"}
    related = {near["__typename"] for each in documents for near in each["related"]}
    assert related == {"Order", "Invoice", "GoodsIssue", "Payment"}


def test_an_answer_is_whole_when_all_its_bytes_or_chunks_are_there() -> None:
    plain = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody"
    chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n"
    for whole in (plain, chunked):
        assert load.body_of(bytearray(whole)) == b"body"
        assert all(load.body_of(bytearray(whole[:end])) is None for end in range(len(whole)))
    with pytest.raises(load.WrongAnswer):
        load.body_of(bytearray(plain.replace(b"200", b"503")))


def test_only_the_section_of_a_report_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = tmp_path / "performance.md"
    text.write_text("by hand\n<!-- one: begin -->\nold\n<!-- one: end -->\nby hand too\n")
    monkeypatch.setattr(report, "TEXT", text)
    report.replace("one", "new")
    assert text.read_text() == "by hand\n<!-- one: begin -->\n\nnew\n<!-- one: end -->\nby hand too\n"
    with pytest.raises(ValueError, match="no section 'other'"):
        report.replace("other", "new")
