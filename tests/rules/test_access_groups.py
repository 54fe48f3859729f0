"""Access groups and profiles: what can be given to customers, and how much at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.access_groups import (
    MOST_MEMBERS,
    AccessGroupInUse,
    ListTooLong,
    PermissionNotForCustomers,
    check_for_customers,
    check_length,
)
from rules.broken import Language
from rules.permissions import (
    FOR_CUSTOMERS,
    PROFILE_NAMES,
    PROFILES,
    STAFF_ROLES,
    STAFF_ROLES_EVERYWHERE,
    BuiltInProfile,
    Permission,
    StaffRole,
)

STAFF_ONLY = sorted(set(Permission) - FOR_CUSTOMERS, key=lambda each: each.value)


@pytest.mark.parametrize("permission", STAFF_ONLY, ids=lambda each: str(each.value))
def test_what_is_the_staffs_alone_is_given_to_no_customer(permission: Permission) -> None:
    with pytest.raises(PermissionNotForCustomers) as refused:
        check_for_customers([Permission.ORDERS_READ, permission], "permissions")
    assert refused.value.path == ("permissions", "1")
    for language in Language:
        assert permission.value in refused.value.message(language)


@given(st.lists(st.sampled_from(sorted(FOR_CUSTOMERS, key=lambda each: each.value))))
def test_any_choice_of_what_customers_may_have_makes_a_profile(permissions: list[Permission]) -> None:
    check_for_customers(permissions, "permissions")


def test_what_changes_a_company_is_for_no_customer() -> None:
    # What customers write is theirs: what they ask, and what they send along.
    own = {Permission.RMA_REQUESTS_WRITE, Permission.TICKETS_WRITE, Permission.UPLOADS_WRITE}
    changing = {each for each in Permission if each.value.endswith((":write", ":create"))} - own
    assert not changing & FOR_CUSTOMERS
    assert not any(changing & PROFILES[profile] for profile in BuiltInProfile)


def test_only_owners_of_all_companies_create_portals_and_only_owners_keep_the_staff() -> None:
    assert [role for role in StaffRole if Permission.PORTALS_CREATE in STAFF_ROLES[role]] == []
    assert [role for role in StaffRole if STAFF_ROLES_EVERYWHERE[role]] == [StaffRole.OWNER]
    assert STAFF_ROLES_EVERYWHERE[StaffRole.OWNER] == {Permission.PORTALS_CREATE}
    assert [role for role in StaffRole if Permission.STAFF_WRITE in STAFF_ROLES[role]] == [StaffRole.OWNER]


def test_the_staff_orders_for_nobody() -> None:
    assert not any(Permission.ORDERS_PLACE in STAFF_ROLES[role] for role in StaffRole)


def test_every_built_in_profile_has_a_name_of_its_own_in_both_languages() -> None:
    assert set(PROFILE_NAMES) == set(BuiltInProfile)
    for names in zip(*PROFILE_NAMES.values(), strict=True):
        assert len(set(names)) == len(BuiltInProfile)


@given(st.integers(min_value=0, max_value=30), st.integers(min_value=0, max_value=30))
def test_a_list_is_refused_exactly_when_it_is_longer_than_the_most(length: int, most: int) -> None:
    listed = range(length)
    if length <= most:
        check_length(listed, most, "members")
    else:
        with pytest.raises(ListTooLong) as refused:
            check_length(listed, most, "members")
        assert (refused.value.path, refused.value.most) == (("members",), most)


def test_no_list_is_never_too_long() -> None:
    check_length(None, 0, "members")
    check_length(range(MOST_MEMBERS), MOST_MEMBERS)


def test_a_group_in_use_says_by_how_many() -> None:
    assert "3 members" in AccessGroupInUse(members=3).message()
    assert "3 Mitglieder" in AccessGroupInUse(members=3).message(Language.GERMAN)
