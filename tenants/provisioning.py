"""Provisioning: new portals, their supplier's people and their customers' accounts, ready as soon as saved."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuid

import db
from db.accounts import Account
from db.connections import Connection, Database
from db.isolation import Mode
from rules.accounts import ACTIVATION_DAYS, UserNameInvalid, UserNameTaken, can_be_user_name, folded
from rules.broken import BrokenRule
from rules.events import Operation
from rules.permissions import BuiltInProfile
from rules.portals import HostTaken, SlugTaken, check_currency, check_slug, host_name
from rules.staff_members import HeldRole
from rules.stock import StockPolicy
from tenants.activation import NewCode, new_code


class NotProvisioned(Exception):
    """What was asked for on the command line cannot be made; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPortal:
    """What a company's portal begins with. `locale` is en or de, `currency` an ISO 4217 code."""

    slug: str
    name: str
    legal_name: str
    currency: str
    locale: str
    support_email: str
    hosts: Sequence[str]
    stock_policy: StockPolicy = StockPolicy.REQUIRE_STOCK

    def checked_hosts(self) -> list[str]:
        """The hosts as they are kept. Raises SlugInvalid, CurrencyInvalid or HostInvalid."""
        check_slug(self.slug, "slug")
        check_currency(self.currency, "currency")
        return [host_name(host, "hosts", str(index)) for index, host in enumerate(self.hosts)]

    @property
    def columns(self) -> dict[str, Any]:
        """The values of its row."""
        return {
            "slug": self.slug,
            "name": self.name,
            "legal_name": self.legal_name,
            "currency": self.currency,
            "locale": self.locale,
            "support_email": self.support_email,
            "stock_policy": self.stock_policy,
        }


async def add_portal(registry: Database, supplier_code: str, supplier_name: str, new: NewPortal) -> None:
    """Add a company with its portal, and its supplier when that is new.

    `registry` logs in as the migration role, who alone may add suppliers. Raises NotProvisioned, also when
    the slug or a host is taken.
    """
    if new.locale not in ("en", "de"):
        raise NotProvisioned("a locale is en or de")
    try:
        hosts = new.checked_hosts()
        async with registry.transaction(Mode.WRITE, uuid.uuid7()) as connection:
            supplier_id = await db.suppliers.ensure(connection, code=supplier_code, name=supplier_name)
            if not await db.portals.add(connection, supplier_id=supplier_id, **new.columns):
                raise SlugTaken(slug=new.slug)
            await _furnish(connection, hosts)
            assert connection.tenant_id is not None
            await write_down(
                connection, "portal-add", "Portal", connection.tenant_id, {**new.columns, "hosts": hosts}
            )
    except BrokenRule as broken:
        raise NotProvisioned(broken.message().removesuffix(".")) from None


async def found_portal(connection: Connection, new: NewPortal) -> UUID:
    """Add another company, with its portal, of the supplier that owns the connection's; returns the tenant.

    Raises SlugInvalid, SlugTaken, CurrencyInvalid, HostInvalid or HostTaken.
    """
    hosts, tenant_id = new.checked_hosts(), uuid.uuid7()
    if not await db.portals.found(connection, tenant_id, **new.columns):
        raise SlugTaken(slug=new.slug, path=("slug",))
    async with connection.visiting(tenant_id) as sister:
        await _furnish(sister, hosts)
    return tenant_id


async def _furnish(connection: Connection, hosts: Sequence[str]) -> None:
    """What every company begins with."""
    await add_hosts(connection, hosts)
    await db.lifecycle_statuses.add_predefined(connection)
    await db.profiles.add_built_in(connection, {profile: uuid.uuid7() for profile in BuiltInProfile})


async def add_hosts(connection: Connection, hosts: Sequence[str], had: Collection[str] = ()) -> None:
    """Let the connection's portal answer at host names, some of which it `had` already. Raises HostTaken."""
    added = await db.portals.add_hosts(connection, [host for host in dict.fromkeys(hosts) if host not in had])
    for index, host in enumerate(hosts):
        if host not in added and host not in had:
            raise HostTaken(host=host, path=("hosts", str(index)))


async def write_down(
    connection: Connection, action: str, node_type: str, node_id: UUID, after: Mapping[str, Any]
) -> None:
    """Tell the audit and then the change feed what was made from the command line."""
    await db.audit.add_of_command_line(connection, action, node_type, node_id, after)
    new = db.change_feed.Change(node_type, node_id, Operation.CREATED, None, node_id, None)
    await db.change_feed.add(connection, [new])


async def tenant_of(database: Database, slug: str) -> UUID:
    """The tenant behind a slug. Raises NotProvisioned."""
    async with database.transaction(Mode.SNAPSHOT, None) as connection:
        tenant_id = await db.portals.tenant_by_slug(connection, slug)
    if tenant_id is None:
        raise NotProvisioned(f"there is no portal {slug!r}")
    return tenant_id


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLogin:
    """Somebody who is to sign in: with a password, or without one by an activation code."""

    user_name: str
    name: str
    email: str
    password_hash: str | None = None

    def columns(self, code: NewCode | None) -> dict[str, Any]:
        """The values of a row; the code's hash is kept where there is no password."""
        return {
            "user_name": self.user_name,
            "name": self.name,
            "email": self.email,
            "password_hash": self.password_hash,
            "code_hash": code.hash if code else None,
            "days": ACTIVATION_DAYS if code else None,
        }


def user_name_of(given: str, *path: str) -> str:
    """A user name as it is compared and kept. Raises UserNameInvalid."""
    name = folded(given)
    if not can_be_user_name(name):
        raise UserNameInvalid(path=path)
    return name


async def add_account(
    connection: Connection,
    customer_id: UUID,
    new: NewLogin,
    *,
    account_id: UUID | None = None,
    code: NewCode | None = None,
) -> Account:
    """Add an account of a customer, in no group yet; with a code where there is no password.

    Raises UserNameTaken, also when it is a staff member's: who signs in has to be one of them.
    """
    assert (code is None) != (new.password_hash is None), "either a password or a code opens the door"
    await db.logins.reserve(connection, new.user_name)
    taken = await db.staff_members.user_name_taken(connection, new.user_name)
    added = None
    if not taken:
        added = await db.accounts.add(
            connection, id=account_id or uuid.uuid7(), customer_id=customer_id, **new.columns(code)
        )
    if added is None:
        raise UserNameTaken(user_name=new.user_name, path=("userName",))
    return added


async def add_staff_member(
    connection: Connection, new: NewLogin, roles: Sequence[HeldRole]
) -> tuple[UUID, NewCode | None]:
    """Add somebody to the staff of the tenant's supplier; with the code when there is no password.

    Raises UserNameTaken, also when an account at any of the supplier's companies has the name.
    """
    code = None if new.password_hash else new_code()
    staff_member_id = uuid.uuid7()
    await db.logins.reserve(connection, new.user_name)
    taken = await _is_accounts_name(connection, new.user_name)
    if taken or not await db.staff_members.add(connection, id=staff_member_id, **new.columns(code)):
        raise UserNameTaken(user_name=new.user_name, path=("userName",))
    await db.staff_members.add_roles(connection, staff_member_id, roles, [uuid.uuid7() for _ in roles])
    return staff_member_id, code


async def _is_accounts_name(connection: Connection, user_name: str) -> bool:
    for tenant_id in await db.portals.tenants_of_supplier(connection):
        if tenant_id == connection.tenant_id:
            found = await db.accounts.user_name_taken(connection, user_name)
        else:
            async with connection.visiting(tenant_id) as sister:
                found = await db.accounts.user_name_taken(sister, user_name)
        if found:
            return True
    return False
