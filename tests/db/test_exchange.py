"""The exchange: what an import takes, what it rejects, and that it touches nothing else."""

import asyncio
import csv
import gzip
import io
import random
import zipfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from db import exchange, lifecycle_statuses
from db.connections import Database
from db.exchange.layout import LAYOUT
from db.isolation import Mode
from rules.amounts import line_amount, totals

REAL = Path(__file__).parents[3] / "shared" / "data" / "exchange"

SMALL = {
    "warehouses": "code,name\nN,North\nS,South\n",
    "categories": "code,name,parent\nmugs,Mugs,kitchen\nkitchen,Kitchen,\n",
    "products": (
        "sku,name,kind,category,unit,tax_rate\n"
        'MUG,"Mug, ""large""",GOODS,mugs,pcs,20.00\n'
        "TEA,Tea,GOODS,,kg,5\n"
        "POST,Postage,SERVICE,,pcs,20.00\n"
    ),
    "attribute_definitions": (
        "code,name_en,name_de,kind,unit,position\n"
        "width,Width,Breite,NUMBER,cm,1\ncolour,Colour,Farbe,CHOICE,,2\nwashable,Washable,Waschbar,BOOLEAN,,\n"
        "note,Note,Hinweis,TEXT,,\n"
    ),
    "attribute_choices": "attribute,code,name_en,name_de\ncolour,red,Red,Rot\ncolour,blue,Blue,Blau\n",
    "attributes": (
        "sku,attribute,value\n"
        'MUG,width,08.50\nMUG,colour,blue\nMUG,washable,TRUE\nTEA,note,"Keep dry, please"\n'
    ),
    "prices": (
        "sku,price_list,currency,min_quantity,unit_price\n"
        "MUG,trade,GBP,1,2.55\nMUG,trade,GBP,10,2.10\nTEA,retail,GBP,0.5,7.123456\n"
    ),
    "stock": "warehouse,sku,quantity\nN,MUG,100\nS,TEA,-2.5\n",
    "customers": (
        "code,name,country,currency,price_list,email\n"
        "C1,Café Zürich,Schweiz,GBP,trade,c1@customers.example\nC2,Two,,GBP,,\n"
    ),
    "orders": (
        "number,customer,ordered_at,status,currency\n"
        "SO-000007,C1,2026-01-30T10:00:00,IN_PROGRESS,GBP\nX9,C2,2026-01-31T11:00:00+01:00,COMPLETED,GBP\n"
    ),
    "order_lines": (
        "order,line,sku,quantity,shipped_quantity,unit_price,warehouse\n"
        "SO-000007,1,MUG,10,4,2.10,N\nSO-000007,2,POST,1,0,3.333,\n"
        "X9,1,MUG,3,3,2.55,N\nX9,2,TEA,0.5,0.5,7.123456,S\n"
    ),
    "invoices": (
        "number,customer,order,issued_at,due_on,currency\n"
        "I1,C2,X9,2026-02-01T08:00:00,2026-02-28,GBP\nI2,C1,,2026-02-02T08:00:00,2026-02-29,GBP\n"
    ).replace("2026-02-29", "2028-02-29"),
    "invoice_lines": (
        "invoice,line,sku,name,quantity,unit_price,tax_rate\n"
        'I1,1,MUG,"Mug, old name",3,2.55,20.00\nI1,2,TEA,Tea,0.5,7.123456,5\nI2,1,POST,Postage,1,0,20.00\n'
    ),
    "credit_notes": "number,customer,invoice,issued_at,currency\nK1,C2,I1,2026-03-01T08:00:00,GBP\n",
    "credit_note_lines": (
        "credit_note,line,sku,name,quantity,unit_price,tax_rate,invoice,invoice_line\n"
        "K1,1,MUG,Mug,1,2.55,20.00,I1,1\nK1,2,TEA,Tea,0.1,7,5,,\n"
    ),
    "payments": (
        "number,customer,paid_at,amount,currency,invoice\n"
        "P1,C2,2026-03-02T08:00:00,5.01,GBP,I1\nP2,C1,2026-03-02T08:00:00,100,GBP,\n"
    ),
}
# 120 MB in 0.2.
BOMB = gzip.compress(b"sku,name,kind,category,unit,tax_rate\n") + 20 * gzip.compress(
    b"A,%b,GOODS,,pcs,20\n" % (b"x" * 500) * 11_500
)
# Everything that an import writes to.
TABLES = (
    *("attributes", "attribute_choices", "product_attributes"),
    *("warehouses", "categories", "products", "price_lists", "prices", "stock", "customers", "orders"),
    *("order_lines", "invoices", "invoice_lines", "credit_notes", "credit_note_lines", "payments"),
    *("movements", "counters"),
)


@dataclass
class Portal:
    """A tenant of the test's own, and what can be done with it."""

    tenant_id: UUID
    database: Database
    admin: Any
    folder: Path

    async def load(
        self, files: dict[str, Any], write: Callable[[Path, dict[str, Any]], Path] | None = None
    ) -> Any:
        """Import files by table name."""
        source = self.folder / uuid4().hex
        source = (write or as_folder)(source, files)
        async with self.database.connect(self.tenant_id) as connection:
            return await exchange.run(connection, source, self.folder, exchange.Silent())

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask as the role that sees every tenant; $1 is this one."""
        return [tuple(row) for row in await self.admin.fetch(sql, self.tenant_id)]

    async def versions(self) -> dict[str, list[Any]]:
        """Where and since which transaction every row is: it changes whenever a row is written."""
        return {
            table: await self.rows(f"select ctid, xmin from {table} where tenant_id = $1 order by 1")
            for table in (*TABLES, "portals")
        }

    def rejected(self, table: str) -> list[list[str]]:
        """The rejected rows of a table: line, reason, the row."""
        with (self.folder / "rejected" / f"{table}.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.reader(file))[1:]


def as_folder(source: Path, files: dict[str, Any]) -> Path:
    source.mkdir()
    for name, text in files.items():
        content = text if isinstance(text, bytes) else text.encode()
        (source / (name if "." in name else f"{name}.csv")).write_bytes(content)
    return source


def as_zip(source: Path, files: dict[str, Any]) -> Path:
    path = source.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(f"export/{name if '.' in name else name + '.csv'}", text)
    return path


@pytest_asyncio.fixture
async def connected(database_url: str) -> AsyncIterator[Database]:
    database = await Database.open(database_url, size=3)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def new_portal(connected: Database, migration_url: str, tmp_path: Path) -> AsyncIterator[Any]:
    admin = await asyncpg.connect(migration_url.replace("+asyncpg", "", 1))

    async def make() -> Portal:
        tenant_id = uuid4()
        await admin.execute("insert into suppliers values ($1, $2, 'Test')", tenant_id, str(tenant_id))
        await admin.execute(
            """
            insert into portals
                (tenant_id, supplier_id, slug, name, legal_name, currency, locale, support_email)
            values ($1, $1, $2, 'Test', 'Test', 'GBP', 'en', 'test@kontor.example')
            """,
            tenant_id,
            str(tenant_id),
        )
        async with connected.transaction(Mode.WRITE, tenant_id) as connection:
            await lifecycle_statuses.add_predefined(connection)
        folder = tmp_path / tenant_id.hex
        folder.mkdir()
        return Portal(tenant_id, connected, admin, folder)

    yield make
    await admin.close()


@pytest_asyncio.fixture
async def portal(new_portal: Any) -> Portal:
    made: Portal = await new_portal()
    return made


async def test_the_planner_knows_what_was_imported(portal: Portal) -> None:
    await portal.load(SMALL)
    if int(await portal.admin.fetchval("show server_version_num")) < 170_000:
        return  # there the owner alone may tell it
    known = await portal.admin.fetch("select relname from pg_class where reltuples > 0")
    assert set(TABLES) - {"counters"} <= {each["relname"] for each in known}


async def test_another_tenants_rows_are_neither_touched_nor_used(new_portal: Any) -> None:
    other, portal = await new_portal(), await new_portal()
    await other.load(SMALL)
    before = await other.versions()
    await portal.load({"warehouses": SMALL["warehouses"], "stock": SMALL["stock"]})
    assert [row[1] for row in portal.rejected("stock")] == [
        "UNKNOWN_SKU: there is no sku MUG",
        "UNKNOWN_SKU: there is no sku TEA",
    ]
    await portal.load({**SMALL, "warehouses": "code,name\nN,Elsewhere\nS,South\n"})
    assert await other.versions() == before
    assert await portal.rows("select name from warehouses where tenant_id = $1 and code = 'N'") == [
        ("Elsewhere",)
    ]


async def test_the_whole_layout_goes_in(portal: Portal) -> None:
    assert SMALL.keys() == LAYOUT.keys()
    report = await portal.load(SMALL)
    assert {table: counts.inserted for table, counts in report.tables.items()} == {
        table: text.count("\n") - 1 for table, text in SMALL.items()
    }
    assert report.changed
    assert not report.rejected.exists()
    assert await portal.rows(
        "select c.code, p.code from categories c left join categories p on p.tenant_id = c.tenant_id and p.id = c.parent_id where c.tenant_id = $1 order by 1"
    ) == [("kitchen", None), ("mugs", "kitchen")]
    assert await portal.rows("select name from products where tenant_id = $1 and sku = 'MUG'") == [
        ('Mug, "large"',)
    ]
    assert await portal.rows(
        "select l.code from portals p join price_lists l on l.tenant_id = p.tenant_id and l.id = p.price_list_id where p.tenant_id = $1"
    ) == [("trade",)]


async def test_what_is_said_of_products_is_kept_as_its_kind_wants_it(portal: Portal) -> None:
    await portal.load(SMALL)
    said = """
        select p.sku, a.code, v.value from product_attributes v
        join products p on p.tenant_id = v.tenant_id and p.id = v.product_id
        join attributes a on a.tenant_id = v.tenant_id and a.id = v.attribute_id
        where v.tenant_id = $1 order by 1, 2
    """
    assert await portal.rows(said) == [
        ("MUG", "colour", "blue"),
        ("MUG", "washable", "true"),
        ("MUG", "width", "8.5"),
        ("TEA", "note", "Keep dry, please"),
    ]
    await portal.load({"attributes": "sku,attribute,value\nMUG,width,-0\nMUG,colour,red\n"})
    assert (await portal.rows(said))[::2] == [("MUG", "colour", "red"), ("MUG", "width", "0")]


async def test_an_attribute_that_products_have_keeps_its_kind(portal: Portal) -> None:
    await portal.load(SMALL)
    before = await portal.versions()
    await portal.load({"attribute_definitions": "code,name_en,name_de,kind\nwidth,Width,Breite,TEXT\n"})
    assert portal.rejected("attribute_definitions")[0][1].startswith("ATTRIBUTE_IN_USE")
    assert await portal.versions() == before
    report = await portal.load(
        {"attribute_definitions": "code,name_en,name_de,kind\nwidth,Wide,Breit,NUMBER\n"}
    )
    assert report.tables["attribute_definitions"].updated == 1
    assert await portal.rows(
        "select name_en, unit from attributes where tenant_id = $1 and code = 'width'"
    ) == [("Wide", "cm")]


async def test_what_is_no_number_any_more_has_no_unit_though_the_file_says_none(portal: Portal) -> None:
    definitions = "code,name_en,name_de,kind"
    await portal.load({"attribute_definitions": f"{definitions},unit\nwidth,Width,Breite,NUMBER,cm\n"})
    turned = {"attribute_definitions": f"{definitions}\nwidth,Width,Breite,TEXT\n"}
    report = await portal.load(turned)
    assert report.tables["attribute_definitions"].updated == 1
    assert await portal.rows("select kind, unit from attributes where tenant_id = $1") == [("TEXT", None)]
    assert not (await portal.load(turned)).changed


async def test_a_product_in_stock_or_still_to_be_shipped_keeps_its_kind(portal: Portal) -> None:
    await portal.load(SMALL)
    before = await portal.versions()
    turned = SMALL["products"].replace("GOODS", "SERVICE").replace("Postage,SERVICE", "Postage,GOODS")
    report = await portal.load({"products": turned})
    assert report.tables["products"].reasons == {"PRODUCT_IN_USE": 3}
    assert await portal.versions() == before
    ended = {name: SMALL[name].replace("IN_PROGRESS", "CANCELLED") for name in ("orders", "order_lines")}
    await portal.load({**ended, "stock": "warehouse,sku,quantity\nN,MUG,0\nS,TEA,0\n"})
    assert (await portal.load({"products": turned})).tables["products"].updated == 3


async def test_orders_get_their_status_totals_copies_and_warehouse(portal: Portal) -> None:
    await portal.load(SMALL)
    assert await portal.rows(
        """
        select o.number, s.code, w.code, o.net, o.tax, o.total, o.placed_at::text, o.placement_id = o.id, o.tax_included
        from orders o join lifecycle_statuses s on s.tenant_id = o.tenant_id and s.id = o.lifecycle_status_id
        left join warehouses w on w.tenant_id = o.tenant_id and w.id = o.warehouse_id
        where o.tenant_id = $1 order by o.number
        """
    ) == [
        ("SO-000007", "in-progress", "N", 2433, 487, 2920, "2026-01-30 10:00:00+00", True, False),
        ("X9", "completed", None, 1121, 171, 1292, "2026-01-31 10:00:00+00", True, False),
    ]
    assert await portal.rows(
        """
        select l.position, l.sku, l.name, l.unit, l.tax_rate, l.amount from order_lines l
        join orders o on o.tenant_id = l.tenant_id and o.id = l.order_id
        where o.tenant_id = $1 and o.number = 'X9' order by 1
        """
    ) == [(1, "MUG", 'Mug, "large"', "pcs", Decimal(20), 765), (2, "TEA", "Tea", "kg", Decimal(5), 356)]


async def test_prices_that_include_tax_make_orders_that_do(portal: Portal) -> None:
    await portal.load({name: SMALL[name] for name in ("warehouses", "categories", "products", "prices")})
    await portal.admin.execute(
        "update price_lists set tax_included = true where tenant_id = $1", portal.tenant_id
    )
    await portal.load(SMALL)
    assert await portal.rows(
        "select net, tax, total, tax_included from orders where tenant_id = $1 and number = 'SO-000007'"
    ) == [(2027, 406, 2433, True)]


async def test_the_ledger_is_the_sum_of_the_documents(portal: Portal) -> None:
    await portal.load(SMALL)
    assert await portal.rows(
        """
        select m.kind, c.code, o.number, m.currency, m.amount, m.moved_at::date::text from movements m
        join customers c on c.tenant_id = m.tenant_id and c.id = m.customer_id
        left join orders o on o.tenant_id = m.tenant_id and o.id = m.order_id
        where m.tenant_id = $1 order by m.moved_at, c.code
        """
    ) == [
        ("INVOICE", "C2", "X9", "GBP", 1292, "2026-02-01"),
        ("INVOICE", "C1", None, "GBP", 0, "2026-02-02"),
        ("CREDIT_NOTE", "C2", "X9", "GBP", -380, "2026-03-01"),
        ("PAYMENT", "C1", None, "GBP", -10000, "2026-03-02"),
        ("PAYMENT", "C2", "X9", "GBP", -501, "2026-03-02"),
    ]


async def test_what_open_orders_have_not_shipped_is_reserved(portal: Portal) -> None:
    await portal.load(SMALL)
    levels = """
        select p.sku, w.code, s.on_hand, s.reserved from stock s
        join products p on p.tenant_id = s.tenant_id and p.id = s.product_id
        join warehouses w on w.tenant_id = s.tenant_id and w.id = s.warehouse_id
        where s.tenant_id = $1 order by 1, 2
    """
    assert await portal.rows(levels) == [("MUG", "N", 100, 6), ("TEA", "S", Decimal("-2.5"), 0)]
    lines = SMALL["order_lines"].replace("1,MUG,10,4,2.10,N", "1,MUG,10,4,2.10,S")
    await portal.load({"orders": SMALL["orders"], "order_lines": lines})
    assert await portal.rows(levels) == [
        ("MUG", "N", 100, 0),
        ("MUG", "S", 0, 6),
        ("TEA", "S", Decimal("-2.5"), 0),
    ]


async def test_new_numbers_go_on_behind_the_imported_ones(portal: Portal) -> None:
    await portal.load(SMALL)
    assert await portal.rows("select last from counters where tenant_id = $1") == [(7,)]


async def test_a_second_import_changes_no_row(portal: Portal) -> None:
    await portal.load(SMALL)
    before = await portal.versions()
    report = await portal.load(SMALL)
    assert not report.changed
    assert all(counts.unchanged == counts.rows for counts in report.tables.values())
    assert await portal.versions() == before


async def test_only_rows_that_differ_are_written(portal: Portal) -> None:
    await portal.load(SMALL)
    before = await portal.versions()
    report = await portal.load({"prices": SMALL["prices"].replace("2.10", "2.20")})
    assert (report.tables["prices"].updated, report.tables["prices"].unchanged) == (1, 2)
    after = await portal.versions()
    assert {table for table in after if after[table] != before[table]} == {"prices"}


async def test_an_order_changes_its_status_and_lines_and_keeps_its_copies(portal: Portal) -> None:
    await portal.load(SMALL)
    report = await portal.load(
        {
            "products": SMALL["products"].replace("Postage", "Shipping").replace("Tea", "Green tea"),
            "orders": SMALL["orders"].replace("COMPLETED", "CANCELLED"),
            "order_lines": (
                "order,line,sku,quantity,shipped_quantity,unit_price,warehouse\n"
                "SO-000007,1,MUG,10,10,2.10,N\nSO-000007,2,POST,1,0,3.333,\nX9,2,TEA,1,0.5,7.123456,S\nX9,3,MUG,1,0,2.55,S\n"
            ),
        }
    )
    lines = report.tables["order_lines"]
    assert (lines.inserted, lines.updated, lines.removed, lines.unchanged) == (1, 2, 1, 1)
    assert report.tables["orders"].updated == 2
    assert await portal.rows(
        """
        select o.number, o.version, o.total, l.position, l.name, l.amount, l.shipped_quantity from order_lines l
        join orders o on o.tenant_id = l.tenant_id and o.id = l.order_id
        where o.tenant_id = $1 order by 1, 4
        """
    ) == [
        ("SO-000007", 2, 2920, 1, 'Mug, "large"', 2100, 10),
        ("SO-000007", 2, 2920, 2, "Postage", 333, 0),
        ("X9", 2, 1053 + 1, 2, "Tea", 712, Decimal("0.5")),
        ("X9", 2, 1053 + 1, 3, 'Mug, "large"', 255, 0),
    ]


async def test_an_orders_own_status_stays_while_it_is_in_the_imported_state(portal: Portal) -> None:
    await portal.admin.execute(
        """
        insert into lifecycle_statuses values
            ($1, gen_random_uuid(), 'ORDER', 'packing', 'Packing', 'Wird gepackt', 'IN_PROGRESS', false, 9)
        """,
        portal.tenant_id,
    )
    await portal.load({**SMALL, "orders": SMALL["orders"].replace("IN_PROGRESS", "packing")})
    report = await portal.load(SMALL)
    assert not report.changed


@pytest.mark.parametrize(
    ("table", "old", "new"),
    [
        ("invoices", "2026-02-28", "2026-03-28"),
        ("invoice_lines", 'I1,1,MUG,"Mug, old name",3', 'I1,1,MUG,"Mug, old name",4'),
        ("invoice_lines", "I1,2,TEA,Tea,0.5,7.123456,5\n", ""),
        ("invoice_lines", "Mug, old name", "Mug, new name"),
        ("credit_note_lines", "K1,2,TEA,Tea,0.1,7,5,,", "K1,2,TEA,Tea,0.1,7,5,I1,2"),
        ("payments", "5.01", "5.02"),
    ],
)
async def test_what_is_posted_never_changes(portal: Portal, table: str, old: str, new: str) -> None:
    await portal.load(SMALL)
    before = await portal.versions()
    assert old in SMALL[table]
    report = await portal.load({**SMALL, table: SMALL[table].replace(old, new)})
    headers = table.replace("_lines", "s")
    assert report.tables[headers].reasons == {"ALREADY_POSTED": 1}
    assert "already posted with other values" in portal.rejected(headers)[0][1]
    assert not report.changed
    assert await portal.versions() == before


@pytest.mark.parametrize(
    ("table", "row", "reason"),
    [
        ("products", "NEW,New,GOODS,,pcs", "WRONG_COLUMN_COUNT: 5 values for 6 columns"),
        ("products", "NEW,New,GOODS,,pcs,20,x", "WRONG_COLUMN_COUNT: 7 values for 6 columns"),
        ("products", "NEW,N\0w,GOODS,,pcs,20", "NUL_BYTE: in name"),
        ("products", '"N"EW,New,GOODS,,pcs,20', "MALFORMED"),
        ("products", ",New,GOODS,,pcs,20", "MISSING_VALUE: sku"),
        ("products", f"{'x' * 101},New,GOODS,,pcs,20", "TEXT_TOO_LONG: sku"),
        ("products", "NEW,New,THING,,pcs,20", "UNKNOWN_KIND: kind"),
        ("products", "NEW,New,GOODS,,pcs,twenty", "BAD_NUMBER: tax_rate"),
        ("products", "NEW,New,GOODS,,pcs,100.01", "OUT_OF_RANGE: tax_rate"),
        ("products", "NEW,New,GOODS,nowhere,pcs,20", "UNKNOWN_CATEGORY: there is no category nowhere"),
        ("products", "MUG,Again,GOODS,,pcs,20", "DUPLICATE: of line 2"),
        ("categories", "lost,Lost,nowhere", "UNKNOWN_PARENT"),
        ("categories", "self,Self,self", "CIRCLE"),
        ("attribute_definitions", "width,Width,Breite,TEXT,,", "DUPLICATE: of line 2"),
        ("attribute_definitions", "new,New,Neu,SHAPE,,", "UNKNOWN_KIND: kind"),
        ("attribute_definitions", "new,New,Neu,TEXT,cm,", "MISPLACED_UNIT"),
        ("attribute_choices", "size,l,Large,Groß", "UNKNOWN_ATTRIBUTE: there is no attribute size"),
        ("attribute_choices", "width,l,Large,Groß", "MISPLACED_CHOICE: width"),
        ("attribute_choices", "colour,red,Red,Rot", "DUPLICATE: of line 2"),
        ("attributes", "NONE,width,1", "UNKNOWN_SKU: there is no sku NONE"),
        ("attributes", "TEA,size,1", "UNKNOWN_ATTRIBUTE: there is no attribute size"),
        ("attributes", "TEA,width,wide", "BAD_NUMBER: the attribute is a number"),
        ("attributes", "TEA,width,1.2345678", "BAD_NUMBER"),
        ("attributes", "TEA,washable,yes", "BAD_BOOLEAN"),
        ("attributes", "TEA,colour,green", "UNKNOWN_CHOICE"),
        ("attributes", "TEA,width,", "MISSING_VALUE: value"),
        ("attributes", f"TEA,note,{'x' * 501}", "TEXT_TOO_LONG: value"),
        ("attributes", "MUG,width,9", "DUPLICATE: of line 2"),
        ("prices", "MUG,trade,GBP,0,1", "OUT_OF_RANGE: min_quantity"),
        ("prices", "MUG,trade,GBP,5,-1", "OUT_OF_RANGE: unit_price"),
        ("prices", "MUG,trade,GBP,5,1.2345678", "BAD_NUMBER: unit_price"),
        ("prices", "MUG,trade,GBP,5,NaN", "BAD_NUMBER: unit_price"),
        ("prices", "MUG,trade,GBP,5,1e3", "BAD_NUMBER: unit_price"),
        ("prices", "MUG,trade,gbp,5,1", "BAD_CURRENCY: currency"),
        ("prices", "NONE,trade,GBP,5,1", "UNKNOWN_SKU: there is no sku NONE"),
        ("prices", "MUG,trade,GBP,1.000,9", "DUPLICATE: of line 2"),
        ("stock", "X,MUG,1", "UNKNOWN_WAREHOUSE: there is no warehouse X"),
        ("stock", "S,POST,1", "SERVICE_WITHOUT_STOCK: POST is a service and has no stock"),
        ("stock", "S,MUG,1000000000", "OUT_OF_RANGE: quantity"),
        ("stock", "S,MUG,٣", "BAD_NUMBER: quantity"),
        ("customers", "C1,Again,,GBP,,", "DUPLICATE: of line 2"),
        ("payments", "P9,C9,2026-03-02T08:00:00,1,GBP,", "UNKNOWN_CUSTOMER: there is no customer C9"),
        ("payments", "P9,C1,2026-03-02T08:00:00,1,GBP,I9", "UNKNOWN_INVOICE: there is no invoice I9"),
        ("payments", "P9,C1,2026-03-02T08:00:00,1,GBP,I1", "OTHER_CUSTOMER: invoice I1"),
        ("payments", "P9,C2,2026-03-02T08:00:00,1,EUR,I1", "OTHER_CURRENCY: invoice I1 is not in EUR"),
        ("payments", "P9,C1,2026-03-02T08:00:00,1.005,GBP,", "BAD_NUMBER: amount"),
        ("payments", "P9,C1,2026-03-02T08:00:00,1.5,JPY,", "BAD_NUMBER: amount"),
        ("payments", "P9,C1,2026-03-02T08:00:00,0,GBP,", "OUT_OF_RANGE: amount"),
        ("payments", "P9,C1,2026-02-30T08:00:00,1,GBP,", "BAD_DATE: paid_at"),
        ("payments", "P9,C1,yesterday,1,GBP,", "BAD_DATE: paid_at"),
    ],
)
async def test_a_bad_row_is_rejected_with_its_line_and_reason(
    portal: Portal, table: str, row: str, reason: str
) -> None:
    await portal.load(SMALL)
    before = await portal.versions()
    report = await portal.load({table: f"{SMALL[table]}{row}\n"})
    [(line, why, *original)] = portal.rejected(table)
    assert line == str(SMALL[table].count("\n") + 1)
    assert why.startswith(reason)
    assert original == (next(csv.reader([row])) if "MALFORMED" not in reason else [row])
    assert report.tables[table].rejected == 1
    assert await portal.versions() == before


@pytest.mark.parametrize(
    ("table", "row", "reason"),
    [
        ("orders", "N1,C9,2026-01-30T10:00:00,COMPLETED,GBP", "UNKNOWN_CUSTOMER"),
        ("orders", "N1,C1,2026-01-30T10:00:00,LOST,GBP", "UNKNOWN_STATUS"),
        ("orders", "N1,C1,30.01.2026,COMPLETED,GBP", "BAD_DATE"),
        ("orders", None, "NO_HEADER"),
        ("order_lines", "N1,1,NONE,1,0,1,N", "UNKNOWN_SKU"),
        ("order_lines", "N1,1,MUG,1,0,1,X", "UNKNOWN_WAREHOUSE"),
        ("order_lines", "N1,1,MUG,1,2,1,N", "OUT_OF_RANGE: more is shipped"),
        ("order_lines", "N1,1,MUG,0,0,1,N", "OUT_OF_RANGE: quantity"),
        ("order_lines", "N1,2,MUG,1,0,1,N", "DUPLICATE"),
        ("order_lines", "N1,1,MUG,999999999,0,999999999,N", "AMOUNT_OUT_OF_RANGE"),
        ("order_lines", "N1,1,MUG", "WRONG_COLUMN_COUNT"),
        ("invoices", "N1,C9,X9,2026-02-01T08:00:00,2026-02-28,GBP", "UNKNOWN_CUSTOMER"),
        ("invoices", "N1,C1,NONE,2026-02-01T08:00:00,2026-02-28,GBP", "UNKNOWN_ORDER"),
        ("invoices", "N1,C1,X9,2026-02-01T08:00:00,2026-02-28,GBP", "OTHER_CUSTOMER"),
        ("invoices", "N1,C2,X9,2026-02-01T08:00:00,2026-02-31,GBP", "BAD_DATE"),
        ("invoice_lines", "N1,1,MUG,Mug,1,-1,20", "OUT_OF_RANGE"),
        ("invoice_lines", "N1,1,NONE,None,1,1,20", "UNKNOWN_SKU"),
        ("credit_notes", "N1,C2,NONE,2026-03-01T08:00:00,GBP", "UNKNOWN_INVOICE"),
        ("credit_notes", "N1,C2,I1,2026-03-01T08:00:00,EUR", "OTHER_CURRENCY: invoice I1 is not in EUR"),
        ("credit_note_lines", "N1,1,MUG,Mug,1,1,20,I1,7", "UNKNOWN_INVOICE_LINE"),
        ("credit_note_lines", "N1,1,MUG,Mug,1,1,20,I1,", "UNKNOWN_INVOICE_LINE"),
    ],
)
async def test_a_document_goes_in_whole_or_not_at_all(
    portal: Portal, table: str, row: str | None, reason: str
) -> None:
    good = {
        "orders": "N1,C1,2026-01-30T10:00:00,COMPLETED,GBP",
        "order_lines": "N1,2,MUG,1,0,1,N",
        "invoices": "N1,C2,X9,2026-02-01T08:00:00,2026-02-28,GBP",
        "invoice_lines": "N1,2,MUG,Mug,1,1,20",
        "credit_notes": "N1,C2,I1,2026-03-01T08:00:00,GBP",
        "credit_note_lines": "N1,2,MUG,Mug,1,1,20,,",
    }
    headers = table.replace("_lines", "s")
    lines = headers[:-1] + "_lines"
    await portal.load(SMALL)
    before = await portal.versions()
    added = {headers: [good[headers]], lines: [good[lines]]}
    added[table] = [] if row is None else [row] if table == headers else [*added[table], row]
    report = await portal.load(
        {name: SMALL[name] + "".join(f"{each}\n" for each in rows) for name, rows in added.items()}
    )
    reasons = [each[1] for name in (headers, lines) if added[name] for each in portal.rejected(name)]
    assert sum(why.startswith(reason) for why in reasons) == 1
    own = [why for why in reasons if not why.startswith("DOCUMENT_REJECTED: line ")]
    assert all(own[0] in why for why in reasons)
    assert len(reasons) == sum(map(len, added.values()))
    assert not report.changed
    assert await portal.versions() == before


async def test_a_header_without_lines_is_rejected(portal: Portal) -> None:
    report = await portal.load({**SMALL, "order_lines": SMALL["order_lines"].split("X9")[0]})
    assert report.tables["orders"].reasons == {"NO_LINES": 1}
    assert report.tables["invoices"].reasons == {"UNKNOWN_ORDER": 1}
    assert portal.rejected("orders")[0][0] == "3"


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("products.csv", b"", "header"),
        ("products.csv", b"\n\n", "header"),
        ("products.csv", b"sku,name,kind,unit,tax_rate\n", "lacks the columns category"),
        ("products.csv", b"sku,sku,name,kind,category,unit,tax_rate\n", "sku are there twice"),
        ("products.csv", SMALL["products"].encode("utf-16"), "UTF-8"),
        ("products.csv", SMALL["products"].encode() + b"NEW,caf\xe9,GOODS,,pcs,20\n", "UTF-8"),
        (
            "products.csv",
            SMALL["products"].encode() + b'NEW,"New,GOODS,,pcs,20\nX,Y,GOODS,,pcs,20\n',
            "quote",
        ),
        ("products.csv", SMALL["products"].encode() + b"x" * 1_100_000, "longer"),
        ("products.csv", SMALL["products"].encode() + b'"' + b"x\n" * 600_000, "quote"),
        ("products.csv.gz", b"no gzip at all", "broken"),
        ("products.csv.gz", gzip.compress(SMALL["products"].encode() * 100)[:-20], "broken"),
        ("products.csv.gz", BOMB, "unpacks"),
    ],
)
async def test_a_file_that_cannot_be_read_changes_nothing(
    portal: Portal, file: str, content: bytes, reason: str
) -> None:
    files = {name: text for name, text in SMALL.items() if name != "products"}
    before = await portal.versions()
    with pytest.raises(exchange.Unreadable, match=reason) as caught:
        await portal.load({**files, file: content})
    assert caught.value.file == file
    assert await portal.versions() == before
    assert not (portal.folder / "rejected").exists()


@pytest.mark.parametrize(
    "files", [{}, {"notes.txt": "hello"}, {"prices.csv": SMALL["prices"], "prices.csv.gz": b""}]
)
async def test_a_folder_without_a_file_of_the_layout_or_with_one_twice_is_refused(
    portal: Portal, files: dict[str, Any]
) -> None:
    for write in (as_folder, as_zip):
        with pytest.raises(exchange.Unreadable):
            await portal.load(files, write)


async def test_what_is_neither_folder_nor_zip_is_refused(portal: Portal) -> None:
    (portal.folder / "broken.zip").write_bytes(b"PK no zip")
    for name in ("missing", "broken.zip"):
        with pytest.raises(exchange.Unreadable):
            await portal.load({}, lambda _, __, name=name: portal.folder / name)  # type: ignore[misc]


async def test_a_zip_and_packed_files_are_read_like_a_folder(portal: Portal) -> None:
    packed = {f"{name}.csv.gz": gzip.compress(text.encode()) for name, text in SMALL.items()}
    assert (await portal.load(SMALL, as_zip)).changed
    assert not (await portal.load(packed)).changed
    assert not (await portal.load(packed, as_zip)).changed


async def test_columns_in_any_order_line_ends_quotes_and_a_bom_mean_nothing(portal: Portal) -> None:
    await portal.load(SMALL)
    other = {}
    for name, text in SMALL.items():
        rows = list(csv.reader(io.StringIO(text)))
        written = io.StringIO()
        writer = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerows([row[::-1] for row in rows])
        other[name] = "\ufeff" + written.getvalue().rstrip("\r\n")
    report = await portal.load(other)
    assert not report.changed
    assert all(counts.rejected == 0 for counts in report.tables.values())


async def test_unknown_files_and_columns_are_ignored_and_named(portal: Portal) -> None:
    wide = 'code,colour,name\nN,red,North\nS,"dark ""red""",South\n'
    report = await portal.load({"warehouses": wide, "notes.txt": "hello", "orders.xlsx": "x"})
    assert report.ignored_files == ["notes.txt", "orders.xlsx"]
    assert report.ignored_columns == {"warehouses.csv": ["colour"]}
    assert report.tables["warehouses"].inserted == 2


async def test_optional_columns_are_taken(portal: Portal) -> None:
    files = {
        "products": 'sku,name,kind,category,unit,tax_rate,description\nMUG,Mug,GOODS,,pcs,20,"Holds\n300 ml"\n',
        "prices": (
            "sku,price_list,currency,min_quantity,unit_price,valid_from,valid_to\n"
            "MUG,trade,GBP,1,2,,\nMUG,trade,GBP,1,3,2026-01-01,2026-12-31\nMUG,trade,GBP,1,3,2026-02-01,2026-01-31\n"
        ),
    }
    await portal.load(files)
    assert await portal.rows("select description from products where tenant_id = $1") == [("Holds\n300 ml",)]
    assert await portal.rows(
        "select valid_from::text, valid_to::text, unit_price from prices where tenant_id = $1 order by 1"
    ) == [
        ("2000-01-01", None, 2),
        ("2026-01-01", "2026-12-31", 3),
    ]
    assert portal.rejected("prices")[0][1].startswith("OUT_OF_RANGE: valid_to")
    assert (await portal.load({"products": SMALL["products"].split("TEA")[0].replace("mugs", "")})).tables[
        "products"
    ].updated == 1
    assert await portal.rows("select description from products where tenant_id = $1") == [("Holds\n300 ml",)]


async def test_line_numbers_are_those_of_the_file(portal: Portal) -> None:
    text = 'code,name\n\nA,"two\nlines"\nB,B\nbad\nC,"a ""quote"""\nbad,too,much\n'
    report = await portal.load({"warehouses": text})
    assert [row[0] for row in portal.rejected("warehouses")] == ["6", "8"]
    assert report.tables["warehouses"].inserted == 3


async def test_rejected_files_of_the_last_run_are_gone(portal: Portal) -> None:
    await portal.load({"warehouses": "code,name\nA\n"})
    assert (portal.folder / "rejected" / "warehouses.csv").exists()
    await portal.load({"warehouses": "code,name\nA,A\n"})
    assert not (portal.folder / "rejected" / "warehouses.csv").exists()


async def test_many_rows_pass_block_by_block_with_their_line_numbers(portal: Portal) -> None:
    rows = [f"W{n},Warehouse {n}" if n % 1000 else f"W{n}" for n in range(1, 40_001)]
    report = await portal.load({"warehouses": "\n".join(["code,name", *rows])})
    assert report.tables["warehouses"].inserted == 40_000 - 40
    assert [int(row[0]) for row in portal.rejected("warehouses")] == [
        n + 1 for n in range(1000, 40_001, 1000)
    ]


@pytest.mark.parametrize("currency", ["GBP", "JPY", "KWD"])
async def test_amounts_are_those_of_the_rules(portal: Portal, currency: str) -> None:
    chance = random.Random(currency)
    rates = ["0", "5", "7", "19", "20", "12.25"]
    documents: dict[str, list[tuple[Decimal, Decimal, Decimal]]] = {
        f"I{n}": [
            (
                Decimal(chance.choice([1, 1, 5, 123_456, 999_999, 1_500])).scaleb(-chance.choice([0, 0, 3])),
                Decimal(chance.choice([5, 25, 1005, 333_333, chance.randrange(10**7)])).scaleb(
                    -chance.choice([2, 3, 6])
                ),
                Decimal(chance.choice(rates)),
            )
            for _ in range(chance.randrange(1, 8))
        ]
        for n in range(300)
    }
    headers = "".join(f"{number},C1,,2026-02-01T08:00:00,2026-02-28,{currency}\n" for number in documents)
    lines = "".join(
        f"{number},{position},MUG,Mug,{quantity:f},{price:f},{rate}\n"
        for number, body in documents.items()
        for position, (quantity, price, rate) in enumerate(body, 1)
    )
    report = await portal.load(
        {
            **{name: SMALL[name] for name in ("categories", "products", "customers")},
            "invoices": SMALL["invoices"].split("\n")[0] + "\n" + headers,
            "invoice_lines": SMALL["invoice_lines"].split("\n")[0] + "\n" + lines,
        }
    )
    assert report.tables["invoices"].inserted == len(documents)
    kept = await portal.rows(
        """
        select i.number, i.net, i.tax, i.total, array_agg(l.amount order by l.position)
        from invoices i join invoice_lines l on l.tenant_id = i.tenant_id and l.invoice_id = i.id
        where i.tenant_id = $1 group by 1, 2, 3, 4
        """
    )
    assert len(kept) == len(documents)
    for number, net, tax, total, amounts in kept:
        body = documents[number]
        expected = [line_amount(quantity, price, currency) for quantity, price, _ in body]
        assert amounts == expected
        sums = totals(zip(expected, [rate for _, _, rate in body], strict=True), tax_included=False)
        assert (net, tax, total) == (sums.net, sums.tax, sums.total)


async def test_two_imports_of_one_tenant_go_one_after_the_other(portal: Portal) -> None:
    reports = await asyncio.gather(portal.load(SMALL), portal.load(SMALL))
    assert sorted(report.changed for report in reports) == [False, True]


async def test_progress_is_told(portal: Portal, tmp_path: Path) -> None:
    told: list[Any] = []

    class Told:
        def reading(self, table: str, rows: int, bytes_read: int, bytes_total: int) -> None:
            told.append((table, rows, bytes_read, bytes_total))

        def writing(self, table: str, rows: int) -> None:
            told.append((table, rows))

    source = as_folder(tmp_path / "in", {"warehouses": SMALL["warehouses"]})
    size = len(SMALL["warehouses"])
    async with portal.database.connect(portal.tenant_id) as connection:
        await exchange.run(connection, source, tmp_path, Told())
    assert told == [("warehouses", 2, size, size), ("warehouses", 2)]


# As the data's own README counts them.
EUROPE = {
    "products": 2705,
    "prices": 2929,
    "stock": 8103,
    "customers": 299,
    "orders": 1362,
    "order_lines": 32297,
    "invoices": 1362,
    "invoice_lines": 32297,
    "credit_notes": 278,
    "credit_note_lines": 881,
    "payments": 1102,
}


@pytest.mark.skipif(not (REAL / "europe").exists(), reason="the real data is not here")
async def test_real_trade_goes_in_and_adds_up(portal: Portal) -> None:
    async with portal.database.connect(portal.tenant_id) as connection:
        report = await exchange.run(connection, REAL / "europe", portal.folder, exchange.Silent())
    assert {table: report.tables[table].rows for table in EUROPE} == EUROPE
    for table, rows in EUROPE.items():
        kept = await portal.rows(f"select count(*) from {table} where tenant_id = $1")
        assert kept == [(rows - report.tables[table].rejected,)]
    [(moved, posted)] = await portal.rows(
        """
        select (select sum(amount) from movements where tenant_id = $1),
            (select sum(total) from invoices where tenant_id = $1)
            - (select sum(total) from credit_notes where tenant_id = $1)
            - (select sum(amount) from payments where tenant_id = $1)
        """
    )
    assert moved == posted
    before = await portal.versions()
    async with portal.database.connect(portal.tenant_id) as connection:
        assert not (await exchange.run(connection, REAL / "europe", portal.folder, exchange.Silent())).changed
    assert await portal.versions() == before


CANCELLED = """
    select o.number, o.delivery_state, l.position, l.shipped_quantity, l.cancelled_quantity from order_lines l
    join orders o on o.tenant_id = l.tenant_id and o.id = l.order_id where o.tenant_id = $1 order by 1, 3
"""


async def test_what_an_order_that_has_ended_was_not_shipped_is_cancelled(portal: Portal) -> None:
    await portal.load(SMALL)
    assert await portal.rows(CANCELLED) == [
        ("SO-000007", "PARTIAL", 1, 4, 0),
        ("SO-000007", "PARTIAL", 2, 0, 0),
        ("X9", "FULL", 1, 3, 0),
        ("X9", "FULL", 2, Decimal("0.5"), 0),
    ]
    ended = SMALL["orders"].replace("IN_PROGRESS", "COMPLETED")
    report = await portal.load({"orders": ended, "order_lines": SMALL["order_lines"]})
    assert (report.tables["orders"].updated, report.tables["order_lines"].updated) == (1, 2)
    assert (await portal.rows(CANCELLED))[:2] == [
        ("SO-000007", "PARTIAL", 1, 4, 6),
        ("SO-000007", "PARTIAL", 2, 0, 1),
    ]
    assert not (await portal.load({"orders": ended, "order_lines": SMALL["order_lines"]})).changed
    await portal.load(SMALL)  # the company goes on with it after all
    assert (await portal.rows(CANCELLED))[:2] == [
        ("SO-000007", "PARTIAL", 1, 4, 0),
        ("SO-000007", "PARTIAL", 2, 0, 0),
    ]
    assert await portal.rows("select sum(reserved) from stock where tenant_id = $1 and reserved > 0") == [
        (6,)
    ]


async def test_numbers_of_what_is_posted_here_go_on_behind_the_imported_ones(portal: Portal) -> None:
    renamed = {"I1": "IN-000041", "K1": "CN-7", "P1": "PA-000009"}
    files = dict(SMALL)
    for name in ("invoices", "invoice_lines", "credit_notes", "credit_note_lines", "payments"):
        for old, new in renamed.items():
            files[name] = files[name].replace(old, new)
    for _ in range(2):
        await portal.load(files)
        rows = await portal.rows(
            "select kind, last from counters where tenant_id = $1 and kind <> 'SO' order by kind"
        )
        assert rows == [("CN", 7), ("IN", 41), ("PA", 9)]


async def test_what_is_paid_or_credited_for_an_invoice_that_was_reversed_does_not_move_it(
    portal: Portal,
) -> None:
    """Money is there and lies on account; a credit note would take back once more what is taken back already."""
    await portal.load(SMALL)
    await portal.admin.execute(
        """
        insert into reversals (tenant_id, id, invoice_id, reversed_at, reason)
        select tenant_id, gen_random_uuid(), id, now(), 'Wrong' from invoices where tenant_id = $1
        """,
        portal.tenant_id,
    )
    assert not (await portal.load(SMALL)).changed
    files = {
        "payments": "P9,C2,2026-03-03T08:00:00,7,GBP,I1\n",
        "credit_notes": "K9,C2,I1,2026-03-03T08:00:00,GBP\n",
        "credit_note_lines": "K9,1,MUG,Mug,1,1,20,,\n",
    }
    report = await portal.load({name: SMALL[name] + rows for name, rows in files.items()})
    assert report.tables["payments"].inserted == 1
    assert report.tables["credit_notes"].reasons == {"INVOICE_REVERSED": 1}
    assert portal.rejected("credit_notes")[0][1] == "INVOICE_REVERSED: invoice I1 was reversed"
    moved = "select amount, settles_id, order_id from movements m where tenant_id = $1 and payment_id = "
    of = "(select id from payments p where p.tenant_id = m.tenant_id and number = 'P9')"
    assert await portal.rows(moved + of) == [(-700, None, None)]
