"""Portals: the registry of tenants. One company = one portal = one tenant_id.

The registry is readable before a tenant is known, because finding the portal is how the tenant becomes
known; it holds nothing that the portal does not tell everybody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from db.connections import Connection
from db.statements import Statement
from db.tables import metadata, one_of
from rules.stock import StockPolicy
from rules.viewers import Viewer

portals = Table(
    "portals",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("supplier_id", Uuid, nullable=False),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("legal_name", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("support_email", Text, nullable=False),
    Column("open", Boolean, nullable=False, server_default="true"),
    Column("stock_policy", Text, nullable=False, server_default=StockPolicy.REQUIRE_STOCK),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("price_list_id", Uuid),  # for customers without a price list of their own
    PrimaryKeyConstraint("tenant_id", name="portals_pkey"),
    ForeignKeyConstraint(["supplier_id"], ["suppliers.id"], name="portals_supplier_fkey"),
    ForeignKeyConstraint(
        ["tenant_id", "price_list_id"],
        ["price_lists.tenant_id", "price_lists.id"],
        name="portals_price_list_fkey",
        use_alter=True,
    ),
    UniqueConstraint("slug", name="portals_slug_key"),
    Index("portals_supplier_idx", "supplier_id"),
    one_of("locale", ["en", "de"], name="portals_locale_check"),
    one_of("stock_policy", list(StockPolicy), name="portals_stock_policy_check"),
)

portal_hosts = Table(
    "portal_hosts",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("host", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "host", name="portal_hosts_pkey"),
    ForeignKeyConstraint(["tenant_id"], ["portals.tenant_id"], name="portal_hosts_tenant_fkey"),
    UniqueConstraint("host", name="portal_hosts_host_key"),
)


@dataclass(slots=True)
class Portal:
    """A company's portal. `locale` is en or de; `currency` an ISO 4217 code."""

    tenant_id: UUID
    supplier_id: UUID
    slug: str
    name: str
    legal_name: str
    currency: str
    locale: str
    support_email: str
    open: bool
    stock_policy: str
    version: int
    price_list_id: UUID | None

    @property
    def id(self) -> UUID:
        """A portal is known by its tenant."""
        return self.tenant_id


PORTAL_COLUMNS = [
    portals.c.tenant_id,
    portals.c.supplier_id,
    portals.c.slug,
    portals.c.name,
    portals.c.legal_name,
    portals.c.currency,
    portals.c.locale,
    portals.c.support_email,
    portals.c.open,
    portals.c.stock_policy,
    portals.c.version,
    portals.c.price_list_id,
]

# For tables that are the supplier's: whose tenant is at work.
SUPPLIER_OF_TENANT = (
    select(portals.c.supplier_id).where(portals.c.tenant_id == bindparam("tenant_id")).scalar_subquery()
)

_tenant_by_slug = Statement[UUID](
    select(portals.c.tenant_id).where(portals.c.slug == bindparam("slug")), registry=True
)
_tenant_by_host = Statement[UUID](
    select(portal_hosts.c.tenant_id).where(portal_hosts.c.host == bindparam("host")), registry=True
)
_by_tenant = Statement(select(*PORTAL_COLUMNS).where(portals.c.tenant_id == bindparam("tenant_id")), Portal)
_all = Statement(select(*PORTAL_COLUMNS).order_by(portals.c.slug), Portal, registry=True)


async def tenant_by_slug(connection: Connection, slug: str) -> UUID | None:
    """The tenant whose portal has this slug."""
    found: UUID | None = await connection.value(_tenant_by_slug, slug=slug)
    return found


async def tenant_by_host(connection: Connection, host: str) -> UUID | None:
    """The tenant whose portal answers at this host name (lower case, no port)."""
    found: UUID | None = await connection.value(_tenant_by_host, host=host)
    return found


async def by_tenant(connection: Connection) -> Portal | None:
    """The portal of the connection's tenant."""
    return await connection.row(_by_tenant)


async def by_ids(connection: Connection, _viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Portal]:
    """The connection's own portal, if its id is among the ids."""
    portal = await by_tenant(connection)
    return {portal.tenant_id: portal} if portal is not None and portal.tenant_id in ids else {}


async def every(connection: Connection) -> list[Portal]:
    """All portals of this deployment, by slug."""
    return await connection.rows(_all)


_add = Statement[UUID](
    insert(portals)
    .values(
        tenant_id=bindparam("tenant_id"),
        supplier_id=bindparam("supplier_id"),
        slug=bindparam("slug"),
        name=bindparam("name"),
        legal_name=bindparam("legal_name"),
        currency=bindparam("currency"),
        locale=bindparam("locale"),
        support_email=bindparam("support_email"),
        stock_policy=bindparam("stock_policy"),
    )
    .on_conflict_do_nothing(constraint="portals_slug_key")
    .returning(portals.c.tenant_id)
)
_add_host = Statement[str](
    insert(portal_hosts)
    .values(tenant_id=bindparam("tenant_id"), host=bindparam("host"))
    .on_conflict_do_nothing(constraint="portal_hosts_host_key")
    .returning(portal_hosts.c.host)
)
_NEW = {
    name: bindparam(f"new_{name}", type_=portals.c[name].type)
    for name in ("name", "legal_name", "locale", "support_email", "open", "stock_policy")
}
_change = Statement(
    update(portals)
    .where(
        portals.c.tenant_id == bindparam("tenant_id"),
        portals.c.version == func.coalesce(bindparam("old_version", type_=Integer), portals.c.version),
    )
    .values(
        version=portals.c.version + 1,
        **{name: func.coalesce(new, portals.c[name]) for name, new in _NEW.items()},
    )
    .returning(*PORTAL_COLUMNS),
    Portal,
)


async def add(connection: Connection, *, host: str, **values: Any) -> bool:
    """Add the connection's tenant with its portal at a host; False when the slug or the host is taken, and
    then the transaction is to be given up. Values: the columns."""
    if await connection.value(_add, **values) is None:
        return False
    return await connection.value(_add_host, host=host) is not None


async def change(connection: Connection, version: int | None, **values: Any) -> Portal | None:
    """The connection's portal with new values (None: as it is); None when its version is another by now.

    Values by column: name, legal_name, locale, support_email, open, stock_policy.
    """
    new = {f"new_{name}": value for name, value in values.items()}
    return await connection.row(_change, old_version=version, **new)
