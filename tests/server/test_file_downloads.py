"""Downloads of shared files, over HTTP: who gets the bytes of a signed link, how long, and how they are sent."""

import asyncio
import hashlib
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Message

from db.connections import Database
from resolvers.nodes import global_id
from rules.permissions import BuiltInProfile
from server.app import create
from server.settings import Settings
from tenants.downloads import Link, read, signed
from tests.client import Client
from tests.conftest import At
from tests.files import FILES, PDF, SHARE, UNSHARE, UPDATE, announce, send, share
from tests.server.test_downloads import never, refusal, scope
from tests.world import Portal, World

OTHER = b"%PDF-1.7\n" + b"next year's prices\n" * 20
UNKNOWN = (404, "DOWNLOAD_UNKNOWN")


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.account("bea")
    await portal.account("cleo", customer="C2")
    await portal.staff_member("stan")
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


@pytest.fixture
async def stan(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("stan")


async def link(client: Client) -> str:
    """A link to the only file that somebody sees."""
    (file,) = (await client.ask(FILES))["files"]["nodes"]
    url: str = file["download"]["url"]
    return url


def resigned(settings: Settings, portal: Portal, url: str, **changes: Any) -> str:
    """The same link with something else in it, as only the server could sign it."""
    start, _, text = url.rpartition("/")
    whole: Link = read(settings.cursor_key, text, portal.tenant_id, now=datetime.now(UTC))
    return f"{start}/{signed(settings.cursor_key, replace(whole, **changes))}"


async def test_a_link_of_another_tenant_is_unknown(
    world: World, portal: Portal, stan: Client, bea: Client, http: httpx.AsyncClient, settings: Settings
) -> None:
    sister = await world.portal(supplier=portal.slug)
    await share(stan)
    url = await link(bea)
    assert await refusal(http, url.replace(portal.slug, sister.slug)) == UNKNOWN
    forged = resigned(settings, portal, url, tenant_id=sister.tenant_id).replace(portal.slug, sister.slug)
    assert await refusal(http, forged) == (403, "UNAUTHENTICATED")


async def test_a_link_to_another_customers_file_is_unknown_even_when_it_is_signed(
    portal: Portal, stan: Client, bea: Client, at: At, http: httpx.AsyncClient, settings: Settings
) -> None:
    cleo = await at(portal).sign_in("cleo")
    hers = {"kind": "CUSTOMERS", "customers": [global_id("Customer", portal.customers["C2"])]}
    await share(stan, audience=hers)
    url = await link(cleo)
    assert (await http.get(url)).content == PDF
    await share(stan, OTHER, title="For all")
    other = (await bea.ask(FILES))["files"]["nodes"][0]["download"]["url"]
    text = url.rpartition("/")[2]
    told = read(settings.cursor_key, text, portal.tenant_id, now=datetime.now(UTC)).filter
    assert await refusal(http, resigned(settings, portal, other, filter=told)) == UNKNOWN


async def test_the_bytes_are_sent_as_a_file_that_no_browser_shows_or_runs(
    stan: Client, bea: Client, http: httpx.AsyncClient
) -> None:
    await share(stan, name="Preise für Größen.pdf")
    response = await http.get(await link(bea))
    assert response.status_code == 200
    assert response.content == PDF
    headers = {
        "content-type": "application/pdf",
        "content-length": str(len(PDF)),
        "content-security-policy": "sandbox",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
    }
    assert {name: response.headers[name] for name in headers} == headers
    disposition = response.headers["content-disposition"]
    assert disposition.startswith("attachment; ")
    assert disposition.endswith("filename*=UTF-8''Preise%20f%C3%BCr%20Gr%C3%B6%C3%9Fen.pdf")


async def test_a_text_is_not_said_to_be_in_a_character_set_that_nobody_knows(
    stan: Client, bea: Client, http: httpx.AsyncClient
) -> None:
    text = "Artikel;Größe\r\n".encode("cp1252")
    upload = (await announce(stan, text, name="a.csv", mediaType="text/csv"))["upload"]
    assert (await send(http, upload, text)).status_code == 204
    given = {"upload": upload["id"], "audience": {"kind": "ALL_CUSTOMERS"}}
    assert (await stan.ask(SHARE, input=given))["fileShare"]["errors"] == []
    response = await http.get(await link(bea))
    assert (response.headers["content-type"], response.content) == ("text/csv", text)


async def test_a_link_gives_nothing_once_the_file_is_unshared(
    stan: Client, bea: Client, http: httpx.AsyncClient
) -> None:
    file = await share(stan)
    url, staffs = await link(bea), await link(stan)
    await stan.ask(UNSHARE, input={"file": file["id"]})
    assert await refusal(http, url) == UNKNOWN
    assert (await http.get(staffs)).content == PDF


@pytest.mark.parametrize(("first", "last"), [(1, None), (None, -1)])
async def test_a_link_gives_nothing_before_the_first_day_or_after_the_last(
    first: int | None, last: int | None, portal: Portal, stan: Client, bea: Client, http: httpx.AsyncClient
) -> None:
    await share(stan)
    url = await link(bea)
    async with portal.writing() as connection:
        await connection.fetch_text(
            "update shared_files set visible_from = current_date + $1::int, visible_to = current_date + $2::int",
            first,
            last,
        )
    assert await refusal(http, url) == UNKNOWN


async def test_a_link_gives_nothing_when_the_file_is_for_others_now(
    portal: Portal, stan: Client, bea: Client, http: httpx.AsyncClient
) -> None:
    file = await share(stan)
    url = await link(bea)
    theirs = {"kind": "CUSTOMERS", "customers": [global_id("Customer", portal.customers["C2"])]}
    await stan.ask(UPDATE, input={"file": file["id"], "audience": theirs})
    assert await refusal(http, url) == UNKNOWN


async def test_a_link_to_what_a_file_was_before_is_the_staffs_alone(
    stan: Client, bea: Client, http: httpx.AsyncClient
) -> None:
    file = await share(stan)
    url, staffs = await link(bea), await link(stan)
    await share(stan, OTHER, file=file["id"])
    assert await refusal(http, url) == UNKNOWN
    assert (await http.get(staffs)).content == PDF
    assert (await http.get(await link(bea))).content == OTHER


async def test_a_link_gives_nothing_without_its_session_its_portal_or_its_right(
    portal: Portal, stan: Client, bea: Client, http: httpx.AsyncClient
) -> None:
    await share(stan)
    url = await link(bea)
    await portal.switch(is_open=False)
    assert await refusal(http, url) == (403, "UNAUTHENTICATED")
    await portal.switch(is_open=True)
    async with portal.writing() as connection:
        await connection.fetch_text("delete from access_group_members")
    assert await refusal(http, url) == (403, "MISSING_PERMISSION")
    await bea.ask("mutation { signOut { errors { code } } }")
    assert await refusal(http, url) == (403, "UNAUTHENTICATED")


async def test_a_link_is_for_minutes_and_cannot_be_changed(
    portal: Portal, stan: Client, bea: Client, http: httpx.AsyncClient, settings: Settings
) -> None:
    await share(stan)
    url = await link(bea)
    late = resigned(settings, portal, url, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert await refusal(http, late) == (410, "DOWNLOAD_EXPIRED")
    assert await refusal(http, url[:-1] + ("A" if url[-1] != "A" else "B")) == UNKNOWN
    upload = (await announce(stan))["upload"]["request"]["url"].rpartition("/")[2]
    assert await refusal(http, url.rpartition("/")[0] + f"/{upload}") == UNKNOWN


async def test_whoever_may_not_read_files_is_given_no_link(portal: Portal, stan: Client, at: At) -> None:
    await share(stan)
    await portal.account("nina", profile=None)
    nina = await at(portal).sign_in("nina")
    assert (await nina.refusal(FILES))["extensions"]["code"] == "MISSING_PERMISSION"
    await portal.account("vera", profile=BuiltInProfile.VIEWER)
    assert (await at(portal).sign_in("vera")).token


LARGE = 20_000_000
BLOCK = bytes(range(256)) * 256


def parts() -> Iterator[bytes]:
    yield b"%PDF-1.7\n"
    for _ in range(LARGE // len(BLOCK) + 1):
        yield BLOCK


@pytest.fixture
async def small(world: World, settings: Settings, database_url: str) -> AsyncIterator[ASGIApp]:
    """The application with one connection to the database."""
    database = await Database.open(database_url, size=1)
    patient = settings.model_copy(update={"request_deadline_seconds": 1, "transfer_deadline_seconds": 2})
    yield create(patient, database, world.passwords)
    await database.close()


async def large(stan: Client, bea: Client) -> str:
    content = b"".join(parts())
    await share(stan, content)
    return await link(bea)


async def test_a_large_file_comes_and_goes_with_little_memory(
    small: ASGIApp, stan: Client, bea: Client
) -> None:
    size, whole = sum(map(len, parts())), hashlib.sha256()
    upload = (await announce(stan, size=size))["upload"]
    sending = parts()

    async def receive() -> Message:
        part = next(sending, b"")
        whole.update(part)
        return {"type": "http.request", "body": part, "more_body": bool(part)}

    statuses: list[int] = []
    lengths: list[int] = []
    came = hashlib.sha256()

    async def noting(message: Message) -> None:
        statuses.append(message.get("status", 0))
        lengths.append(len(message.get("body", b"")))
        came.update(message.get("body", b""))

    tracemalloc.start()
    try:
        await small(scope(upload["request"]["url"]) | {"method": "PUT"}, receive, noting)
        assert statuses.pop(0) == 204
        given = {"upload": upload["id"], "audience": {"kind": "ALL_CUSTOMERS"}}
        assert (await stan.ask(SHARE, input=given))["fileShare"]["errors"] == []
        await small(scope(await link(bea)), never, noting)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(lengths) == size
    assert came.digest() == whole.digest()
    assert max(lengths) <= 1_000_000
    assert most < 8_000_000


async def test_a_slow_reader_holds_no_connection_and_ends_by_the_deadline(
    small: ASGIApp, portal: Portal, stan: Client, bea: Client
) -> None:
    url = await large(stan, bea)
    reading = asyncio.Event()
    sent: list[Message] = []

    async def slowly(message: Message) -> None:
        sent.append(message)
        if message.get("more_body"):
            reading.set()
            await asyncio.Event().wait()

    following = asyncio.ensure_future(small(scope(url), never, slowly))
    await asyncio.wait_for(reading.wait(), 5)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(small), base_url="http://kontor.test") as http:
        elsewhere = Client(http, portal.slug, bea.token)
        assert (await elsewhere.ask("{ files { totalCount } }"))["files"]["totalCount"] == 1
    assert not following.done()
    await asyncio.wait_for(following, 5)
    assert [each["type"] for each in sent] == ["http.response.start", "http.response.body"]


async def test_a_file_whose_bytes_are_gone_is_our_fault(
    portal: Portal, stan: Client, bea: Client, http: httpx.AsyncClient, settings: Settings
) -> None:
    await share(stan)
    url = await link(bea)
    for each in (settings.home / "files" / str(portal.tenant_id)).rglob("*"):
        if each.is_file():
            each.unlink()
    assert await refusal(http, url) == (503, "STORAGE_UNAVAILABLE")
    upload = (await announce(stan))["upload"]
    assert (await send(http, upload)).status_code == 204
