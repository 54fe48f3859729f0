"""Contacts: the persons at a customer, and its addresses. They belong to it, and are replaced as lists."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Column, Integer, Text, Uuid, any_, bindparam, delete, select

from db.connections import Connection, many_each
from db.customers import customers as customers  # the foreign keys' target
from db.rows import insert_rows, mappings_as_columns
from db.statements import Statement
from db.tables import one_of, refers_to, tenant_table
from rules.contacts import Address, AddressKind, Contact
from rules.permissions import Permission
from rules.viewers import Viewer

contacts = tenant_table(
    "contacts",
    Column("customer_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("job_title", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("phone", Text, nullable=False),
    refers_to("customers", "customer_id", name="contacts_customer_fkey"),
    key=("customer_id", "position"),
)

addresses = tenant_table(
    "addresses",
    Column("customer_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("street", Text, nullable=False),
    Column("postal_code", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("country", Text, nullable=False),
    refers_to("customers", "customer_id", name="addresses_customer_fkey"),
    one_of("kind", list(AddressKind), name="addresses_kind_check"),
    key=("customer_id", "position"),
)

_CONTACT = ["name", "job_title", "email", "phone"]
_ADDRESS = ["kind", "name", "street", "postal_code", "city", "region", "country"]


@dataclass(slots=True)
class _ContactRow:
    customer_id: UUID
    name: str
    job_title: str
    email: str
    phone: str


@dataclass(slots=True)
class _AddressRow:
    customer_id: UUID
    kind: str
    name: str
    street: str
    postal_code: str
    city: str
    region: str
    country: str


_IDS = bindparam("ids", type_=ARRAY(Uuid))
_contacts_of = Statement(
    select(contacts.c.customer_id, *(contacts.c[name] for name in _CONTACT))
    .where(contacts.c.tenant_id == bindparam("tenant_id"), contacts.c.customer_id == any_(_IDS))
    .order_by(contacts.c.customer_id, contacts.c.position),
    _ContactRow,
)
_addresses_of = Statement(
    select(addresses.c.customer_id, *(addresses.c[name] for name in _ADDRESS))
    .where(addresses.c.tenant_id == bindparam("tenant_id"), addresses.c.customer_id == any_(_IDS))
    .order_by(addresses.c.customer_id, addresses.c.position),
    _AddressRow,
)


def _seen(viewer: Viewer, ids: Sequence[UUID]) -> Sequence[UUID]:
    if viewer.oversees(Permission.CUSTOMERS_READ):
        return ids
    own = viewer.customer_id if viewer.may(Permission.CONTACTS_READ) else None
    return [each for each in ids if each == own]


async def contacts_of(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[Contact]]:
    """The persons at each customer that the viewer may see."""
    found = await connection.rows(_contacts_of, ids=_seen(viewer, ids))
    return {
        each: [Contact(**_values(row, _CONTACT)) for row in rows]
        for each, rows in many_each(found, ids, "customer_id").items()
    }


async def addresses_of(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[Address]]:
    """The addresses of each customer that the viewer may see."""
    found = await connection.rows(_addresses_of, ids=_seen(viewer, ids))
    return {
        each: [_address(row) for row in rows] for each, rows in many_each(found, ids, "customer_id").items()
    }


async def printed_for(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[Address]]:
    """The addresses that stand on documents of each customer: its own, or for staff all. Whoever may read a document
    may read to whom it is addressed."""
    seen = [each for each in ids if viewer.is_staff or each == viewer.customer_id]
    found = many_each(await connection.rows(_addresses_of, ids=seen), ids, "customer_id")
    return {each: [_address(row) for row in rows] for each, rows in found.items()}


async def to_ship_to(connection: Connection, viewer: Viewer) -> list[Address]:
    """Where the viewer's own customer has goods shipped to; for who may order."""
    if viewer.customer_id is None or not viewer.may(Permission.ORDERS_PLACE):
        return []
    found = await connection.rows(_addresses_of, ids=[viewer.customer_id])
    listed = [_address(row) for row in found]
    return [each for each in listed if each.kind is AddressKind.SHIPPING]


def _address(row: _AddressRow) -> Address:
    return Address(**_values(row, _ADDRESS) | {"kind": AddressKind(row.kind)})


def _values(row: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


_remove_contacts = Statement[None](
    delete(contacts).where(
        contacts.c.tenant_id == bindparam("tenant_id"), contacts.c.customer_id == any_(_IDS)
    )
)
_remove_addresses = Statement[None](
    delete(addresses).where(
        addresses.c.tenant_id == bindparam("tenant_id"), addresses.c.customer_id == any_(_IDS)
    )
)
_CONTACT_ROW = ["customer_id", "position", *_CONTACT]
_ADDRESS_ROW = ["customer_id", "position", *_ADDRESS]
_add_contacts = Statement[None](insert_rows(contacts, _CONTACT_ROW))
_add_addresses = Statement[None](insert_rows(addresses, _ADDRESS_ROW))


async def replace_contacts(connection: Connection, given: Mapping[UUID, Sequence[Contact]]) -> None:
    """Give customers these contacts and no others; two statements for however many."""
    await connection.run(_remove_contacts, ids=list(given))
    rows = _placed(given, _CONTACT)
    if rows:
        await connection.run(_add_contacts, **mappings_as_columns(rows, _CONTACT_ROW))


async def replace_addresses(connection: Connection, given: Mapping[UUID, Sequence[Address]]) -> None:
    """Give customers these addresses and no others; two statements for however many."""
    await connection.run(_remove_addresses, ids=list(given))
    rows = _placed(given, _ADDRESS)
    if rows:
        await connection.run(_add_addresses, **mappings_as_columns(rows, _ADDRESS_ROW))


def _placed(given: Mapping[UUID, Sequence[object]], names: Sequence[str]) -> list[dict[str, object]]:
    return [
        {"customer_id": customer_id, "position": position, **_values(each, names)}
        for customer_id, listed in given.items()
        for position, each in enumerate(listed, start=1)
    ]
