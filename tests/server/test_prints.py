"""Printed documents, over HTTP: who gets them, and what stands in them."""

import io
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pypdf import PdfReader

import db
from resolvers.nodes import global_id
from rules import downloads as download_rules
from rules.documents import DocumentKind
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from server.settings import Settings
from tests.client import Client
from tests.conftest import At
from tests.server.test_downloads import refusal, resigned, sql
from tests.world import Portal, World

LINK = """query($id: ID!) { node(id: $id) {
  ... on Quotation { download { url expiresAt } } ... on GoodsIssue { download(format: PDF) { url } } } }"""
HOSTILE = '#read("/etc/passwd") *x* $1/0$ <a> @b `c` #{1+1} = _d_ \\ "'


async def link(client: Client, type_name: str, id: Any) -> str:
    found = (await client.ask(LINK, id=global_id(type_name, id)))["node"]
    url: str = found["download"]["url"]
    return url


async def reader(http: httpx.AsyncClient, url: str) -> PdfReader:
    response = await http.get(url)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/pdf"
    return PdfReader(io.BytesIO(response.content))


async def pages(http: httpx.AsyncClient, url: str) -> list[str]:
    """The text of each page, each line break a space, so that texts are found that were broken."""
    return [" ".join(page.extract_text().split()) for page in (await reader(http, url)).pages]


async def lines(portal: Portal, id: Any, count: int, **texts: str) -> None:
    """Give a quotation other lines, with these texts in all of them."""
    given = {"sku": "'SKU-' || n", "name": "'Thing number ' || n", "unit": "'pcs'", "description": "''"}
    columns = [f"${list(texts).index(name) + 5}" if name in texts else sql for name, sql in given.items()]
    await sql(portal, "delete from quotation_lines")
    async with portal.writing() as connection:
        await connection.fetch_text(
            f"""insert into quotation_lines (tenant_id, quotation_id, position, product_id, {", ".join(given)}, quantity,
            unit_price, tax_rate, amount) select $1, $2, n, $3, {", ".join(columns)}, n, 1, 20, n * 100
            from generate_series(1, $4::integer) n""",
            portal.tenant_id,
            id,
            portal.products["A"],
            count,
            *texts.values(),
        )


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.account("bea")
    await portal.account("cleo", customer="C2")
    await portal.staff_member("stan")
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


async def test_an_outsider_gets_no_link_and_another_customer_sees_no_document(
    portal: Portal, bea: Client, at: At
) -> None:
    key = global_id("Quotation", await portal.quotation("QU-1"))
    assert (await bea.ask(LINK, id=key))["node"] is not None
    assert (await at(portal).refusal(LINK, id=key))["extensions"]["code"] == "UNAUTHENTICATED"
    assert (await (await at(portal).sign_in("cleo")).ask(LINK, id=key))["node"] is None


async def test_a_link_of_another_tenant_is_unknown(
    world: World, portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    sister = await world.portal(supplier=portal.slug)
    url = (await link(bea, "Quotation", await portal.quotation("QU-1"))).replace(portal.slug, sister.slug)
    assert await refusal(http, url) == (404, "DOWNLOAD_UNKNOWN")


async def test_a_signed_link_to_what_its_session_may_not_see_is_unknown(
    world: World, portal: Portal, bea: Client, http: httpx.AsyncClient, settings: Settings
) -> None:
    sister = await world.portal(supplier=portal.slug)
    await sister.product("A")
    await sister.customer("C1")
    theirs = await portal.quotation("QU-2", customer="C2")
    abroad = await sister.quotation("QU-3")
    draft = await portal.quotation(None)
    url = await link(bea, "Quotation", await portal.quotation("QU-1"))
    for kind, key in (("Quotation", theirs), ("Quotation", abroad), ("Quotation", draft), ("Order", theirs)):
        forged = resigned(settings, portal, url, filter={"type": kind, "id": str(key)})
        assert await refusal(http, forged) == (404, "DOWNLOAD_UNKNOWN")


async def test_a_kind_that_is_restricted_after_the_link_was_given_is_unknown(
    portal: Portal, at: At, http: httpx.AsyncClient
) -> None:
    await portal.enforce(RestrictionKind.DOCUMENT_KIND)
    group = await portal.group("Doras", await portal.account("dora", profile=None))
    dora = await at(portal).sign_in("dora")
    url = await link(dora, "Quotation", await portal.quotation("QU-1"))
    assert (await http.get(url)).status_code == 200
    async with portal.writing() as connection:
        await db.access_groups.restrict(
            connection,
            group,
            Modes(document_kind=RestrictionMode.ALLOW_EXCEPT),
            {RestrictionKind.DOCUMENT_KIND: [DocumentKind.QUOTATION]},
        )
    assert await refusal(http, url) == (404, "DOWNLOAD_UNKNOWN")


async def test_a_changed_link_is_unknown(portal: Portal, bea: Client, http: httpx.AsyncClient) -> None:
    url = await link(bea, "Quotation", await portal.quotation("QU-1"))
    start = url.rindex("/") + 1
    for place in range(start, len(url), 9):
        other = "A" if url[place] != "A" else "B"
        assert await refusal(http, url[:place] + other + url[place + 1 :]) == (404, "DOWNLOAD_UNKNOWN")


Ends = Callable[[Portal, Client], Awaitable[Any]]

ENDS: dict[str, tuple[Ends, tuple[int, str]]] = {
    "the session was ended": (
        lambda _, bea: bea.ask("mutation { signOut { errors { code } } }"),
        (403, "UNAUTHENTICATED"),
    ),
    "the portal was switched off": (
        lambda portal, _: portal.switch(is_open=False),
        (403, "UNAUTHENTICATED"),
    ),
    "the right was taken": (
        lambda portal, _: sql(portal, "delete from access_group_members"),
        (403, "MISSING_PERMISSION"),
    ),
}


@pytest.mark.parametrize("name", ENDS)
async def test_a_link_gives_nothing_after(
    name: str, portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    end, expected = ENDS[name]
    url = await link(bea, "Quotation", await portal.quotation("QU-1"))
    await end(portal, bea)
    assert await refusal(http, url) == expected


async def test_a_link_expires(
    portal: Portal, bea: Client, http: httpx.AsyncClient, settings: Settings
) -> None:
    url = await link(bea, "Quotation", await portal.quotation("QU-1"))
    past = datetime.now(UTC) - timedelta(seconds=1)
    assert await refusal(http, resigned(settings, portal, url, expires_at=past)) == (410, "DOWNLOAD_EXPIRED")


LETTERHEAD = {
    "address": ["Harbour Trading Ltd", "1 Dock Road", "London E16 1XL"],
    "vatId": "GB 123 4567 89",
    "registration": "Registered in England, no. 01234567",
    "phone": "+44 20 7946 0000",
    "email": "hello@harbour.example",
    "web": "harbour.example",
    "accountHolder": "Harbour Trading",
    "iban": "GB29 NWBK 6016 1331 9268 19",
    "bic": "NWBKGB2L",
    "bank": "NatWest",
    "paymentTermsEn": "Payable within 30 days.",
    "paymentTermsDe": "Zahlbar binnen 30 Tagen.",
    "footerEn": "Retention of title until full payment.",
}


async def with_letterhead(portal: Portal, at: At) -> None:
    stan = await at(portal).sign_in("stan")
    answer = await stan.ask(
        "mutation($input: PortalUpdateInput!) { portalUpdate(input: $input) { errors { code path } } }",
        input={"letterhead": LETTERHEAD},
    )
    assert answer["portalUpdate"]["errors"] == []


async def addressed(portal: Portal, country: str = "United Kingdom") -> None:
    async with portal.writing() as connection:
        await connection.fetch_text(
            "insert into addresses (tenant_id, customer_id, position, kind, name, street, postal_code, city, region, country) "
            "values ($1, $2, 1, 'BILLING', 'Accounts', '5 High Street', 'LS1 4AB', 'Leeds', '', $3), "
            "($1, $2, 2, 'SHIPPING', '', '7 Back Lane', 'LS1 4AC', 'Leeds', '', $3)",
            portal.tenant_id,
            portal.customers["C1"],
            country,
        )


async def test_a_quotation_says_who_offers_what_to_whom_until_when(
    portal: Portal, bea: Client, at: At, http: httpx.AsyncClient
) -> None:
    await with_letterhead(portal, at)
    await addressed(portal)
    key = await portal.quotation("QU-1", unit_price="1234.565", quantity="2.5")
    await sql(portal, "update quotations set dated_at = '2026-03-01T12:00Z', valid_until = '2026-04-09'")
    (page,) = await pages(http, await link(bea, "Quotation", key))
    for text in (
        "Harbour Trading Ltd · 1 Dock Road · London E16 1XL",
        "Customer C1 Accounts 5 High Street Leeds LS1 4AB United Kingdom",
        "Quotation no. QU-1 Date 1 Mar 2026 Valid until 9 Apr 2026 Customer no. C1",
        "No. SKU Description Quantity Unit Unit price VAT Net amount GBP",
        "1 A Product A 2.5 pcs 1,234.565 20% 3,086.41",
        "20% 3,086.41 617.28",
        "Payable within 30 days.",
        "VAT ID GB123456789 Registered in England, no. 01234567",
        "+44 20 7946 0000 hello@harbour.example harbour.example",
        "NatWest IBAN GB29 NWBK 6016 1331 9268 19 BIC NWBKGB2L",
        "Retention of title until full payment.",
        "Page 1 of 1",
    ):
        assert text in page


async def test_a_print_is_in_the_language_of_whoever_asked_for_the_link(
    portal: Portal, bea: Client, at: At, http: httpx.AsyncClient
) -> None:
    await with_letterhead(portal, at)
    await addressed(portal, "Germany")
    key = await portal.quotation("QU-1", unit_price="1234.565", quantity="2.5")
    await sql(portal, "update quotations set dated_at = '2026-03-01T12:00Z', valid_until = '2026-04-09'")
    bea.headers["accept-language"] = "de"
    url = await link(bea, "Quotation", key)
    response = await http.get(url, headers={"accept-language": "en"})
    assert "Angebot%20QU-1.pdf" in response.headers["content-disposition"]
    (page,) = await pages(http, url)
    for text in (
        "LS1 4AB Leeds Germany",
        "Angebotsnummer QU-1 Datum 01.03.2026 Gültig bis 09.04.2026 Kundennummer C1",
        "1 A Product A 2,5 pcs 1.234,565 20 % 3.086,41",
        "Zahlbar binnen 30 Tagen.",
        "USt-IdNr. GB123456789",
        "Seite 1 von 1",
    ):
        assert text in page


async def test_a_delivery_note_goes_to_where_the_order_goes_and_says_no_prices(
    portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    await addressed(portal)
    order_id = await portal.order("SO-1", skus=("A",))
    key = await portal.goods_issue("GI-1", order_id)
    await sql(portal, "update orders set purchase_order_number = 'PO-77'")
    (page,) = await pages(http, await link(bea, "GoodsIssue", key))
    for text in (
        "Customer C1 7 Back Lane Leeds LS1 4AC",
        "Delivery note no. GI-1 Shipped on 2 Mar 2026 Order SO-1 Your order no. PO-77 Customer no. C1 Shipped from",
        "No. SKU Description Quantity Unit 1 A Product A 1 pcs",
        "Goods received complete and undamaged",
    ):
        assert text in page
    assert "GBP" not in page
    kept = {"kind": "SHIPPING", "name": "Dock 4", "street": "Quay 9", "postal_code": "E1", "city": "London"}
    async with portal.writing() as connection:
        await connection.fetch_text(
            "update orders set ship_to = $1", json.dumps(kept | {"region": "", "country": "GB"})
        )
    (page,) = await pages(http, await link(bea, "GoodsIssue", key))
    assert "Customer C1 Dock 4 Quay 9 London E1 GB" in page


async def test_a_draft_is_printed_for_staff_as_one(portal: Portal, at: At, http: httpx.AsyncClient) -> None:
    stan = await at(portal).sign_in("stan")
    (page,) = await pages(http, await link(stan, "Quotation", await portal.quotation(None)))
    assert "Draft of a quotation" in page


async def test_each_document_of_a_page_has_a_link_of_its_own(portal: Portal, bea: Client) -> None:
    for number in range(3):
        await portal.quotation(f"QU-{number}")
    page = await bea.ask("{ quotations(first: 50) { nodes { download { url } } } }")
    assert len({each["download"]["url"] for each in page["quotations"]["nodes"]}) == 3


async def test_a_print_is_given_for_five_minutes(portal: Portal, bea: Client) -> None:
    found = (await bea.ask(LINK, id=global_id("Quotation", await portal.quotation("QU-1"))))["node"]
    left = datetime.fromisoformat(found["download"]["expiresAt"]) - datetime.now(UTC)
    assert left <= timedelta(seconds=download_rules.LINK_SECONDS)
