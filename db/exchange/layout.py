"""The exchange layout: its tables, their columns, and by which of a company's own codes a row is known."""

from dataclasses import dataclass

from db.exchange.values import (
    AMOUNT,
    ATTRIBUTE_KIND,
    CODE,
    CURRENCY,
    DATE,
    DESCRIPTION,
    MOMENT,
    NAME,
    ON_HAND,
    POSITION,
    PRODUCT_KIND,
    QUANTITY,
    SHIPPED,
    TAX_RATE,
    UNIT_PRICE,
    Kind,
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `required` in every row, and unless `optional` in every file."""

    name: str
    kind: Kind
    required: bool = True
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """A table of the layout, as one file holds it."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]


# In the order in which they go in: what is referred to comes first.
LAYOUT = {
    layout.name: layout
    for layout in (
        Layout("warehouses", ("code",), (Column("code", CODE), Column("name", NAME))),
        Layout(
            "categories",
            ("code",),
            (Column("code", CODE), Column("name", NAME), Column("parent", CODE, required=False)),
        ),
        Layout(
            "products",
            ("sku",),
            (
                Column("sku", CODE),
                Column("name", NAME),
                Column("kind", PRODUCT_KIND),
                Column("category", CODE, required=False),
                Column("unit", CODE),
                Column("tax_rate", TAX_RATE),
                Column("description", DESCRIPTION, required=False, optional=True),
            ),
        ),
        Layout(
            "attribute_definitions",
            ("code",),
            (
                Column("code", CODE),
                Column("name_en", NAME),
                Column("name_de", NAME),
                Column("kind", ATTRIBUTE_KIND),
                Column("unit", CODE, required=False, optional=True),
                Column("position", POSITION, required=False, optional=True),
            ),
        ),
        Layout(
            "attribute_choices",
            ("attribute", "code"),
            (
                Column("attribute", CODE),
                Column("code", CODE),
                Column("name_en", NAME),
                Column("name_de", NAME),
                Column("position", POSITION, required=False, optional=True),
            ),
        ),
        Layout(
            "attributes",
            ("sku", "attribute"),
            (Column("sku", CODE), Column("attribute", CODE), Column("value", NAME)),
        ),
        Layout(
            "prices",
            ("sku", "price_list", "currency", "min_quantity", "valid_from"),
            (
                Column("sku", CODE),
                Column("price_list", CODE),
                Column("currency", CURRENCY),
                Column("min_quantity", QUANTITY),
                Column("unit_price", UNIT_PRICE),
                Column("valid_from", DATE, required=False, optional=True),
                Column("valid_to", DATE, required=False, optional=True),
            ),
        ),
        Layout(
            "stock",
            ("warehouse", "sku"),
            (Column("warehouse", CODE), Column("sku", CODE), Column("quantity", ON_HAND)),
        ),
        Layout(
            "customers",
            ("code",),
            (
                Column("code", CODE),
                Column("name", NAME),
                Column("country", NAME, required=False),
                Column("currency", CURRENCY),
                Column("price_list", CODE, required=False),
                Column("email", NAME, required=False),
            ),
        ),
        Layout(
            "orders",
            ("number",),
            (
                Column("number", CODE),
                Column("customer", CODE),
                Column("ordered_at", MOMENT),
                Column("status", CODE),
                Column("currency", CURRENCY),
            ),
        ),
        Layout(
            "order_lines",
            ("order", "line"),
            (
                Column("order", CODE),
                Column("line", POSITION),
                Column("sku", CODE),
                Column("quantity", QUANTITY),
                Column("shipped_quantity", SHIPPED),
                Column("unit_price", UNIT_PRICE),
                Column("warehouse", CODE, required=False),
            ),
        ),
        Layout(
            "invoices",
            ("number",),
            (
                Column("number", CODE),
                Column("customer", CODE),
                Column("order", CODE, required=False),
                Column("issued_at", MOMENT),
                Column("due_on", DATE),
                Column("currency", CURRENCY),
            ),
        ),
        Layout(
            "invoice_lines",
            ("invoice", "line"),
            (
                Column("invoice", CODE),
                Column("line", POSITION),
                Column("sku", CODE),
                Column("name", NAME),
                Column("quantity", QUANTITY),
                Column("unit_price", UNIT_PRICE),
                Column("tax_rate", TAX_RATE),
            ),
        ),
        Layout(
            "credit_notes",
            ("number",),
            (
                Column("number", CODE),
                Column("customer", CODE),
                Column("invoice", CODE, required=False),
                Column("issued_at", MOMENT),
                Column("currency", CURRENCY),
            ),
        ),
        Layout(
            "credit_note_lines",
            ("credit_note", "line"),
            (
                Column("credit_note", CODE),
                Column("line", POSITION),
                Column("sku", CODE),
                Column("name", NAME),
                Column("quantity", QUANTITY),
                Column("unit_price", UNIT_PRICE),
                Column("tax_rate", TAX_RATE),
                Column("invoice", CODE, required=False),
                Column("invoice_line", POSITION, required=False),
            ),
        ),
        Layout(
            "payments",
            ("number",),
            (
                Column("number", CODE),
                Column("customer", CODE),
                Column("paid_at", MOMENT),
                Column("amount", AMOUNT),
                Column("currency", CURRENCY),
                Column("invoice", CODE, required=False),
            ),
        ),
    )
}
