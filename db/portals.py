"""Portals: the registry of tenants. One company = one portal = one tenant_id.

The registry is readable before a tenant is known, because finding the portal is how the tenant becomes
known; it holds nothing that the portal does not tell everybody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    any_,
    bindparam,
    column,
    delete,
    exists,
    or_,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert

from db.changes import Changing
from db.connections import Connection, one_each
from db.rows import insert_rows
from db.statements import Statement
from db.tables import metadata, one_of
from rules.portals import (
    MOST_LEAD_DAYS,
    MOST_PAYMENT_DAYS,
    MOST_SUPPORT_HOURS,
    CancellationPolicy,
    CreditPolicy,
    OperationPolicy,
)
from rules.restrictions import RestrictionKind
from rules.returnable_lines import MOST_RETURN_DAYS
from rules.stock import StockPolicy
from rules.viewers import Viewer

_KINDS = ", ".join(f"'{kind}'" for kind in RestrictionKind)

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
    Column("restriction_kinds", ARRAY(Text), nullable=False, server_default="{}"),  # those in force
    Column("lead_days", Integer, nullable=False, server_default="2"),  # from placing to the promised day
    Column("cancellation_policy", Text, nullable=False, server_default=CancellationPolicy.UNTIL_SHIPPED),
    Column("credit_policy", Text, nullable=False, server_default=CreditPolicy.WARN),
    Column(
        "payment_days", Integer, nullable=False, server_default="30"
    ),  # from issuing an invoice to its last day
    Column("first_answer_hours", Integer),  # within which a ticket is to be answered; empty: within any time
    Column("resolution_hours", Integer),  # within which it is to be closed
    Column(
        "return_days", Integer
    ),  # after an invoice's issue in which its goods can be returned; empty: for ever
    Column("operation_policy", Text, nullable=False, server_default=OperationPolicy.ANY_DOCUMENT),
    Column("origins", ARRAY(Text), nullable=False, server_default="{}"),  # whose pages may ask it too
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
    CheckConstraint(f"lead_days between 0 and {MOST_LEAD_DAYS}", name="portals_lead_days_check"),
    CheckConstraint(f"payment_days between 0 and {MOST_PAYMENT_DAYS}", name="portals_payment_days_check"),
    CheckConstraint(
        f"first_answer_hours between 1 and {MOST_SUPPORT_HOURS}", name="portals_first_answer_hours_check"
    ),
    CheckConstraint(
        f"resolution_hours between 1 and {MOST_SUPPORT_HOURS}", name="portals_resolution_hours_check"
    ),
    CheckConstraint(f"return_days between 0 and {MOST_RETURN_DAYS}", name="portals_return_days_check"),
    one_of("cancellation_policy", list(CancellationPolicy), name="portals_cancellation_policy_check"),
    one_of("credit_policy", list(CreditPolicy), name="portals_credit_policy_check"),
    one_of("operation_policy", list(OperationPolicy), name="portals_operation_policy_check"),
    CheckConstraint(
        f"restriction_kinds <@ array[{_KINDS}]::text[]",
        name="portals_restriction_kinds_check",
    ),
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
    restriction_kinds: list[str]
    lead_days: int
    cancellation_policy: str
    credit_policy: str
    payment_days: int
    first_answer_hours: int | None
    resolution_hours: int | None
    return_days: int | None
    operation_policy: str
    origins: list[str]

    @property
    def id(self) -> UUID:
        """A portal is known by its tenant."""
        return self.tenant_id


@dataclass(slots=True)
class Host:
    """A host name at which a portal answers."""

    tenant_id: UUID
    host: str


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
    portals.c.restriction_kinds,
    portals.c.lead_days,
    portals.c.cancellation_policy,
    portals.c.credit_policy,
    portals.c.payment_days,
    portals.c.first_answer_hours,
    portals.c.resolution_hours,
    portals.c.return_days,
    portals.c.operation_policy,
    portals.c.origins,
]

# For tables that are the supplier's: whose tenant is at work.
SUPPLIER_OF_TENANT = (
    select(portals.c.supplier_id).where(portals.c.tenant_id == bindparam("tenant_id")).scalar_subquery()
)

_tenant_by_slug = Statement[UUID](
    select(portals.c.tenant_id).where(portals.c.slug == bindparam("slug")), registry=True
)
_by_tenant = Statement(select(*PORTAL_COLUMNS).where(portals.c.tenant_id == bindparam("tenant_id")), Portal)
_of_supplier = Statement[UUID](
    select(portals.c.tenant_id)
    .where(portals.c.supplier_id == SUPPLIER_OF_TENANT)
    .order_by(portals.c.tenant_id)
)
# As much of db.staff_members' table as is needed here; that file needs the portals' first.
_roles = table(
    "staff_roles",
    column("supplier_id", Uuid),
    column("staff_member_id", Uuid),
    column("at_tenant_id", Uuid),
)
_entered_by = Statement(
    select(*PORTAL_COLUMNS)
    .where(
        portals.c.supplier_id == SUPPLIER_OF_TENANT,
        exists().where(
            _roles.c.supplier_id == portals.c.supplier_id,
            _roles.c.staff_member_id == bindparam("staff_member_id", type_=Uuid),
            or_(_roles.c.at_tenant_id.is_(None), _roles.c.at_tenant_id == portals.c.tenant_id),
        ),
    )
    .order_by(portals.c.name, portals.c.tenant_id),
    Portal,
)
_hosts_of = Statement(
    select(portal_hosts.c.tenant_id, portal_hosts.c.host)
    .where(portal_hosts.c.tenant_id == any_(bindparam("ids", type_=ARRAY(Uuid))))
    .order_by(portal_hosts.c.host),
    Host,
    registry=True,
)
_all = Statement(select(*PORTAL_COLUMNS).order_by(portals.c.slug), Portal, registry=True)


async def tenant_by_slug(connection: Connection, slug: str) -> UUID | None:
    """The tenant whose portal has this slug."""
    found: UUID | None = await connection.value(_tenant_by_slug, slug=slug)
    return found


async def by_tenant(connection: Connection) -> Portal | None:
    """The portal of the connection's tenant."""
    return await connection.row(_by_tenant)


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Portal]:
    """The connection's own portal, and for staff those of the supplier that it may enter, among the ids."""
    if viewer.is_staff:
        found = await entered_by(connection, viewer.actor_id)
    else:
        own = await by_tenant(connection)
        found = [own] if own is not None else []
    return one_each((portal for portal in found if portal.tenant_id in ids), "id")


async def entered_by(connection: Connection, staff_member_id: UUID) -> list[Portal]:
    """The portals of the tenant's supplier at which a staff member has a role, by name."""
    return await connection.rows(_entered_by, staff_member_id=staff_member_id)


async def tenants_of_supplier(connection: Connection) -> list[UUID]:
    """All companies of the supplier that owns the connection's tenant."""
    return await connection.column(_of_supplier)


async def hosts_of(connection: Connection, ids: Sequence[UUID]) -> Mapping[UUID, list[str]]:
    """The host names at which each portal answers, by name. Everybody may know them."""
    found: dict[UUID, list[str]] = {each: [] for each in ids}
    for row in await connection.rows(_hosts_of, ids=ids):
        found[row.tenant_id].append(row.host)
    return found


async def every(connection: Connection) -> list[Portal]:
    """All portals of this deployment, by slug."""
    return await connection.rows(_all)


_FOUNDED = ("slug", "name", "legal_name", "currency", "locale", "support_email", "stock_policy")


def _insert(tenant_id: str, supplier_id: ColumnElement[Any]) -> ReturningInsert[Any]:
    return (
        insert(portals)
        .values(
            tenant_id=bindparam(tenant_id, type_=Uuid),
            supplier_id=supplier_id,
            **{name: bindparam(name) for name in _FOUNDED},
        )
        .on_conflict_do_nothing(constraint="portals_slug_key")
        .returning(portals.c.tenant_id)
    )


_add = Statement[UUID](_insert("tenant_id", bindparam("supplier_id", type_=Uuid)))
_found = Statement[UUID](_insert("new_tenant_id", SUPPLIER_OF_TENANT))
_add_hosts = Statement[str](
    insert_rows(portal_hosts, ["host"])
    .on_conflict_do_nothing(constraint="portal_hosts_host_key")
    .returning(portal_hosts.c.host)
)
_remove_hosts = Statement[None](
    delete(portal_hosts).where(
        portal_hosts.c.tenant_id == bindparam("tenant_id"),
        portal_hosts.c.host == any_(bindparam("hosts", type_=ARRAY(Text))),
    )
)
CHANGING = (
    "name",
    "legal_name",
    "currency",
    "locale",
    "support_email",
    "open",
    "stock_policy",
    "restriction_kinds",
    "lead_days",
    "cancellation_policy",
    "credit_policy",
    "payment_days",
    "return_days",
    "first_answer_hours",
    "resolution_hours",
    "price_list_id",
    "operation_policy",
    "origins",
)
_changing = Changing(
    portals,
    select(*PORTAL_COLUMNS).where(portals.c.tenant_id == bindparam("tenant_id")),
    Portal,
    CHANGING,
    mine=portals.c.tenant_id == bindparam("tenant_id"),
    key="tenant_id",
    emptied=["return_days", "first_answer_hours", "resolution_hours"],
)
lock, change = _changing.lock, _changing.change


async def add(connection: Connection, **values: Any) -> bool:
    """Add the connection's tenant with its portal, as the migration role; False when the slug is taken.

    Values: supplier_id and those of _FOUNDED.
    """
    return await connection.value(_add, **values) is not None


async def found(connection: Connection, new_tenant_id: UUID, **values: Any) -> bool:
    """Add another company, with its portal, of the supplier that owns the connection's tenant; False when the
    slug is taken. Values: those of _FOUNDED."""
    return await connection.value(_found, new_tenant_id=new_tenant_id, **values) is not None


async def add_hosts(connection: Connection, hosts: Sequence[str]) -> set[str]:
    """Let the connection's portal answer at host names; returns those that were free."""
    return set(await connection.column(_add_hosts, host=hosts)) if hosts else set()


async def remove_hosts(connection: Connection, hosts: Sequence[str]) -> None:
    """Let the connection's portal answer no longer at host names."""
    if hosts:
        await connection.run(_remove_hosts, hosts=hosts)
