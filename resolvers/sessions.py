"""Sessions: signing in and out, the first password and the next, and looking at the portal as somebody else."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry

import db
from db.accounts import Account
from db.logins import Login
from db.sessions import Session
from resolvers import nodes
from resolvers.context import Actor, Context, Info
from resolvers.enums import publish
from resolvers.mutations import KEY_DESCRIPTION, SECRET, Payload, facts_of
from rules.accounts import ActivationCodeUsed, CookieRefused, PasswordWrong, PortalClosed, SignInRefused
from rules.broken import NotFound
from rules.events import Event
from rules.permissions import MissingPermission, Permission
from rules.viewers import Viewer
from tenants import activation, sessions, throttles
from tenants.passwords import check_new
from tenants.sessions import NewSession


class SessionTransport(Enum):
    """How a client carries its session: bearer for programs, cookie for browsers."""

    BEARER = "BEARER"
    COOKIE = "COOKIE"


publish(
    SessionTransport,
    description="How the client carries its session.",
    value={
        SessionTransport.BEARER: "The payload carries the token, for the Authorization header.",
        SessionTransport.COOKIE: "The answer sets a __Host- cookie that scripts cannot read; the payload "
        "has no token. Requests with the cookie must carry the header X-Kontor-Csrf.",
    }.__getitem__,
)

_TRANSPORT = "How the client will carry the session."
_USER_NAME = "The account's or staff member's user name; case does not matter."


@strawberry.input(description="Who signs in.")
class SignInInput:
    """signIn(input:). It takes no idempotency key: a token is never kept, so it cannot be told twice."""

    user_name: str = strawberry.field(description=_USER_NAME)
    password: str = strawberry.field(description="The password, 8 to 1,000 characters.")
    transport: SessionTransport = strawberry.field(default=SessionTransport.BEARER, description=_TRANSPORT)


@strawberry.input(description="Who sets a first password.")
class AccountActivateInput:
    """accountActivate(input:). A code works once, so there is no idempotency key."""

    user_name: str = strawberry.field(description=_USER_NAME)
    code: str = strawberry.field(description="The activation code; case and hyphens do not matter.")
    password: str = strawberry.field(description="The first password, 8 to 1,000 characters.")
    transport: SessionTransport = strawberry.field(default=SessionTransport.BEARER, description=_TRANSPORT)


@strawberry.input(description="The viewer's present and next password.")
class PasswordChangeInput:
    """passwordChange(input:). A second call has the wrong old password, so there is no idempotency key."""

    old_password: str = strawberry.field(description="The present password.")
    new_password: str = strawberry.field(description="The next password, 8 to 1,000 characters.")


@strawberry.input(description="A session that is to end.")
class SessionRevokeInput:
    """sessionRevoke(input:)."""

    session: strawberry.ID = strawberry.field(
        description="One of the viewer's own, or for staff one of a customer's account."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="As whom a staff member wants to look at the portal.")
class AccountViewAsInput:
    """accountViewAs(input:). A token is never kept, so there is no idempotency key."""

    account: strawberry.ID = strawberry.field(description="The account.")


@dataclass(slots=True)
class SignInPayload(Payload):
    """The token, unless it travels as a cookie, and who is now signed in."""

    token: str | None = field(default=None, metadata=SECRET)
    expires_at: datetime | None = None
    signed_in: bool = False


@dataclass(slots=True)
class ViewAsPayload(Payload):
    """The token of a read-only session as somebody else."""

    token: str | None = field(default=None, metadata=SECRET)
    expires_at: datetime | None = None
    account: Account | None = None


@dataclass(slots=True)
class PlainPayload(Payload):
    """Nothing but the errors."""


_SignInInput = Annotated[SignInInput, strawberry.argument(description="Who signs in.")]
_ActivateInput = Annotated[AccountActivateInput, strawberry.argument(description="Who, and with which code.")]
_PasswordInput = Annotated[PasswordChangeInput, strawberry.argument(description="Both passwords.")]
_RevokeInput = Annotated[SessionRevokeInput, strawberry.argument(description="Which session.")]
_ViewAsInput = Annotated[AccountViewAsInput, strawberry.argument(description="As whom.")]


async def sign_in(info: Info, input: _SignInInput) -> SignInPayload:
    """Mutation.signIn."""
    context = info.context
    _check_transport(context, input.transport)
    login = await sessions.login(context.connection, input.user_name)
    taken = await throttles.take(context.connection, context.client.address, input.user_name)
    async with context.pause():  # hashing takes long, and others need the connection
        login = await sessions.check(context.facilities.passwords, login, input.password)
    if not await _passwords(login).holds(context.connection, login.id, login.password_hash):
        raise SignInRefused  # it was changed or taken away meanwhile
    if login.account_id is not None and not context.portal.open:
        await throttles.put_back(context.connection, taken)
        await context.end()  # keeps that: the password was right
        raise PortalClosed
    return await _let_in(context, login, taken, input.transport)


async def activate(info: Info, input: _ActivateInput) -> SignInPayload:
    """Mutation.accountActivate."""
    context = info.context
    _check_transport(context, input.transport)
    check_new(input.password, input.user_name, "password")
    login = await sessions.login(context.connection, input.user_name)
    taken = await throttles.take(context.connection, context.client.address, input.user_name)
    async with context.pause():
        login = activation.check(context.portal, login, input.code)
        password_hash = await context.facilities.passwords.hash(input.password)
    code_hash = activation.code_hash(input.code)
    if not await _passwords(login).activate(context.connection, login.id, code_hash, password_hash):
        raise ActivationCodeUsed
    is_account = login.account_id is not None
    context.record(
        "Account" if is_account else "StaffMember",
        login.id,
        before={"activated": login.password_hash is not None},
        after={"activated": True},
        event=Event.ACCOUNT_ACTIVATED if is_account else None,
    )
    return await _let_in(context, login, taken, input.transport)


def _check_transport(context: Context, transport: SessionTransport) -> None:
    if transport is SessionTransport.COOKIE and not context.cookies_allowed:
        raise CookieRefused(path=("transport",))


def _passwords(login: Login) -> db.logins.Keys:
    return db.accounts.passwords if login.account_id is not None else db.staff_members.passwords


async def _let_in(
    context: Context, login: Login, taken: Sequence[bytes], transport: SessionTransport
) -> SignInPayload:
    """Open a session for somebody who has shown who they are."""
    await throttles.put_back(context.connection, taken)
    new = await sessions.open_session(
        context.connection,
        context.portal,
        login,
        minutes=context.facilities.session_minutes,
        client=context.client,
    )
    context.act_as(Actor(login.account_id, login.staff_member_id, login.customer_id))
    context.record("Session", new.session.id, before=None, after=facts_of(new.session))
    context.token = new.token
    by_cookie = transport is SessionTransport.COOKIE
    if by_cookie:
        context.new_cookie = new.token
    return SignInPayload(
        token=None if by_cookie else new.token, expires_at=new.session.expires_at, signed_in=True
    )


async def signed_in_viewer(root: strawberry.Parent[SignInPayload], info: Info) -> Viewer | None:
    """SignInPayload.viewer: who has just signed in."""
    return info.context.viewer if root.signed_in else None


async def sign_out(info: Info) -> PlainPayload:
    """Mutation.signOut."""
    context = info.context
    viewer = context.signed_in
    assert viewer.session_id is not None
    await db.sessions.remove(context.connection, viewer.session_id)
    context.record("Session", viewer.session_id, before={}, after=None)
    context.token = None
    context.new_cookie = ""
    return PlainPayload()


async def change_password(info: Info, input: _PasswordInput) -> PlainPayload:
    """Mutation.passwordChange: all other sessions of the viewer end at once."""
    context = info.context
    viewer, passwords = context.signed_in, context.facilities.passwords
    person = await nodes.load(context, "Account" if viewer.account_id else "StaffMember", viewer.actor_id)
    check_new(input.new_password, person.user_name, "newPassword")
    login = await sessions.login(context.connection, person.user_name)
    taken = await throttles.take(context.connection, context.client.address, person.user_name)
    async with context.pause():
        old_hash = login.password_hash if login is not None else None
        if not await passwords.matches(old_hash, input.old_password) or login is None or old_hash is None:
            raise PasswordWrong(path=("oldPassword",))
        new_hash = await passwords.hash(input.new_password)
    if not await _passwords(login).change(context.connection, login.id, old_hash, new_hash):
        raise PasswordWrong(path=("oldPassword",))
    await throttles.put_back(context.connection, taken)
    await sessions.end_others(context.connection, context.signed_in)
    context.record(
        type(person).__name__,
        person.id,
        before={"version": person.version},
        after={"version": person.version + 1},
    )
    return PlainPayload()


async def own(info: Info) -> list[Session]:
    """Query.sessions."""
    return await db.sessions.own(info.context.connection, info.context.signed_in)


def is_current(root: strawberry.Parent[Session], info: Info) -> bool:
    """Session.current."""
    return info.context.signed_in.session_id == root.id


async def revoke(info: Info, input: _RevokeInput) -> PlainPayload:
    """Mutation.sessionRevoke: one's own, or with accounts:write one of a customer's account."""
    context = info.context
    viewer = context.signed_in
    session: Session = await nodes.found(context, input.session, "Session", "session")
    own = viewer.actor_id in (session.account_id, session.staff_member_id)
    if not own and not viewer.may(Permission.ACCOUNTS_WRITE):
        raise MissingPermission(permissions=(Permission.ACCOUNTS_WRITE,))
    await db.sessions.remove(context.connection, session.id)
    account = await nodes.load(context, "Account", session.account_id) if session.account_id else None
    context.record(
        "Session",
        session.id,
        before=facts_of(session),
        after=None,
        customer_id=account.customer_id if account else None,
    )
    return PlainPayload()


async def view_as(info: Info, input: _ViewAsInput) -> ViewAsPayload:
    """Mutation.accountViewAs."""
    context = info.context
    account: Account = await nodes.found(context, input.account, "Account", "account")
    if not account.active:
        raise NotFound(path=("account",))
    new: NewSession = await sessions.view_as(
        context.connection, context.portal, context.signed_in, account.id, context.client
    )
    context.record(
        "Session",
        new.session.id,
        before=None,
        after=facts_of(new.session, viewing_account_id=account.id),
        customer_id=account.customer_id,
    )
    return ViewAsPayload(token=new.token, expires_at=new.session.expires_at, account=account)
