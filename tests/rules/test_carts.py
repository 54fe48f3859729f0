"""Carts: what a line would cost, where it would ship from, what stands in its way."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.broken import BrokenRule
from rules.carts import Assessment, CartEmpty, assess, obstacles
from rules.prices import PriceMissing
from rules.products import ProductKind, ProductUnavailable
from rules.quantities import QuantityNotDivisible, QuantityNotPositive, QuantityTooLarge
from rules.quotations import (
    QuotationClosed,
    QuotationExpired,
    QuotationQuantityExceeded,
    QuotationState,
    QuotationUnusable,
    Quote,
)
from rules.stock import InsufficientStock, StockPolicy, WarehouseMissing

WEST, EAST, NOWHERE = uuid4(), uuid4(), uuid4()


@dataclass
class Item:
    quantity: Decimal = Decimal(1)
    kind: str = ProductKind.GOODS
    sellable: bool = True
    warehouse_id: UUID | None = None
    unit: str = "pcs"
    sku: str = "A"
    product_id: UUID = field(default_factory=uuid4)
    quote: Quote | None = None


@dataclass
class Break:
    unit_price: Decimal
    min_quantity: Decimal = Decimal("0.001")
    currency: str = "EUR"
    tax_included: bool = False


@dataclass
class Level:
    warehouse_id: UUID
    on_hand: Decimal
    reserved: Decimal = Decimal(0)
    warehouse_code: str = "W"


PRICES = [Break(Decimal("2.555")), Break(Decimal("2.00"), min_quantity=Decimal(10), tax_included=True)]
LEVELS = [Level(WEST, Decimal(5)), Level(EAST, Decimal(50), reserved=Decimal(10))]


def assessed(item: Item, policy: StockPolicy = StockPolicy.REQUIRE_STOCK) -> Assessment:
    return assess(item, PRICES, LEVELS, policy)


def problem(found: Assessment) -> type[BrokenRule] | None:
    return type(found.problem) if found.problem else None


def test_a_line_is_priced_at_its_quantity_and_ships_from_where_most_is() -> None:
    assert assessed(Item(Decimal(3))) == Assessment(Decimal("2.555"), 767, False, EAST, Decimal(40), None)
    assert assessed(Item(Decimal(10))) == Assessment(Decimal("2.00"), 2_000, True, EAST, Decimal(40), None)


def test_a_chosen_warehouse_is_kept_even_when_another_has_more() -> None:
    found = assessed(Item(Decimal(6), warehouse_id=WEST))
    assert (found.warehouse_id, found.available, problem(found)) == (WEST, Decimal(5), InsufficientStock)


def test_a_chosen_warehouse_that_no_longer_has_the_product_is_none() -> None:
    found = assessed(Item(warehouse_id=NOWHERE))
    assert (found.warehouse_id, found.available, problem(found)) == (None, None, WarehouseMissing)


@pytest.mark.parametrize(
    ("item", "broken"),
    [
        (Item(sellable=False), ProductUnavailable),
        (Item(Decimal(0)), QuantityNotPositive),
        (Item(Decimal("0.5")), QuantityNotDivisible),
        (Item(Decimal(10) ** 10), QuantityTooLarge),
        (Item(Decimal(41)), InsufficientStock),
        (Item(Decimal(40)), None),
        (Item(Decimal(10) ** 8, kind=ProductKind.SERVICE), None),
    ],
)
def test_what_stands_in_the_way_of_a_line(item: Item, broken: type[BrokenRule] | None) -> None:
    assert problem(assessed(item)) is broken


def test_a_line_without_price_or_warehouse_says_so_in_this_order() -> None:
    found = assess(Item(), [], [], StockPolicy.REQUIRE_STOCK)
    assert found == Assessment(None, None, False, None, None, found.problem)
    assert problem(found) is PriceMissing
    assert problem(assess(Item(), PRICES, [], StockPolicy.ALLOW_BACKORDER)) is WarehouseMissing


def test_a_service_ships_from_nowhere() -> None:
    found = assessed(Item(kind=ProductKind.SERVICE, warehouse_id=WEST))
    assert (found.warehouse_id, found.available, found.problem) == (None, None, None)
    assert assess(Item(kind=ProductKind.SERVICE), PRICES, [], StockPolicy.REQUIRE_STOCK).problem is None


def test_a_company_that_sells_what_it_has_not_sells_any_quantity() -> None:
    assert assessed(Item(Decimal(10**8)), StockPolicy.ALLOW_BACKORDER).problem is None


QUOTE = Quote(Decimal("1.50"), Decimal(3), "EUR", False, QuotationState.ISSUED, usable=True)


def test_a_quotations_price_holds_up_to_the_quantity_that_it_offers() -> None:
    found = assessed(Item(Decimal(3), quote=QUOTE))
    assert (found.unit_price, found.amount, found.notice) == (Decimal("1.50"), 450, None)
    more = assessed(Item(Decimal(4), quote=QUOTE))
    assert more.unit_price == Decimal("2.555")
    assert isinstance(more.notice, QuotationQuantityExceeded)
    assert more.notice.message() == "The quotation's price holds for at most 3."
    assert more.problem is None


@pytest.mark.parametrize(
    ("changed", "notice"),
    [
        ({"state": QuotationState.EXPIRED}, QuotationExpired),
        ({"state": QuotationState.ORDERED}, QuotationClosed),
        ({"state": QuotationState.DECLINED}, QuotationClosed),
        ({"usable": False}, QuotationUnusable),
    ],
)
def test_when_a_quotation_no_longer_holds_the_line_is_at_todays_price_and_says_so(
    changed: dict[str, Any], notice: type[BrokenRule]
) -> None:
    found = assessed(Item(quote=replace(QUOTE, **changed)))
    assert (found.unit_price, type(found.notice), found.problem) == (Decimal("2.555"), notice, None)


def test_a_quoted_product_needs_no_price_of_today() -> None:
    found = assess(Item(quote=QUOTE), [], LEVELS, StockPolicy.REQUIRE_STOCK)
    assert (found.unit_price, found.problem) == (Decimal("1.50"), None)


def test_every_obstacle_of_a_cart_has_its_place() -> None:
    lines = [assessed(Item()), assessed(Item(Decimal(41))), assessed(Item(sellable=False))]
    assert [(type(each), each.path) for each in obstacles(lines)] == [
        (InsufficientStock, ("cart", "items", "1")),
        (ProductUnavailable, ("cart", "items", "2")),
    ]
    assert obstacles(lines[:1]) == []
    assert [type(each) for each in obstacles([])] == [CartEmpty]


ITEMS = st.builds(
    Item,
    quantity=st.decimals(-5, 100, places=1),
    kind=st.sampled_from(list(ProductKind)),
    sellable=st.booleans(),
    warehouse_id=st.sampled_from([None, WEST, EAST, NOWHERE]),
    unit=st.sampled_from(["pcs", "kg"]),
    quote=st.sampled_from([None, QUOTE, replace(QUOTE, usable=False)]),
)


@given(ITEMS, st.sampled_from([[], PRICES]), st.sampled_from([[], LEVELS]), st.sampled_from(StockPolicy))
def test_what_has_no_problem_can_be_ordered(
    item: Item, prices: list[Break], levels: list[Level], policy: StockPolicy
) -> None:
    found = assess(item, prices, levels, policy)
    if found.problem is None:
        assert found.unit_price is not None
        assert found.amount is not None
        assert found.amount > 0
        assert (found.warehouse_id is None) == (item.kind == ProductKind.SERVICE)
        if policy is StockPolicy.REQUIRE_STOCK and item.kind == ProductKind.GOODS:
            assert found.available is not None
            assert found.available >= item.quantity
    else:
        assert found.problem.message()
