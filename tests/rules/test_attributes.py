"""The rules of attributes: what can be said, how it is kept and read, and when products differ."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.attributes import (
    AttributeKind,
    AttributeValueNoBoolean,
    AttributeValueNoChoice,
    AttributeValueNoNumber,
    differ,
    read_value,
    readable,
)
from rules.broken import BrokenRule, Language


@pytest.mark.parametrize(
    ("kind", "text", "kept"),
    [
        (AttributeKind.TEXT, " as it is ", " as it is "),
        (AttributeKind.NUMBER, "007.50", "7.5"),
        (AttributeKind.NUMBER, "+3", "3"),
        (AttributeKind.NUMBER, "-0.0", "0"),
        (AttributeKind.NUMBER, "100", "100"),
        (AttributeKind.NUMBER, "999999999999.999999", "999999999999.999999"),
        (AttributeKind.BOOLEAN, "TRUE", "true"),
        (AttributeKind.BOOLEAN, "false", "false"),
        (AttributeKind.CHOICE, "red", "red"),
    ],
)
def test_equal_values_are_kept_as_equal_texts(kind: AttributeKind, text: str, kept: str) -> None:
    assert read_value(text, kind, {"red"}) == kept


@pytest.mark.parametrize(
    ("kind", "text", "rule"),
    [
        *(
            (AttributeKind.NUMBER, text, AttributeValueNoNumber)
            for text in ("", "x", "1e3", "1,5", "NaN", ".5")
        ),
        (AttributeKind.NUMBER, "1.2345678", AttributeValueNoNumber),
        (AttributeKind.NUMBER, "1" * 13, AttributeValueNoNumber),
        (AttributeKind.NUMBER, "٣", AttributeValueNoNumber),
        (AttributeKind.BOOLEAN, "yes", AttributeValueNoBoolean),
        (AttributeKind.CHOICE, "Red", AttributeValueNoChoice),
    ],
)
def test_what_the_kind_does_not_know_is_refused(
    kind: AttributeKind, text: str, rule: type[BrokenRule]
) -> None:
    with pytest.raises(rule):
        read_value(text, kind, {"red"})


@given(st.decimals(min_value=-(10**11), max_value=10**11, places=6))
def test_a_number_that_is_kept_is_the_number_that_was_said(number: Decimal) -> None:
    kept = read_value(f"{number:f}", AttributeKind.NUMBER, ())
    assert Decimal(kept) == number
    assert read_value(kept, AttributeKind.NUMBER, ()) == kept


def test_values_read_as_people_write_them() -> None:
    assert readable("8.5", AttributeKind.NUMBER, "cm", Language.ENGLISH) == "8.5 cm"
    assert readable("8.5", AttributeKind.NUMBER, "cm", Language.GERMAN) == "8,5 cm"
    assert readable("8.5", AttributeKind.NUMBER, None, Language.ENGLISH) == "8.5"
    assert readable("true", AttributeKind.BOOLEAN, None, Language.GERMAN) == "Ja"
    assert readable("false", AttributeKind.BOOLEAN, None, Language.ENGLISH) == "No"
    assert readable("8.5 cm", AttributeKind.TEXT, None, Language.GERMAN) == "8.5 cm"


def test_products_differ_where_not_all_say_the_same() -> None:
    assert not differ(["a", "a"])
    assert differ(["a", "b"])
    assert differ(["a", None])
    assert not differ([])
