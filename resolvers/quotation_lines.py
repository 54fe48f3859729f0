"""Quotation lines: what staff offers, looked up and checked line by line."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

import strawberry

import db
from db.products import Product
from db.quotations import QuotationLine
from resolvers import nodes
from resolvers.context import Context
from rules import amounts, quantities
from rules.amounts import LARGEST_AMOUNT, AmountTooLarge, line_amount
from rules.broken import BrokenRule, BrokenRules, InvalidInput, NotFound, found_at
from rules.products import ProductNotFound, ProductUnavailable
from rules.quotations import (
    LONGEST_DESCRIPTION,
    MOST_LINES,
    ProductTwice,
    QuotationEmpty,
    QuotationFull,
    check_unit_price,
)
from rules.texts import check_text


@strawberry.input(description="A product that is offered. Name it by exactly one of id and SKU.")
class QuotationLineInput:
    """One of quotationIssue's and quotationUpdate's lines."""

    product: strawberry.ID | None = strawberry.field(default=None, description="The product's global id.")
    sku: str | None = strawberry.field(default=None, description="The product's SKU.")
    quantity: Decimal = strawberry.field(description="How much at most, in the product's unit.")
    unit_price: Decimal = strawberry.field(
        description="The price of one unit in the customer's currency; with tax where its price list includes it."
    )
    warehouse: strawberry.ID | None = strawberry.field(
        default=None, description="The warehouse to ship from; when left out, the one that has most."
    )
    description: str | None = strawberry.field(
        default=None, description="A word to the line, at most 2,000 characters."
    )


async def offered(
    context: Context, quotation_id: UUID, currency: str, given: Sequence[QuotationLineInput]
) -> list[QuotationLine]:
    """The lines with their own copies of what is offered.

    Raises QuotationEmpty, QuotationFull, or BrokenRules for all lines that cannot be offered.
    """
    if not given:
        raise QuotationEmpty(path=("lines",))
    if len(given) > MOST_LINES:
        raise QuotationFull(path=("lines",))
    # All at once, so that the loaders read for all lines together.
    read = await asyncio.gather(
        *(_line(context, quotation_id, currency, index, line) for index, line in enumerate(given))
    )
    broken = [each for each in read if isinstance(each, BrokenRule)]
    lines = [each for each in read if isinstance(each, QuotationLine)]
    seen: set[UUID] = set()
    for line in lines:
        if line.product_id in seen:
            broken.append(ProductTwice(sku=line.sku, path=("lines", str(line.position - 1), "product")))
        seen.add(line.product_id)
    if broken:
        raise BrokenRules(broken)
    return lines


def totals(lines: Sequence[QuotationLine], *, tax_included: bool) -> amounts.Totals:
    """What the lines add up to, in minor units."""
    return amounts.totals([(line.amount, line.tax_rate) for line in lines], tax_included=tax_included)


async def _line(
    context: Context, quotation_id: UUID, currency: str, index: int, given: QuotationLineInput
) -> QuotationLine | BrokenRule:
    """A line, or the rule that it breaks."""
    try:
        product = await _product(context, given)
        _check(given, product)
        amount = line_amount(given.quantity, given.unit_price, currency)
        if amount >= LARGEST_AMOUNT:
            raise AmountTooLarge(sku=product.sku, path=("unitPrice",))
        return QuotationLine(
            quotation_id=quotation_id,
            position=index + 1,
            product_id=product.id,
            sku=product.sku,
            name=product.name,
            unit=product.unit,
            description=given.description or "",
            quantity=given.quantity,
            unit_price=given.unit_price,
            tax_rate=product.tax_rate,
            amount=amount,
            warehouse_id=await _warehouse(context, given.warehouse),
            currency=currency,
        )
    except BrokenRule as rule:
        return rule.at("lines", str(index))


def _check(given: QuotationLineInput, product: Product) -> None:
    check_text(given.description, LONGEST_DESCRIPTION, "description")
    check_unit_price(given.unit_price)
    with found_at("quantity"):
        quantities.check(given.quantity, product.unit)


async def _product(context: Context, given: QuotationLineInput) -> Product:
    if (given.product is None) == (given.sku is None):
        raise InvalidInput(path=("product",))
    found: Product | None
    if given.sku is not None:
        found = await context.load(db.products.by_skus, given.sku)
    else:
        found = await nodes.by_global_id(context, str(given.product), "Product")
    if found is None:
        by = "product" if given.sku is None else "sku"
        raise ProductNotFound(asked=str(given.sku or given.product), path=(by,))
    if not found.active:  # whoever keeps the catalogue sees it all the same
        raise ProductUnavailable(sku=found.sku, path=("product" if given.sku is None else "sku",))
    return found


async def _warehouse(context: Context, id: strawberry.ID | None) -> UUID | None:
    if id is None:
        return None
    found = await nodes.by_global_id(context, str(id), "Warehouse")
    if found is None:
        raise NotFound(path=("warehouse",))
    key: UUID = found.id
    return key
