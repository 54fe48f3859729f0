"""Customers: the counterparties that buy from a company."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    or_,
    select,
)

from db.connections import Connection, one_each
from db.pages import Condition, Key, Listing
from db.prices import price_lists as price_lists  # the foreign key's target
from db.rows import as_columns, insert_rows, names_of
from db.statements import Statement
from db.tables import refers_to, tenant_table, unique
from rules.permissions import Permission
from rules.viewers import Viewer

customers = tenant_table(
    "customers",
    Column("id", Uuid, nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("price_list_id", Uuid),  # empty: the portal's own price list
    Column("phone", Text, nullable=False, server_default=""),
    Column("credit_limit", BigInteger),  # minor units of the currency; empty: no limit
    Column("version", Integer, nullable=False, server_default="1"),
    unique("code", name="customers_code_key"),
    refers_to("price_lists", "price_list_id", name="customers_price_list_fkey"),
    CheckConstraint("credit_limit >= 0", name="customers_credit_limit_check"),
    Index("customers_name_idx", "tenant_id", "name", "id"),
)


@dataclass(slots=True)
class Customer:
    """A counterparty that buys. `currency` is the ISO 4217 code in which it is billed, `credit_limit` in its
    minor units."""

    id: UUID
    code: str
    name: str
    country: str
    currency: str
    email: str
    price_list_id: UUID | None
    phone: str
    credit_limit: int | None
    version: int


_NAMES = names_of(Customer)
_OF_TENANT = customers.c.tenant_id == bindparam("tenant_id")
_every_one = select(*(customers.c[name] for name in _NAMES)).where(_OF_TENANT)
_by_ids = Statement(_every_one.where(customers.c.id == any_(bindparam("ids", type_=ARRAY(Uuid)))), Customer)
_of_codes = _every_one.where(customers.c.code == any_(bindparam("codes", type_=ARRAY(Text))))
_by_codes = Statement(_of_codes, Customer)


def _seen(viewer: Viewer, ids: Sequence[UUID]) -> Sequence[UUID]:
    """Whose the viewer may see: its own customer, or for staff all."""
    if viewer.oversees(Permission.CUSTOMERS_READ):
        return ids
    return [each for each in ids if each == viewer.customer_id]


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Customer]:
    """The customers among the ids that the viewer may see: its own one, or for staff all."""
    seen = _seen(viewer, ids)
    return one_each(await connection.rows(_by_ids, ids=seen), "id") if seen else {}


async def by_codes(connection: Connection, viewer: Viewer, codes: Sequence[str]) -> Mapping[str, Customer]:
    """The customers among the company's own codes; for its staff."""
    if not viewer.oversees(Permission.CUSTOMERS_READ):
        return {}
    return one_each(await connection.rows(_by_codes, codes=codes), "code")


_CONDITIONS: dict[str, Condition] = {
    "search": or_(
        customers.c.code.op("^@")(bindparam("code_prefix", type_=Text)),
        func.lower(customers.c.name).op("^@")(bindparam("name_prefix", type_=Text)),
        func.strpos(func.lower(customers.c.name), func.concat(" ", bindparam("name_prefix", type_=Text))) > 0,
    ),
    "codes": customers.c.code == any_(bindparam("codes", type_=ARRAY(Text))),
    "country": customers.c.country == bindparam("country", type_=Text),
}
ORDERS: dict[str, Key] = {
    "CODE_ASC": Key(customers.c.code),
    "CODE_DESC": Key(customers.c.code, descending=True),
    "NAME_ASC": Key(customers.c.name),
    "NAME_DESC": Key(customers.c.name, descending=True),
}


def _filter_values(filters: Mapping[str, Any]) -> dict[str, Any]:
    search = filters.get("search", "")
    return {**filters, "code_prefix": search, "name_prefix": search.lower()}


# For the staff, as customers are. Filters: search (how the code, or a word of the name, begins), codes, country.
_listing = Listing(Customer, lambda _: _every_one, _CONDITIONS, ORDERS, customers.c.id, values=_filter_values)
keys, page, count = _listing.keys, _listing.page, _listing.count

_id_by_code = Statement[UUID](select(customers.c.id).where(_OF_TENANT, customers.c.code == bindparam("code")))
_lock_by_codes = Statement(_of_codes.order_by(customers.c.code).with_for_update(key_share=True), Customer)
_lock_by_id = Statement(
    _every_one.where(customers.c.id == bindparam("the_id", type_=Uuid)).with_for_update(key_share=True),
    Customer,
)
_new = insert_rows(customers, _NAMES)
_upsert = Statement(
    _new.on_conflict_do_update(
        constraint="customers_code_key",
        set_={name: _new.excluded[name] for name in _NAMES if name not in ("id", "code")},
    ).returning(*_every_one.selected_columns),
    Customer,
)


async def id_by_code(connection: Connection, code: str) -> UUID | None:
    """The id of the customer with the company's own code."""
    found: UUID | None = await connection.value(_id_by_code, code=code)
    return found


async def lock_by_codes(connection: Connection, codes: Sequence[str]) -> Mapping[str, Customer]:
    """The customers with these codes as they are now; nobody else changes them until this transaction ends."""
    return one_each(await connection.rows(_lock_by_codes, codes=codes), "code")


async def lock(connection: Connection, id: UUID) -> Customer | None:
    """One customer as it is now; nobody else changes it until this transaction ends."""
    return await connection.row(_lock_by_id, the_id=id)


async def upsert(connection: Connection, rows: Sequence[Customer]) -> Mapping[str, Customer]:
    """Keep customers as they are given, by code: new ones, and those that are there already (their ids stay)."""
    return one_each(await connection.rows(_upsert, **as_columns(rows, _NAMES)), "code") if rows else {}
