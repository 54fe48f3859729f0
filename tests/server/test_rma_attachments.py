"""Photos to requests to return goods: sent by customers, read by them and the staff, and by nobody else."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from db.connections import Database
from resolvers.nodes import global_id
from server.app import create
from server.settings import Settings
from tenants.downloads import read, signed
from tenants.storage import Storage
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.files import PDF, announce, uploaded
from tests.rma_requests import asked, done, one, refused, send
from tests.rules.test_logos import png
from tests.server.test_downloads import refusal
from tests.server.test_uploads import kept
from tests.world import Portal, World

CREATE, UPDATE, DELETE, SUBMIT = (f"rmaRequest{act}" for act in ("Create", "Update", "Delete", "Submit"))
UNKNOWN = (404, "DOWNLOAD_UNKNOWN")
PHOTO = png()
IMAGE = {"name": "crack.png", "mediaType": "image/png"}
NODE = "query($id: ID!) { node(id: $id) { id ... on Attachment { fileName download { url } } } }"


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.account("bea")
    await portal.account("ben")
    await portal.account("carl", customer="C2")
    await portal.staff_member("stan")
    return portal


@pytest.fixture
async def bill(portal: Portal) -> str:
    return global_id("Invoice", (await documents.invoice(portal, "IN-1", (documents.Sold("A", "10"),))).id)


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


async def photo(client: Client, name: str = "crack.png") -> str:
    return await uploaded(client, PHOTO, **(IMAGE | {"name": name}))


async def draft(client: Client, bill: str, *uploads: str, **given: Any) -> dict[str, Any]:
    return await done(
        client, CREATE, invoice=bill, lines=asked((1, "1", "broken")), attach=list(uploads), **given
    )


def names(request: dict[str, Any]) -> list[str]:
    return [each["fileName"] for each in request["attachments"]]


async def test_only_ones_own_uploads_are_attached_each_once(
    portal: Portal, bill: str, bea: Client, at: At
) -> None:
    theirs = await photo(await at(portal).sign_in("ben"))
    mine = await photo(bea)
    await draft(bea, bill, mine)
    waiting = (await announce(bea, PHOTO, **IMAGE))["upload"]["id"]
    new = {"invoice": bill, "lines": asked((1, "1", "broken"))}
    assert await refused(bea, CREATE, **new, attach=[theirs, "x"]) == [
        ("NOT_FOUND", ["attach", "0"]),
        ("NOT_FOUND", ["attach", "1"]),
    ]
    assert await refused(bea, CREATE, **new, attach=[mine, waiting]) == [
        ("UPLOAD_USED", ["attach", "0"]),
        ("UPLOAD_MISSING", ["attach", "1"]),
    ]
    again = await photo(bea)
    assert await refused(bea, CREATE, **new, attach=[again, again]) == [("INVALID_INPUT", ["attach"])]
    assert await refused(bea, CREATE, **new, attach=["x"] * 21) == [("LIST_TOO_LONG", ["attach"])]
    assert names(await draft(bea, bill, again)) == ["crack.png"]


async def test_another_customer_gets_nothing_of_it_even_by_a_link_that_is_signed(
    portal: Portal, bill: str, bea: Client, at: At, http: httpx.AsyncClient, settings: Settings
) -> None:
    carl = await at(portal).sign_in("carl")
    sent = await draft(bea, bill, await photo(bea), submit=True)
    (attachment,) = sent["attachments"]
    assert await carl.ask(NODE, id=attachment["id"]) == {"node": None}
    theirs = global_id("Invoice", (await documents.invoice(portal, "IN-2", customer="C2")).id)
    own = (await draft(carl, theirs, await photo(carl)))["attachments"][0]["download"]["url"]
    assert (await http.get(own)).content == PHOTO
    start, _, text = own.rpartition("/")
    whole = read(settings.cursor_key, text, portal.tenant_id, now=datetime.now(UTC))
    wanted = read(
        settings.cursor_key,
        attachment["download"]["url"].rpartition("/")[2],
        portal.tenant_id,
        now=datetime.now(UTC),
    ).filter
    forged = f"{start}/{signed(settings.cursor_key, replace(whole, filter=wanted))}"
    assert await refusal(http, forged) == UNKNOWN


async def test_the_staff_reads_what_came_with_a_request_from_when_it_was_submitted(
    portal: Portal, bill: str, bea: Client, at: At, http: httpx.AsyncClient
) -> None:
    stan = await at(portal).sign_in("stan")
    written = await draft(bea, bill, await photo(bea), await photo(bea, "label.png"))
    assert names(written) == ["crack.png", "label.png"]
    first = written["attachments"][0]
    assert (first["mediaType"], first["size"]) == ("image/png", len(PHOTO))
    assert first["sha256"] == hashlib.sha256(PHOTO).hexdigest()
    assert (await http.get(first["download"]["url"])).content == PHOTO
    assert await stan.ask(NODE, id=first["id"]) == {"node": None}
    await done(bea, SUBMIT, rmaRequest=written["id"])
    seen = await one(stan, id=written["id"])
    assert seen is not None
    assert names(seen) == ["crack.png", "label.png"]
    node = (await stan.ask(NODE, id=first["id"]))["node"]
    response = await http.get(node["download"]["url"])
    assert (response.content, response.headers["content-type"]) == (PHOTO, "image/png")


async def test_what_is_taken_away_is_gone_with_its_link_and_its_bytes(
    portal: Portal, bill: str, bea: Client, http: httpx.AsyncClient, settings: Settings
) -> None:
    written = await draft(bea, bill, await photo(bea), await photo(bea, "label.png"))
    this = {"rmaRequest": written["id"]}
    crack, label = written["attachments"]
    assert await refused(bea, UPDATE, **this, detach=[crack["id"], "x"]) == [("NOT_FOUND", ["detach", "1"])]
    third = await photo(bea, "box.png")
    changed = await done(bea, UPDATE, **this, detach=[crack["id"]], attach=[third], version=1)
    assert (names(changed), changed["version"]) == (["label.png", "box.png"], 2)
    assert await refusal(http, crack["download"]["url"]) == UNKNOWN
    assert (await http.get(label["download"]["url"])).content == PHOTO
    assert await refused(bea, UPDATE, **this, detach=[crack["id"]]) == [("NOT_FOUND", ["detach", "0"])]
    await photo(bea, "another.png")  # with it goes what is used no more
    assert len(kept(settings, portal)) == 3
    await send(bea, DELETE, **this)
    await photo(bea, "one more.png")
    assert len(kept(settings, portal)) == 2


async def test_a_request_has_twenty_files_at_most_those_that_are_there_counted(
    bill: str, bea: Client
) -> None:
    written = await draft(bea, bill, *[await photo(bea) for _ in range(15)])
    more = [await photo(bea) for _ in range(6)]
    this = {"rmaRequest": written["id"]}
    assert await refused(bea, UPDATE, **this, attach=more) == [("LIST_TOO_LONG", ["attach"])]
    assert len(names(await done(bea, UPDATE, **this, attach=more[:5]))) == 20
    other = await draft(bea, bill, more[5])
    foreign = other["attachments"][0]["id"]
    assert await refused(bea, UPDATE, **this, detach=[foreign]) == [("NOT_FOUND", ["detach", "0"])]


async def test_files_of_a_request_that_was_submitted_stay_as_they_are(bill: str, bea: Client) -> None:
    sent = await draft(bea, bill, await photo(bea), submit=True)
    this = {"rmaRequest": sent["id"]}
    submitted = [("RMA_REQUEST_SUBMITTED", ["rmaRequest"])]
    assert await refused(bea, UPDATE, **this, attach=[await photo(bea)]) == submitted
    assert await refused(bea, UPDATE, **this, detach=[sent["attachments"][0]["id"]]) == submitted
    assert names(await one(bea, id=sent["id"]) or {}) == ["crack.png"]


async def sign(key: str, seconds: int) -> str:
    return f"https://bucket.example/{key}?for={seconds}"


@pytest.fixture
async def bucket(
    portal: Portal, world: World, settings: Settings, database_url: str
) -> AsyncIterator[tuple[Storage, Client]]:
    """A storage to which customers send by themselves, and bea at a server that uses it."""
    database = await Database.open(database_url, size=1)
    storage = Storage.in_memory(sign)
    app = create(settings, database, world.passwords, storage)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kontor.test") as http:
        yield storage, await Client(http, portal.slug).sign_in("bea")
    await database.close()


async def put(storage: Storage, client: Client, content: bytes, number: int) -> str:
    """What a customer does with the signed address."""
    upload = (await announce(client, content, **(IMAGE | {"name": f"{number}.png"})))["upload"]
    key = upload["request"]["url"].removeprefix("https://bucket.example/").partition("?")[0]

    async def body() -> AsyncIterator[bytes]:
        yield content

    await storage.write(key, body())
    upload_id: str = upload["id"]
    return upload_id


async def test_however_many_lie_in_a_bucket_are_looked_at_and_attached_at_once(
    bill: str, bucket: tuple[Storage, Client]
) -> None:
    storage, bea = bucket
    photos = [await put(storage, bea, PHOTO, number) for number in range(7)]
    written = await draft(bea, bill, *photos, submit=True, idempotencyKey="once")
    assert (names(written), written["number"]) == ([f"{number}.png" for number in range(7)], "RM-000001")
    for each in written["attachments"]:
        assert (await bea.http.get(each["download"]["url"])).content == PHOTO
    assert (await draft(bea, bill, *photos, submit=True, idempotencyKey="once"))["id"] == written["id"]


async def test_all_in_a_bucket_that_are_not_what_was_announced_are_told_at_once_and_nothing_is_written(
    bill: str, bucket: tuple[Storage, Client]
) -> None:
    storage, bea = bucket
    wrong = PDF + b" " * (len(PHOTO) - len(PDF)) if len(PHOTO) > len(PDF) else PDF
    good = await put(storage, bea, PHOTO, 0)
    bad = [await put(storage, bea, wrong, number) for number in (1, 2)]
    new = {"invoice": bill, "lines": asked((1, "1", "broken")), "submit": True}
    assert await refused(bea, CREATE, **new, attach=[good, *bad]) == [
        ("UPLOAD_CONTENT_WRONG", ["attach", "1"]),
        ("UPLOAD_CONTENT_WRONG", ["attach", "2"]),
    ]
    written = await draft(bea, bill, good, submit=True)
    assert (written["number"], names(written)) == ("RM-000001", ["0.png"])
