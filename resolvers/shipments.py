"""Shipments: staff ships what is outstanding of an order, all at once or part by part."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import strawberry
import uuid_utils.compat as uuid

import db
from db.goods_issues import GoodsIssue, GoodsIssueLine
from db.orders import Order, OrderLine
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, VERSION_DESCRIPTION, Payload, facts_of
from resolvers.order_locks import Locked, in_state, locked, places
from rules import quantities
from rules.access_groups import check_length
from rules.broken import BrokenRule, BrokenRules, NotFound
from rules.deliveries import outstanding, state_of
from rules.fulfilments import (
    LONGEST_NOTE,
    LineTwice,
    MoreThanOutstanding,
    OrderAct,
    ShipmentEmpty,
    Shipping,
    short,
    standing_of,
)
from rules.lifecycle import ProcessingState, may_move
from rules.numbers import NumberKind
from rules.orders import split
from rules.rows import MOST_ROWS
from rules.texts import check_text


@strawberry.input(description="How much of a line is shipped.")
class OrderShipLineInput:
    """One of orderShip's lines."""

    position: int = strawberry.field(description="The line's place in the order.")
    quantity: Decimal | None = strawberry.field(
        default=None, description="How much; all that is outstanding of it when left out."
    )


@strawberry.input(description="An order, and what of it is shipped.")
class OrderShipInput:
    """orderShip(input:)."""

    order: strawberry.ID = strawberry.field(description="The order.")
    lines: list[OrderShipLineInput] | None = strawberry.field(
        default=None, description="Which lines, each once; all that is outstanding when left out."
    )
    comment: str | None = strawberry.field(
        default=None,
        description="A word on the goods issue, e.g. how to follow it, at most 2,000 characters.",
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class OrderShipPayload(Payload):
    """The order as it is now, and the goods issues that were posted, one a warehouse."""

    order: Order | None = None
    goods_issues: list[GoodsIssue] | None = None


_ShipInput = Annotated[OrderShipInput, strawberry.argument(description="What to ship.")]


async def ship(info: Info, input: _ShipInput) -> OrderShipPayload:
    """Mutation.orderShip: all that is asked for, or nothing."""
    context = info.context
    check_text(input.comment, LONGEST_NOTE, "comment")
    if input.lines is not None:
        check_length(input.lines, MOST_ROWS, "lines")
    found = await locked(context, input.order, input.version, OrderAct.SHIP)
    shipped = _asked(found, input.lines)
    if taken := places(found, [(each.line, each.quantity) for each in shipped]):
        done = await db.stock.ship(context.connection, taken)
        if missed := taken.keys() - done:
            raise RuntimeError(f"stock that is locked and was enough could not be shipped: {missed}")
    after = [
        replace(each.line, shipped_quantity=each.line.shipped_quantity + each.quantity) for each in shipped
    ]
    await db.order_changes.fulfil(context.connection, found.order.id, after)
    changed = await _moved(context, found, after)
    issues = await _post(context, found.order, shipped, input.comment)
    context.record(
        "Order",
        changed.id,
        before=facts_of(found.order),
        after=facts_of(
            changed, shipped=[{"sku": each.line.sku, "quantity": each.quantity} for each in shipped]
        ),
        customer_id=changed.customer_id,
    )
    return OrderShipPayload(order=changed, goods_issues=issues)


@dataclass(slots=True)
class _Shipped:
    """How much of a line is shipped."""

    line: OrderLine
    quantity: Decimal
    path: tuple[str, ...]

    @property
    def warehouse_id(self) -> uuid.UUID | None:
        """Where it ships from, for rules.orders.split."""
        return self.line.warehouse_id


def _asked(found: Locked, given: Sequence[OrderShipLineInput] | None) -> list[_Shipped]:
    """What is to be shipped. Raises BrokenRules with all that is wrong with it."""
    if given is None:
        shipped = [
            _Shipped(line, outstanding(line), ("order", "lines", str(index)))
            for index, line in enumerate(found.lines)
            if outstanding(line) > 0
        ]
    else:
        shipped = _named(found, given)
    wanted = [
        Shipping(each.line.product_id, each.line.sku, found.place_of(each.line), each.quantity, each.path)
        for each in shipped
    ]
    if broken := short(wanted, found.on_hand):
        raise BrokenRules(broken)
    return shipped


def _named(found: Locked, given: Sequence[OrderShipLineInput]) -> list[_Shipped]:
    if not given:
        raise ShipmentEmpty(path=("lines",))
    by_position = {line.position: line for line in found.lines}
    shipped: dict[int, _Shipped] = {}
    broken: list[BrokenRule] = []
    for index, each in enumerate(given):
        path = ("lines", str(index))
        line = by_position.get(each.position)
        if line is None:
            broken.append(NotFound(path=(*path, "position")))
        elif each.position in shipped:
            broken.append(LineTwice(position=each.position, path=(*path, "position")))
        else:
            quantity = outstanding(line) if each.quantity is None else each.quantity
            shipped[each.position] = _Shipped(line, quantity, (*path, "quantity"))
            broken += _wrong(shipped[each.position])
    if broken:
        raise BrokenRules(broken)
    return list(shipped.values())


def _wrong(asked: _Shipped) -> list[BrokenRule]:
    left = outstanding(asked.line)
    too_much = MoreThanOutstanding(sku=asked.line.sku, outstanding=left, path=asked.path)
    if left <= 0:
        return [too_much]
    if asked.quantity == left:  # even if an import has brought more decimal places than the unit has
        return []
    try:
        quantities.check(asked.quantity, asked.line.unit)
    except BrokenRule as rule:
        return [rule.at(*asked.path)]
    return [too_much] if asked.quantity > left else []


async def _moved(context: Context, found: Locked, shipped: Sequence[OrderLine]) -> Order:
    """The order after lines were shipped: begun, and ended when nothing is outstanding, as far as it may move."""
    new = {line.position: line for line in shipped}
    lines = [new.get(line.position, line) for line in found.lines]
    standing = standing_of(found.standing.state, lines)
    state = standing.state
    steps = [ProcessingState.IN_PROGRESS]
    if not standing.is_outstanding:
        steps.append(ProcessingState.COMPLETED)
    for step in steps:
        state = step if may_move(state, step) else state
    after = replace(found.order, delivery_state=state_of(lines))
    return await db.order_changes.change(context.connection, await in_state(context, found, after, state))


async def _post(
    context: Context, order: Order, shipped: Sequence[_Shipped], comment: str | None
) -> list[GoodsIssue]:
    """One goods issue a warehouse; services ride along with the first."""
    groups = split(shipped)
    numbers = await db.numbers.take(context.connection, NumberKind.GOODS_ISSUE, len(groups))
    shipped_at = datetime.now(UTC)
    issues: list[GoodsIssue] = []
    lines: list[GoodsIssueLine] = []
    for number, (warehouse_id, group) in zip(numbers, groups, strict=True):
        issue = GoodsIssue(
            id=uuid.uuid7(),
            number=number,
            order_id=order.id,
            customer_id=order.customer_id,
            warehouse_id=warehouse_id,
            shipped_at=shipped_at,
            comment=comment or None,
        )
        issues.append(issue)
        mine = [_line(issue, position, each) for position, each in enumerate(group, start=1)]
        lines += mine
        told = [{"sku": line.sku, "quantity": line.quantity} for line in mine]
        context.record(
            "GoodsIssue",
            issue.id,
            before=None,
            after=facts_of(issue, lines=told),
            customer_id=order.customer_id,
        )
    await db.goods_issues.add(context.connection, issues, lines)
    return issues


def _line(issue: GoodsIssue, position: int, shipped: _Shipped) -> GoodsIssueLine:
    line = shipped.line
    return GoodsIssueLine(
        goods_issue_id=issue.id,
        position=position,
        order_position=line.position,
        product_id=line.product_id,
        sku=line.sku,
        name=line.name,
        unit=line.unit,
        quantity=shipped.quantity,
    )
