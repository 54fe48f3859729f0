"""Prices: price lists and what they say of each product, by quantity and date."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import distinct_on

from db.connections import Connection, many_each, one_each
from db.statements import Statement
from db.tables import QUANTITY, UNIT_PRICE, refers_to, tenant_table, unique
from rules.viewers import Viewer

price_lists = tenant_table(
    "price_lists",
    Column("id", Uuid, nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("tax_included", Boolean, nullable=False, server_default="false"),
    unique("code", name="price_lists_code_key"),
)

prices = tenant_table(
    "prices",
    Column("product_id", Uuid, nullable=False),
    Column("price_list_id", Uuid, nullable=False),
    Column("currency", Text, nullable=False),
    Column("min_quantity", QUANTITY, nullable=False),
    Column("valid_from", Date, nullable=False, server_default="2000-01-01"),
    Column("valid_to", Date),  # the last day; empty: until further notice
    Column("unit_price", UNIT_PRICE, nullable=False),
    refers_to("products", "product_id", name="prices_product_fkey"),
    refers_to("price_lists", "price_list_id", name="prices_price_list_fkey"),
    CheckConstraint("min_quantity > 0", name="prices_min_quantity_check"),
    CheckConstraint("unit_price >= 0", name="prices_unit_price_check"),
    CheckConstraint("valid_to >= valid_from", name="prices_valid_check"),
    Index("prices_price_list_idx", "tenant_id", "price_list_id"),
    key=("product_id", "price_list_id", "currency", "min_quantity", "valid_from"),
)


@dataclass(slots=True)
class PriceList:
    """A named set of prices; `tax_included` says whether they contain the tax."""

    id: UUID
    code: str
    name: str
    tax_included: bool


@dataclass(slots=True)
class Price:
    """The price of one unit of a product from `min_quantity` on, in major units of the currency."""

    product_id: UUID
    min_quantity: Decimal
    unit_price: Decimal
    currency: str
    tax_included: bool


_lists_by_ids = Statement(
    select(price_lists.c.id, price_lists.c.code, price_lists.c.name, price_lists.c.tax_included).where(
        price_lists.c.tenant_id == bindparam("tenant_id"),
        price_lists.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))),
    ),
    PriceList,
)

_lists_by_codes = Statement(
    select(price_lists.c.id, price_lists.c.code, price_lists.c.name, price_lists.c.tax_included).where(
        price_lists.c.tenant_id == bindparam("tenant_id"),
        price_lists.c.code == any_(bindparam("codes", type_=ARRAY(Text))),
    ),
    PriceList,
)

_TODAY = func.current_date(type_=Date)

# The latest validity wins where two overlap, quantity by quantity.
_of_products = Statement(
    select(
        prices.c.product_id,
        prices.c.min_quantity,
        prices.c.unit_price,
        prices.c.currency,
        price_lists.c.tax_included,
    )
    .join_from(
        prices,
        price_lists,
        (price_lists.c.tenant_id == prices.c.tenant_id) & (price_lists.c.id == prices.c.price_list_id),
    )
    .where(
        prices.c.tenant_id == bindparam("tenant_id"),
        prices.c.product_id == any_(bindparam("ids", type_=ARRAY(Uuid))),
        prices.c.price_list_id == bindparam("price_list_id"),
        prices.c.currency == bindparam("currency"),
        prices.c.valid_from <= _TODAY,
        or_(prices.c.valid_to.is_(None), prices.c.valid_to >= _TODAY),
    )
    .ext(distinct_on(prices.c.product_id, prices.c.min_quantity))
    .order_by(prices.c.product_id, prices.c.min_quantity, prices.c.valid_from.desc()),
    Price,
)


async def lists_by_ids(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, PriceList]:
    """The price lists by id."""
    return one_each(await connection.rows(_lists_by_ids, ids=ids), "id")


async def lists_by_codes(connection: Connection, codes: Sequence[str]) -> Mapping[str, PriceList]:
    """The price lists by the company's own codes."""
    return one_each(await connection.rows(_lists_by_codes, codes=codes), "code")


async def of_products(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[Price]]:
    """Today's prices of each product on the viewer's price list and in its currency, by minimum quantity."""
    if viewer.price_list_id is None:
        return {each: [] for each in ids}
    rows = await connection.rows(
        _of_products, ids=ids, price_list_id=viewer.price_list_id, currency=viewer.currency
    )
    return many_each(rows, ids, "product_id")
