"""Sessions: sign-in, sign-out, and who holds a token. Tokens are opaque, 256 bits, kept hashed."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

import uuid_utils.compat as uuid

import db
from db.accounts import Login
from db.connections import Connection
from db.portals import Portal
from db.sessions import SignedIn
from rules.accounts import PortalClosed, SignInRefused, can_be_user_name, folded
from rules.permissions import PROFILES, STAFF_ROLES, Permission, Profile, StaffRole
from rules.viewers import Viewer
from tenants.passwords import Passwords

_TOKEN_BYTES = 32


@dataclass(slots=True)
class NewSession:
    """What somebody gets who signs in: the token is shown this once."""

    token: str
    expires_at: datetime


async def login(connection: Connection, user_name: str) -> Login | None:
    """Whom a user name belongs to at the connection's portal."""
    name = folded(user_name)
    return await db.accounts.login(connection, name) if can_be_user_name(name) else None


async def check(passwords: Passwords, portal: Portal, login: Login | None, password: str) -> Login:
    """The login, if the password is its own and it may come in. Needs no connection, and takes a while.

    Raises SignInRefused (unknown, wrong and inactive look alike and take as long), PortalClosed for
    customers of a portal that is switched off, SignInBusy.
    """
    right = await passwords.matches(login.password_hash if login else None, password)
    if login is None or not right or not login.active:
        raise SignInRefused
    if login.account_id is not None and not portal.open:
        raise PortalClosed
    return login


async def open_session(connection: Connection, portal: Portal, login: Login, *, minutes: int) -> NewSession:
    """Sign somebody in at this portal for `minutes`."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    expires_at = await db.sessions.add(
        connection,
        id=uuid.uuid7(),
        token_hash=_hashed(token),
        account_id=login.account_id,
        supplier_id=portal.supplier_id if login.staff_member_id else None,
        staff_member_id=login.staff_member_id,
        minutes=minutes,
    )
    return NewSession(token, expires_at)


async def sign_out(connection: Connection, viewer: Viewer) -> None:
    """End the viewer's session at once."""
    await db.sessions.remove(connection, viewer.session_id)


async def recognize(connection: Connection, token: str | None) -> tuple[Portal, Viewer | None]:
    """The connection's portal and who holds the token there: one statement, the first of a transaction.

    Nobody, when the session is unknown here, has ended, or its account may not come in any more.
    """
    portal, signed_in = await db.sessions.by_token(connection, _hashed(token) if token else None)
    return portal, _viewer(portal, signed_in) if signed_in else None


def _viewer(portal: Portal, who: SignedIn) -> Viewer | None:
    permissions = _permissions(who)
    if not who.active or (who.staff_member_id is None and not portal.open):
        return None
    if who.staff_member_id is not None and not permissions:
        return None
    return Viewer(
        tenant_id=portal.tenant_id,
        session_id=who.session_id,
        account_id=who.account_id,
        staff_member_id=who.staff_member_id,
        customer_id=who.customer_id,
        price_list_id=who.price_list_id,
        currency=who.currency,
        permissions=permissions,
    )


def _permissions(who: SignedIn) -> frozenset[Permission]:
    sets = [PROFILES[Profile(each)] for each in who.profiles]
    sets += [STAFF_ROLES[StaffRole(each)] for each in who.roles]
    return frozenset().union(*sets)


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
