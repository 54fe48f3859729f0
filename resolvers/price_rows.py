"""Price rows: a company keeps its prices in step with its ERP, price list by price list."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import strawberry

import db
from db.prices import KeptPrice, PriceList
from db.products import Product
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, facts_of
from resolvers.product_rows import ProductsPayload
from resolvers.rows import POLICY_DESCRIPTION, Rows, read_rows
from resolvers.turns import in_turns
from rules.access_groups import check_length
from rules.broken import BrokenRule, BrokenRules, NotFound, broken_by
from rules.decimals import check_number
from rules.periods import check_period
from rules.portals import check_currency
from rules.prices import LARGEST_PRICE, PRICE_PLACES, SINCE_EVER
from rules.quantities import LARGEST, LEAST, PLACES
from rules.rows import MOST_ROWS, RowPolicy, ValueMissing
from rules.texts import check_name


@strawberry.input(
    description="A price by SKU, price list, currency, minQuantity and validFrom. Of one that is there, what is left "
    "out stays as it is; a new one needs unitPrice. To end a price, give its last day as validTo."
)
class PriceRowInput:
    """One of pricesUpsert's rows."""

    sku: str = strawberry.field(description="The product.")
    price_list: str = strawberry.field(
        description="The code of the price list; one that is not there is made, and named by its code."
    )
    currency: str | None = strawberry.field(
        default=None, description="The currency; the portal's when left out."
    )
    min_quantity: Decimal = strawberry.field(
        default=Decimal(1), description="From which quantity on it holds, in the product's unit."
    )
    valid_from: date | None = strawberry.field(
        default=None, description="Its first day; since ever (2000-01-01) when left out."
    )
    valid_to: date | None = strawberry.field(
        default=strawberry.UNSET, description="Its last day; null: until further notice."
    )
    unit_price: Decimal | None = strawberry.field(
        default=None, description="The price of one unit, up to six decimal places; needed for a new one."
    )


@strawberry.input(description="Prices to be kept.")
class PricesUpsertInput:
    """pricesUpsert(input:)."""

    rows: list[PriceRowInput] = strawberry.field(description="Up to 1,000 prices, each once.")
    policy: RowPolicy = strawberry.field(default=RowPolicy.ALL_OR_NOTHING, description=POLICY_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


_UpsertInput = Annotated[PricesUpsertInput, strawberry.argument(description="The prices.")]
_Key = tuple[str, str, str, Decimal, date]


@dataclass(slots=True)
class _Row:
    """What a row asks for, of which product; and the price as it was, once that is known."""

    given: PriceRowInput
    product: Product
    before: KeptPrice | None = None


async def upsert(info: Info, input: _UpsertInput) -> ProductsPayload:
    """Mutation.pricesUpsert. Rows that say what is so already are taken, and change nothing."""
    context = info.context
    check_length(input.rows, MOST_ROWS, "rows")
    products = await db.products.kept_by_skus(context.connection, [row.sku for row in input.rows])
    rows = await read_rows(
        input.rows,
        key=lambda row: _key(row, context.portal.currency),
        read=lambda row: _read(row, products),
        named="sku",
        told=lambda row: f"{row.sku}, {row.price_list}",
    )
    lists = await db.prices.lists_by_codes(context.connection, [row.price_list for row in input.rows])
    await _find(context, rows, lists)
    errors = rows.settle(input.policy)
    await _write(context, rows, await _with_new_lists(context, rows, lists))
    taken = {row.product.id: row.product for row in rows.good.values()}
    return ProductsPayload(errors=errors, products=list(taken.values()))


def _key(row: PriceRowInput, currency: str) -> _Key:
    """By what a price is known."""
    valid_from = row.valid_from or SINCE_EVER
    return row.sku, row.price_list, row.currency or currency, row.min_quantity, valid_from


def _read(given: PriceRowInput, products: Mapping[str, Product]) -> _Row:
    """What a row asks for. Raises BrokenRules with all that is wrong with it."""
    checks: list[Callable[[], None]] = [
        lambda: check_name(given.price_list, "priceList"),
        lambda: check_currency(given.currency, "currency"),
        lambda: check_number(given.min_quantity, LEAST, LARGEST, PLACES, "minQuantity"),
        lambda: check_number(given.unit_price, 0, LARGEST_PRICE, PRICE_PLACES, "unitPrice"),
        lambda: _check_days(given),
    ]
    wrong: list[BrokenRule] = [] if given.sku in products else [NotFound(path=("sku",))]
    wrong += broken_by(checks)
    if wrong:
        raise BrokenRules(wrong)
    return _Row(given, products[given.sku])


def _check_days(given: PriceRowInput) -> None:
    if isinstance(given.valid_to, date):
        check_period(given.valid_from or SINCE_EVER, given.valid_to, "validTo")


async def _find(context: Context, rows: Rows[_Key, _Row], lists: Mapping[str, PriceList]) -> None:
    """Lock the prices that are there; refuse new ones that are not told."""
    asked = {
        _price(key, row.product.id, lists[key[1]].id).key: key
        for key, row in rows.good.items()
        if key[1] in lists
    }
    keys = [_price(asked[key], key[0], key[1]) for key in asked]
    for kept in await db.prices.lock(context.connection, keys):
        rows.good[asked[kept.key]].before = kept
    for key, row in list(rows.good.items()):
        if row.before is None and row.given.unit_price is None:
            rows.refuse(key, ValueMissing(path=("unitPrice",)))


def _price(key: _Key, product_id: UUID, price_list_id: UUID) -> KeptPrice:
    """A price that nothing is said of yet."""
    _, _, currency, min_quantity, valid_from = key
    return KeptPrice(product_id, price_list_id, currency, min_quantity, valid_from, None, Decimal(0))


async def _with_new_lists(
    context: Context, rows: Rows[_Key, _Row], lists: Mapping[str, PriceList]
) -> Mapping[str, PriceList]:
    """The price lists that good rows name, those made that are not there. The first one ever is the portal's."""
    named = list(dict.fromkeys(key[1] for key in rows.good))
    if new := sorted(code for code in named if code not in lists):
        await db.prices.add_lists(context.connection, new)
        lists = await db.prices.lists_by_codes(context.connection, named)
    if named and context.portal.price_list_id is None:
        await _give_to_portal(context, lists[named[0]])
    return lists


async def _give_to_portal(context: Context, price_list: PriceList) -> None:
    before = await db.portals.lock(context.connection, context.tenant_id)
    if before is not None and before.price_list_id is None:
        after = await db.portals.change(context.connection, context.tenant_id, price_list_id=price_list.id)
        context.record("Portal", context.tenant_id, before=facts_of(before), after=facts_of(after))


async def _write(context: Context, rows: Rows[_Key, _Row], lists: Mapping[str, PriceList]) -> None:
    """Keep what differs, with as many statements for a thousand rows as for one; write down each product's."""
    new: list[KeptPrice] = []
    changed: list[KeptPrice] = []
    told: dict[UUID, tuple[list[KeptPrice], list[KeptPrice]]] = {}
    async for key, row in in_turns(rows.good.items()):
        after = _after(row, row.before or _price(key, row.product.id, lists[key[1]].id))
        if after == row.before:
            continue
        (changed if row.before else new).append(after)
        was, now = told.setdefault(row.product.id, ([], []))
        was += [row.before] if row.before else []
        now.append(after)
    # In one order, so that two calls with the same prices cannot deadlock.
    await db.prices.add(context.connection, sorted(new, key=lambda each: each.key))
    await db.prices.change(context.connection, changed)
    codes = {each.id: code for code, each in lists.items()}
    async for product_id, (was, now) in in_turns(told.items()):
        before, after_all = ({"prices": _facts(prices, codes)} for prices in (was, now))
        context.record("Product", product_id, before=before, after=after_all)
    context.record_nothing()


def _after(row: _Row, base: KeptPrice) -> KeptPrice:
    given = row.given
    after = replace(base)
    if given.unit_price is not None:
        after.unit_price = given.unit_price
    if given.valid_to is not strawberry.UNSET:
        after.valid_to = given.valid_to
    return after


def _facts(prices: Sequence[KeptPrice], codes: Mapping[UUID, str]) -> list[dict[str, object]]:
    """Prices as the audit keeps them."""
    return [
        {
            "price_list": codes[each.price_list_id],
            "currency": each.currency,
            "min_quantity": each.min_quantity,
            "valid_from": each.valid_from,
            "valid_to": each.valid_to,
            "unit_price": each.unit_price,
        }
        for each in prices
    ]
