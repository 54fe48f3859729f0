"""Customers: the counterparties that buy from a company."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, Column, Text, Uuid, any_, bindparam, select

from db.connections import Connection, one_each
from db.prices import price_lists as price_lists  # the foreign key's target
from db.statements import Statement
from db.tables import refers_to, tenant_table, unique
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
    unique("code", name="customers_code_key"),
    refers_to("price_lists", "price_list_id", name="customers_price_list_fkey"),
)


@dataclass(slots=True)
class Customer:
    """A counterparty that buys. `currency` is the ISO 4217 code in which it is billed."""

    id: UUID
    code: str
    name: str
    country: str
    currency: str
    email: str
    price_list_id: UUID | None


CUSTOMER_COLUMNS = [
    customers.c.id,
    customers.c.code,
    customers.c.name,
    customers.c.country,
    customers.c.currency,
    customers.c.email,
    customers.c.price_list_id,
]

_by_ids = Statement(
    select(*CUSTOMER_COLUMNS).where(
        customers.c.tenant_id == bindparam("tenant_id"),
        customers.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))),
    ),
    Customer,
)


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Customer]:
    """The customers among the ids that the viewer may see: its own one, or for staff all."""
    seen = ids if viewer.is_staff else [each for each in ids if each == viewer.customer_id]
    return one_each(await connection.rows(_by_ids, ids=seen), "id") if seen else {}


_id_by_code = Statement[UUID](
    select(customers.c.id).where(
        customers.c.tenant_id == bindparam("tenant_id"), customers.c.code == bindparam("code")
    )
)


async def id_by_code(connection: Connection, code: str) -> UUID | None:
    """The id of the customer with the company's own code."""
    found: UUID | None = await connection.value(_id_by_code, code=code)
    return found
