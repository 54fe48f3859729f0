"""Postings: whatever is shipped, invoiced, credited and paid in any parts, it adds up, and never to more than there is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
import uuid_utils.compat as uuid
from hypothesis import example, given
from hypothesis import strategies as st

from rules.amounts import line_amount, totals
from rules.balances import PaymentKind
from rules.broken import BrokenRule
from rules.credit_notes import Credit, InvoicedLine, UnnamedCredit, credit_of, spread
from rules.documents import CreditOperation, DocumentStatus
from rules.invoices import check_quantity, left_to_invoice
from rules.payments import AmountInvalid, check_settles, left_on_account, minor
from rules.reversals import AlreadyReversed, DocumentInUse, check_covered, check_reverse

NOTHING = Decimal(0)
QUANTITIES = st.integers(1, 500).map(Decimal)
PRICES = st.decimals("0.001", "99", places=3)
RATES = st.sampled_from([Decimal(0), Decimal(7), Decimal("19.6"), Decimal(20)])
OPERATIONS = [CreditOperation.SALES_RETURN, CreditOperation.ADJUSTMENT]


def line(
    quantity: Decimal, unit_price: Decimal, rate: Decimal, sku: str = "A", position: int = 1
) -> InvoicedLine:
    """An invoice's line of which nothing was credited or came back."""
    return InvoicedLine(
        invoice_id=uuid.UUID(int=0),
        position=position,
        product_id=None,
        sku=sku,
        name=sku,
        unit="pcs",
        quantity=quantity,
        unit_price=unit_price,
        tax_rate=rate,
        amount=line_amount(quantity, unit_price, "EUR"),
        credited_quantity=NOTHING,
        credited_amount=0,
        returned_quantity=NOTHING,
        credits=0,
        discounted_amount=0,
    )


def after(one: InvoicedLine, credit: Credit, operation: CreditOperation) -> InvoicedLine:
    """The line once something of it was credited."""
    takes = NOTHING if operation is CreditOperation.DISCOUNT else credit.quantity
    return replace(
        one,
        credited_quantity=one.credited_quantity + takes,
        credited_amount=one.credited_amount + credit.amount,
        credits=one.credits + 1,
        discounted_amount=one.discounted_amount
        + (credit.amount if operation is CreditOperation.DISCOUNT else 0),
    )


@st.composite
def lines(draw: st.DrawFn) -> list[InvoicedLine]:
    parts = st.tuples(QUANTITIES, PRICES, RATES, st.sampled_from("ABC"))
    drawn = draw(st.lists(parts, min_size=1, max_size=6))
    return [line(*each, position=position) for position, each in enumerate(drawn, start=1)]


@dataclass
class Shipped:
    """A line of a goods issue."""

    quantity: Decimal
    invoiced: Decimal


@given(QUANTITIES, st.lists(QUANTITIES, max_size=8))
def test_any_parts_that_are_invoiced_never_make_more_than_was_shipped(
    shipped: Decimal, asked: list[Decimal]
) -> None:
    now = Shipped(shipped, NOTHING)
    for quantity in asked:
        left = left_to_invoice(now)
        try:
            check_quantity(quantity, left, "pcs", BrokenRule())
        except BrokenRule:
            assert quantity > left
            continue
        now.invoiced += quantity
    assert now.invoiced <= shipped


@pytest.mark.parametrize("operation", OPERATIONS)
@given(one=lines(), cuts=st.lists(st.tuples(st.integers(0, 5), QUANTITIES), max_size=20))
@example(one=[line(Decimal(208), Decimal("65.537"), NOTHING)], cuts=[(0, Decimal(2))] * 3)  # each rounds down
def test_a_line_credited_in_any_parts_gives_back_exactly_what_it_charged(
    operation: CreditOperation, one: list[InvoicedLine], cuts: list[tuple[int, Decimal]]
) -> None:
    now = list(one)
    for place, quantity in cuts:
        index = place % len(now)
        if quantity <= now[index].left_quantity and now[index].has_money_left:
            credit = credit_of(now[index], operation, quantity, None, "EUR")
            now[index] = after(now[index], credit, operation)
            assert now[index].credited_amount <= now[index].amount
    for index, each in enumerate(now):
        if each.left_quantity and each.has_money_left:
            now[index] = after(each, credit_of(each, operation, None, None, "EUR"), operation)
    assert [each.credited_amount for each in now] == [each.amount for each in one]


def documents_total(every: Sequence[tuple[int, Decimal]], *, tax_included: bool) -> int:
    return totals(every, tax_included=tax_included).total


@pytest.mark.parametrize("tax_included", [True, False])
@given(ordered=lines(), cuts=st.lists(st.integers(1, 500), min_size=1, max_size=4), back=st.integers(1, 4))
def test_an_order_invoiced_in_any_parts_and_credited_again_is_open_by_the_rounding_of_its_taxes_alone(
    tax_included: bool, ordered: list[InvoicedLine], cuts: list[int], back: int
) -> None:
    open_amount, notes, bills = 0, 0, 0
    left = [each.quantity for each in ordered]
    for cut in [*cuts, 500]:
        parts = [min(Decimal(cut), each) for each in left]
        left = [had - part for had, part in zip(left, parts, strict=True)]
        charged = [
            line(part, each.unit_price, each.tax_rate)
            for part, each in zip(parts, ordered, strict=True)
            if part
        ]
        if not charged:
            continue
        bills += 1
        open_amount += documents_total(
            [(each.amount, each.tax_rate) for each in charged], tax_included=tax_included
        )
        for turn in range(back, 0, -1):
            noted: list[tuple[int, Decimal]] = []
            for index, each in enumerate(charged):
                quantity = each.left_quantity if turn == 1 else each.left_quantity // turn
                if quantity and each.has_money_left:
                    credit = credit_of(each, CreditOperation.ADJUSTMENT, quantity, None, "EUR")
                    charged[index] = after(each, credit, CreditOperation.ADJUSTMENT)
                    noted.append((credit.amount, each.tax_rate))
            notes += 1
            open_amount -= documents_total(noted, tax_included=tax_included)
    rates = len({each.tax_rate for each in ordered})
    # Half a minor unit for each document and rate; with tax in the prices the lines add up by themselves.
    assert abs(open_amount) <= (0 if tax_included else rates * (notes + bills) / 2)
    if back == 1:
        assert open_amount == 0


@given(one=lines(), price=PRICES, quantity=QUANTITIES, times=st.integers(1, 5))
def test_discounts_and_returns_together_never_give_back_more_than_a_line_charged(
    one: list[InvoicedLine], price: Decimal, quantity: Decimal, times: int
) -> None:
    now = one[0]
    for turn in range(times * 2):
        operation = CreditOperation.DISCOUNT if turn % 2 else CreditOperation.SALES_RETURN
        try:
            credit = credit_of(now, operation, quantity, price if turn % 2 else None, "EUR")
        except BrokenRule:
            continue
        now = after(now, credit, operation)
        assert credit.amount >= 0
        assert now.credited_amount <= now.amount
        assert now.credited_quantity <= now.quantity


@given(
    one=lines(),
    taken=st.lists(st.tuples(st.sampled_from("ABCX"), QUANTITIES, st.integers(0, 9_000_000)), max_size=4),
)
def test_what_was_credited_of_no_line_in_particular_is_taken_from_what_is_left_once(
    one: list[InvoicedLine], taken: list[tuple[str, Decimal, int]]
) -> None:
    unnamed = [UnnamedCredit(uuid.UUID(int=0), *each) for each in taken]
    now = spread(one, unnamed)
    charged, credited = sum(each.amount for each in one), sum(each.amount for each in unnamed)
    assert sum(each.left_amount for each in now) == max(charged - credited, 0)
    for sku in "ABC":
        had = sum((each.quantity for each in one if each.sku == sku), NOTHING)
        took = sum((each.quantity for each in unnamed if each.sku == sku), NOTHING)
        left = sum((each.left_quantity for each in now if each.sku == sku), NOTHING)
        assert left == max(had - took, NOTHING)
    assert all(each.credited_amount <= each.amount for each in now)


@given(st.sampled_from(PaymentKind), st.integers(1, 10_000), st.integers(-5_000, 5_000))
def test_a_payment_never_crosses_zero_at_an_invoice(kind: PaymentKind, amount: int, open_amount: int) -> None:
    fits = amount <= (-open_amount if kind is PaymentKind.REFUND else open_amount)
    try:
        check_settles(kind, amount, "IN-1", open_amount, "EUR")
    except BrokenRule:
        assert not fits
    else:
        assert fits


@given(st.integers(-500, 500), st.integers(-500, 500))
def test_what_was_paid_back_from_the_account_is_not_there_to_be_allocated(own: int, every: int) -> None:
    left = left_on_account(PaymentKind.PAYMENT, own, every)
    assert 0 <= left <= max(-every, 0)
    assert left <= max(-own, 0)
    assert left_on_account(PaymentKind.REFUND, own, every) == max(own, 0)


@given(st.integers(-500, 500), st.integers(-500, 500))
def test_a_reversal_never_leaves_more_paid_back_than_lay_there(before: int, change: int) -> None:
    try:
        check_covered(before, before + change)
    except BrokenRule:
        assert before + change > 0
        assert change > 0
    else:
        assert before + change <= 0 or change <= 0


@pytest.mark.parametrize(
    ("amount", "currency", "expected"), [("12.50", "EUR", 1250), ("12", "JPY", 12), ("0.001", "KWD", 1)]
)
def test_an_amount_is_kept_in_whole_minor_units(amount: str, currency: str, expected: int) -> None:
    assert minor(Decimal(amount), currency) == expected


@pytest.mark.parametrize(
    ("amount", "currency"), [("0.001", "EUR"), ("1.5", "JPY"), ("0", "EUR"), ("-1", "EUR"), ("1E20", "EUR")]
)
def test_what_is_no_amount_of_a_currency_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(AmountInvalid):
        minor(Decimal(amount), currency, "amount")


def test_what_was_reversed_or_is_in_use_is_not_reversed() -> None:
    check_reverse(DocumentStatus.UNPAID)
    with pytest.raises(AlreadyReversed):
        check_reverse(DocumentStatus.REVERSED, ["CREDIT_NOTE"])
    with pytest.raises(DocumentInUse):
        check_reverse(DocumentStatus.PAID, ["TAX_INVOICE", "CREDIT_NOTE", "TAX_INVOICE"])
