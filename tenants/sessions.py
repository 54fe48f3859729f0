"""Sessions: sign-in, sign-out, and who holds a token. Tokens are opaque, 256 bits, kept hashed."""

import hashlib
import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuid

import db
from db.connections import Connection
from db.logins import Login
from db.portals import Portal
from db.sessions import Session, SignedIn
from rules.accounts import VIEW_AS_MINUTES, SignInRefused, can_be_user_name, folded
from rules.permissions import (
    ONLY_CUSTOMERS,
    PROFILES,
    STAFF_ROLES,
    STAFF_ROLES_EVERYWHERE,
    BuiltInProfile,
    Permission,
    StaffRole,
)
from rules.restrictions import Grant, Modes, RestrictionMode
from rules.viewers import Viewer
from tenants.passwords import Passwords

_TOKEN_BYTES = 32
_LONGEST_USER_AGENT = 300
_PERMISSIONS = {each.name: each for each in Permission}


@dataclass(slots=True)
class NewSession:
    """What somebody gets who signs in: the token is shown this once."""

    token: str
    session: Session


@dataclass(frozen=True, slots=True)
class Client:
    """From where somebody comes, and with which program."""

    address: str = ""
    user_agent: str = ""


async def login(connection: Connection, user_name: str) -> Login | None:
    """Whom a user name belongs to at the connection's portal."""
    name = folded(user_name)
    return await db.accounts.login(connection, name) if can_be_user_name(name) else None


async def check(passwords: Passwords, login: Login | None, password: str) -> Login:
    """The login, if the password is its own and it may come in. Needs no connection, and takes a while.

    Raises SignInRefused (unknown, wrong and inactive look alike and take as long) and SignInBusy.
    """
    right = await passwords.matches(login.password_hash if login else None, password)
    if login is None or not right or not login.active:
        raise SignInRefused
    return login


async def open_session(
    connection: Connection, portal: Portal, login: Login, *, minutes: int, client: Client
) -> NewSession:
    """Sign somebody in at this portal for `minutes`."""
    return await _open(
        connection,
        client,
        minutes=minutes,
        account_id=login.account_id,
        supplier_id=portal.supplier_id if login.staff_member_id else None,
        staff_member_id=login.staff_member_id,
    )


async def view_as(
    connection: Connection, portal: Portal, viewer: Viewer, account_id: UUID, client: Client
) -> NewSession:
    """Let a staff member look at the portal as an account. It changes nothing there, and ends by itself."""
    return await _open(
        connection,
        client,
        minutes=VIEW_AS_MINUTES,
        supplier_id=portal.supplier_id,
        staff_member_id=viewer.staff_member_id,
        viewing_account_id=account_id,
    )


async def _open(connection: Connection, client: Client, **values: Any) -> NewSession:
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    session = await db.sessions.add(
        connection,
        id=uuid.uuid7(),
        token_hash=hashed(token),
        address=client.address,
        user_agent=client.user_agent[:_LONGEST_USER_AGENT],
        **values,
    )
    return NewSession(token, session)


async def end_others(connection: Connection, viewer: Viewer) -> None:
    """End all sessions of the viewer but this one; of a staff member at all companies of the supplier."""
    await db.sessions.remove_of(connection, viewer.actor_id, but=viewer.session_id)
    if viewer.staff_member_id is not None:
        await end_at_sisters(connection, viewer.staff_member_id)


async def end_at_sisters(connection: Connection, staff_member_id: UUID) -> None:
    """End the sessions of a staff member at the supplier's other companies."""
    for tenant_id in await db.portals.tenants_of_supplier(connection):
        if tenant_id != connection.tenant_id:
            async with connection.visiting(tenant_id) as sister:
                await db.sessions.remove_of(sister, staff_member_id)


async def recognize(connection: Connection, token: str | None) -> tuple[Portal, Viewer | None]:
    """The connection's portal and who holds the token there: one statement, the first of a transaction.

    Nobody, when the session is unknown here, has ended, or its account may not come in any more.
    """
    portal, signed_in = await db.sessions.by_token(connection, hashed(token) if token else None)
    return portal, _viewer(portal, signed_in) if signed_in else None


async def recognize_session(connection: Connection, session_id: UUID) -> tuple[Portal, Viewer | None]:
    """The same for a session that is known by its id: a signed link names it, a client never does."""
    portal, signed_in = await db.sessions.signed_in_by_id(connection, session_id)
    return portal, _viewer(portal, signed_in) if signed_in else None


async def as_account(connection: Connection, portal: Portal, account_id: UUID) -> Viewer | None:
    """Who would be asking if an account were; whether it may come in is not looked at."""
    who = await db.sessions.of_account(connection, account_id)
    return _account(portal, who) if who is not None else None


def _viewer(portal: Portal, who: SignedIn) -> Viewer | None:
    if not who.active:
        return None
    if who.staff_member_id is None:
        return _account(portal, who) if portal.open else None
    permissions = _permissions_of_staff(who.roles, who.everywhere)
    if who.viewing:  # also at a portal that is switched off: so staff sees what customers will see
        return _seen_through(_account(portal, who), permissions)
    if not permissions:
        return None
    return Viewer(
        tenant_id=portal.tenant_id,
        session_id=who.session_id,
        account_id=None,
        staff_member_id=who.staff_member_id,
        customer_id=None,
        price_list_id=who.price_list_id,
        currency=who.currency,
        permissions=permissions,
    )


def _seen_through(account: Viewer, staff: frozenset[Permission]) -> Viewer | None:
    """The account as a staff member with these permissions may look through its eyes: without what the staff
    member may not read itself. What is customers' alone stays, since nothing can be changed."""
    if Permission.ACCOUNTS_VIEW_AS not in staff:
        return None
    kept = staff | ONLY_CUSTOMERS
    grants = tuple(replace(grant, permissions=grant.permissions & kept) for grant in account.grants)
    return replace(account, grants=grants, permissions=account.permissions & kept)


def _account(portal: Portal, who: SignedIn) -> Viewer:
    grants, permissions = _granted(who.grants, tuple(portal.restriction_kinds))
    return Viewer(
        tenant_id=portal.tenant_id,
        session_id=who.session_id,
        account_id=who.account_id,
        staff_member_id=None,
        customer_id=who.customer_id,
        price_list_id=who.price_list_id,
        currency=who.currency,
        permissions=permissions,
        grants=grants,
        viewed_by=who.staff_member_id,
    )


@lru_cache(maxsize=1_000)
def _granted(groups: str, in_force: tuple[str, ...]) -> tuple[tuple[Grant, ...], frozenset[Permission]]:
    """What groups give, one by one and all together. Remembered by all that decides it, as it was read just now: most
    accounts are members of the same few groups."""
    grants = tuple(_grant(each, in_force) for each in json.loads(groups))
    return grants, frozenset().union(*(grant.permissions for grant in grants))


def _grant(group: Sequence[Any], in_force: Sequence[str]) -> Grant:
    group_id, built_in, permissions, *modes = group
    given = Modes(*(RestrictionMode(mode) if mode else None for mode in modes))
    return Grant(UUID(group_id), permissions_of_profile(built_in, permissions), given.in_force(in_force))


def permissions_of_profile(built_in: str | None, own: Iterable[str]) -> frozenset[Permission]:
    """What a profile permits: a built-in one what the matrix says, a company's own what it lists."""
    if built_in is not None:
        return PROFILES[BuiltInProfile(built_in)]
    return frozenset(_PERMISSIONS[name] for name in own if name in _PERMISSIONS)


def _permissions_of_staff(roles: Iterable[str], everywhere: Iterable[str]) -> frozenset[Permission]:
    sets = [STAFF_ROLES[StaffRole(each)] for each in roles]
    sets += [STAFF_ROLES_EVERYWHERE[StaffRole(each)] for each in everywhere]
    return frozenset().union(*sets)


def hashed(token: str) -> bytes:
    """A token as it is kept."""
    return hashlib.sha256(token.encode()).digest()
