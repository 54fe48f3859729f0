"""Broken rules: each has a code of its own and a text in each language, filled in from its facts."""

import dataclasses
import re
import string
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any, get_type_hints
from uuid import UUID

import pytest

import rules
from rules.broken import BrokenRule, BrokenRules, Language, VersionConflict, all_rules
from rules.payments import MoreThanPrepaid
from rules.permissions import MissingPermission, Permission
from rules.previews import Difference, PreviewField
from rules.products import ProductNotFound
from rules.stock import InsufficientStock

RULES = sorted(
    {each for each in all_rules() if each.__module__.startswith("rules.")}, key=lambda each: each.code()
)
SECRET_ID = UUID("01234567-89ab-cdef-0123-456789abcdef")
FACTS: dict[Any, Any] = {
    str: "ABC-7",
    int: 42,
    Decimal: Decimal("3.5"),
    UUID: SECRET_ID,
    date: date(2026, 3, 1),
    tuple[Permission, ...]: (Permission.ORDERS_PLACE, Permission.ORDERS_READ),
    tuple[Difference, ...]: (Difference(PreviewField.UNIT_PRICE, "ABC-7", "3.5", "4"),),
}


def example(rule: type[BrokenRule]) -> BrokenRule:
    """The rule with a fact of each kind filled in; a new kind of fact has to be added above."""
    hints = get_type_hints(rule)
    facts = {each.name: FACTS[hints[each.name]] for each in dataclasses.fields(rule) if each.name != "path"}
    return rule(**facts)


def number_in_german(fact: Any, language: Language) -> bool:
    return isinstance(fact, Decimal) and language is Language.GERMAN


def placeholders(text: str) -> Counter[str]:
    return Counter(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def test_codes_are_unique() -> None:
    assert rules.__all__
    codes = Counter(each.code() for each in all_rules())
    assert [code for code, times in codes.items() if times > 1] == []


@pytest.mark.parametrize("rule", RULES)
def test_a_code_is_upper_case_words(rule: type[BrokenRule]) -> None:
    assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", rule.code())
    assert rule.code().replace("_", "").lower() == rule.__name__.lower()
    assert (rule.__doc__ or "").strip().endswith(".")


@pytest.mark.parametrize("rule", RULES)
def test_both_texts_tell_the_same_facts(rule: type[BrokenRule]) -> None:
    assert placeholders(rule.english) == placeholders(rule.german)
    assert rule.english != rule.german
    for text in (rule.english, rule.german):
        assert text[0].isupper() or text[0] == "{"
        assert text.endswith(".")
        assert "  " not in text


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("rule", RULES)
def test_a_text_fills_in_from_the_facts(rule: type[BrokenRule], language: Language) -> None:
    broken = example(rule)
    text = broken.message(language)
    assert not set("{}") & set(text)
    for name in placeholders(rule.english):
        fact = getattr(broken, name)
        assert str(fact).replace(".", "," if number_in_german(fact, language) else ".") in text


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("rule", RULES)
def test_no_text_mentions_an_id(rule: type[BrokenRule], language: Language) -> None:
    assert [name for name in placeholders(rule.english) if name == "id" or name.endswith("_id")] == []
    assert str(SECRET_ID) not in example(rule).message(language)


def test_facts_are_told_literally() -> None:
    asked = "{path} %s {0.__class__} </script>"
    assert ProductNotFound(asked=asked).message() == f"There is no product {asked}."


def test_facts_are_told_in_the_words_of_people() -> None:
    missing = MissingPermission(permissions=(Permission.ORDERS_PLACE, Permission.ORDERS_READ))
    assert missing.message() == "This needs the permission orders:place, orders:read."
    short = InsufficientStock(product_id=SECRET_ID, sku="A", available=Decimal("2.5"))
    assert short.message(Language.GERMAN) == "Von A sind nur 2,5 verfügbar."
    assert short.message() == "Only 2.5 of A are available."
    named = ProductNotFound(asked="A.1")
    assert named.message(Language.GERMAN) == "Es gibt keine Ware A.1."


@pytest.mark.parametrize(
    ("available", "told"), [("0.0", "0"), ("12.500", "12.5"), ("1E+3", "1000"), ("300", "300")]
)
def test_numbers_are_told_without_zeros_that_say_nothing(available: str, told: str) -> None:
    short = InsufficientStock(product_id=SECRET_ID, sku="A", available=Decimal(available))
    assert short.message() == f"Only {told} of A are available."


def test_a_path_grows_from_the_inside() -> None:
    broken = VersionConflict(current=3, path=("version",))
    assert broken.at("items", "0") is broken
    assert broken.path == ("items", "0", "version")
    assert str(broken) == "VERSION_CONFLICT: This was changed in the meantime; its version is now 3."


def test_several_rules_can_be_broken_at_once() -> None:
    several = BrokenRules([ProductNotFound(asked="A"), ProductNotFound(asked="B")])
    assert [each.message() for each in several.rules] == ["There is no product A.", "There is no product B."]
    assert str(several).count("PRODUCT_NOT_FOUND") == 2


def test_broken_rules_are_not_equal_by_their_facts() -> None:
    """They are exceptions: each is raised once."""
    assert ProductNotFound(asked="A") != ProductNotFound(asked="A")


def test_amounts_have_the_decimal_places_of_their_currency() -> None:
    left = MoreThanPrepaid(left=Decimal("50.00"), currency="GBP")
    assert left.message() == "Only 50.00 GBP were paid too much here."
    assert left.message(Language.GERMAN) == "Hier wurden nur 50,00 GBP zu viel gezahlt."
    assert "Only 50 JPY" in MoreThanPrepaid(left=Decimal(50), currency="JPY").message()
