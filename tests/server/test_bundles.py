"""Many documents in one ZIP: whose, how many, and what is told of those that are not in it."""

import asyncio
import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

import db
from resolvers.nodes import global_id
from rules import prints
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from server import printing
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.server.test_document_prints import MANY, bundle, bundle_link, link, one_of_each
from tests.server.test_prints import HOSTILE, lines
from tests.world import Portal, World

CHOSEN = """query($ids: [ID!], $filter: SupplierDocumentFilter) {
  supplierDocumentsDownload(ids: $ids, filter: $filter) { url } }"""


async def chosen(client: Client, **filter: Any) -> str:
    url: str = (await client.ask(CHOSEN, filter=filter))["supplierDocumentsDownload"]["url"]
    return url


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.account("bea")
    await portal.account("cleo", customer="C2")
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


async def test_many_documents_come_in_one_file(portal: Portal, bea: Client, http: httpx.AsyncClient) -> None:
    keys = await one_of_each(portal)
    url = await bundle_link(bea, *(global_id(kind, key) for kind, key in keys.items()))
    found = await bundle(http, url)
    assert sorted(found) == sorted(
        [
            "Credit note credit-1.pdf",
            "Delivery note GI-1.pdf",
            "Goods return return-1.pdf",
            "Invoice invoice-1.pdf",
            "Quotation QU-1.pdf",
            "Reconciliation statement statement-1.pdf",
            "Tax invoice tax-1.pdf",
        ]
    )
    assert all(name.removesuffix(".pdf") in page for name, page in found.items())
    bea.headers["accept-language"] = "de"
    response = await http.get(await bundle_link(bea, global_id("Invoice", keys["Invoice"])))
    day = datetime.now(UTC).date()
    assert f'filename="Dokumente {day}.zip"' in response.headers["content-disposition"]


async def test_nobody_gets_others_documents_in_a_bundle(
    portal: Portal, bea: Client, at: At, http: httpx.AsyncClient
) -> None:
    keys = await one_of_each(portal)
    theirs = global_id("Quotation", await portal.quotation("QU-9", customer="C2"))
    own = global_id("Invoice", keys["Invoice"])
    told = (
        await bea.post(MANY, {"ids": [own, theirs, "nonsense", global_id("Quotation", keys["Invoice"])]})
    ).json()
    assert [(each["extensions"]["code"], each["extensions"]["argument"]) for each in told["errors"]] == [
        ("NOT_FOUND", ["ids", "1"]),
        ("NOT_FOUND", ["ids", "2"]),
        ("NOT_FOUND", ["ids", "3"]),
    ]
    assert (await at(portal).refusal(MANY, ids=[own]))["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_bundle_has_one_to_two_hundred_documents(
    portal: Portal, bea: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place, nothing in (("ids", []), ("filter", {})):
        assert (await bea.refusal(CHOSEN, **{place: nothing}))["extensions"] == {
            "code": "NOTHING_TO_PRINT",
            "argument": [place],
        }
    too_many = await bea.refusal(CHOSEN, ids=[global_id("Invoice", UUID(int=n)) for n in range(201)])
    assert too_many["extensions"] == {"code": "TOO_MANY_PRINTS", "argument": ["ids"]}
    for number in range(4):
        await portal.quotation(f"QU-{number}")
    monkeypatch.setattr(prints, "MOST_DOCUMENTS", 3)
    told = await bea.refusal(CHOSEN, filter={"kinds": ["QUOTATION"]})
    assert told["extensions"] == {"code": "TOO_MANY_PRINTS", "argument": ["filter"]}
    assert told["message"].startswith("These are 4 documents; at most ")


async def test_documents_are_named_or_filtered_and_not_both(bea: Client) -> None:
    for error in (await bea.refusal(CHOSEN), await bea.refusal(CHOSEN, ids=[], filter={})):
        assert error["extensions"] == {"code": "INVALID_INPUT", "argument": ["ids"]}


async def test_what_passes_a_filter_comes_in_one_file_newest_first(
    portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    await one_of_each(portal)
    await portal.quotation("QU-9", customer="C2")
    await documents.invoice(portal, "late", issued_at=datetime(2026, 5, 1, tzinfo=UTC))
    found = await bundle(http, await chosen(bea, kinds=["INVOICE", "CREDIT_NOTE"], to="2026-05-01"))
    assert list(found) == ["Invoice late.pdf", "Credit note credit-1.pdf", "Invoice invoice-1.pdf"]
    error = await bea.refusal(CHOSEN, filter={"number": "QU-9"})
    assert error["extensions"]["code"] == "NOTHING_TO_PRINT"


async def test_a_filtered_bundle_has_what_may_be_seen_when_it_is_fetched(
    portal: Portal, at: At, http: httpx.AsyncClient
) -> None:
    await one_of_each(portal)
    await portal.enforce(RestrictionKind.DOCUMENT_KIND)
    group = await portal.group("Doras", await portal.account("dora", profile=None))
    dora = await at(portal).sign_in("dora")
    url = await chosen(dora, kinds=["INVOICE", "CREDIT_NOTE"])
    await documents.invoice(portal, "later")
    async with portal.writing() as connection:
        modes = Modes(document_kind=RestrictionMode.ALLOW_EXCEPT)
        await db.access_groups.restrict(
            connection, group, modes, {RestrictionKind.DOCUMENT_KIND: ["CREDIT_NOTE"]}
        )
    assert sorted(await bundle(http, url)) == ["Invoice invoice-1.pdf", "NOT INCLUDED.txt"]
    assert (await dora.refusal(CHOSEN, filter={"kinds": ["CREDIT_NOTE"]}))["extensions"]["code"] == (
        "NOTHING_TO_PRINT"
    )


async def test_two_hundred_documents_fit_into_an_address_and_into_the_time(
    portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    keys = [await portal.quotation(f"QU-{number}") for number in range(prints.MOST_DOCUMENTS)]
    url = await bundle_link(bea, *(global_id("Quotation", key) for key in keys))
    assert len(url) < 8_000
    response = await http.get(url)
    assert response.status_code == 200
    with zipfile.ZipFile(io.BytesIO(response.content)) as file:
        assert file.namelist() == [f"Quotation QU-{number}.pdf" for number in range(prints.MOST_DOCUMENTS)]


async def test_what_cannot_be_printed_is_told_of_and_the_rest_is_there(
    portal: Portal, bea: Client, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    short, other, last = [await portal.quotation(f"QU-{number}") for number in range(3)]
    long = await portal.quotation("QU-LONG")
    await lines(portal, long, 6)
    for key in (short, other, last):
        await lines_of(portal, key)
    monkeypatch.setattr(prints, "MOST_ROWS", 5)
    monkeypatch.setattr("resolvers.document_downloads.MOST_ROWS_TOGETHER", 7)
    url = await bundle_link(bea, *(global_id("Quotation", key) for key in (short, long, other, last)))
    found = await bundle(http, url)
    assert sorted(found) == ["NOT INCLUDED.txt", "Quotation QU-0.pdf", "Quotation QU-1.pdf"]
    assert found["NOT INCLUDED.txt"] == (
        "QU-LONG: This document has 6 lines; at most 5 are printed.\r\n"
        "QU-2: All these documents together have too many lines. Ask for this one alone.\r\n"
    )


async def lines_of(portal: Portal, key: Any) -> None:
    """Three lines for a quotation that has none any more."""
    async with portal.writing() as connection:
        await connection.fetch_text("delete from quotation_lines where quotation_id = $1", key)
        await connection.fetch_text(
            """insert into quotation_lines (tenant_id, quotation_id, position, product_id, sku, name, unit, description,
            quantity, unit_price, tax_rate, amount) select $1, $2, n, $3, 'A', 'Thing', 'pcs', '', 1, 1, 20, 100
            from generate_series(1, 3) n""",
            portal.tenant_id,
            key,
            portal.products["A"],
        )


async def test_a_press_that_dies_loses_one_document_and_says_which(
    portal: Portal, bea: Client, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [await portal.quotation(f"QU-{number}") for number in range(3)]
    told = printing._Press._told

    def deadly(self: Any, document: prints.Printed) -> dict[str, Any]:
        found = told(self, document)
        return {"words": None} if document.number == "QU-1" else found

    monkeypatch.setattr(printing._Press, "_told", deadly)
    found = await bundle(http, await bundle_link(bea, *(global_id("Quotation", key) for key in keys)))
    assert sorted(found) == ["NOT INCLUDED.txt", "Quotation QU-0.pdf", "Quotation QU-2.pdf"]
    assert found["NOT INCLUDED.txt"] == "Quotation QU-1: It could not be printed.\r\n"
    response = await http.get(await link(bea, "Quotation", keys[1]))
    assert response.status_code == 500
    assert response.json()["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"


async def test_a_number_that_looks_like_a_path_stays_in_the_file(
    portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    for number in ("../../etc/passwd", "IN/2026/7", HOSTILE):
        bill = await documents.invoice(portal, number)
        (name,) = await bundle(http, await bundle_link(bea, global_id("Invoice", bill.id)))
        assert name.startswith("Invoice ")
        assert "/" not in name
        assert "\\" not in name


async def test_bundles_leave_a_press_to_those_who_want_one_document(
    portal: Portal, bea: Client, at: At, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await portal.quotation("QU-1")
    begun, goes_on = asyncio.Event(), asyncio.Event()
    write_zip = printing.write_zip

    async def slowly(*given: Any) -> Path:
        begun.set()
        await goes_on.wait()
        return await write_zip(*given)

    monkeypatch.setattr(printing, "write_zip", slowly)
    other = await at(portal).sign_in("bea")
    urls = [await bundle_link(client, global_id("Quotation", key)) for client in (bea, bea, other, other)]
    bundles = [asyncio.create_task(http.get(url)) for url in urls]
    async with asyncio.timeout(10):
        await begun.wait()
        await asyncio.sleep(0.3)  # all of them have read what they print, and wait
        cleo = await at(portal).sign_in("cleo")
        own = await link(cleo, "Quotation", await portal.quotation("QU-9", customer="C2"))
        assert (await http.get(own)).status_code == 200
    goes_on.set()
    assert [response.status_code for response in await asyncio.gather(*bundles)] == [200] * 4
