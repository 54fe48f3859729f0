"""The demo's shared file: a price list, as a company would hand it to all its customers."""

import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import uuid_utils.compat as uuid

import db
from db.connections import Connection
from db.pages import Window
from rules.broken import Language
from rules.downloads import DownloadFormat
from rules.files import FileAudience
from rules.uploads import Announced, Arrival, UploadState
from rules.viewers import Viewer
from server.demo import people, personas
from server.demo.portals import DemoPortal
from server.spreadsheets import KINDS
from tenants.downloads import CellKind, Column, Sheet, in_language
from tenants.storage import Storage, kept_at

_TITLE = ("Price list", "Preisliste")
_DESCRIPTION = (
    "Our prices for wholesale customers, without tax.",
    "Unsere Preise für Geschäftskunden, ohne Steuer.",
)
_COLUMNS = (
    Column(("SKU", "Artikelnummer"), width=16),
    Column(("Product", "Artikel"), width=40),
    Column(("Unit", "Einheit"), width=9),
    Column(("From quantity", "Ab Menge"), CellKind.NUMBER),
    Column(("Unit price", "Einzelpreis"), CellKind.AMOUNT),
    Column(("Currency", "Währung"), width=10),
)
_MOST = 100


async def add(connection: Connection, storage: Storage, portal: DemoPortal) -> None:
    """The prices of the first buyer as a workbook for all customers; once."""
    buyer = await people.first_buyer(connection, portal)
    if await db.files.count(connection, buyer, {}):
        return
    language = Language(portal.locale)
    title = in_language(_TITLE, language)
    content = await _workbook(connection, language, buyer)
    announced = Announced(f"{title}.xlsx", KINDS[DownloadFormat.XLSX].media_type, len(content), None)
    arrival = Arrival(announced)
    arrival.take(content)
    sha256 = arrival.end()
    upload_id, file_id = uuid.uuid7(), uuid.uuid7()
    staff = next(each for each in personas.of_portal(portal.slug) if each.role == "staff")
    login = await db.accounts.login(connection, staff.user_name)
    assert login is not None, "people come before what they share"
    assert login.staff_member_id is not None
    await db.uploads.add(
        connection, id=upload_id, account_id=None, staff_member_id=login.staff_member_id, announced=announced
    )
    await storage.write(kept_at(buyer.tenant_id, upload_id), _whole(content))
    await db.uploads.move(connection, upload_id, UploadState.AWAITED, UploadState.USED, sha256=sha256)
    await db.files.add(
        connection,
        id=file_id,
        title=title,
        description=in_language(_DESCRIPTION, language),
        audience=FileAudience.ALL_CUSTOMERS,
        visible_from=None,
        visible_to=None,
    )
    await db.files.add_version(
        connection,
        file_id=file_id,
        content_version=1,
        upload_id=upload_id,
        shared_by_id=login.staff_member_id,
    )


async def _workbook(connection: Connection, language: Language, buyer: Viewer) -> bytes:
    found = await db.products.page(connection, buyer, {}, ("SKU_ASC",), Window(_MOST))
    prices = await db.prices.of_products(connection, buyer, [each.id for each in found.rows])

    async def rows() -> AsyncIterator[Sequence[tuple[Any, ...]]]:
        yield [
            (product.sku, product.name, product.unit, price.min_quantity, price.unit_price, buyer.currency)
            for product in found.rows
            for price in prices[product.id]
        ]

    with tempfile.TemporaryDirectory(prefix="kontor-") as folder:
        sheets = [Sheet(_TITLE, _COLUMNS, rows())]
        path = await KINDS[DownloadFormat.XLSX].write(Path(folder), sheets, language)
        return path.read_bytes()


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content
