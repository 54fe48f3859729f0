"""Notices: people are told by mail what concerns them. Written in the transaction that does it, sent by a worker."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Protocol
from uuid import UUID

import uuid_utils.compat as uuid

import db
from db.accounts import Account
from db.jobs import Job
from db.notices import NewNotice
from db.orders import Order, OrderLine
from resolvers.context import Context
from resolvers.order_placing import PlacedOrder
from rules.broken import Language
from rules.letters import Decided, DecidedLine, Letter, Ordered, OrderedLine, Writer
from rules.notices import NoticeKind, one_line
from rules.rma_requests import Resolution
from tenants.activation import NewCode, mailed_code


class DecidedRequest(Protocol):
    """A request to return goods that has a number."""

    @property
    def id(self) -> UUID: ...
    @property
    def number(self) -> str | None: ...
    @property
    def account_id(self) -> UUID: ...
    @property
    def note(self) -> str | None: ...
    @property
    def expected_on(self) -> date | None: ...


class DecidedRequestLine(Protocol):
    """A line of it; `resolution` is one of rules.rma_requests.Resolution, or there is none yet."""

    @property
    def sku(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def quantity(self) -> Decimal: ...
    @property
    def authorised_quantity(self) -> Decimal | None: ...
    @property
    def resolution(self) -> str | None: ...
    @property
    def reason(self) -> str | None: ...


class AnsweredTicket(Protocol):
    """A question to the company; `account_id` is whose, None where the staff opened it itself."""

    @property
    def id(self) -> UUID: ...
    @property
    def number(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def account_id(self) -> UUID | None: ...


class NewActivation:
    """A code with which an account sets its password, and the notice that tells it: one is made from the other."""

    def __init__(self, context: Context, account_id: UUID) -> None:
        self._notice_id = uuid.uuid7()
        self.code: NewCode = mailed_code(context.facilities.cursor_key, account_id, self._notice_id)

    async def tell(self, context: Context, account: Account) -> None:
        """Have the code sent to the account, which was given it in this transaction."""
        letter = (await _writer(context)).activation(account.name, account.user_name)
        await _keep(
            context, NoticeKind.ACTIVATION, account, letter, ("Account", account.id), id=self._notice_id
        )


async def orders_received(context: Context, placed: Sequence[PlacedOrder]) -> None:
    """Tell whoever placed orders together, once, that the company has them."""
    first = placed[0].order
    account = await _account(context, first.account_id)
    if account is not None:
        letter = (await _writer(context)).orders_received(
            account.name, [_ordered(each.order, each.lines) for each in placed]
        )
        await _keep(context, NoticeKind.ORDER_RECEIVED, account, letter, ("Order", first.id))


async def rma_decided(context: Context, request: DecidedRequest, lines: Sequence[DecidedRequestLine]) -> None:
    """Tell whoever asked to return goods what the company has decided. As it is after the decision."""
    account = await _account(context, request.account_id)
    if account is not None:
        decided = Decided(
            request.number or "", request.note, request.expected_on, [_decided(each) for each in lines]
        )
        letter = (await _writer(context)).rma_decided(account.name, decided)
        await _keep(context, NoticeKind.RMA_DECIDED, account, letter, ("RMARequest", request.id))


async def ticket_answered(context: Context, ticket: AnsweredTicket, message: str) -> None:
    """Tell whoever asked what the company has answered. Never call it for what only the staff may read."""
    account = await _account(context, ticket.account_id)
    if account is not None:
        writer = await _writer(context)
        letter = writer.ticket_answered(account.name, ticket.number, ticket.subject, message)
        await _keep(context, NoticeKind.TICKET_ANSWERED, account, letter, ("SupportTicket", ticket.id))


async def _account(context: Context, account_id: UUID | None) -> Account | None:
    """Who is told, whether or not whoever acts may see the account; None: nobody, also for whom the door is shut."""
    if account_id is None:
        return None
    account = await db.accounts.to_be_told(context.connection, account_id)
    return account if account is not None and account.active else None


async def _writer(context: Context) -> Writer:
    """The portal in its own language, in which all its people read it."""
    portal, said = context.portal, context.facilities
    hosts = (await db.portals.hosts_of(context.connection, [portal.tenant_id]))[portal.tenant_id]
    # Rather a name of the company's own than one below ours.
    own = [each for each in hosts if not each.endswith(f".{said.base_domain}")]
    host = next(iter([*own, *hosts]), f"{portal.slug}.{said.base_domain}")
    return Writer(
        portal=one_line(portal.name),
        address=said.portal_address.replace("{host}", host),
        support_email=one_line(portal.support_email),
        language=Language(portal.locale),
    )


async def _keep(
    context: Context,
    kind: NoticeKind,
    account: Account,
    letter: Letter,
    about: tuple[str, UUID],
    *,
    id: UUID | None = None,
) -> None:
    """Keep a notice, and have it sent if this transaction commits."""
    node_type, node_id = about
    new = NewNotice(
        id=id or uuid.uuid7(),
        kind=kind,
        account_id=account.id,
        address=account.email,
        language=Language(context.portal.locale),
        subject=letter.subject,
        body=letter.body,
        node_type=node_type,
        node_id=node_id,
    )
    await db.notices.add(context.connection, [new])
    await db.jobs.enqueue(context.connection, Job.NOTICE_SEND, [new.id])


def _ordered(order: Order, lines: Sequence[OrderLine]) -> Ordered:
    return Ordered(
        number=order.number,
        purchase_order_number=order.purchase_order_number,
        currency=order.currency,
        tax_included=order.tax_included,
        net=order.net,
        tax=order.tax,
        total=order.total,
        promised_on=order.promised_on,
        lines=[
            OrderedLine(
                sku=each.sku,
                name=each.name,
                unit=each.unit,
                quantity=each.quantity,
                unit_price=each.unit_price,
                amount=each.amount,
            )
            for each in lines
        ],
    )


def _decided(line: DecidedRequestLine) -> DecidedLine:
    return DecidedLine(
        sku=line.sku,
        name=line.name,
        unit=line.unit,
        quantity=line.quantity,
        authorised_quantity=line.authorised_quantity,
        resolution=None if line.resolution is None else Resolution(line.resolution),
        reason=line.reason,
    )
