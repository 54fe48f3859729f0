"""Notice lists: what was written to whom, as the company's staff reads it, and trying again what failed."""

from dataclasses import dataclass
from enum import Enum
from operator import attrgetter
from typing import Annotated, Any

import strawberry

import db
from db.jobs import Job
from db.notices import Notice
from resolvers import nodes, pages
from resolvers.context import Info
from resolvers.enums import publish
from resolvers.mutations import KEY_DESCRIPTION, VERSION_DESCRIPTION, Payload, facts_of
from resolvers.relations import relation
from rules.broken import Language, NotFound, check_version
from rules.notices import NoticeKind, NoticeNotFailed, NoticeState

publish(
    NoticeKind,
    description="What somebody is told by mail.",
    value={
        NoticeKind.ACTIVATION: "The code with which an account sets its password.",
        NoticeKind.ORDER_RECEIVED: "That the company has the orders that were placed together.",
        NoticeKind.RMA_DECIDED: "What was decided about a request to return goods.",
        NoticeKind.TICKET_ANSWERED: "What was answered to a question.",
    }.__getitem__,
)
publish(
    NoticeState,
    description="What has become of a notice.",
    value={
        NoticeState.WAITING: "It is to be sent, for the first time or again.",
        NoticeState.SENT: "The mail server has it.",
        NoticeState.FAILED: "It could not be sent, and is not tried any more by itself.",
    }.__getitem__,
)


class NoticeOrder(Enum):
    """In what order notices come."""

    AT_ASC = "AT_ASC"
    AT_DESC = "AT_DESC"


publish(
    NoticeOrder,
    description="In what order notices come.",
    value={NoticeOrder.AT_ASC: "Oldest first.", NoticeOrder.AT_DESC: "Newest first."}.__getitem__,
)


@strawberry.input(description="Which notices; all that is given must hold.")
class NoticeFilter:
    """notices(filter:)."""

    states: list[NoticeState] | None = strawberry.field(default=None, description="In one of these states.")
    kinds: list[NoticeKind] | None = strawberry.field(default=None, description="Of one of these kinds.")
    account: strawberry.ID | None = strawberry.field(default=None, description="To this account.")
    node: strawberry.ID | None = strawberry.field(default=None, description="About this object.")


_Filter = Annotated[NoticeFilter | None, strawberry.argument(description="Which notices.")]
_Order = Annotated[
    list[NoticeOrder] | None,
    strawberry.argument(description="In what order; newest first when nothing is said."),
]


async def page(
    info: Info,
    filter: _Filter = None,
    order_by: _Order = None,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> pages.Connection:
    """Query.notices."""
    order = order_by or [NoticeOrder.AT_DESC]
    asked = pages.Asked(first, after, last, before)
    return await pages.connection(info.context, db.notices, _filters(filter or NoticeFilter()), order, asked)


def _filters(given: NoticeFilter) -> dict[str, Any]:
    named = nodes.parsed(str(given.node)) if given.node is not None else None
    return {
        "states": None if given.states is None else [state.value for state in given.states],
        "kinds": None if given.kinds is None else [kind.value for kind in given.kinds],
        "account_id": nodes.key_or_nothing(given.account, "Account"),
        "node_id": None if given.node is None else named[1] if named else nodes.NOTHING,
    }


# Notice.account.
account = relation(db.accounts.by_ids, "account_id")


# Notice.node: None when it is not for the viewer.
node = nodes.relation_to_any(attrgetter("node_type", "node_id"))


def language(root: strawberry.Parent[Notice]) -> Language:
    """Notice.language."""
    return Language(root.language)


@strawberry.input(description="A notice that could not be sent, to be tried again.")
class NoticeRetryInput:
    """noticeRetry(input:)."""

    notice: strawberry.ID = strawberry.field(description="The notice.")
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class NoticePayload(Payload):
    """The notice as it is now."""

    notice: Notice | None = None


_RetryInput = Annotated[NoticeRetryInput, strawberry.argument(description="Which notice.")]


async def retry(info: Info, input: _RetryInput) -> NoticePayload:
    """Mutation.noticeRetry: to where the account is written to by now, since a wrong address is what mostly fails."""
    context = info.context
    seen: Notice = await nodes.found(context, input.notice, "Notice", "notice")
    notice = await db.notices.lock(context.connection, seen.id)
    if notice is None:
        raise NotFound(path=("notice",))
    check_version(input.version, notice.version)
    if notice.state != NoticeState.FAILED:
        raise NoticeNotFailed(path=("notice",))
    told = await db.accounts.to_be_told(context.connection, notice.account_id)
    assert told is not None, "accounts are never removed"
    waiting = await db.notices.again(context.connection, notice.id, told.email)
    await db.jobs.enqueue(context.connection, Job.NOTICE_SEND, [notice.id])
    context.record(
        "Notice",
        notice.id,
        before=_facts(notice),
        after=_facts(waiting),
        customer_id=told.customer_id,
    )
    return NoticePayload(waiting)


def _facts(notice: Notice) -> dict[str, Any]:
    """What has become of it; what it says stays as it is."""
    return {name: each for name, each in facts_of(notice).items() if name not in ("subject", "body")}
