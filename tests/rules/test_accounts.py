"""User names and passwords: how they are compared, and how long they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import accounts
from rules.permissions import PROFILES, STAFF_ROLES, Permission, Profile, StaffRole


@pytest.mark.parametrize(
    ("one", "other"),
    [("Bella", "bella"), (" bella ", "BELLA"), ("Straße", "STRASSE"), ("\ufb01nn", "finn"), ("é", "e\u0301")],
)
def test_user_names_that_look_alike_are_alike(one: str, other: str) -> None:
    assert accounts.folded(one) == accounts.folded(other)


@given(st.text(max_size=50))
def test_folding_twice_is_folding_once(name: str) -> None:
    once = accounts.folded(name)
    assert accounts.folded(accounts.folded(once)) == accounts.folded(once)


@pytest.mark.parametrize(("length", "fits"), [(7, False), (8, True), (1_000, True), (1_001, False)])
def test_a_password_has_8_to_1000_characters(length: int, fits: bool) -> None:
    assert accounts.can_be_password("ä" * length) is fits


def test_a_password_keeps_its_case_and_its_spaces() -> None:
    assert accounts.normalized(" Pass  Word ") == " Pass  Word "


def test_every_profile_and_role_says_what_it_may_do() -> None:
    assert set(PROFILES) == set(Profile)
    assert set(STAFF_ROLES) == set(StaffRole)
    assert all(Permission.ORDERS_PLACE not in granted for granted in STAFF_ROLES.values())
    assert set().union(*PROFILES.values()) == set(Permission)
