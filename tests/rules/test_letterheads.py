"""Letterheads: the forms of IBANs, BICs and VAT ids, and texts that are too long."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.broken import Language
from rules.letterheads import (
    LONGEST_WORD,
    MOST_ADDRESS_LINES,
    Letterhead,
    check,
    compact,
    grouped,
    is_iban,
    is_vat_id,
)

# From the registry of ISO 13616.
IBANS = (
    "DE89370400440532013000",
    "GB29NWBK60161331926819",
    "NO9386011117947",
    "MT84MALT011000012345MTLCAST001S",
)


@pytest.mark.parametrize("iban", IBANS)
def test_an_iban_is_one_and_reads_in_groups_of_four(iban: str) -> None:
    assert is_iban(iban)
    assert compact(grouped(iban)) == iban
    assert all(len(part) <= 4 for part in grouped(iban).split())


@given(st.sampled_from(IBANS), st.data())
def test_a_digit_that_is_mistyped_or_swapped_makes_it_none(iban: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(4, len(iban) - 2))
    digit = data.draw(st.sampled_from([each for each in "0123456789" if each != iban[place]]))
    if iban[place].isdigit():
        assert not is_iban(iban[:place] + digit + iban[place + 1 :])
    if iban[place] != iban[place + 1] and iban[place : place + 2].isdigit():
        assert not is_iban(iban[:place] + iban[place + 1] + iban[place] + iban[place + 2 :])


@pytest.mark.parametrize(
    "text", ["", "DE", "DE8937040044053201300\u0660", "\uff24\uff2589370400440532013000", "X" * 40]
)
def test_other_texts_are_no_ibans(text: str) -> None:
    assert not is_iban(text)


@pytest.mark.parametrize(
    ("vat_id", "valid"),
    [
        ("DE123456789", True),
        ("DE12345678", False),
        ("ATU12345678", True),
        ("AT12345678", False),
        ("GB123456789", True),
        ("GB12345678", False),
        ("XI123456789012", True),
        ("CHE123456789MWST", True),
        ("US12-3", False),
        ("US123456789", True),
        ("12DE345", False),
        ("DE12345678\u0669", False),
        ("DE123456789\n", False),
        ("", False),
    ],
)
def test_a_vat_id_has_the_form_of_its_country(vat_id: str, valid: bool) -> None:
    assert is_vat_id(vat_id) is valid


def codes(**given: Any) -> list[tuple[str, tuple[str, ...]]]:
    return [(rule.code(), rule.path) for rule in check(Letterhead(**given))]


def test_an_empty_letterhead_is_none_the_worse() -> None:
    assert codes() == []


def test_all_that_is_wrong_is_told_at_once_each_with_its_path() -> None:
    wrong = codes(
        address=("x" * 201, *[""] * MOST_ADDRESS_LINES),
        email="nobody",
        iban="DE00",
        bic="SHORT",
        vat_id="DE1",
        phone="1" * 201,
        footer_de="x" * (LONGEST_WORD + 1),
    )
    assert wrong == [
        ("LIST_TOO_LONG", ("address",)),
        ("INVALID_EMAIL", ("email",)),
        ("IBAN_INVALID", ("iban",)),
        ("BIC_INVALID", ("bic",)),
        ("VAT_ID_INVALID", ("vatId",)),
        ("TEXT_TOO_LONG", ("address", "0")),
        ("TEXT_TOO_LONG", ("phone",)),
        ("TEXT_TOO_LONG", ("footerDe",)),
    ]


def test_where_one_language_says_nothing_the_other_does() -> None:
    both = Letterhead(payment_terms_en="in English", payment_terms_de="auf Deutsch", footer_de="Fuß")
    assert both.payment_terms(Language.ENGLISH) == "in English"
    assert both.payment_terms(Language.GERMAN) == "auf Deutsch"
    assert both.footer(Language.ENGLISH) == "Fuß"
