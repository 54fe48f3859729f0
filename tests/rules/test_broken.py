"""Broken rules: each has a code of its own and a text in each language."""

import dataclasses
import string
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from rules.broken import BrokenRule, Language, all_rules
from rules.permissions import Permission

RULES = sorted(all_rules(), key=lambda rule: rule.code())
_EXAMPLES: dict[object, Any] = {
    int: 3,
    str: "example",
    Decimal: Decimal("2.5"),
    UUID: uuid4(),
    tuple[Permission, ...]: (Permission.ORDERS_PLACE,),
}


def example(rule: type[BrokenRule]) -> BrokenRule:
    facts: dict[str, Any] = {
        each.name: _EXAMPLES[each.type] for each in dataclasses.fields(rule) if each.name != "path"
    }
    return rule(**facts)


def test_codes_are_unique_and_upper_case() -> None:
    codes = [rule.code() for rule in RULES]
    assert len(codes) == len(set(codes))
    assert all(code.replace("_", "").isupper() for code in codes)


def test_a_code_is_the_name_of_its_class() -> None:
    assert {rule.code(): rule.__name__ for rule in RULES}["INSUFFICIENT_STOCK"] == "InsufficientStock"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_rule_says_in_both_languages_what_is_wrong(rule: type[BrokenRule]) -> None:
    broken = example(rule)
    english, german = (broken.message(language) for language in Language)
    assert english != german
    for text in (english, german):
        assert text.endswith(".")
        assert "{" not in text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_both_texts_tell_the_same_facts_and_no_ids(rule: type[BrokenRule]) -> None:
    facts = [
        {name for _, name, _, _ in string.Formatter().parse(text) if name}
        for text in (rule.english, rule.german)
    ]
    assert facts[0] == facts[1]
    assert not any(name == "id" or name.endswith("_id") for name in facts[0])


def test_a_path_grows_from_the_inside_out() -> None:
    broken = example(RULES[0]).at("quantity").at("items", "0")
    assert broken.path == ("items", "0", "quantity")
