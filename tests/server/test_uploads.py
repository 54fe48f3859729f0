"""Uploads, over HTTP: who may send what was announced, and that nothing else is kept."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

import db
from rules import uploads as rule
from rules.permissions import BuiltInProfile
from server.app import create
from server.settings import Settings
from tenants import uploads
from tenants.storage import Storage
from tests.client import Client
from tests.conftest import At
from tests.files import CREATE, PDF, SHARE, UPLOAD, announce, send, share, uploaded
from tests.world import Portal, World

HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.account("bea")
    await portal.staff_member("stan")
    await portal.staff_member("stella")
    return portal


@pytest.fixture
async def stan(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("stan")


async def told(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    assert response.headers["cache-control"] == "no-store"
    (error,) = response.json()["errors"]
    return response.status_code, error["extensions"]["code"]


async def state(client: Client, upload_id: str) -> str | None:
    found = (await client.ask(UPLOAD, id=upload_id))["node"]
    return found and str(found["state"])


def kept(settings: Settings, portal: Portal) -> list[str]:
    """What lies in the folder of a tenant."""
    folder = settings.home / "files" / str(portal.tenant_id)
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


def resigned(settings: Settings, portal: Portal, upload: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The same request with something else in it, as only the server could sign it."""
    start, _, text = upload["request"]["url"].rpartition("/")
    whole = uploads.read(settings.cursor_key, text, portal.tenant_id, now=datetime.now(UTC))
    url = f"{start}/{uploads.signed(settings.cursor_key, replace(whole, **changes))}"
    return upload | {"request": upload["request"] | {"url": url}}


def at_address(upload: dict[str, Any], url: str) -> dict[str, Any]:
    return upload | {"request": upload["request"] | {"url": url}}


async def test_nobody_announces_anything_without_the_permission(portal: Portal, at: At) -> None:
    new = {"name": "a.pdf", "mediaType": "application/pdf", "size": 1}
    outsider = await at(portal).ask(CREATE, input=new)
    assert outsider["uploadCreate"]["errors"][0]["code"] == "UNAUTHENTICATED"
    await portal.account("vera", profile=BuiltInProfile.VIEWER)
    vera = await at(portal).sign_in("vera")
    assert (await vera.ask(CREATE, input=new))["uploadCreate"]["errors"][0]["code"] == "MISSING_PERMISSION"


async def test_what_was_announced_at_another_portal_is_not_awaited(
    world: World, portal: Portal, stan: Client, settings: Settings, http: httpx.AsyncClient
) -> None:
    sister = await world.portal(supplier=portal.slug)
    upload = (await announce(stan))["upload"]
    theirs = at_address(upload, upload["request"]["url"].replace(portal.slug, sister.slug))
    assert await told(await send(http, theirs)) == (404, "UPLOAD_UNKNOWN")
    forged = resigned(settings, portal, upload, tenant_id=sister.tenant_id)
    forged = at_address(forged, forged["request"]["url"].replace(portal.slug, sister.slug))
    assert await told(await send(http, forged)) == (403, "UNAUTHENTICATED")
    nowhere = at_address(upload, upload["request"]["url"].replace(portal.slug, "nobody"))
    assert await told(await send(http, nowhere)) == (404, "PORTAL_NOT_FOUND")
    assert kept(settings, portal) == kept(settings, sister) == []


async def test_a_colleague_neither_sees_nor_sends_nor_uses_an_upload(
    portal: Portal, stan: Client, at: At, settings: Settings, http: httpx.AsyncClient
) -> None:
    stella = await at(portal).sign_in("stella")
    hers, his = (await announce(stella))["upload"], (await announce(stan))["upload"]
    text = his["request"]["url"].rpartition("/")[2]
    session_id = uploads.read(settings.cursor_key, text, portal.tenant_id, now=datetime.now(UTC)).session_id
    mixed = resigned(settings, portal, hers, session_id=session_id)
    assert await told(await send(http, mixed)) == (404, "UPLOAD_UNKNOWN")
    assert (await send(http, his)).status_code == 204
    assert await state(stella, his["id"]) is None
    given = {"upload": his["id"], "audience": {"kind": "ALL_CUSTOMERS"}}
    answer = (await stella.ask(SHARE, input=given))["fileShare"]
    assert [(each["code"], each["path"]) for each in answer["errors"]] == [("NOT_FOUND", ["upload"])]


async def test_an_upload_is_kept_below_its_tenant_under_no_name_of_the_clients(
    portal: Portal, stan: Client, settings: Settings, http: httpx.AsyncClient
) -> None:
    upload = (await announce(stan))["upload"]
    assert upload["state"] == "AWAITED"
    assert upload["request"]["method"] == "PUT"
    assert upload["request"]["headers"] == [{"name": "Content-Type", "value": "application/pdf"}]
    assert datetime.fromisoformat(upload["request"]["expiresAt"]) <= datetime.now(UTC) + timedelta(minutes=10)
    response = await send(http, upload)
    assert (response.status_code, response.content) == (204, b"")
    found = (await stan.ask(UPLOAD, id=upload["id"]))["node"]
    digest = hashlib.sha256(PDF).hexdigest()
    assert found == {"id": upload["id"], "state": "READY", "sha256": digest, "request": None}
    (key,) = kept(settings, portal)
    folder = settings.home / "files" / str(portal.tenant_id)
    assert key.startswith("uploads/")
    assert "prices" not in key
    assert (folder / key).read_bytes() == PDF
    assert (settings.home / "files").stat().st_mode & 0o077 == 0


async def test_an_upload_is_sent_once(stan: Client, http: httpx.AsyncClient) -> None:
    upload = (await announce(stan))["upload"]
    first, second = await asyncio.gather(send(http, upload), send(http, upload))
    assert sorted([first.status_code, second.status_code]) == [204, 409]
    other = b"%PDF-1.7\n" + b"another list\n" * 20
    assert await told(await send(http, upload, other)) == (409, "UPLOAD_USED")
    found = (await stan.ask(UPLOAD, id=upload["id"]))["node"]
    assert found["sha256"] == hashlib.sha256(PDF).hexdigest()


@pytest.mark.parametrize(
    ("given", "content", "refusal"),
    [
        ({"size": 100}, PDF, (422, "UPLOAD_SIZE_WRONG")),
        ({"size": 1_000}, PDF, (422, "UPLOAD_SIZE_WRONG")),
        ({}, b"", (422, "UPLOAD_SIZE_WRONG")),
        ({"size": len(HTML)}, HTML, (415, "UPLOAD_CONTENT_WRONG")),
        ({"size": len(SVG)}, SVG, (415, "UPLOAD_CONTENT_WRONG")),
        (
            {"size": len(SVG), "mediaType": "image/png", "name": "a.png"},
            SVG,
            (415, "UPLOAD_CONTENT_WRONG"),
        ),
        (
            {"size": len(HTML), "mediaType": "text/plain", "name": "a.txt"},
            HTML,
            (415, "UPLOAD_CONTENT_WRONG"),
        ),
        ({"sha256": "0" * 64}, PDF, (422, "UPLOAD_CHECKSUM_WRONG")),
    ],
)
async def test_what_is_not_what_was_announced_is_refused_and_thrown_away(
    given: dict[str, Any],
    content: bytes,
    refusal: tuple[int, str],
    portal: Portal,
    stan: Client,
    settings: Settings,
    http: httpx.AsyncClient,
) -> None:
    upload = (await announce(stan, **given))["upload"]
    assert await told(await send(http, upload, content)) == refusal
    assert kept(settings, portal) == []
    assert await state(stan, upload["id"]) is None
    assert await told(await send(http, upload)) == (404, "UPLOAD_UNKNOWN")
    async with portal.writing() as connection:
        assert await connection.fetch_text("select from uploads") == []


async def test_no_more_than_was_announced_is_read(
    stan: Client, portal: Portal, settings: Settings, http: httpx.AsyncClient
) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        yield PDF
        while True:
            read += 64 * 1024
            assert read < 1_000_000
            yield bytes(64 * 1024)

    upload = (await announce(stan))["upload"]
    response = await http.put(upload["request"]["url"], content=endless())
    assert await told(response) == (422, "UPLOAD_SIZE_WRONG")
    assert kept(settings, portal) == []


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        ({"mediaType": "text/html", "name": "a.html"}, [("MEDIA_TYPE_REFUSED", ["mediaType"])]),
        ({"mediaType": "image/svg+xml", "name": "a.svg"}, [("MEDIA_TYPE_REFUSED", ["mediaType"])]),
        ({"name": "a.html"}, [("FILE_NAME_UNFIT", ["name"])]),
        ({"name": "../../a.pdf"}, [("FILE_NAME_INVALID", ["name"])]),
        ({"size": 50_000_001}, [("UPLOAD_TOO_LARGE", ["size"])]),
        ({"size": 0, "sha256": "x"}, [("UPLOAD_TOO_LARGE", ["size"]), ("INVALID_INPUT", ["sha256"])]),
    ],
)
async def test_what_cannot_be_taken_is_refused_when_it_is_announced(
    given: dict[str, Any], errors: list[tuple[str, list[str]]], stan: Client
) -> None:
    answer = await announce(stan, **given)
    assert answer["upload"] is None
    assert [(each["code"], each["path"]) for each in answer["errors"]] == errors


async def test_a_request_that_has_expired_or_was_changed_sends_nothing(
    portal: Portal, stan: Client, settings: Settings, http: httpx.AsyncClient
) -> None:
    upload = (await announce(stan))["upload"]
    late = resigned(settings, portal, upload, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert await told(await send(http, late)) == (410, "UPLOAD_EXPIRED")
    url = upload["request"]["url"]
    for changed in (url[:-1] + ("A" if url[-1] != "A" else "B"), url + "A", url[:-4], f"{url[:40]}/x"):
        response = await send(http, at_address(upload, changed))
        assert response.status_code == 404
    download = (await share(stan))["download"]["url"].rpartition("/")[2]
    mixed = at_address(upload, url.rpartition("/")[0] + f"/{download}")
    assert await told(await send(http, mixed)) == (404, "UPLOAD_UNKNOWN")
    async with portal.writing() as connection:
        await connection.fetch_text("update uploads set announced_at = now() - interval '11 minutes'")
    assert (await stan.ask(UPLOAD, id=upload["id"]))["node"]["request"] is None


async def test_a_session_that_has_ended_and_one_that_only_looks_send_nothing(
    portal: Portal, stan: Client, http: httpx.AsyncClient
) -> None:
    upload = (await announce(stan))["upload"]
    await stan.ask("mutation { signOut { errors { code } } }")
    assert await told(await send(http, upload)) == (403, "UNAUTHENTICATED")


async def test_a_right_that_was_taken_sends_nothing(portal: Portal, at: At, http: httpx.AsyncClient) -> None:
    upload = (await announce(await at(portal).sign_in("bea")))["upload"]
    async with portal.writing() as connection:
        await connection.fetch_text(
            "update access_groups set profile_id = (select id from profiles where built_in = 'VIEWER')"
        )
    assert await told(await send(http, upload)) == (403, "MISSING_PERMISSION")


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_only_put_sends(method: str, stan: Client, http: httpx.AsyncClient) -> None:
    upload = (await announce(stan))["upload"]
    response = await http.request(method, upload["request"]["url"])
    assert await told(response) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == "PUT"


async def test_the_same_key_announces_once(stan: Client) -> None:
    first, second = [await announce(stan, idempotencyKey="k") for _ in range(2)]
    assert first["upload"]["id"] == second["upload"]["id"]
    assert (await announce(stan, idempotencyKey="k", size=9))["errors"][0]["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_somebody_has_so_many_open_and_the_next_day_others(portal: Portal, stan: Client) -> None:
    for _ in range(rule.MOST_UNUSED):
        assert (await announce(stan))["errors"] == []
    assert (await announce(stan))["errors"][0]["code"] == "TOO_MANY_UPLOADS"
    async with portal.writing() as connection:
        await connection.fetch_text("update uploads set announced_at = now() - interval '25 hours'")
    assert (await announce(stan))["errors"] == []


async def test_what_nobody_used_is_swept_with_its_bytes_and_what_was_used_stays(
    portal: Portal, stan: Client, settings: Settings
) -> None:
    used = await share(stan)
    left, awaited = await uploaded(stan), (await announce(stan))["upload"]["id"]
    async with portal.writing() as connection:
        await connection.fetch_text("update uploads set announced_at = now() - interval '25 hours'")
    assert len(kept(settings, portal)) == 2
    fresh = await uploaded(stan)
    assert [await state(stan, each) for each in (left, awaited, fresh)] == [None, None, "READY"]
    assert len(kept(settings, portal)) == 2
    assert (await stan.http.get(used["download"]["url"])).content == PDF


async def test_a_sender_who_goes_leaves_nothing(
    portal: Portal, stan: Client, settings: Settings, world: World
) -> None:
    upload = (await announce(stan, size=1_000_000))["upload"]
    app = create(settings, world.database, world.passwords)
    url = upload["request"]["url"]
    scope = {
        "type": "http", "method": "PUT", "path": url, "raw_path": url.encode(), "query_string": b"",
        "root_path": "", "headers": [(b"host", b"kontor.test")], "client": ("127.0.0.1", 1),
        "server": ("kontor.test", 80), "scheme": "http", "http_version": "1.1",
    }  # fmt: skip
    messages = [{"type": "http.request", "body": PDF, "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return messages.pop(0)

    async def sent(_message: Any) -> None: ...

    await app(scope, receive, sent)
    assert kept(settings, portal) == []
    assert await state(stan, upload["id"]) is None


async def test_a_sender_who_is_too_slow_is_ended_and_holds_no_connection(
    portal: Portal, stan: Client, settings: Settings, database_url: str, world: World
) -> None:
    database = await db.connections.Database.open(database_url, size=1)
    hasty = settings.model_copy(update={"transfer_deadline_seconds": 1})
    app = create(hasty, database, world.passwords)
    upload = (await announce(stan))["upload"]
    arriving = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield PDF[:50]
        arriving.set()
        await asyncio.sleep(5)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kontor.test") as http:
        sending = asyncio.ensure_future(http.put(upload["request"]["url"], content=slowly()))
        await asyncio.wait_for(arriving.wait(), 5)
        elsewhere = Client(http, portal.slug, stan.token)
        assert await state(elsewhere, upload["id"]) == "ARRIVING"
        assert await told(await sending) == (408, "REQUEST_TIMEOUT")
    await database.close()
    assert kept(settings, portal) == []


async def test_a_session_sends_so_much_at_once(stan: Client, http: httpx.AsyncClient) -> None:
    go, arriving = asyncio.Event(), asyncio.Queue[None]()

    async def slowly() -> AsyncIterator[bytes]:
        arriving.put_nowait(None)
        await go.wait()
        yield PDF

    each = [(await announce(stan))["upload"] for _ in range(rule.MOST_AT_ONCE + 1)]
    sending = [asyncio.ensure_future(http.put(one["request"]["url"], content=slowly())) for one in each[:-1]]
    for _ in sending:
        await asyncio.wait_for(arriving.get(), 5)
    response = await send(http, each[-1])
    assert await told(response) == (429, "TOO_MANY_ARRIVING")
    assert response.headers["retry-after"]
    go.set()
    assert [(await one).status_code for one in sending] == [204] * rule.MOST_AT_ONCE
    assert (await send(http, each[-1])).status_code == 204


async def test_a_folder_that_cannot_be_written_to_is_a_clean_error_and_loses_nothing(
    portal: Portal, stan: Client, settings: Settings, world: World, tmp_path: Path
) -> None:
    folder = tmp_path / "files"
    storage = Storage.in_folder(folder)
    app = create(settings, world.database, world.passwords, storage)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kontor.test") as http:
        here = Client(http, portal.slug, stan.token)
        shared = await share(here)
        upload = (await announce(here))["upload"]
        moved = folder.rename(tmp_path / "gone")
        folder.write_text("no folder")
        assert await told(await send(http, upload)) == (503, "STORAGE_UNAVAILABLE")
        assert await state(here, upload["id"]) == "AWAITED"
        assert await told(await http.get(shared["download"]["url"])) == (503, "STORAGE_UNAVAILABLE")
        folder.unlink()
        moved.rename(folder)
        assert (await send(http, upload)).status_code == 204
        assert (await http.get(shared["download"]["url"])).content == PDF
