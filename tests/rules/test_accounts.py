"""Accounts: names are compared folded, passwords kept as they are but for their Unicode form, codes read kindly."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.accounts import (
    CODE_ALPHABET,
    can_be_password,
    can_be_user_name,
    code_normalized,
    folded,
    normalized,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bea", "bea"),
        (" bea\t", "bea"),
        ("STRASSE", "straße"),
        ("Zoe\u0308", "ZOË"),
        ("\uff42\uff45\uff41", "bea"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("\ufb01n", "FIN"),
        ("bea\u00a0", "bea"),
    ],
)
def test_user_names_that_look_alike_to_people_are_one(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), [("bea", "be a"), ("bea", "beá"), ("bea", "bea1"), ("l", "1")])
def test_user_names_that_differ_are_two(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@given(st.text())
def test_a_folded_user_name_folds_to_itself(user_name: str) -> None:
    assert folded(folded(user_name)) == folded(user_name)


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_case_and_outer_space_do_not_matter(user_name: str) -> None:
    assert folded(f" {user_name.upper()}\n") == folded(user_name)


@given(st.text(), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_a_password_is_the_same_in_every_unicode_form(password: str, form: str) -> None:
    changed = unicodedata.normalize(form, password)  # type: ignore[arg-type]
    assert normalized(changed) == normalized(password)


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_a_password_is_otherwise_untouched(password: str) -> None:
    assert normalized(password) == password


@pytest.mark.parametrize(
    ("length", "possible"),
    [(0, False), (7, False), (8, True), (1_000, True), (1_001, False), (100_000, False)],
)
def test_a_password_has_8_to_1000_characters_of_any_kind(length: int, possible: bool) -> None:
    for character in ("a", " ", "ü", "\U0001f600"):
        assert can_be_password(character * length) is possible


@pytest.mark.parametrize(("length", "possible"), [(0, False), (1, True), (200, True), (201, False)])
def test_a_user_name_has_1_to_200_characters(length: int, possible: bool) -> None:
    assert can_be_user_name("a" * length) is possible


@pytest.mark.parametrize("character", ["\n", "\r", "\t", "\0", "\x1b", "\x85", "\u2028", "\u2029"])
def test_a_user_name_is_one_line(character: str) -> None:
    assert not can_be_user_name(f"bea{character}x")


@pytest.mark.parametrize("name", ["bea smith", "bea@example.com", "Zoë", "نیم‌فاصله", "\U0001f600"])
def test_a_user_name_is_in_any_script(name: str) -> None:
    assert can_be_user_name(name)


CODES = st.text(st.sampled_from(CODE_ALPHABET), min_size=16, max_size=16)


@given(CODES, st.data())
def test_a_code_survives_being_read_aloud_and_typed_again(code: str, data: st.DataObject) -> None:
    alike = {"0": "0Oo", "1": "1IiLl"}
    typed = "".join(data.draw(st.sampled_from(alike.get(each, each + each.lower()))) for each in code)
    groups = [typed[place : place + 4] for place in range(0, 16, 4)]
    assert code_normalized(data.draw(st.sampled_from(["-", "", " ", " - ", "\n"])).join(groups)) == code


@given(CODES, CODES)
def test_two_codes_stay_two(one: str, other: str) -> None:
    assert (code_normalized(one) == code_normalized(other)) is (one == other)


@given(st.text())
def test_whatever_is_typed_becomes_letters_of_the_codes(typed: str) -> None:
    normal = code_normalized(typed)
    assert set(normal) <= set(CODE_ALPHABET)
    assert code_normalized(normal) == normal
