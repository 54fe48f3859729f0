"""Balance reports as files, over HTTP: the same numbers as the reports, for whom they are."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from resolvers.nodes import global_id
from rules import downloads as rule
from rules.downloads import DownloadFormat
from rules.permissions import BuiltInProfile
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_balance_reports import trade
from tests.server.test_downloads import book, refusal, table
from tests.world import Portal, World

LINK = """query($kind: BalanceReportKind!, $format: DownloadFormat!, $from: Date, $to: Date, $asOf: Date, $customer: ID) {
  balanceReport(kind: $kind, from: $from, to: $to, asOf: $asOf, customer: $customer) {
    download(format: $format) { url expiresAt } } }"""


async def link(somebody: Client, kind: str, format: str = "CSV", **given: Any) -> str:
    found = await somebody.ask(LINK, kind=kind, format=format, **given)
    url: str = found["balanceReport"]["download"]["url"]
    return url


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.account("ada", profile=BuiltInProfile.ACCOUNTANT)
    await trade(portal)
    return portal


@pytest.fixture
async def ada(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("ada")


async def test_a_link_ends_with_its_session_and_with_the_right(
    portal: Portal, ada: Client, at: At, http: httpx.AsyncClient
) -> None:
    url = await link(ada, "CUSTOMER")
    async with portal.writing() as connection:
        await connection.fetch_text(
            "update access_groups set profile_id = (select id from profiles where built_in = 'VIEWER')"
        )
    assert await refusal(http, url) == (403, "MISSING_PERMISSION")
    await ada.ask("mutation { signOut { errors { code } } }")
    assert await refusal(http, url) == (403, "UNAUTHENTICATED")


async def test_the_staff_downloads_what_it_asked_for(portal: Portal, at: At, http: httpx.AsyncClient) -> None:
    await portal.account("cleo", customer="C2")
    await documents.invoice(portal, "IN-9", customer="C2")
    await portal.staff_member("olga")
    olga = await at(portal).sign_in("olga")
    url = await link(olga, "CUSTOMER", customer=global_id("Customer", portal.customers["C2"]))
    assert [each["Number"] for each in table((await http.get(url)).content)] == ["IN-9"]


async def test_a_customer_balance_has_invoices_prepayments_and_sums(
    ada: Client, http: httpx.AsyncClient
) -> None:
    sheets = book((await http.get(await link(ada, "CUSTOMER", "XLSX", asOf="2026-05-01"))).content)
    assert list(sheets) == ["Open invoices", "Prepayments", "Balance"]
    (_, invoice) = sheets["Open invoices"]
    assert (invoice[0], invoice[2:]) == (
        "IN-1",
        ["2026-03-31", Decimal(31), "31-60 days", Decimal(120), Decimal(58), "GBP"],
    )
    assert [(row[1], row[3]) for row in sheets["Prepayments"][1:]] == [
        ("IN-2", Decimal(8)),
        ("PA-3", Decimal(7)),
    ]
    (head, balance) = sheets["Balance"]
    told = dict(zip(head, balance, strict=True))
    assert (told["Debt"], told["Prepayments"], told["Overdue"], told["31-60 days"]) == (58, 15, 58, 58)


async def test_a_balance_by_order_has_a_row_for_each_order(ada: Client, http: httpx.AsyncClient) -> None:
    rows = table((await http.get(await link(ada, "BY_ORDER"))).content)
    assert [(each["Order"], each["Debt"], each["Paid"], each["Currency"]) for each in rows] == [
        ("(no order)", "0.00", "27.00", "GBP"),
        ("SO-1", "58.00", "50.00", "GBP"),
    ]
    sheets = book((await http.get(await link(ada, "BY_ORDER", "XLSX"))).content)
    assert sheets["Totals"][1] == [58, 15, 132, 12, 77, "GBP"]


async def test_a_reconciliation_begins_with_the_opening_and_ends_with_the_closing_balance(
    portal: Portal, ada: Client, http: httpx.AsyncClient
) -> None:
    await documents.invoice(portal, "IN-8", currency="EUR", issued_at=datetime(2026, 3, 3, tzinfo=UTC))
    await documents.invoice(portal, "IN-7", currency="USD", issued_at=datetime(2026, 2, 3, tzinfo=UTC))
    url = await link(ada, "RECONCILIATION", **{"from": "2026-03-06", "to": "2026-03-07"})
    rows = table((await http.get(url)).content)
    assert [
        (each["Document"], each["Number"], each["Debit"], each["Credit"], each["Balance"], each["Currency"])
        for each in rows
    ] == [
        ("Opening balance", "", "", "", "12.00", "EUR"),
        ("Closing balance", "", "", "", "12.00", "EUR"),
        ("Opening balance", "", "", "", "82.00", "GBP"),
        ("Payment", "PA-2", "", "20.00", "62.00", "GBP"),
        ("Credit note", "CN-1", "", "12.00", "50.00", "GBP"),
        ("Closing balance", "", "", "", "50.00", "GBP"),
        ("Opening balance", "", "", "", "12.00", "USD"),
        ("Closing balance", "", "", "", "12.00", "USD"),
    ]
    assert [rows[place]["Date (UTC)"] for place in (0, 1)] == ["2026-03-06T00:00:00Z", "2026-03-07T23:59:59Z"]
    sheets = book((await http.get(await link(ada, "RECONCILIATION", "XLSX"))).content)
    assert [row[-1] for row in sheets["Totals"][1:]] == ["EUR", "GBP", "USD"]


@pytest.mark.parametrize(
    ("kind", "heads"),
    [
        ("CUSTOMER", ["Nummer", "Fällig am", "Überfällig"]),
        ("BY_ORDER", ["Auftrag", "Forderung", "Vorauszahlungen"]),
        ("RECONCILIATION", ["Soll", "Haben", "Saldo", "Beleg"]),
    ],
)
async def test_files_are_named_after_the_customer_and_speak_german(
    kind: str, heads: list[str], ada: Client, http: httpx.AsyncClient
) -> None:
    ada.headers["accept-language"] = "de"
    response = await http.get(await link(ada, kind, "XLSX"))
    found = {cell for sheet in book(response.content).values() for cell in sheet[0]}
    assert set(heads) <= found
    assert re.search(
        r'filename="(Kundensaldo|Kundensaldo nach Auftragen|Saldenabgleichsbericht) C1 Portal',
        response.headers["content-disposition"],
    )


@pytest.mark.parametrize("kind", ["CUSTOMER", "BY_ORDER", "RECONCILIATION"])
async def test_more_rows_than_a_file_has_are_refused(
    kind: str, ada: Client, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await link(ada, kind)
    monkeypatch.setitem(rule.MOST_ROWS, DownloadFormat.CSV, 0)
    error = await ada.refusal(LINK, kind=kind, format="CSV")
    assert error["extensions"]["code"] == "DOWNLOAD_TOO_LARGE"
    assert await refusal(http, url) == (422, "DOWNLOAD_TOO_LARGE")
