"""Cart sources: the lines that somebody wants in the cart, from wherever they come."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import strawberry

import db
from db.orders import Order
from db.quotations import Quotation
from resolvers import nodes
from resolvers.context import Context
from rules import cart_fills
from rules.broken import BrokenRule, found_at
from rules.cart_fills import CartSourceEmpty, CsvLineUnreadable
from rules.carts import MOST_ITEMS, CartFull, OriginKind
from rules.quotations import Quote


@strawberry.input(description="A product by the company's own code, and how much of it.")
class CartFillLineInput:
    """One of cartFill's lines."""

    sku: str = strawberry.field(description="The product's SKU.")
    quantity: Decimal = strawberry.field(description="How much, in the product's unit.")
    warehouse: str | None = strawberry.field(
        default=None, description="The code of the warehouse to ship from; left out, the one that has most."
    )


@strawberry.input(one_of=True, description="Where lines for the cart come from: exactly one of these.")
class CartFillSourceInput:
    """cartFill(input: {from:})."""

    quotation: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="A quotation: at its prices while it is valid, otherwise at today's.",
    )
    order: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="An earlier order: its lines at today's prices."
    )
    lines: list[CartFillLineInput] | None = strawberry.field(
        default=strawberry.UNSET, description="SKUs and quantities, at most 1,000."
    )
    csv: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="CSV text: sku,quantity and, where it matters, the warehouse's code. Comma, semicolon or tab, "
        "a decimal point, with or without a heading; at most 1,000 lines, each of up to 1,000 characters, and 250,000 "
        "in all.",
    )


@dataclass(slots=True)
class Asked:
    """A line that somebody wants in the cart.

    `product_id` is known where the line is a document's. `quantity` is None for a line that cannot be read;
    `broken` then says so. `path` leads to it below `from`.
    """

    index: int
    path: tuple[str, ...]
    sku: str
    quantity: Decimal | None
    origin: OriginKind
    line: int | None = None
    warehouse: str | None = None
    warehouse_id: UUID | None = None
    product_id: UUID | None = None
    order_id: UUID | None = None
    quotation_id: UUID | None = None
    quotation_position: int | None = None
    quote: Quote | None = None
    broken: BrokenRule | None = None

    @property
    def takes_any_warehouse(self) -> bool:
        """Whether nothing is said of where it ships from."""
        return self.warehouse is None and self.warehouse_id is None


async def asked_of(context: Context, source: CartFillSourceInput) -> list[Asked]:
    """The lines of a source. Raises NotFound for a document that the viewer may not see, CartFull for a list that
    no cart holds, CartSourceEmpty for one of nothing."""
    if isinstance(source.quotation, str):  # an empty one is an id too, of nothing
        return await _of_quotation(context, source.quotation)
    if isinstance(source.order, str):
        return await _of_order(context, source.order)
    kind, asked = (
        ("csv", _of_csv(source.csv))
        if isinstance(source.csv, str)
        else ("lines", _of_lines(source.lines or []))
    )
    if not asked:
        raise CartSourceEmpty(path=("from", kind))
    return asked


async def _of_quotation(context: Context, id: strawberry.ID) -> list[Asked]:
    path = ("from", "quotation")
    quotation: Quotation = await nodes.found(context, str(id), "Quotation", *path)
    lines = await db.quotations.lines_of(context.connection, context.signed_in, [quotation.id])
    usable = await db.cart_fills.usable_lines(context.connection, context.signed_in, quotation.id)
    return [
        Asked(
            index=index,
            path=("quotation", str(index)),
            sku=line.sku,
            quantity=line.quantity,
            origin=OriginKind.QUOTATION,
            warehouse_id=line.warehouse_id,
            product_id=line.product_id,
            quotation_id=quotation.id,
            quotation_position=line.position,
            quote=Quote(
                unit_price=line.unit_price,
                quantity=line.quantity,
                currency=quotation.currency,
                tax_included=quotation.tax_included,
                state=quotation.state,
                usable=line.position in usable,
            ),
        )
        for index, line in enumerate(lines[quotation.id])
    ]


async def _of_order(context: Context, id: strawberry.ID) -> list[Asked]:
    order: Order = await nodes.found(context, str(id), "Order", "from", "order")
    lines = await db.orders.lines_of(context.connection, context.signed_in, [order.id])
    return [
        Asked(
            index=index,
            path=("order", str(index)),
            sku=line.sku,
            quantity=line.quantity,
            origin=OriginKind.ORDER,
            product_id=line.product_id or nodes.NOTHING,  # a document's line is known by its text at least
            order_id=order.id,
        )
        for index, line in enumerate(lines[order.id])
    ]


def _of_lines(lines: list[CartFillLineInput]) -> list[Asked]:
    if len(lines) > MOST_ITEMS:
        raise CartFull(path=("from", "lines"))
    return [
        Asked(
            index=index,
            path=("lines", str(index)),
            sku=line.sku,
            quantity=line.quantity,
            origin=OriginKind.LINES,
            warehouse=line.warehouse or None,
        )
        for index, line in enumerate(lines)
    ]


def _of_csv(text: str) -> list[Asked]:
    with found_at("from", "csv"):
        rows = cart_fills.read_csv(text)
    return [
        Asked(
            index=index,
            path=("csv", str(row.line)),
            sku=row.sku,
            quantity=row.quantity,
            origin=OriginKind.CSV,
            line=row.line,
            warehouse=row.warehouse,
            broken=CsvLineUnreadable(line=row.line) if row.quantity is None else None,
        )
        for index, row in enumerate(rows)
    ]
