"""Sessions: who is signed in, and how one gets in and out."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import resolvers.sessions
from resolvers.permissions import PUBLIC, SIGNED_IN
from rules.permissions import Permission
from schema.errors import UserError
from schema.fields import field, mutation, query
from schema.nodes import Node

if TYPE_CHECKING:  # they know each other
    from schema.accounts import Account
    from schema.viewers import Viewer

_Viewer = Annotated["Viewer", strawberry.lazy("schema.viewers")]
_Account = Annotated["Account", strawberry.lazy("schema.accounts")]


@strawberry.type(description="A sign-in that has not ended.")
class Session(Node):
    """db.sessions.Session."""

    created_at: Annotated[datetime, field(description="Since when.")]
    expires_at: Annotated[datetime, field(description="When it ends by itself.")]
    address: Annotated[str, field(description="The internet address it was opened from.")]
    user_agent: Annotated[str, field(description="The program it was opened with, as that calls itself.")]
    current: Annotated[
        bool, field(resolvers.sessions.is_current, description="Whether it is the one that is asking.")
    ]


@strawberry.type(description="What signIn and accountActivate answer.")
class SignInPayload:
    """resolvers.sessions.SignInPayload."""

    token: Annotated[
        str | None,
        field(description="For the header `Authorization: Bearer …`; null when the session is a cookie."),
    ]
    expires_at: Annotated[datetime | None, field(description="When the session ends by itself.")]
    viewer: Annotated[
        _Viewer | None, field(resolvers.sessions.signed_in_viewer, description="Who is signed in now.")
    ]
    errors: Annotated[list[UserError], field(description="Why nobody was signed in.", size=1)]


@strawberry.type(description="What accountViewAs answers.")
class ViewAsPayload:
    """resolvers.sessions.ViewAsPayload."""

    token: Annotated[
        str | None, field(description="For the header `Authorization: Bearer …`, told this once.")
    ]
    expires_at: Annotated[datetime | None, field(description="When the session ends by itself.")]
    account: Annotated[_Account | None, field(description="As whom it looks at the portal.")]
    errors: Annotated[list[UserError], field(description="Why there is no session.", size=1)]


@strawberry.type(description="What a mutation with nothing to show answers.")
class PlainPayload:
    """resolvers.sessions.PlainPayload."""

    errors: Annotated[list[UserError], field(description="Why nothing was done.", size=1)]


@strawberry.type
class SessionQueries:
    """Query fields on sessions."""

    sessions: Annotated[
        list[Session],
        query(
            resolvers.sessions.own,
            needs=SIGNED_IN,
            description="The viewer's own sessions at this portal, newest first.",
            size=5,
        ),
    ]


@strawberry.type
class SessionMutations:
    """Mutation fields on sessions."""

    sign_in: Annotated[
        SignInPayload,
        mutation(resolvers.sessions.sign_in, needs=PUBLIC, description="Open a session at this portal."),
    ]
    sign_out: Annotated[
        PlainPayload,
        mutation(
            resolvers.sessions.sign_out,
            needs=SIGNED_IN,
            description="End this session at once.",
            for_onlookers=True,
        ),
    ]
    account_activate: Annotated[
        SignInPayload,
        mutation(
            resolvers.sessions.activate,
            needs=PUBLIC,
            description="Set a first password with the one-time code that the company handed over, and sign in.",
        ),
    ]
    password_change: Annotated[
        PlainPayload,
        mutation(
            resolvers.sessions.change_password,
            needs=SIGNED_IN,
            description="Change the viewer's own password; all its other sessions end at once.",
        ),
    ]
    session_revoke: Annotated[
        PlainPayload,
        mutation(
            resolvers.sessions.revoke,
            needs=SIGNED_IN,
            description="End one of the viewer's sessions at once, or as staff with `accounts:write` one of a "
            "customer's account.",
        ),
    ]
    account_view_as: Annotated[
        ViewAsPayload,
        mutation(
            resolvers.sessions.view_as,
            needs=Permission.ACCOUNTS_VIEW_AS,
            description="Open a read-only session that sees what an account sees. It is marked (`viewer { viewedBy }`), "
            "logged, and ends after 30 minutes.",
        ),
    ]
