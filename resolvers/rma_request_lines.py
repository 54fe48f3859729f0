"""RMA request lines: what a customer asks of the lines of an invoice, looked up and checked line by line."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from uuid import UUID

import strawberry

from db.rma_requests import RMARequestLine
from rules import returnable_lines
from rules.access_groups import check_length
from rules.broken import BrokenRule, BrokenRules, NotFound, broken_by
from rules.fulfilments import LineTwice
from rules.invoices import LinesMissing
from rules.returnable_lines import ReturnableLine, ReturnTerms
from rules.rma_requests import LONGEST_PROBLEM, LONGEST_SERIAL_NUMBER, MOST_LINES, RMAWish
from rules.texts import TextMissing, check_text


@strawberry.input(description="What is asked of a line of the invoice.", name="RmaRequestLineInput")
class RMARequestLineInput:
    """One of rmaRequestCreate's and rmaRequestUpdate's lines."""

    invoice_position: int = strawberry.field(description="The line's place in the invoice.")
    quantity: Decimal = strawberry.field(description="How much is to go back, in the line's unit.")
    problem: str | None = strawberry.field(
        default=None, description="What is wrong with it, at most 2,000 characters; needed to submit."
    )
    serial_number: str | None = strawberry.field(
        default=None, description="Which piece it is, at most 200 characters."
    )
    wish: RMAWish | None = strawberry.field(default=None, description="What the customer would like best.")


def written(
    request_id: UUID,
    given: Sequence[RMARequestLineInput],
    dealings: Mapping[int, ReturnableLine],
    terms: ReturnTerms,
    *,
    submitted: bool,
) -> list[RMARequestLine]:
    """The lines with their own copies of what was invoiced.

    Raises LinesMissing, ListTooLong, or BrokenRules with all that is wrong with any of them.
    """
    if not given:
        raise LinesMissing(path=("lines",))
    check_length(given, MOST_LINES, "lines")
    lines: list[RMARequestLine] = []
    broken: list[BrokenRule] = []
    seen: set[int] = set()
    for index, each in enumerate(given):
        wrong = list(broken_by(_checks(each, seen, dealings, terms, submitted=submitted)))
        broken += [rule.at("lines", str(index)) for rule in wrong]
        seen.add(each.invoice_position)
        if not wrong:
            lines.append(_line(request_id, index + 1, each, dealings[each.invoice_position]))
    if broken:
        raise BrokenRules(broken)
    return lines


def _checks(
    given: RMARequestLineInput,
    seen: set[int],
    dealings: Mapping[int, ReturnableLine],
    terms: ReturnTerms,
    *,
    submitted: bool,
) -> Iterator[Callable[[], None]]:
    yield partial(check_text, given.problem, LONGEST_PROBLEM, "problem")
    yield partial(check_text, given.serial_number, LONGEST_SERIAL_NUMBER, "serialNumber")
    if submitted:
        yield partial(_check_problem, given.problem)
    line = dealings.get(given.invoice_position)
    if line is None or given.invoice_position in seen:
        yield partial(_refuse_place, given.invoice_position, there=line is not None)
    else:
        yield partial(returnable_lines.check, line, terms, given.quantity)


def _check_problem(problem: str | None) -> None:
    if not (problem or "").strip():
        raise TextMissing(path=("problem",))


def _refuse_place(position: int, *, there: bool) -> None:
    if there:
        raise LineTwice(position=position, path=("invoicePosition",))
    raise NotFound(path=("invoicePosition",))


def _line(request_id: UUID, position: int, given: RMARequestLineInput, of: ReturnableLine) -> RMARequestLine:
    return RMARequestLine(
        rma_request_id=request_id,
        position=position,
        invoice_position=of.position,
        product_id=of.product_id,
        sku=of.sku,
        name=of.name,
        unit=of.unit,
        quantity=given.quantity,
        problem=given.problem or "",
        serial_number=given.serial_number or None,
        wish=None if given.wish is None else given.wish.value,
        resolution=None,
        authorised_quantity=None,
        reason=None,
    )
