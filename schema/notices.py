"""Notices: what people are told by mail."""

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.notice_lists
from rules.broken import Language
from rules.notices import NoticeKind, NoticeState
from rules.permissions import Permission
from schema.accounts import Account
from schema.errors import UserError
from schema.fields import field, mutation, query
from schema.nodes import Node
from schema.pages import Connection


@strawberry.type(description="Something that an account is told by mail, as it was when it happened.")
class Notice(Node):
    """db.notices.Notice."""

    kind: Annotated[NoticeKind, field(description="What it is about.")]
    account: Annotated[Account | None, field(resolvers.notice_lists.account, description="Who is told.")]
    address: Annotated[str, field(description="Where it is sent to.")]
    language: Annotated[
        Language, field(resolvers.notice_lists.language, description="In which language it is written.")
    ]
    subject: Annotated[str, field(description="What the mail is headed.")]
    body: Annotated[
        str, field(description="What the mail says. An activation code is masked: it is in the mail alone.")
    ]
    node: Annotated[
        Node | None,
        field(
            resolvers.notice_lists.node,
            description="The object that it is about, of orders that were placed together the first; null where the "
            "viewer may not see it.",
        ),
    ]
    at: Annotated[datetime, field(description="When it happened.")]
    state: Annotated[NoticeState, field(description="What has become of it.")]
    tries: Annotated[int, field(description="How often it was tried to send it.")]
    next_try_at: Annotated[
        datetime | None, field(description="When it is tried next; null when it is not tried any more.")
    ]
    last_error: Annotated[
        str | None,
        field(description="Why it could not be sent the last time, e.g. what the mail server said."),
    ]
    sent_at: Annotated[datetime | None, field(description="When the mail server took it.")]
    version: Annotated[int, field(description="Counts the changes.")]


@strawberry.type(description="What noticeRetry answers.")
class NoticePayload:
    """resolvers.notice_lists.NoticePayload."""

    notice: Annotated[Notice | None, field(description="The notice as it is now.")]
    errors: Annotated[list[UserError], field(description="Why nothing was done.", size=2)]


@strawberry.type
class NoticeQueries:
    """Query fields on notices."""

    notices: Annotated[
        Connection[Notice],
        query(
            resolvers.notice_lists.page,
            needs=Permission.NOTICES_READ,
            description="What was written to whom, and what has become of it.",
        ),
    ]


@strawberry.type
class NoticeMutations:
    """Mutation fields on notices."""

    notice_retry: Annotated[
        NoticePayload,
        mutation(
            resolvers.notice_lists.retry,
            needs=Permission.ACCOUNTS_WRITE,
            description="Try again to send what failed, to where the account is written to by now.",
        ),
    ]
