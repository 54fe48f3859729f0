"""Filling a cart: reading CSV text, and what becomes of each line."""

import csv
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.broken import BrokenRule
from rules.cart_fills import (
    LONGEST_LINE,
    LONGEST_TEXT,
    MOST_COLUMNS,
    Row,
    Verdict,
    Wanted,
    judge,
    read_csv,
)
from rules.carts import MOST_ITEMS, CartFull
from rules.prices import PriceMissing
from rules.products import ProductKind, ProductUnavailable
from rules.quantities import QuantityNotDivisible, QuantityNotPositive, QuantityTooLarge
from rules.quotations import QuotationExpired, QuotationState, Quote
from rules.stock import InsufficientStock, StockPolicy, WarehouseMissing, WarehouseNotFound
from rules.texts import TextTooLong
from tests.rules.test_carts import EAST, LEVELS, NOWHERE, PRICES, WEST

ONE = Row(1, "A", Decimal(2), None)


@pytest.mark.parametrize(
    "text",
    ["A,2", "\ufeffA,2", "A;2", "A\t2", " A , 2 ", '"A",2', "A,2,", "A,2\r\n", "A,2\n\n  \n", "A;2;\n"],
)
def test_one_line_is_read_however_it_is_written(text: str) -> None:
    assert read_csv(text) == [ONE]


@pytest.mark.parametrize(
    "heading",
    ["sku,quantity", "SKU,Quantity,Warehouse", "artikel,menge,lager", "sku,quantity,warehouse code"],
)
def test_a_heading_is_left_out_and_lines_keep_their_numbers(heading: str) -> None:
    assert read_csv(f"{heading}\n\nA,2") == [replace(ONE, line=3)]


def test_a_heading_says_which_cell_is_which() -> None:
    assert read_csv("Menge;Lager;Artikel\n1.5;W1;A") == [Row(2, "A", Decimal("1.5"), "W1")]


@pytest.mark.parametrize(
    "line",
    ["A", "A,", ",2", "A,two", "A,1e3", "A,2,W1,more", '"A,2', "A,NaN", "A,1_0", "A," + "9" * 40, "quantity"],
)
def test_a_line_that_cannot_be_read_is_kept_with_its_number(line: str) -> None:
    rows = read_csv(f"B,1\n{line}\nC,1")
    assert [(row.line, row.quantity is None) for row in rows] == [(1, False), (2, True), (3, False)]


def test_a_comma_is_no_decimal_point() -> None:
    assert [row.quantity for row in read_csv("A;1,5\nB;1.5")] == [None, Decimal("1.5")]


@pytest.mark.parametrize(
    "line", ["A,1" + "," * 500_000, "," * 200_000, "A,1" + "," * MOST_COLUMNS, "A,1," + "x" * LONGEST_LINE]
)
def test_a_line_that_is_too_long_or_has_too_many_columns_is_not_taken_apart(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def watched(lines: list[str], **more: Any) -> Any:
        parsed.extend(lines)
        return reader(lines, **more)

    reader = csv.reader
    monkeypatch.setattr(csv, "reader", watched)
    monkeypatch.setattr("rules.cart_fills.LONGEST_TEXT", 10**6)
    rows = read_csv(f"B,1\n{line}\nC,1")
    assert [(row.line, row.quantity) for row in rows] == [(1, Decimal(1)), (2, None), (3, Decimal(1))]
    assert max(map(len, parsed)) <= LONGEST_LINE
    assert line not in parsed


def test_an_empty_column_more_than_needed_does_no_harm() -> None:
    assert read_csv("A,2" + "," * (MOST_COLUMNS - 2)) == [ONE]


def test_a_text_that_is_too_long_is_not_read_at_all() -> None:
    assert read_csv("\n" * LONGEST_TEXT) == []
    with pytest.raises(TextTooLong):
        read_csv("\n" * (LONGEST_TEXT + 1))


def test_no_more_lines_than_a_cart_holds_are_read() -> None:
    lines = ["A,1"] * MOST_ITEMS
    assert len(read_csv("\n".join(["sku,quantity", *lines]))) == MOST_ITEMS
    with pytest.raises(CartFull):
        read_csv("\n".join([*lines, "A,1"]))


@given(st.text())
def test_any_text_is_read_or_told(text: str) -> None:
    rows = read_csv(text)
    assert all(row.quantity is None or row.sku for row in rows)


WANTED = Wanted(uuid4(), "A", "pcs", ProductKind.GOODS, True, Decimal(2), None, None, None)


def judged(
    wanted: Wanted, there: str = "0", policy: StockPolicy = StockPolicy.REQUIRE_STOCK
) -> tuple[bool, Decimal, UUID | None, list[type[BrokenRule]]]:
    found = judge(wanted, Decimal(there), PRICES, LEVELS, policy)
    return found.taken, found.quantity, found.warehouse_id, [type(each) for each in found.reasons]


@pytest.mark.parametrize(
    ("changed", "there", "quantity", "reasons"),
    [
        ({}, "0", 2, []),
        ({}, "3", 5, []),
        ({"quantity": Decimal("2.9")}, "0", 2, [QuantityNotDivisible]),
        ({"quantity": Decimal(60)}, "0", 40, [InsufficientStock]),
        ({"quantity": Decimal("60.5")}, "1", 40, [QuantityNotDivisible, InsufficientStock]),
        ({"warehouse_id": NOWHERE}, "0", 2, [WarehouseNotFound]),
        ({"quantity": Decimal(6), "warehouse_id": WEST}, "0", 5, [InsufficientStock]),
    ],
)
def test_a_line_is_taken_as_far_as_it_can_be_and_says_what_is_not_as_asked(
    changed: dict[str, Any], there: str, quantity: int, reasons: list[type[BrokenRule]]
) -> None:
    found = judged(replace(WANTED, **changed), there)
    assert (found[0], found[1], found[3]) == (True, Decimal(quantity), reasons)


@pytest.mark.parametrize(
    ("changed", "there", "reasons"),
    [
        ({"sellable": False}, "0", [ProductUnavailable]),
        ({"quantity": Decimal(0)}, "0", [QuantityNotPositive]),
        ({"quantity": Decimal("-1.5")}, "3", [QuantityNotPositive]),
        ({"quantity": Decimal("0.5")}, "3", [QuantityNotDivisible]),
        ({"quantity": Decimal(999_999_999)}, "1", [QuantityTooLarge]),
        ({"warehouse": "NO"}, "3", [WarehouseNotFound]),
        ({"warehouse": "W", "warehouse_id": NOWHERE}, "0", [WarehouseNotFound]),
        ({}, "40", [InsufficientStock]),
        ({}, "41", [InsufficientStock]),
    ],
)
def test_a_line_that_cannot_be_taken_leaves_the_cart_as_it_is(
    changed: dict[str, Any], there: str, reasons: list[type[BrokenRule]]
) -> None:
    found = judged(replace(WANTED, **changed), there)
    assert (found[0], found[1], found[3]) == (False, Decimal(there), reasons)


def test_what_has_no_price_or_no_warehouse_is_not_taken() -> None:
    unpriced = judge(WANTED, Decimal(0), [], LEVELS, StockPolicy.REQUIRE_STOCK)
    nowhere = judge(WANTED, Decimal(0), PRICES, [], StockPolicy.ALLOW_BACKORDER)
    assert [[type(each) for each in found.reasons] for found in (unpriced, nowhere)] == [
        [PriceMissing],
        [WarehouseMissing],
    ]
    assert not unpriced.taken
    assert not nowhere.taken


def test_a_quotations_price_that_does_not_hold_is_told() -> None:
    quote = Quote(Decimal(1), Decimal(5), "EUR", False, QuotationState.EXPIRED, usable=True)
    assert judged(replace(WANTED, quote=quote)) == (True, Decimal(2), None, [QuotationExpired])
    held = replace(quote, state=QuotationState.ISSUED)
    assert judged(replace(WANTED, quote=held)) == (True, Decimal(2), None, [])


WANTEDS = st.builds(
    replace,
    st.just(WANTED),
    quantity=st.decimals(-2, 120, places=1),
    sellable=st.booleans(),
    unit=st.sampled_from(["pcs", "kg"]),
    warehouse_id=st.sampled_from([None, WEST, EAST, NOWHERE]),
)


@given(WANTEDS, st.integers(0, 60), st.sampled_from(StockPolicy))
def test_a_verdict_never_goes_astray(wanted: Wanted, there: int, policy: StockPolicy) -> None:
    found: Verdict = judge(wanted, Decimal(there), PRICES, LEVELS, policy)
    if not found.taken:
        assert found.reasons
        assert found.quantity == there
    else:
        assert there < found.quantity <= there + wanted.quantity
        assert found.reasons or found.quantity == there + wanted.quantity
