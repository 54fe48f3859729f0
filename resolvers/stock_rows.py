"""Stock rows: a company says what is on hand, warehouse by warehouse."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import strawberry

import db
from db.products import Product
from db.stock import OnHand
from db.warehouses import Warehouse
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION
from resolvers.product_rows import ProductsPayload
from resolvers.rows import POLICY_DESCRIPTION, read_rows
from resolvers.turns import in_turns
from rules.access_groups import check_length
from rules.broken import BrokenRule, BrokenRules, NotFound, broken_by
from rules.decimals import check_number
from rules.products import ProductKind
from rules.quantities import LARGEST, PLACES
from rules.rows import MOST_ROWS, RowPolicy
from rules.stock import ServiceWithoutStock


@strawberry.input(description="How much of a product is in a warehouse.")
class StockRowInput:
    """One of stockUpsert's rows."""

    warehouse: str = strawberry.field(description="The warehouse, by the company's own code.")
    sku: str = strawberry.field(description="The product.")
    on_hand: Decimal = strawberry.field(
        description="What is there, in the product's unit, never below zero. What is promised to orders stays promised."
    )


@strawberry.input(description="Stock to be kept.")
class StockUpsertInput:
    """stockUpsert(input:)."""

    rows: list[StockRowInput] = strawberry.field(
        description="Up to 1,000 rows, each warehouse and product once."
    )
    policy: RowPolicy = strawberry.field(default=RowPolicy.ALL_OR_NOTHING, description=POLICY_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


_UpsertInput = Annotated[StockUpsertInput, strawberry.argument(description="The stock.")]


@dataclass(slots=True)
class _Row:
    """How much of which product is where."""

    product: Product
    warehouse: Warehouse
    on_hand: Decimal

    @property
    def pair(self) -> tuple[UUID, UUID]:
        return self.product.id, self.warehouse.id


async def upsert(info: Info, input: _UpsertInput) -> ProductsPayload:
    """Mutation.stockUpsert. Rows that say what is so already are taken, and change nothing."""
    context = info.context
    check_length(input.rows, MOST_ROWS, "rows")
    products = await db.products.kept_by_skus(context.connection, [row.sku for row in input.rows])
    places = await db.warehouses.kept_by_codes(context.connection, [row.warehouse for row in input.rows])
    rows = await read_rows(
        input.rows,
        key=lambda row: (row.warehouse, row.sku),
        read=lambda row: _read(row, products, places),
        named="sku",
        told=lambda row: f"{row.sku}, {row.warehouse}",
    )
    errors = rows.settle(input.policy)
    await _write(context, list(rows.good.values()))
    taken = {row.product.id: row.product for row in rows.good.values()}
    return ProductsPayload(errors=errors, products=list(taken.values()))


def _read(given: StockRowInput, products: Mapping[str, Product], places: Mapping[str, Warehouse]) -> _Row:
    """What a row asks for. Raises BrokenRules with all that is wrong with it."""
    product, warehouse = products.get(given.sku), places.get(given.warehouse)
    wrong: list[BrokenRule] = list(
        broken_by([lambda: check_number(given.on_hand, 0, LARGEST, PLACES, "onHand")])
    )
    if warehouse is None:
        wrong.append(NotFound(path=("warehouse",)))
    if product is None:
        wrong.append(NotFound(path=("sku",)))
    elif product.kind == ProductKind.SERVICE:
        wrong.append(ServiceWithoutStock(sku=product.sku, path=("sku",)))
    if wrong or product is None or warehouse is None:
        raise BrokenRules(wrong)
    return _Row(product, warehouse, given.on_hand)


async def _write(context: Context, rows: list[_Row]) -> None:
    """Keep what differs, with as many statements for a thousand rows as for one; write down each product's."""
    kept = await db.stock.lock_on_hand(context.connection, [row.pair for row in rows])
    new: list[OnHand] = []
    changed: list[OnHand] = []
    told: dict[UUID, tuple[dict[str, Decimal], dict[str, Decimal]]] = {}
    async for row in in_turns(rows):
        before, after = kept.get(row.pair), OnHand(*row.pair, row.on_hand)
        if after == before:
            continue
        was, now = told.setdefault(row.product.id, ({}, {}))
        if before is not None:
            was[row.warehouse.code] = before.on_hand
        now[row.warehouse.code] = after.on_hand
        (new if before is None else changed).append(after)
    await db.stock.add_on_hand(context.connection, new)
    await db.stock.change_on_hand(context.connection, changed)
    for product_id, (was, now) in told.items():
        context.record("Product", product_id, before={"on_hand": was}, after={"on_hand": now})
    context.record_nothing()
