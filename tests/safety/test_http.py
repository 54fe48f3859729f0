"""HTTP, lines 9 to 15: what is no operation is refused cleanly, what is too large in little memory, and nothing leaks.

What is not here is in tests/server: docs/safety.md names it.
"""

import asyncio
import contextlib
import gzip
import io
import json
import logging
import socket
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import structlog

import server.logs
import server.serving
from rules.permissions import BuiltInProfile, StaffRole
from server.callers import COOKIE
from server.settings import Settings
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_audit import Story
from tests.safety.asker import LAST, Asker
from tests.safety.places import places
from tests.server.live import Serving
from tests.tenants.test_isolation import settle
from tests.world import Portal, World

RESPONSE, JSON = "application/graphql-response+json", "application/json"
MOST = Settings.model_fields["max_body_bytes"].default
SLUG = "{ portal { slug } }"
MEGABYTE = 1_000_000


@contextlib.contextmanager
def memory() -> Iterator[None]:
    """The block takes no more memory than a few bodies of the largest size that is taken."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * MOST, f"{peak:,} bytes"


async def sent(live: Serving, slug: str, headers: dict[str, str], parts: Iterator[bytes]) -> tuple[int, Any]:
    """The status and body of what is answered to a request that is sent piece by piece on a socket of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
    told = {"host": "x", "content-type": JSON, "accept": RESPONSE} | headers
    lines = [f"POST /portals/{slug}/graphql HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())

    async def send() -> None:
        with contextlib.suppress(ConnectionError):  # the server need not read what it has refused
            for part in parts:
                writer.write(part)
                await writer.drain()

    sending = asyncio.create_task(send())
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)).decode()
    length = next(int(each.split(":")[1]) for each in head.split("\r\n") if each.startswith("content-length"))
    body = json.loads(await reader.readexactly(length))
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    writer.close()
    return int(head.split()[1]), body


def code(body: Any) -> str:
    assert "data" not in body
    found: str = body["errors"][0]["extensions"]["code"]
    return found


def chunked(parts: Iterator[bytes]) -> Iterator[bytes]:
    for part in parts:
        yield b"%x\r\n%b\r\n" % (len(part), part)
    yield b"0\r\n\r\n"


def spaces(total: int) -> Iterator[bytes]:
    """So many bytes, without ever holding more than a piece of them."""
    piece = b" " * 65_536
    for _ in range(total // len(piece)):
        yield piece
    yield piece[: total % len(piece)]


def sized(length: int) -> bytes:
    """An operation in so many bytes."""
    return b'{"query": "{ portal { slug } }"}'.ljust(length)


TOO_LARGE = (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("over", [0, 1])
@pytest.mark.parametrize("how", ["with its length", "chunked", "packed", "packed and chunked"])
async def test_one_byte_over_the_limit_is_413_and_the_limit_is_not(
    live: Serving, portal: Portal, how: str, over: int
) -> None:
    body = sized(MOST + over)
    if "packed" in how:
        body = gzip.compress(body)
    headers = {"content-encoding": "gzip"} if "packed" in how else {}
    pieces = iter([body[start : start + 10_000] for start in range(0, len(body), 10_000)])
    if "chunked" in how:
        headers, pieces = headers | {"transfer-encoding": "chunked"}, chunked(pieces)
    else:
        headers |= {"content-length": str(len(body))}
    status, answer = await sent(live, portal.slug, headers, pieces)
    if over:
        assert (status, code(answer)) == TOO_LARGE
    else:
        assert (status, answer["data"]) == (200, {"portal": {"slug": portal.slug}})


def test_what_takes_much_memory_is_seen() -> None:
    """Otherwise the tests below would prove nothing."""
    with pytest.raises(AssertionError, match="bytes"), memory():
        bytes(11 * MOST)


async def test_a_body_that_does_not_end_is_413_in_little_memory(live: Serving, portal: Portal) -> None:
    with memory():
        parts = chunked(spaces(64 * MEGABYTE))
        status, answer = await sent(live, portal.slug, {"transfer-encoding": "chunked"}, parts)
    assert (status, code(answer)) == TOO_LARGE


def bomb(becomes: int) -> bytes:
    """Less than a megabyte of gzip that becomes so many bytes."""
    packing = zlib.compressobj(9, wbits=31)
    parts = [packing.compress(part) for part in spaces(becomes)]
    return b"".join([packing.compress(b'{"query": "'), *parts, packing.flush()])


@pytest.mark.parametrize("becomes", [2 * MEGABYTE, 100 * MEGABYTE, 900 * MEGABYTE])
async def test_a_gzip_bomb_is_413_in_little_memory(live: Serving, portal: Portal, becomes: int) -> None:
    packed = bomb(becomes)
    assert len(packed) < MOST
    with memory():
        headers = {"content-encoding": "gzip", "content-length": str(len(packed))}
        status, answer = await sent(live, portal.slug, headers, iter([packed]))
    assert (status, code(answer)) == TOO_LARGE


@asynccontextmanager
async def served(settings: Settings, **changed: Any) -> AsyncIterator[int]:
    """The server as it is run, with all that uvicorn is told; its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = settings.model_copy(update={"port": port, "worker": False, **changed})
    listens, servers = asyncio.Event(), list[server.serving.Server]()

    class Kept(server.serving.Server):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            servers.append(self)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(server.serving, "Server", Kept)
        running = asyncio.create_task(server.serving.serve(own, ready=listens.set))
        await asyncio.wait_for(listens.wait(), 20)
        try:
            yield port
        finally:
            servers[0].should_exit = True
            await asyncio.wait_for(running, 20)


SPOOFED = "203.0.113.9"
HEADERS = {
    "x-forwarded-for": f"{SPOOFED}, 198.51.100.1",
    "x-real-ip": SPOOFED,
    "forwarded": f"for={SPOOFED}",
    "x-client-ip": SPOOFED,
    "true-client-ip": SPOOFED,
}
SIGN_IN = "mutation($input: SignInInput!) { signIn(input: $input) { token errors { code } } }"
WHERE = "{ portal { slug } sessions { current address } }"


@pytest.mark.parametrize(
    ("trusted", "believed"), [("", "127.0.0.1"), ("10.0.0.1", "127.0.0.1"), ("127.0.0.1", "198.51.100.1")]
)
async def test_an_address_is_believed_only_from_a_proxy_that_is_trusted_and_only_what_that_has_seen(
    settings: Settings, portal: Portal, trusted: str, believed: str
) -> None:
    async with served(settings, trusted_proxies=trusted) as port, httpx.AsyncClient() as http:
        url = f"http://127.0.0.1:{port}/portals/{portal.slug}/graphql"
        given = {"userName": "bea", "password": "correct horse battery"}
        asked = {"query": SIGN_IN, "variables": {"input": given}}
        token = (await http.post(url, json=asked, headers=HEADERS)).json()["data"]["signIn"]["token"]
        answer = await http.post(url, json={"query": WHERE}, headers={"authorization": f"Bearer {token}"})
        assert answer.json()["data"]["sessions"] == [{"current": True, "address": believed}]


async def test_a_host_says_which_portal_it_is_only_where_the_path_does_not(
    settings: Settings, world: World, portal: Portal, bea: Client
) -> None:
    other = await world.portal()
    async with served(settings) as port, httpx.AsyncClient() as http:
        spoofed = {
            "authorization": f"Bearer {bea.token}",
            "x-forwarded-host": f"{other.slug}.localhost",
            "x-tenant": str(other.tenant_id),
            "x-tenant-id": str(other.tenant_id),
            "x-portal": other.slug,
        }
        asked = {"query": "{ portal { slug } viewer { account { userName } } }"}
        bea_here = {"portal": {"slug": portal.slug}, "viewer": {"account": {"userName": "bea"}}}
        nobody_there = {"portal": {"slug": other.slug}, "viewer": None}
        for path, host, told in (
            (f"/portals/{portal.slug}/graphql", f"{other.slug}.localhost", bea_here),
            ("/graphql", f"{portal.slug}.localhost", bea_here),
            ("/graphql", f"{other.slug}.localhost", nobody_there),
        ):
            response = await http.post(
                f"http://127.0.0.1:{port}{path}", json=asked, headers=spoofed | {"host": host}
            )
            assert response.json()["data"] == told


ANSWERS: dict[str, tuple[int, str, str, dict[str, Any]]] = {
    "a query": (200, "POST", "graphql", {"json": {"query": SLUG}}),
    "an error": (200, "POST", "graphql", {"json": {"query": "{"}}),
    "a bad request": (400, "POST", "graphql", {"json": []}),
    "a mutation by GET": (405, "GET", "graphql?query=mutation{signOut{errors{code}}}", {}),
    "another method": (405, "PUT", "graphql", {}),
    "nothing that is liked": (406, "POST", "graphql", {"headers": {"accept": "image/png"}}),
    "a form": (415, "POST", "graphql", {"data": {"query": SLUG}}),
    "too much": (413, "POST", "graphql", {"content": b" " * (MOST + 1), "headers": {"content-type": JSON}}),
    "a forged cookie": (
        403,
        "POST",
        "graphql",
        {"json": {"query": SLUG}, "headers": {"cookie": f"{COOKIE}=x"}},
    ),
    "the page": (200, "GET", "graphql", {"headers": {"accept": "text/html"}}),
    "the schema": (200, "GET", "schema.graphql", {}),
    "a link that is none": (404, "GET", "downloads/x", {}),
    "an upload that is none": (404, "PUT", "uploads/x", {"content": b"x"}),
    "nothing at all": (404, "GET", "nothing", {}),
    "no portal": (404, "POST", "../nobody/graphql", {"json": {"query": SLUG}}),
    "health": (200, "GET", "../../healthz", {}),
    "readiness": (200, "GET", "../../readyz", {}),
    "figures": (200, "GET", "../../metrics", {}),
}


@pytest.mark.parametrize("what", ANSWERS)
async def test_no_answer_may_be_stored_on_the_way(live: Serving, portal: Portal, what: str) -> None:
    status, method, path, how = ANSWERS[what]
    url = httpx.URL(live.url(portal.slug)).join(path)
    async with httpx.AsyncClient() as http:
        response = await http.request(method, url, **how)
    assert (response.status_code, response.headers.get("cache-control")) == (status, "no-store")


LINK = "{ orderStatement { download(format: CSV) { url } } }"


async def test_a_link_names_no_session_and_is_not_stored(live: Serving, portal: Portal, bea: Client) -> None:
    url = (await bea.ask(LINK))["orderStatement"]["download"]["url"]
    assert str(bea.token) not in url
    async with httpx.AsyncClient() as http:
        response = await http.get(httpx.URL(live.url(portal.slug)).join(httpx.URL(url).path))
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    assert response.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "name", ["token", "access_token", "authorization", "Authorization", "bearer", COOKIE]
)
async def test_a_token_in_an_address_is_nobody(live: Serving, portal: Portal, bea: Client, name: str) -> None:
    for value in (str(bea.token), f"Bearer {bea.token}"):
        async with httpx.AsyncClient() as http:
            response = await http.get(
                live.url(portal.slug), params={"query": "{ viewer { permissions } }", name: value}
            )
        assert response.json()["data"] == {"viewer": None}


@pytest.mark.parametrize("form", ["console", "json"])
async def test_no_secret_is_in_the_log_whatever_is_done(
    world: World, at: At, settings: Settings, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    portal = await world.portal()
    await portal.product("A")
    await portal.product("B")
    await portal.account("bea", profile=BuiltInProfile.CUSTOMER)
    await portal.staff_member("olga", role=StaffRole.OWNER)
    written, before, handlers = io.StringIO(), structlog.get_config(), logging.getLogger().handlers[:]
    monkeypatch.setattr("sys.stderr", written)
    server.logs.configure(settings.model_copy(update={"log_format": form}))
    structlog.configure(cache_logger_on_first_use=False)
    story = Story(portal, at)
    try:
        await story.tell()
    finally:
        structlog.configure(**before)
        logging.getLogger().handlers[:] = handlers
    log = written.getvalue()
    assert log.count("operation") > 50
    assert len(story.secrets) > 10
    assert [secret for secret in story.secrets if secret in log] == []


# What stands for any value that a client may send in a place; some of it is right in some.
ODD: list[Any] = [
    None,
    True,
    -1,
    10**18,
    1e308,
    "",
    "x" * 5_000,
    "\u202e\ud7ff\U0010ffff",
    [],
    [[["x"]]],
    {},
    {"a": {"b": []}},
    "0000-00-00T00:00:00Z",
    "9" * 400,
]


@pytest.mark.usefixtures("many_tries")
async def test_no_value_in_any_place_of_the_schema_is_a_fault_of_ours(world: World, at: At) -> None:
    """Each place gets three of them, in turn; places of one type stand beside each other."""
    town = await settle(world)
    asker = Asker(town, at)
    for number, question in enumerate(sorted(places(), key=lambda each: each.field.startswith(LAST))):
        for turn in range(3):
            await asker.ask(question, ODD[(3 * number + turn) % len(ODD)])
