"""The made-up world: catalogue, customers and trade of a portal, as a folder in the exchange layout."""

import csv
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from rules.amounts import line_amount, totals
from rules.money import to_major
from server.demo import attributes
from server.demo.portals import DemoPortal

_CATEGORIES = [
    # code, parent, English, German
    ("kitchen", "", "Kitchen", "Küche"),
    ("mugs", "kitchen", "Mugs and cups", "Becher und Tassen"),
    ("bowls", "kitchen", "Bowls and plates", "Schalen und Teller"),
    ("lighting", "", "Candles and lighting", "Kerzen und Licht"),
    ("candles", "lighting", "Candles", "Kerzen"),
    ("lanterns", "lighting", "Lanterns", "Laternen"),
    ("paper", "", "Paper and gift wrap", "Papier und Geschenk"),
    ("textiles", "", "Textiles", "Textilien"),
    ("food", "", "Pantry", "Feinkost"),
    ("services", "", "Services", "Dienstleistungen"),
]
_STYLES = [
    ("Blue", "Blau"), ("Ivory", "Elfenbein"), ("Sage", "Salbei"), ("Copper", "Kupfer"),
    ("Striped", "Gestreift"), ("Rustic", "Rustikal"),
]  # fmt: skip
_GOODS = [
    # category, unit, price of one, tax kind, English, German
    ("mugs", "pcs", "4.20", "full", "Stoneware mug", "Steinzeugbecher"),
    ("mugs", "pcs", "3.10", "full", "Espresso cup", "Espressotasse"),
    ("bowls", "pcs", "7.80", "full", "Soup bowl", "Suppenschale"),
    ("bowls", "pcs", "9.40", "full", "Dinner plate", "Speiseteller"),
    ("candles", "pcs", "2.35", "full", "Pillar candle", "Stumpenkerze"),
    ("candles", "pcs", "5.60", "full", "Scented candle in glass", "Duftkerze im Glas"),
    ("lanterns", "pcs", "14.90", "full", "Metal lantern", "Metalllaterne"),
    ("lanterns", "pcs", "19.50", "full", "Hanging tea-light holder", "Hängendes Teelichthaus"),
    ("paper", "pcs", "1.15", "full", "Greeting card with envelope", "Grußkarte mit Umschlag"),
    ("paper", "m", "0.685", "full", "Gift wrap from the roll", "Geschenkpapier von der Rolle"),
    ("textiles", "pcs", "6.25", "full", "Linen tea towel", "Geschirrtuch aus Leinen"),
    ("textiles", "pcs", "12.40", "full", "Cushion cover", "Kissenbezug"),
    ("food", "kg", "11.75", "reduced", "Roasted almonds", "Geröstete Mandeln"),
    ("food", "pcs", "4.95", "reduced", "Jar of heather honey", "Glas Heidehonig"),
]
_SERVICES = [
    ("EXPRESS", "24.00", "Express delivery", "Expresslieferung"),
    ("GIFTBOX", "3.50", "Gift packing by hand", "Geschenkverpackung von Hand"),
]
_TAX = {"GBP": {"full": "20.00", "reduced": "0.00"}, "EUR": {"full": "19.00", "reduced": "7.00"}}
_WAREHOUSES = {
    "nord": [("HH", "Hamburg"), ("KI", "Kiel"), ("HRO", "Rostock")],
    "harbour": [("LON", "London Docklands"), ("MAN", "Manchester")],
    "alpen": [("M", "München"), ("SZG", "Salzburg")],
}
_CUSTOMERS = {
    "harbour": ["The Corner Gift Shop", "Lund & Daughters", "Pebble Beach Cafe", "Old Mill Interiors",
                "Market Street Books", "Seaview Hotel"],
    "nord": ["Janssen Wohnen", "Petersen Feinkost", "Café Windrose", "Deichladen Husum",
             "Buchhandlung Sieveking", "Hotel Leuchtturm"],
    "alpen": ["Huber Geschenke", "Gasthof Edelweiß", "Almladen Reit", "Moser Raumausstattung",
              "Café Gipfelblick"],
}  # fmt: skip
_COUNTRY = {"harbour": "United Kingdom", "nord": "Deutschland", "alpen": "Österreich"}

_HEADERS = {
    "warehouses": "code,name",
    "categories": "code,name,parent",
    "products": "sku,name,kind,category,unit,tax_rate",
    "attribute_definitions": "code,name_en,name_de,kind,unit,position",
    "attribute_choices": "attribute,code,name_en,name_de,position",
    "attributes": "sku,attribute,value",
    "prices": "sku,price_list,currency,min_quantity,unit_price",
    "stock": "warehouse,sku,quantity",
    "customers": "code,name,country,currency,price_list,email",
    "orders": "number,customer,ordered_at,status,currency",
    "order_lines": "order,line,sku,quantity,shipped_quantity,unit_price,warehouse",
    "invoices": "number,customer,order,issued_at,due_on,currency",
    "invoice_lines": "invoice,line,sku,name,quantity,unit_price,tax_rate",
    "credit_notes": "number,customer,invoice,issued_at,currency",
    "credit_note_lines": "credit_note,line,sku,name,quantity,unit_price,tax_rate,invoice,invoice_line",
    "payments": "number,customer,paid_at,amount,currency,invoice",
}
_FIRST_DAY = datetime(2026, 6, 1, 8, 0, tzinfo=UTC)
_ORDERS = 60


@dataclass
class _Tables:
    """Rows by table, growing."""

    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: {name: [] for name in _HEADERS})

    def add(self, table: str, *row: Any) -> None:
        """Put a row into a table."""
        self.rows[table].append(row)


@dataclass(frozen=True)
class _Product:
    sku: str
    name: str
    price: Decimal
    tax_rate: Decimal
    unit: str


def write(portal: DemoPortal, folder: Path) -> None:
    """Write the world of a made-up portal into a folder: the same files at every call."""
    tables = _Tables()
    chance = random.Random(portal.slug)  # noqa: S311  (made-up trade, not secrets)
    language = 3 if portal.locale == "de" else 2
    for code, name in _WAREHOUSES[portal.slug]:
        tables.add("warehouses", code, name)
    for category in _CATEGORIES:
        tables.add("categories", category[0], category[language], category[1])
    for position, definition in enumerate(attributes.DEFINITIONS, start=1):
        tables.add("attribute_definitions", *definition, position)
    for position, choice in enumerate(attributes.CHOICES, start=1):
        tables.add("attribute_choices", *choice, position)
    products = _catalogue(portal, tables, chance)
    for number, name in enumerate(_CUSTOMERS[portal.slug], start=1_001):
        price_list = "partner" if number % 3 == 2 else "wholesale"
        email = f"office-{number}@customers.example"
        tables.add(
            "customers", f"C-{number}", name, _COUNTRY[portal.slug], portal.currency, price_list, email
        )
    _trade(portal, tables, products, chance)
    folder.mkdir(parents=True, exist_ok=True)
    for table, rows in tables.rows.items():
        with (folder / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(_HEADERS[table].split(","))
            writer.writerows(rows)


def _catalogue(portal: DemoPortal, tables: _Tables, chance: random.Random) -> list[_Product]:
    german = portal.locale == "de"
    tax = _TAX[portal.currency]
    products = []
    number = 1_000
    seen: Counter[str] = Counter()
    for category, unit, price, tax_kind, english_name, german_name in _GOODS:
        of_category = seen[category]
        seen[category] += 1
        styles = _STYLES if unit == "pcs" else _STYLES[:2]
        for style, (english_style, german_style) in enumerate(styles):
            number += 1
            name = (
                f"{german_name}, {german_style.lower()}"
                if german
                else f"{english_name}, {english_style.lower()}"
            )
            factor = Decimal(chance.randint(90, 130)) / 100
            one = (Decimal(price) * factor).quantize(Decimal("0.001"), rounding=ROUND_HALF_UP)
            product = _Product(f"K-{number}", name, one, Decimal(tax[tax_kind]), _unit(unit, german=german))
            products.append(product)
            tables.add("products", product.sku, name, "GOODS", category, product.unit, tax[tax_kind])
            for code, value in attributes.said_of(category, of_category, style, german=german):
                tables.add("attributes", product.sku, code, value)
            _prices(portal, tables, product)
            _stock(portal, tables, product, number, chance)
    for code, price, english_name, german_name in _SERVICES:
        name = german_name if german else english_name
        service = _Product(
            f"K-{code}", name, Decimal(price), Decimal(tax["full"]), _unit("pcs", german=german)
        )
        tables.add("products", service.sku, name, "SERVICE", "services", service.unit, tax["full"])
        _prices(portal, tables, service, breaks=False)
    return products


def _unit(code: str, *, german: bool) -> str:
    return "Stk" if german and code == "pcs" else code


def _prices(portal: DemoPortal, tables: _Tables, product: _Product, *, breaks: bool = True) -> None:
    for price_list, discount in (("wholesale", Decimal("1.00")), ("partner", Decimal("0.92"))):
        for minimum, factor in ((1, "1.00"), (12, "0.95"), (48, "0.88"))[: 3 if breaks else 1]:
            price = (product.price * discount * Decimal(factor)).quantize(Decimal("0.001"))
            tables.add("prices", product.sku, price_list, portal.currency, minimum, price)


def _stock(
    portal: DemoPortal, tables: _Tables, product: _Product, number: int, chance: random.Random
) -> None:
    """Each product has its home in one warehouse and little in the others; some are nearly gone."""
    codes = [code for code, _ in _WAREHOUSES[portal.slug]]
    for place, code in enumerate(codes):
        at_home = number % len(codes) == place
        quantity = chance.randint(300, 900) if at_home else chance.randint(0, 20)
        tables.add("stock", code, product.sku, 3 if at_home and number % 17 == 0 else quantity)


def _trade(portal: DemoPortal, tables: _Tables, products: list[_Product], chance: random.Random) -> None:
    customers = [row[0] for row in tables.rows["customers"]]
    for number in range(1, _ORDERS + 1):
        customer = customers[number % len(customers)]
        placed = _FIRST_DAY + timedelta(
            days=2 * number, hours=chance.randint(0, 8), minutes=chance.randint(0, 59)
        )
        status = (
            "COMPLETED" if number < _ORDERS - 12 else ("IN_PROGRESS", "NOT_STARTED", "CANCELLED")[number % 3]
        )
        chosen = chance.sample(products, chance.randint(2, 8))
        order = f"SO-{number:06d}"
        tables.add("orders", order, customer, _moment(placed), status, portal.currency)
        lines = []
        for position, product in enumerate(chosen, start=1):
            quantity = chance.randint(2, 30)
            shipped = {"COMPLETED": quantity, "IN_PROGRESS": quantity // 2}.get(status, 0)
            warehouse = chance.choice(_WAREHOUSES[portal.slug])[0]
            tables.add(
                "order_lines", order, position, product.sku, quantity, shipped, product.price, warehouse
            )
            lines.append((product, quantity))
        if status == "COMPLETED":
            _invoice(portal, tables, number, customer, order, placed + timedelta(days=3), lines, chance)


def _invoice(
    portal: DemoPortal,
    tables: _Tables,
    number: int,
    customer: str,
    order: str,
    issued: datetime,
    lines: list[tuple[_Product, int]],
    chance: random.Random,
) -> None:
    invoice = f"INV-{number:06d}"
    due = issued.date() + timedelta(days=30)
    tables.add("invoices", invoice, customer, order, _moment(issued), due, portal.currency)
    for position, (product, quantity) in enumerate(lines, start=1):
        tables.add(
            "invoice_lines",
            invoice,
            position,
            product.sku,
            product.name,
            quantity,
            product.price,
            product.tax_rate,
        )
    sums = totals(
        [
            (line_amount(Decimal(quantity), each.price, portal.currency), each.tax_rate)
            for each, quantity in lines
        ],
        tax_included=False,
    )
    if number % 9 == 0:
        product, _ = lines[0]
        credit_note = f"CN-{number:06d}"
        when = _moment(issued + timedelta(days=9))
        tables.add("credit_notes", credit_note, customer, invoice, when, portal.currency)
        tables.add(
            "credit_note_lines",
            credit_note,
            1,
            product.sku,
            product.name,
            1,
            product.price,
            product.tax_rate,
            invoice,
            1,
        )
    if number % 5:
        paid = _moment(issued + timedelta(days=chance.randint(5, 45)))
        amount = to_major(sums.total, portal.currency)
        tables.add("payments", f"PAY-{number:06d}", customer, paid, amount, portal.currency, invoice)


def _moment(when: datetime | date) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S")
