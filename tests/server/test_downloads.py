"""Downloads, over HTTP: who gets the file of a signed link, and what is in it."""

import asyncio
import csv
import io
import re
import time
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import httpx
import pytest
from starlette.types import ASGIApp, Message

import db
from db.connections import Database
from rules import downloads as rule
from rules.broken import Language
from rules.downloads import DownloadFormat
from server.app import create
from server.downloads import disposition
from server.settings import Settings
from server.spreadsheets import KINDS, write_csv
from tenants.downloads import Link, Sheet, read, signed
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_order_statements import line, statement
from tests.server.live import becomes
from tests.world import Portal, World

LINK = """query($filter: OrderStatementFilter, $format: DownloadFormat!) {
  orderStatement(filter: $filter) { download(format: $format) { url expiresAt } } }"""
FORMATS = [each.value for each in DownloadFormat]
HOSTILE = '=HYPERLINK("http://evil.example"), "or not"'


async def link(client: Client, format: str = "CSV", **filter: Any) -> str:
    found = await client.ask(LINK, filter=filter, format=format)
    url: str = found["orderStatement"]["download"]["url"]
    return url


async def refusal(http: httpx.AsyncClient, url: str, **more: Any) -> tuple[int, str]:
    response = await http.get(url, **more)
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    (error,) = response.json()["errors"]
    return response.status_code, error["extensions"]["code"]


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


NAMES = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def book(content: bytes) -> dict[str, list[list[Any]]]:
    """The sheets of a workbook by name: texts as str, numbers as Decimal."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        names = ElementTree.fromstring(file.read("xl/workbook.xml")).findall(".//s:sheet", NAMES)
        return {
            each.attrib["name"]: cells(file.read(f"xl/worksheets/sheet{number}.xml"))
            for number, each in enumerate(names, start=1)
        }


def cells(sheet: bytes) -> list[list[Any]]:
    root = ElementTree.fromstring(sheet)
    assert root.find(".//s:pane[@state='frozen']", NAMES) is not None
    assert root.findall(".//s:f", NAMES) == [], "no cell is a formula"
    return [[value(each) for each in row.findall("s:c", NAMES)] for row in root.findall(".//s:row", NAMES)]


def value(cell: ElementTree.Element) -> Any:
    if cell.attrib.get("t") == "inlineStr":
        return "".join(each.text or "" for each in cell.iter(f"{{{NAMES['s']}}}t"))
    return Decimal(cell.findtext("s:v", namespaces=NAMES) or "0")


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.account("bea")
    await portal.account("cleo", customer="C2")
    await portal.staff_member("stan")
    order_id = await portal.order("SO-1", skus=("A",))
    await line(portal, order_id, 2, "-OIL", "2.500", shipped="0.5", unit="l", price="3.5", name=HOSTILE)
    await portal.order("SO-2", skus=("A",))
    await portal.order("TO-3", customer="C2", skus=("A",))
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


def resigned(settings: Settings, portal: Portal, url: str, **changes: Any) -> str:
    """The same link with something else in it, as only the server could sign it."""
    start, _, text = url.rpartition("/")
    whole: Link = read(settings.cursor_key, text, portal.tenant_id, now=datetime.now(UTC))
    return f"{start}/{signed(settings.cursor_key, replace(whole, **changes))}"


async def test_a_link_of_another_tenant_is_unknown(
    world: World, portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    sister = await world.portal(supplier=portal.slug)
    url = (await link(bea)).replace(portal.slug, sister.slug)
    assert await refusal(http, url) == (404, "DOWNLOAD_UNKNOWN")
    assert await refusal(http, url.replace(sister.slug, "nobody")) == (404, "PORTAL_NOT_FOUND")


async def test_a_session_of_another_tenant_is_none_even_in_a_signed_link(
    world: World, portal: Portal, bea: Client, http: httpx.AsyncClient, settings: Settings
) -> None:
    sister = await world.portal(supplier=portal.slug)
    url = resigned(settings, portal, await link(bea), tenant_id=sister.tenant_id)
    assert await refusal(http, url.replace(portal.slug, sister.slug)) == (403, "UNAUTHENTICATED")


@pytest.mark.parametrize("format", FORMATS)
async def test_a_link_shows_what_its_own_asker_may_see_and_nothing_of_other_customers(
    format: str, portal: Portal, bea: Client, at: At, http: httpx.AsyncClient
) -> None:
    cleo = await at(portal).sign_in("cleo")
    contents = {}
    for name, client in (("bea", bea), ("cleo", cleo)):
        content = (await http.get(await link(client, format))).content
        if format == "CSV":
            contents[name] = {each["Order"] for each in table(content)}
        else:
            contents[name] = {row[0] for row in book(content)["Lines"][1:]}
    assert contents == {"bea": {"SO-1", "SO-2"}, "cleo": {"TO-3"}}


async def test_a_filter_of_another_customer_finds_nothing(
    portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    for asked in ({"number": "TO-3"}, {"sku": "none"}):
        content = (await http.get(await link(bea, **asked))).content
        assert table(content) == []
        assert content.startswith("\ufeffOrder,".encode())


async def test_a_changed_link_is_unknown(bea: Client, http: httpx.AsyncClient) -> None:
    url = await link(bea)
    start = url.rindex("/") + 1
    for place in range(start, len(url), 7):
        other = "A" if url[place] != "A" else "B"
        assert await refusal(http, url[:place] + other + url[place + 1 :]) == (404, "DOWNLOAD_UNKNOWN")


async def test_a_link_to_a_report_that_is_no_more_is_unknown(
    portal: Portal, bea: Client, http: httpx.AsyncClient, settings: Settings
) -> None:
    url = resigned(settings, portal, await link(bea), report="gone")
    assert await refusal(http, url) == (404, "DOWNLOAD_UNKNOWN")


async def test_a_link_is_good_for_five_minutes(
    portal: Portal, bea: Client, http: httpx.AsyncClient, settings: Settings
) -> None:
    found = (await bea.ask(LINK, format="CSV"))["orderStatement"]["download"]
    left = datetime.fromisoformat(found["expiresAt"]) - datetime.now(UTC)
    assert timedelta(minutes=4, seconds=50) < left <= timedelta(minutes=5)
    past = datetime.now(UTC) - timedelta(seconds=1)
    url = resigned(settings, portal, found["url"], expires_at=past)
    assert await refusal(http, url) == (410, "DOWNLOAD_EXPIRED")


Ends = Callable[[Portal, Client], Awaitable[Any]]


async def _ask(client: Client, mutation: str) -> None:
    await client.ask(f"mutation {{ {mutation} {{ errors {{ code }} }} }}")


ENDS: dict[str, tuple[Ends, tuple[int, str]]] = {
    "the session was ended": (lambda _, bea: _ask(bea, "signOut"), (403, "UNAUTHENTICATED")),
    "the portal was switched off": (
        lambda portal, _: portal.switch(is_open=False),
        (403, "UNAUTHENTICATED"),
    ),
    "the account was deactivated": (
        lambda portal, _: sql(portal, "update accounts set active = false"),
        (403, "UNAUTHENTICATED"),
    ),
    "the right was taken": (
        lambda portal, _: sql(portal, "delete from access_group_members"),
        (403, "MISSING_PERMISSION"),
    ),
}


async def sql(portal: Portal, text: str) -> None:
    async with portal.writing() as connection:
        await connection.fetch_text(text)


@pytest.mark.parametrize("name", ENDS)
async def test_a_link_gives_nothing_after(
    name: str, portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    end, expected = ENDS[name]
    url = await link(bea)
    assert (await http.get(url)).status_code == 200
    await end(portal, bea)
    assert await refusal(http, url) == expected


async def test_a_refusal_is_in_the_language_of_whoever_asks(http: httpx.AsyncClient, portal: Portal) -> None:
    url = f"/portals/{portal.slug}/downloads/none"
    response = await http.get(url, headers={"accept-language": "de-AT"})
    assert response.json()["errors"][0]["message"] == rule.DownloadUnknown.german


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE"])
async def test_a_link_can_only_be_followed(method: str, bea: Client, http: httpx.AsyncClient) -> None:
    response = await http.request(method, await link(bea))
    assert (response.status_code, response.headers["allow"]) == (405, "GET")


async def test_a_link_works_at_the_portals_own_host_too(
    portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    url = await link(bea)
    host = {"host": f"{portal.slug}.localhost"}
    short = url.removeprefix(f"/portals/{portal.slug}")
    assert (await http.get(short, headers=host)).content == (await http.get(url)).content
    assert await refusal(http, short) == (404, "PORTAL_NOT_FOUND")


@pytest.mark.parametrize(
    ("format", "media_type"),
    [
        ("CSV", "text/csv; charset=utf-8; header=present"),
        ("XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
async def test_a_file_says_what_it_is_and_what_it_is_called(
    format: str, media_type: str, portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    await sql(portal, "update portals set name = 'Nordlicht Großhandel \"€\"'")
    bea.headers["accept-language"] = "de"
    response = await http.get(await link(bea, format))
    assert response.headers["content-type"] == media_type
    day, ending = datetime.now(UTC).date(), format.lower()
    full = quote(f"Bestellungsnachweis Nordlicht Großhandel _€_ {day}.{ending}", safe="")
    assert response.headers["content-disposition"] == (
        f"attachment; filename=\"Bestellungsnachweis Nordlicht Grosshandel __ {day}.{ending}\"; filename*=UTF-8''{full}"
    )
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-length"] == str(len(response.content))


def test_no_name_breaks_out_of_its_header() -> None:
    name = 'a"b\\c\r\nset-cookie: x/../%41\uff02; filename=\uff02x\uff3c\uff0f\uff05\u226e.csv'
    header = disposition(name)
    assert re.fullmatch(r"attachment; filename=\"[^\"\\\r\n/%]+\"; filename\*=UTF-8''[\w.%~-]+", header)


async def test_a_csv_file_says_the_same_as_the_statement(bea: Client, http: httpx.AsyncClient) -> None:
    content = (await http.get(await link(bea))).content
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == 4
    rows = table(content)
    assert rows[1] == {
        "Order": "SO-1",
        "Placed at (UTC)": "2026-03-01T12:00:00Z",
        "Purchase order no.": "",
        "Line": "2",
        "SKU": "'-OIL",
        "Name": f"'{HOSTILE}",
        "Unit": "l",
        "Ordered": "2.5",
        "Shipped": "0.5",
        "Outstanding": "2",
        "Unit price": "3.50",
        "Outstanding amount": "7.00",
        "Currency": "GBP",
        "Tax included": "no",
    }
    told = await statement(bea)
    assert [(each["Order"], each["Outstanding"]) for each in rows] == [
        (order["number"], each["outstanding"]) for order in told["orders"]["nodes"] for each in order["lines"]
    ]


async def test_a_workbook_says_the_same_as_the_statement(bea: Client, http: httpx.AsyncClient) -> None:
    sheets = book((await http.get(await link(bea, "XLSX"))).content)
    told = await statement(bea)
    assert list(sheets) == ["Lines", "Products", "Totals"]
    assert len(sheets["Lines"]) == 1 + told["lineCount"]
    moment = Decimal(46082) + Decimal("0.5")  # 2026-03-01 12:00, in days since 1899-12-30
    assert sheets["Lines"][2] == [
        *("SO-1", moment, 2, "-OIL", HOSTILE, "l"),
        *(Decimal("2.5"), Decimal("0.5"), 2, Decimal("3.5"), 7, "GBP", "no"),
    ]
    assert sheets["Products"][1:] == [
        [each["sku"], each["name"], each["unit"]]
        + [Decimal(each[name]) for name in ("ordered", "shipped", "outstanding", "orderCount")]
        for each in told["products"]["nodes"]
    ]
    amounts = told["outstandingAmounts"][0]["amount"]
    assert sheets["Totals"][1:] == [
        [each["unit"], *(Decimal(each[name]) for name in ("ordered", "shipped", "outstanding"))]
        for each in told["totals"]
    ] + [[Decimal(amounts["amount"]), amounts["currency"], "no"]]


async def test_a_file_is_in_the_language_of_whoever_asked_for_the_link(
    bea: Client, http: httpx.AsyncClient
) -> None:
    bea.headers["accept-language"] = "de"
    sheets = book((await http.get(await link(bea, "XLSX"), headers={"accept-language": "en"})).content)
    assert list(sheets) == ["Positionen", "Artikel", "Summen"]
    assert sheets["Positionen"][0][:2] == ["Auftrag", "Bestellt am (UTC)"]
    assert sheets["Positionen"][1][-1] == "nein"


async def test_staff_get_the_customers_in_it(portal: Portal, at: At, http: httpx.AsyncClient) -> None:
    stan = await at(portal).sign_in("stan")
    rows = table((await http.get(await link(stan))).content)
    assert {(each["Customer no."], each["Order"]) for each in rows} == {
        ("C1", "SO-1"),
        ("C1", "SO-2"),
        ("C2", "TO-3"),
    }


async def test_an_order_from_before_excels_time_is_a_text(
    portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    await portal.order("OLD", placed_at=datetime(1899, 3, 1, microsecond=5, tzinfo=UTC))
    rows = book((await http.get(await link(bea, "XLSX", number="OLD"))).content)["Lines"]
    assert rows[1][:2] == ["OLD", "1899-03-01T00:00:00Z"]


async def test_a_file_of_too_many_rows_is_refused_with_how_many(
    portal: Portal, bea: Client, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await link(bea)
    monkeypatch.setitem(rule.MOST_ROWS, DownloadFormat.CSV, 2)
    error = await bea.refusal(LINK, format="CSV")
    assert error["extensions"] == {"code": "DOWNLOAD_TOO_LARGE", "argument": ["filter"]}
    assert error["message"].startswith("These are 3 rows")
    assert await refusal(http, url) == (422, "DOWNLOAD_TOO_LARGE")


async def test_a_filter_that_no_address_has_room_for_is_refused(bea: Client) -> None:
    error = await bea.refusal(LINK, format="CSV", filter={"sku": "x" * 201})
    assert error["extensions"] == {"code": "TEXT_TOO_LONG", "argument": ["filter", "sku"]}


@pytest.fixture
async def small(world: World, settings: Settings, database_url: str) -> AsyncIterator[ASGIApp]:
    """The application with one connection to the database, which gives a request up after a second."""
    database = await Database.open(database_url, size=1)
    patient = settings.model_copy(update={"request_deadline_seconds": 1})
    yield create(patient, database, world.passwords)
    await database.close()


def scope(url: str) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "path": url,
        "raw_path": url.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"kontor.test")],
        "client": ("127.0.0.1", 1),
        "server": ("kontor.test", 80),
        "scheme": "http",
        "http_version": "1.1",
    }


async def never() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def test_a_slow_reader_holds_no_connection_and_ends_by_the_deadline(
    small: ASGIApp, portal: Portal, bea: Client
) -> None:
    await many(portal, 5_000)
    url = await link(bea, number="BIG")
    sent: list[Message] = []
    reading = asyncio.Event()

    async def slowly(message: Message) -> None:
        sent.append(message)
        if message.get("more_body"):
            reading.set()
            await asyncio.Event().wait()

    started = time.monotonic()
    following = asyncio.ensure_future(small(scope(url), never, slowly))
    await asyncio.wait_for(reading.wait(), 5)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(small), base_url="http://kontor.test") as http:
        elsewhere = Client(http, portal.slug, bea.token)
        assert (await elsewhere.ask("{ orderStatement { lineCount } }"))["orderStatement"][
            "lineCount"
        ] == 5_003
    assert not following.done()
    await asyncio.wait_for(following, 5)
    assert time.monotonic() - started < 3
    assert [each["type"] for each in sent] == ["http.response.start", "http.response.body"]
    assert len(sent[1]["body"]) == 64 * 1024


async def test_a_file_is_sent_in_small_chunks(small: ASGIApp, portal: Portal, bea: Client) -> None:
    await many(portal, 5_000)
    sent: list[int] = []

    async def noting(message: Message) -> None:
        sent.append(len(message.get("body", b"")))

    await small(scope(await link(bea, number="BIG")), never, noting)
    assert max(sent) == 64 * 1024
    assert len(sent) > 5


async def test_a_reader_who_has_gone_gets_no_file_made(small: ASGIApp, portal: Portal, bea: Client) -> None:
    await many(portal, 5_000)
    sent: list[Message] = []

    async def gone() -> Message:
        return {"type": "http.disconnect"}

    async def noting(message: Message) -> None:
        sent.append(message)

    await small(scope(await link(bea, "XLSX", number="BIG")), gone, noting)
    assert [each.get("status") for each in sent] == [400, None]


@dataclass
class Slow:
    """Files that are not made before `go` is set, and how many there were at once."""

    go: asyncio.Event
    now: int = 0
    most: int = 0

    async def write(self, folder: Path, sheets: Sequence[Sheet], language: Language) -> Path:
        self.now += 1
        self.most = max(self.most, self.now)
        await self.go.wait()
        path = await write_csv(folder, sheets, language)
        self.now -= 1
        return path


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    slow = Slow(asyncio.Event())
    kind = replace(KINDS[DownloadFormat.CSV], write=slow.write)
    monkeypatch.setitem(KINDS, DownloadFormat.CSV, kind)
    return slow


async def test_a_session_has_two_files_made_at_once_and_is_told_to_come_again(
    slow: Slow, portal: Portal, bea: Client, at: At, http: httpx.AsyncClient
) -> None:
    url = await link(bea)
    making = [asyncio.ensure_future(http.get(url)) for _ in range(2)]
    await becomes(lambda: slow.now == 2)
    refused = await http.get(url, headers={"accept-language": "de"})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
    assert refused.json()["errors"][0]["extensions"] == {"code": "TOO_MANY_DOWNLOADS"}
    other = asyncio.ensure_future(http.get(await link(await at(portal).sign_in("cleo"))))
    await becomes(lambda: slow.now == 3)
    slow.go.set()
    assert [(await each).status_code for each in (*making, other)] == [200, 200, 200]
    assert (await http.get(url)).status_code == 200


async def test_files_leave_two_thirds_of_the_connections_to_requests(
    slow: Slow, portal: Portal, bea: Client, at: At, http: httpx.AsyncClient
) -> None:
    sessions = [bea, *[await at(portal).sign_in("cleo") for _ in range(5)]]
    urls = [await link(each) for each in sessions]
    making = [asyncio.ensure_future(http.get(url)) for url in urls for _ in range(2)]
    await becomes(lambda: slow.now >= 3)
    assert (await bea.ask("{ orderStatement { lineCount } }"))["orderStatement"]["lineCount"] == 3
    slow.go.set()
    assert {(await each).status_code for each in making} == {200}
    assert slow.most == 3


async def test_a_reader_who_goes_gives_the_turn_back(
    slow: Slow, bea: Client, http: httpx.AsyncClient
) -> None:
    url = await link(bea)
    making = [asyncio.ensure_future(http.get(url)) for _ in range(2)]
    await becomes(lambda: slow.now == 2)
    for each in making:
        each.cancel()
    await asyncio.gather(*making, return_exceptions=True)
    slow.go.set()
    assert (await http.get(url)).status_code == 200


async def many(portal: Portal, lines: int) -> None:
    """Another order in progress of bea's with that many lines."""
    order_id = await portal.order("BIG", skus=())
    async with portal.writing() as connection:
        await connection.fetch_text(
            """insert into order_lines (tenant_id, order_id, position, sku, name, unit, quantity, unit_price, tax_rate,
            amount) select $1, $2, n, 'SKU-' || n % 100, 'Thing number ' || n, 'pcs', n, 1, 20, 1
            from generate_series(1, $3::integer) n""",
            portal.tenant_id,
            order_id,
            lines,
        )


@pytest.mark.parametrize(("format", "lines"), [("CSV", 50_000), ("XLSX", 10_000)])
async def test_a_large_file_is_never_in_memory_at_once(
    format: str,
    lines: int,
    portal: Portal,
    bea: Client,
    http: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await many(portal, lines)
    read_at_once: list[int] = []
    chunks = db.connections.Connection.chunks

    async def noting(self: Any, statement: Any, size: int, **values: Any) -> Any:
        async for chunk in chunks(self, statement, size, **values):
            read_at_once.append(len(chunk))
            yield chunk

    monkeypatch.setattr(db.connections.Connection, "chunks", noting)
    sent: list[int] = []
    async with http.stream("GET", await link(bea, format, number="BIG")) as response:
        assert response.status_code == 200
        content = b""
        async for part in response.aiter_raw():
            sent.append(len(part))
            content += part
    assert max(read_at_once) == 500
    assert sum(read_at_once) == lines + (0 if format == "CSV" else 100)
    rows = table(content) if format == "CSV" else book(content)["Lines"][1:]
    assert len(rows) == lines
    assert sum(sent) == len(content) == int(response.headers["content-length"])
