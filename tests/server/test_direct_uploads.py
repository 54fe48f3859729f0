"""Uploads that senders put into the storage themselves: looked at when they are used, and never the sender's again."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from db.connections import Database
from resolvers.nodes import parsed
from server.app import create
from server.settings import Settings
from tenants.storage import Storage, StorageUnavailable, kept_at, sent_to
from tests.client import Client
from tests.files import ALL, FILES, PDF, SHARE, UPLOAD, announce
from tests.world import Portal, World

HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"


async def sign(key: str, seconds: int) -> str:
    return f"https://bucket.example/{key}?for={seconds}"


@dataclass
class Shop:
    """A portal whose files are in a bucket, one database connection, and somebody of its staff."""

    portal: Portal
    storage: Storage
    stan: Client

    async def put(self, upload: dict[str, Any], content: bytes) -> None:
        """What a sender does with the signed address."""
        key = upload["request"]["url"].removeprefix("https://bucket.example/").partition("?")[0]

        async def body() -> AsyncIterator[bytes]:
            yield content

        await self.storage.write(key, body())

    async def share(self, upload_id: str, **more: Any) -> dict[str, Any]:
        given = {"upload": upload_id, "audience": ALL} | more
        answer: dict[str, Any] = (await self.stan.ask(SHARE, input=given))["fileShare"]
        return answer

    async def stored(self, upload_id: str) -> list[bool]:
        """Whether there is anything of an upload: sent, kept."""
        found = parsed(upload_id, "Upload")
        assert found is not None
        keys = [key(self.portal.tenant_id, found[1]) for key in (sent_to, kept_at)]
        return [await self.storage.read(key) is not None for key in keys]


@pytest.fixture
async def shop(world: World, settings: Settings, database_url: str) -> AsyncIterator[Shop]:
    portal = await world.portal()
    await portal.staff_member("stan")
    database = await Database.open(database_url, size=1)
    storage = Storage.in_memory(sign)
    app = create(settings, database, world.passwords, storage)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kontor.test") as http:
        yield Shop(portal, storage, await Client(http, portal.slug).sign_in("stan"))
    await database.close()


def codes(answer: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(each["code"], each["path"]) for each in answer["errors"]]


async def test_the_address_is_the_storages_own_below_the_tenant(shop: Shop) -> None:
    upload = (await announce(shop.stan, name="../x.pdf".removeprefix("../")))["upload"]
    url = upload["request"]["url"]
    assert url.startswith(f"https://bucket.example/{shop.portal.tenant_id}/incoming/")
    assert 590 <= int(url.rpartition("=")[2]) <= 600
    assert "x.pdf" not in url


async def test_what_was_put_there_is_shared_and_nobody_can_change_it_afterwards(shop: Shop) -> None:
    upload = (await announce(shop.stan))["upload"]
    await shop.put(upload, PDF)
    answer = await shop.share(upload["id"])
    assert answer["errors"] == []
    assert answer["file"]["sha256"] == hashlib.sha256(PDF).hexdigest()
    assert await shop.stored(upload["id"]) == [False, True]
    await shop.put(upload, HTML)  # the address is good for minutes
    (file,) = (await shop.stan.ask(FILES))["files"]["nodes"]
    assert (await shop.stan.http.get(file["download"]["url"])).content == PDF
    assert codes(await shop.share(upload["id"])) == [("UPLOAD_USED", ["upload"])]


async def test_nothing_is_shared_before_anything_was_put_there(shop: Shop) -> None:
    upload = (await announce(shop.stan))["upload"]
    assert codes(await shop.share(upload["id"], idempotencyKey="k")) == [("UPLOAD_MISSING", ["upload"])]
    await shop.put(upload, PDF)
    first = await shop.share(upload["id"], idempotencyKey="k")
    assert first["errors"] == []
    again = await shop.share(upload["id"], idempotencyKey="k")
    assert again["file"]["id"] == first["file"]["id"]


@pytest.mark.parametrize(
    ("content", "given", "code"),
    [
        (HTML, {"size": len(HTML)}, "UPLOAD_CONTENT_WRONG"),
        (PDF, {"size": 10}, "UPLOAD_SIZE_WRONG"),
        (PDF, {"size": 1_000}, "UPLOAD_SIZE_WRONG"),
        (PDF, {"sha256": "0" * 64}, "UPLOAD_CHECKSUM_WRONG"),
    ],
)
async def test_what_is_not_what_was_announced_is_refused_and_thrown_away(
    content: bytes, given: dict[str, Any], code: str, shop: Shop
) -> None:
    upload = (await announce(shop.stan, **given))["upload"]
    await shop.put(upload, content)
    assert codes(await shop.share(upload["id"], idempotencyKey="k")) == [(code, ["upload"])]
    assert await shop.stored(upload["id"]) == [False, False]
    assert (await shop.stan.ask(UPLOAD, id=upload["id"]))["node"] is None
    assert codes(await shop.share(upload["id"], idempotencyKey="k")) == [("NOT_FOUND", ["upload"])]


async def test_what_was_put_there_and_not_used_is_swept(shop: Shop) -> None:
    left = (await announce(shop.stan))["upload"]
    await shop.put(left, PDF)
    async with shop.portal.writing() as connection:
        await connection.fetch_text("update uploads set announced_at = now() - interval '25 hours'")
    fresh = (await announce(shop.stan))["upload"]
    await shop.put(fresh, PDF)
    assert (await shop.share(fresh["id"]))["errors"] == []
    assert await shop.stored(left["id"]) == [False, False]


async def test_looking_at_it_holds_no_connection(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = (await announce(shop.stan))["upload"]
    await shop.put(upload, PDF)
    reading, go = asyncio.Event(), asyncio.Event()
    read = shop.storage.read

    async def slowly(key: str) -> Any:
        reading.set()
        await go.wait()
        return await read(key)

    monkeypatch.setattr(shop.storage, "read", slowly)
    sharing = asyncio.ensure_future(shop.share(upload["id"]))
    await asyncio.wait_for(reading.wait(), 5)
    assert (await shop.stan.ask("{ files { totalCount } }"))["files"]["totalCount"] == 0
    go.set()
    assert (await sharing)["errors"] == []


async def test_a_storage_that_cannot_be_reached_is_told_and_nothing_is_lost(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = (await announce(shop.stan))["upload"]
    await shop.put(upload, PDF)
    given = {"upload": upload["id"], "audience": ALL}

    async def unreachable(_key: str, _chunks: Any) -> None:
        raise StorageUnavailable("no route")

    with monkeypatch.context() as patched:
        patched.setattr(shop.storage, "write", unreachable)
        response = await shop.stan.post(SHARE, {"input": given})
    (error,) = response.json()["errors"]
    assert (response.status_code, error["extensions"]["code"]) == (503, "STORAGE_UNAVAILABLE")
    assert (await shop.share(upload["id"]))["errors"] == []
