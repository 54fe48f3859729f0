"""Prices: price lists and what they say of each product, by quantity and date."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
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
    insert,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import distinct_on

from db.connections import Connection, many_each, one_each
from db.rows import as_columns, given_rows, insert_rows, names_of, update_rows
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


@dataclass(slots=True)
class KeptPrice:
    """A price as it is kept: until `valid_to`, the last day, or until further notice."""

    product_id: UUID
    price_list_id: UUID
    currency: str
    min_quantity: Decimal
    valid_from: date
    valid_to: date | None
    unit_price: Decimal

    @property
    def key(self) -> tuple[UUID, UUID, str, Decimal, date]:
        """By what it is known."""
        return self.product_id, self.price_list_id, self.currency, self.min_quantity, self.valid_from


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


_KEY = ["product_id", "price_list_id", "currency", "min_quantity", "valid_from"]
_NAMES = names_of(KeptPrice)
_asked = given_rows(prices, _KEY)
# In one order, so that two calls with the same prices cannot deadlock.
_lock = Statement(
    select(*(prices.c[name] for name in _NAMES))
    .where(prices.c.tenant_id == bindparam("tenant_id"), *(prices.c[name] == _asked.c[name] for name in _KEY))
    .order_by(*(prices.c[name] for name in _KEY))
    .with_for_update(of=prices),
    KeptPrice,
)
_add = Statement[None](insert_rows(prices, _NAMES))
_change = Statement[None](update_rows(prices, _KEY, ["valid_to", "unit_price"]))
_codes = func.unnest(bindparam("codes", type_=ARRAY(Text))).column_valued("code")
_add_lists = Statement[None](
    insert(price_lists).from_select(
        ["tenant_id", "id", "code", "name"],
        select(bindparam("tenant_id", type_=Uuid).label("tenant_id"), func.gen_random_uuid(), _codes, _codes),
    )
)


async def lock(connection: Connection, keys: Sequence[KeptPrice]) -> list[KeptPrice]:
    """The prices with the keys of these, as they are now; nobody else changes them until this transaction
    ends."""
    return await connection.rows(_lock, **as_columns(keys, _KEY)) if keys else []


async def add(connection: Connection, rows: Sequence[KeptPrice]) -> None:
    """Keep new prices. Raises Contended when somebody else has just added one of them."""
    if rows:
        await connection.run(_add, **as_columns(rows, _NAMES))


async def change(connection: Connection, rows: Sequence[KeptPrice]) -> None:
    """Change prices that are locked: what they are, and until when."""
    if rows:
        await connection.run(_change, **as_columns(rows, _NAMES))


async def add_lists(connection: Connection, codes: Sequence[str]) -> None:
    """Make price lists that are named by their codes until somebody names them otherwise. Raises Contended
    when somebody else has just made one of them."""
    await connection.run(_add_lists, codes=codes)
