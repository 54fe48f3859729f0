"""Restrictions: what one lets pass, which are in force, and which groups count for what."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.permissions import PROFILES, BuiltInProfile, Permission
from rules.restrictions import (
    KINDS_OF_CATEGORIES,
    KINDS_OF_PRODUCTS,
    KINDS_OF_STOCK,
    KINDS_OF_WAREHOUSES,
    Grant,
    Modes,
    RestrictionKind,
    RestrictionMode,
    holding,
    lets_pass,
)

MODES = st.sampled_from([None, *RestrictionMode])
GROUPS = st.builds(Modes, MODES, MODES, MODES, MODES)
KINDS = st.sets(st.sampled_from(RestrictionKind))


def grant(*permissions: Permission) -> Grant:
    return Grant(uuid4(), frozenset(permissions), Modes())


def test_nobody_in_no_group_has_a_grant_that_counts() -> None:
    assert [holding((), permission) for permission in Permission] == [()] * len(Permission)


def test_a_group_counts_only_for_what_its_profile_permits() -> None:
    viewer, buyer = (
        grant(*PROFILES[BuiltInProfile.VIEWER]),
        grant(*PROFILES[BuiltInProfile.BUYER]),
    )
    assert holding((viewer, grant(), buyer), Permission.PRODUCTS_READ) == (viewer, buyer)
    assert holding((viewer, grant(), buyer), Permission.ORDERS_PLACE) == (buyer,)
    assert holding((viewer, grant(), buyer), Permission.STAFF_WRITE) == ()


@pytest.mark.parametrize(
    ("mode", "listed", "passes"),
    [
        (None, True, True),
        (None, False, True),
        (RestrictionMode.ALLOW_EXCEPT, True, False),
        (RestrictionMode.ALLOW_EXCEPT, False, True),
        (RestrictionMode.DENY_EXCEPT, True, True),
        (RestrictionMode.DENY_EXCEPT, False, False),
    ],
)
def test_what_a_restriction_lets_pass(mode: RestrictionMode | None, listed: bool, passes: bool) -> None:
    assert lets_pass(mode, listed=listed) is passes


@given(st.sets(st.uuids(), max_size=3), st.uuids())
def test_of_two_groups_with_the_same_list_and_opposite_modes_exactly_one_lets_pass(
    values: set[UUID], value: UUID
) -> None:
    assert sum(lets_pass(mode, listed=value in values) for mode in RestrictionMode) == 1


@given(GROUPS, KINDS)
def test_a_kind_not_in_force_restricts_nothing_and_the_others_stay_as_they_are(
    modes: Modes, kinds: set[RestrictionKind]
) -> None:
    held = modes.in_force(kinds)
    for kind in RestrictionKind:
        assert held.of(kind) is (modes.of(kind) if kind in kinds else None)


@given(GROUPS, KINDS)
def test_the_kinds_in_force_may_be_named_by_their_words(modes: Modes, kinds: set[RestrictionKind]) -> None:
    assert modes.in_force([kind.value for kind in kinds]) == modes.in_force(kinds)


def test_each_kind_has_a_mode_of_its_own() -> None:
    for kind in RestrictionKind:
        modes = Modes(*(RestrictionMode.DENY_EXCEPT if each is kind else None for each in RestrictionKind))
        assert [each for each in RestrictionKind if modes.of(each) is not None] == [kind]


def test_stock_is_held_to_all_that_its_product_and_its_warehouse_are_held_to() -> None:
    assert set(KINDS_OF_STOCK) == {*KINDS_OF_PRODUCTS, *KINDS_OF_WAREHOUSES}
    assert set(KINDS_OF_CATEGORIES) < set(KINDS_OF_PRODUCTS)
    assert RestrictionKind.DOCUMENT_KIND not in KINDS_OF_STOCK
