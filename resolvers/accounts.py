"""Accounts: signing in and out."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry

from resolvers.context import Info
from resolvers.enums import publish
from resolvers.mutations import Payload
from rules.accounts import CookieRefused
from rules.viewers import Viewer
from tenants import sessions


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


@strawberry.input(description="Who signs in.")
class SignInInput:
    """signIn(input:). It takes no idempotency key: a token is never kept, so it cannot be told twice."""

    user_name: str = strawberry.field(
        description="The account's or staff member's user name; case does not matter."
    )
    password: str = strawberry.field(description="The password, 8 to 1,000 characters.")
    transport: SessionTransport = strawberry.field(
        default=SessionTransport.BEARER, description="How the client will carry the session."
    )


@dataclass(slots=True)
class SignInPayload(Payload):
    """The token, unless it travels as a cookie, and who is now signed in."""

    token: str | None = None
    expires_at: datetime | None = None
    signed_in: bool = False


_SignInInput = Annotated[SignInInput, strawberry.argument(description="Who signs in.")]


async def sign_in(info: Info, input: _SignInInput) -> SignInPayload:
    """Mutation.signIn."""
    context = info.context
    by_cookie = input.transport is SessionTransport.COOKIE
    if by_cookie and not context.cookies_allowed:
        raise CookieRefused(path=("transport",))
    login = await sessions.login(context.connection, input.user_name)
    async with context.pause():  # hashing takes long, and others need the connection
        login = await sessions.check(context.facilities.passwords, context.portal, login, input.password)
    minutes = context.facilities.session_minutes
    new = await sessions.open_session(context.connection, context.portal, login, minutes=minutes)
    context.token = new.token
    if by_cookie:
        context.new_cookie = new.token
    return SignInPayload(token=None if by_cookie else new.token, expires_at=new.expires_at, signed_in=True)


async def sign_in_viewer(root: strawberry.Parent[SignInPayload], info: Info) -> Viewer | None:
    """SignInPayload.viewer: who has just signed in."""
    return info.context.viewer if root.signed_in else None


@dataclass(slots=True)
class SignOutPayload(Payload):
    """Nothing but the errors."""


async def sign_out(info: Info) -> SignOutPayload:
    """Mutation.signOut."""
    context = info.context
    await sessions.sign_out(context.connection, context.signed_in)
    context.token = None
    context.new_cookie = ""
    return SignOutPayload()
