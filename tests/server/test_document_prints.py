"""What stands on printed invoices, tax invoices, credit notes, goods returns and statements."""

import io
import re
import zipfile
from uuid import UUID

import httpx
import pytest
from pypdf import PdfReader

import db
from db.reversals import reversals
from resolvers.nodes import global_id
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from server.settings import Settings
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.documents import Sold
from tests.resolvers.test_documents import KINDS
from tests.server.test_downloads import refusal, resigned, sql
from tests.server.test_prints import addressed, pages, with_letterhead
from tests.world import Portal, World, put

ONE = "query($id: ID!) { supplierDocument(id: $id) { download { url } } }"
MANY = "query($ids: [ID!]!) { supplierDocumentsDownload(ids: $ids) { url expiresAt } }"


async def link(client: Client, kind: str, key: UUID) -> str:
    found = (await client.ask(ONE, id=global_id(kind, key)))["supplierDocument"]
    url: str = found["download"]["url"]
    return url


async def bundle_link(client: Client, *ids: str) -> str:
    url: str = (await client.ask(MANY, ids=ids))["supplierDocumentsDownload"]["url"]
    return url


async def bundle(http: httpx.AsyncClient, url: str) -> dict[str, str]:
    """The files of a ZIP with their texts."""
    response = await http.get(url)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.content)) as file:
        return {name: text(name, file.read(name)) for name in file.namelist()}


def text(name: str, content: bytes) -> str:
    if name.endswith(".txt"):
        return content.decode("utf-8-sig")
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


@pytest.fixture
async def portal(world: World, at: At) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.product("B", tax_rate="5.00")
    await portal.account("bea")
    await portal.account("cleo", customer="C2")
    await portal.staff_member("stan")
    await with_letterhead(portal, at)
    await addressed(portal)
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


async def one_of_each(portal: Portal) -> dict[str, UUID]:
    order_id = await portal.order("SO-1", skus=("A",))
    made = await documents.one_of_each(portal, "1", "C1", order_id, "A")
    keys = {kind: key for kind, (key, _) in made.items() if kind in KINDS}
    keys["GoodsIssue"] = await portal.goods_issue("GI-1", order_id)
    keys["Quotation"] = await portal.quotation("QU-1")
    return keys


@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_is_for_its_customer_and_staff_alone(
    kind: str, portal: Portal, bea: Client, at: At, http: httpx.AsyncClient, settings: Settings
) -> None:
    key = (await one_of_each(portal))[kind]
    url = await link(bea, kind, key)
    assert (await http.get(url)).status_code == 200
    assert (await http.get(await link(await at(portal).sign_in("stan"), kind, key))).status_code == 200
    cleo = await at(portal).sign_in("cleo")
    assert (await cleo.ask(ONE, id=global_id(kind, key)))["supplierDocument"] is None
    own = await link(cleo, "Quotation", await portal.quotation("QU-9", customer="C2"))
    forged = resigned(settings, portal, own, filter={"type": kind, "id": str(key)})
    assert await refusal(http, forged) == (404, "DOWNLOAD_UNKNOWN")


@pytest.mark.parametrize("kind", KINDS)
async def test_a_kind_that_is_restricted_meanwhile_is_gone(
    kind: str, portal: Portal, at: At, http: httpx.AsyncClient
) -> None:
    key = (await one_of_each(portal))[kind]
    await portal.enforce(RestrictionKind.DOCUMENT_KIND)
    group = await portal.group("Doras", await portal.account("dora", profile=None))
    dora = await at(portal).sign_in("dora")
    url = await link(dora, kind, key)
    together = await bundle_link(dora, global_id(kind, key))
    assert (await http.get(url)).status_code == 200
    word = "".join(f"_{each}" if each.isupper() else each.upper() for each in kind).strip("_")
    async with portal.writing() as connection:
        modes = Modes(document_kind=RestrictionMode.ALLOW_EXCEPT)
        await db.access_groups.restrict(connection, group, modes, {RestrictionKind.DOCUMENT_KIND: [word]})
    assert await refusal(http, url) == (404, "DOWNLOAD_UNKNOWN")
    assert await bundle(http, together) == {
        "NOT INCLUDED.txt": "1: no longer there, or no longer to be seen\r\n"
    }


async def test_an_invoice_says_what_the_tax_office_wants_to_read(
    portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    order_id = await portal.order("SO-1", skus=("A",))
    await sql(portal, "update orders set purchase_order_number = 'PO-77'")
    sold = (Sold("A", "1000", "1.2345"), Sold("B", "2", "10.00", "5"), Sold("A", "0.5", "3.00"))
    bill = await documents.invoice(portal, "IN-1", sold, order_id=order_id)
    (page,) = await pages(http, await link(bea, "Invoice", bill.id))
    for each in (
        "Harbour Trading Ltd · 1 Dock Road · London E16 1XL",
        "VAT ID GB123456789",
        "Customer C1 Accounts 5 High Street Leeds LS1 4AB United Kingdom",
        "Invoice no. IN-1 Invoice date 3 Mar 2026 Due on 2 Apr 2026 Customer no. C1 Order SO-1 Your order no. PO-77",
        "1 A Product A 1,000 pcs 1.2345 20% 1,234.50",
        "2 B Product B 2 pcs 10.00 5% 20.00",
        "VAT rate Net VAT 20% 1,236.00 247.20 5% 20.00 1.00",
        "Net amount 1,256.00 GBP VAT 248.20 GBP Total 1,504.20 GBP",
        "Payable within 30 days.",
        "Amount due 1,504.20 GBP Due on 2 Apr 2026 Account holder Harbour Trading Bank NatWest",
        "IBAN GB29 NWBK 6016 1331 9268 19 BIC NWBKGB2L Reference IN-1",
    ):
        assert each in page


async def test_the_same_in_german(portal: Portal, bea: Client, http: httpx.AsyncClient) -> None:
    bill = await documents.invoice(
        portal, "IN-1", (Sold("A", "1000", "1.2345"), Sold("B", "2", "10.00", "5.5"))
    )
    bea.headers["accept-language"] = "de"
    (page,) = await pages(http, await link(bea, "Invoice", bill.id))
    for each in (
        "Rechnungsnummer IN-1 Rechnungsdatum 03.03.2026 Fällig am 02.04.2026 Kundennummer C1",
        "1 A Product A 1.000 pcs 1,2345 20 % 1.234,50",
        "USt.-Satz Netto USt. 20 % 1.234,50 246,90 5,5 % 20,00 1,10",
        "Nettobetrag 1.254,50 GBP Umsatzsteuer 248,00 GBP Gesamtbetrag 1.502,50 GBP",
        "Zahlbar binnen 30 Tagen.",
        "Zu zahlen 1.502,50 GBP",
        "Verwendungszweck IN-1",
    ):
        assert each in page


async def test_an_invoice_names_the_deliveries_that_it_charges(
    portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    order_id = await portal.order("SO-1", skus=("A",))
    issues = [await portal.goods_issue(number, order_id) for number in ("GI-1", "GI-2")]
    one = await invoiced(portal, "IN-1", [issues[0], issues[0]])
    two = await invoiced(portal, "IN-2", issues)
    (page,) = await pages(http, await link(bea, "Invoice", one))
    assert "Date of supply 2 Mar 2026 Delivery note GI-1" in page
    (page,) = await pages(http, await link(bea, "Invoice", two))
    assert "Date of supply 2 Mar 2026 Due on" in page
    assert "Delivery note GI-1 of 2 Mar 2026" in page
    assert "Delivery note GI-2 of 2 Mar 2026" in page


async def invoiced(portal: Portal, number: str, issues: list[UUID]) -> UUID:
    """An invoice with a line for the first line of each goods issue, to an address of its own."""
    bill = await documents.invoice(portal, f"old-{number}", tuple(Sold("A") for _ in issues))
    async with portal.writing() as connection:
        kept = (await db.invoices.lines_of(connection, None, [bill.id]))[bill.id]  # type: ignore[arg-type]
        key = UUID(int=bill.id.int + 1)
        bill.id, bill.number = key, number
        bill.customer_name = "Old Name Ltd"
        bill.bill_to = (
            '{"kind": "BILLING", "name": "", "street": "Then Road 1", "postal_code": "1010", "city": "Wien", '
            '"region": "", "country": "Austria"}'
        )
        for line, issue in zip(kept, issues, strict=True):
            line.invoice_id, line.goods_issue_id, line.goods_issue_position = key, issue, 1
        await db.invoices.add(connection, [bill], kept)
    return key


async def test_an_invoice_keeps_the_name_and_address_of_its_day(
    portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    issue = await portal.goods_issue("GI-1", await portal.order("SO-1", skus=("A",)))
    (page,) = await pages(http, await link(bea, "Invoice", await invoiced(portal, "IN-1", [issue])))
    assert "Old Name Ltd Then Road 1 1010 Wien Austria" in page


async def test_a_credit_note_names_the_invoice_and_the_lines_that_it_corrects(
    portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    bill = await documents.invoice(portal, "IN-1", (Sold("A", "5"), Sold("B", "1", "2.00", "5")))
    note = await documents.credit_note(portal, "CN-1", bill, (Sold("A", "2"),))
    (page,) = await pages(http, await link(bea, "CreditNote", note.id))
    for each in (
        "Credit note no. CN-1 Date 3 Mar 2026 Corrects invoice IN-1 Invoice date 3 Mar 2026 Reason Goods returned",
        "1 A Product A Invoice IN-1, no. 1 2 pcs 10.00 20% 20.00",
        "Total credited 24.00 GBP",
    ):
        assert each in page
    bea.headers["accept-language"] = "de"
    (page,) = await pages(http, await link(bea, "CreditNote", note.id))
    assert "Zur Rechnung IN-1 Rechnungsdatum 03.03.2026 Grund Warenrückgabe" in page
    assert "Rechnungskorrektur. Wir schreiben Ihnen gut:" in page


async def test_a_tax_invoice_and_a_goods_return_name_their_invoice(
    portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    keys = await one_of_each(portal)
    (page,) = await pages(http, await link(bea, "TaxInvoice", keys["TaxInvoice"]))
    assert "Tax invoice no. tax-1 Date 3 Mar 2026 To invoice invoice-1 Invoice date 3 Mar 2026" in page
    assert "1 A Product A 3 pcs 10.00 20% 30.00" in page
    assert "Amount due" not in page
    (page,) = await pages(http, await link(bea, "GoodsReturn", keys["GoodsReturn"]))
    assert "Goods return no. return-1 Received on 3 Mar 2026 Invoice invoice-1" in page
    assert "1 A Product A Line of the invoice: 1 1 pcs" in page
    assert "unopened" in page
    (page,) = await pages(http, await link(bea, "CreditNote", keys["CreditNote"]))
    assert (
        "Corrects invoice invoice-1 Invoice date 3 Mar 2026 Goods return return-1 Reason Goods returned"
        in page
    )


async def test_a_tax_invoice_says_when_the_goods_of_its_invoice_were_supplied(
    portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    issue = await portal.goods_issue("GI-1", await portal.order("SO-1", skus=("A",)))
    key = await invoiced(portal, "IN-1", [issue])
    async with portal.writing() as connection:
        bill = (await db.invoices.DOCUMENTS.named(connection, [key]))[key]
    stated = await documents.tax_invoice(portal, "TI-1", bill)
    (page,) = await pages(http, await link(bea, "TaxInvoice", stated.id))
    assert re.search(r"Date of supply \d+ \w{3} \d{4} Delivery note GI-1 Customer no\. C1", page)


async def test_a_statement_goes_from_its_opening_to_its_closing_balance_and_has_room_to_sign(
    portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    key = (await one_of_each(portal))["ReconciliationStatement"]
    (page,) = await pages(http, await link(bea, "ReconciliationStatement", key))
    for each in (
        "Period 1 Mar 2026 \u2013 31 Mar 2026 Customer no. C1 Currency GBP",
        "Date Document Debit Credit Balance 1 Mar 2026 Opening balance 0.00",
        "3 Mar 2026 Invoice invoice-1 36.00 36.00 31 Mar 2026 Closing balance 36.00 0.00 36.00",
        "On 31 Mar 2026 the balance was 36.00 GBP in our favour.",
        "Portal-",
        "Customer C1 Place, date, signature",
    ):
        assert each in page
    await sql(
        portal,
        "update reconciliation_statements set state = 'DISPUTED', dispute_reason = 'One is missing', "
        "answered_at = '2026-04-05T10:00Z'",
    )
    bea.headers["accept-language"] = "de"
    (page,) = await pages(http, await link(bea, "ReconciliationStatement", key))
    assert "Beanstandet am 05.04.2026 Grund One is missing" in page
    assert "Am 31.03.2026 betrug der Saldo 36,00 GBP zu unseren Gunsten." in page


@pytest.mark.parametrize("count", range(18, 36, 3))
async def test_what_is_signed_stands_on_the_page_of_the_signatures(
    count: int, portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    bill = await documents.invoice(portal, "IN-1")
    stated = await documents.reconciliation_statement(portal, "RS-1", bill, "line\n" * count)
    *_, last = await pages(http, await link(bea, "ReconciliationStatement", stated.id))
    assert "On 31 Mar 2026 the balance was 12.00 GBP in our favour." in last
    assert last.count("Place, date, signature") == 2


@pytest.mark.parametrize("kind", ["Invoice", "TaxInvoice", "GoodsReturn", "CreditNote"])
async def test_what_was_reversed_says_so(
    kind: str, portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    key = (await one_of_each(portal))[kind]
    column = "".join(f"_{each.lower()}" if each.isupper() else each for each in kind).strip("_") + "_id"
    (page,) = await pages(http, await link(bea, kind, key))
    assert "Reversed" not in page
    async with portal.writing() as connection:
        await put(connection, reversals, reversed_at=documents.AT, reason="A mistake", **{column: key})
    bea.headers["accept-language"] = "de"
    (page,) = await pages(http, await link(bea, kind, key))
    assert "Storniert: Dieses Dokument gilt nicht mehr." in page
