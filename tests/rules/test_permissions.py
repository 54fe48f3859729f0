"""Permissions: the matrix of who may do what, held to what it must never say."""

from collections.abc import Mapping

import pytest

from rules.access_groups import PermissionNotForCustomers, check_for_customers
from rules.broken import Language
from rules.permissions import (
    FOR_CUSTOMERS,
    PROFILE_NAMES,
    PROFILES,
    STAFF_ROLES,
    STAFF_ROLES_EVERYWHERE,
    BuiltInProfile,
    MissingPermission,
    Permission,
    StaffRole,
)

# Named once more on purpose: whoever gives one of these to customers has to say so here too.
STAFF_ONLY = {
    Permission.QUOTATIONS_WRITE,
    Permission.STATEMENTS_WRITE,
    Permission.FILES_WRITE,
    Permission.INVOICES_WRITE,
    Permission.PAYMENTS_WRITE,
    Permission.CUSTOMERS_READ,
    Permission.CATALOGUE_WRITE,
    Permission.CUSTOMERS_WRITE,
    Permission.ACCOUNTS_READ,
    Permission.ACCOUNTS_WRITE,
    Permission.ACCOUNTS_VIEW_AS,
    Permission.ACCESS_READ,
    Permission.ACCESS_WRITE,
    Permission.PORTAL_WRITE,
    Permission.PORTALS_CREATE,
    Permission.SUPPLIER_READ,
    Permission.STAFF_WRITE,
    Permission.AUDIT_READ,
    Permission.ORDERS_FULFIL,
    Permission.RMA_REQUESTS_DECIDE,
    Permission.TICKETS_HANDLE,
    Permission.CHANGES_READ,
    Permission.WEBHOOKS_READ,
    Permission.WEBHOOKS_WRITE,
    Permission.NOTICES_READ,
    Permission.TRUSTED_DOCUMENTS_READ,
    Permission.TRUSTED_DOCUMENTS_WRITE,
}
CUSTOMERS_ONLY = {
    Permission.ORDERS_PLACE,
    Permission.CONTACTS_REQUEST,
    Permission.STATEMENTS_ANSWER,
    Permission.RMA_REQUESTS_WRITE,
}
# What each profile and role holds at the most; a role at all companies has its extras on top.
HELD: dict[str, frozenset[Permission]] = {
    **{f"profile {profile}": held for profile, held in PROFILES.items()},
    **{f"role {role}": held | STAFF_ROLES_EVERYWHERE[role] for role, held in STAFF_ROLES.items()},
}


def test_no_profile_holds_what_is_the_staffs_alone() -> None:
    for held in PROFILES.values():
        assert held & STAFF_ONLY == set()
    assert set(Permission) - FOR_CUSTOMERS == STAFF_ONLY


def test_nobody_on_the_staff_acts_as_a_customer() -> None:
    for role in StaffRole:
        assert (STAFF_ROLES[role] | STAFF_ROLES_EVERYWHERE[role]) & CUSTOMERS_ONLY == set()


@pytest.mark.parametrize("permission", Permission)
def test_every_permission_is_held_by_somebody(permission: Permission) -> None:
    assert [name for name, held in HELD.items() if permission in held]


@pytest.mark.parametrize("permission", Permission)
def test_a_company_gives_its_customers_what_some_built_in_profile_holds_and_nothing_else(
    permission: Permission,
) -> None:
    asked = (Permission.PRODUCTS_READ, permission)
    if permission in STAFF_ONLY:
        with pytest.raises(PermissionNotForCustomers) as refused:
            check_for_customers(asked, "permissions")
        assert refused.value.path == ("permissions", "1")
        assert permission.value in refused.value.message()
    else:
        assert permission in PROFILES[BuiltInProfile.CUSTOMER]
        check_for_customers(asked, "permissions")


def test_the_first_permission_that_customers_cannot_have_is_told() -> None:
    with pytest.raises(PermissionNotForCustomers) as refused:
        check_for_customers(list(Permission), "profile", "permissions")
    first = next(index for index, each in enumerate(Permission) if each in STAFF_ONLY)
    assert refused.value.path == ("profile", "permissions", str(first))


@pytest.mark.parametrize("name", HELD)
def test_who_changes_something_may_read_it(name: str) -> None:
    words = {permission.value for permission in HELD[name]}
    every = {permission.value for permission in Permission}
    for noun, verb in (word.split(":") for word in words):
        if verb != "read" and f"{noun}:read" in every:
            assert f"{noun}:read" in words, f"{name} holds {noun}:{verb} and reads no {noun}"


@pytest.mark.parametrize(
    ("matrix", "largest", "lesser"),
    [
        (PROFILES, BuiltInProfile.CUSTOMER, set(BuiltInProfile) - {BuiltInProfile.CUSTOMER}),
        (STAFF_ROLES, StaffRole.OWNER, {StaffRole.MANAGER}),
        (STAFF_ROLES, StaffRole.MANAGER, {StaffRole.AGENT, StaffRole.ACCOUNTANT}),
    ],
)
def test_the_larger_one_holds_all_that_the_lesser_ones_hold_and_more(
    matrix: Mapping[str, frozenset[Permission]], largest: str, lesser: set[str]
) -> None:
    assert lesser
    for each in lesser:
        assert matrix[each] < matrix[largest]


def test_a_viewer_holds_what_every_profile_holds_and_changes_nothing() -> None:
    assert PROFILES[BuiltInProfile.VIEWER] == frozenset.intersection(*PROFILES.values())
    assert {each.value.split(":")[1] for each in PROFILES[BuiltInProfile.VIEWER]} == {"read"}


def test_only_an_owner_says_who_is_on_the_staff_and_only_one_of_all_companies_makes_another() -> None:
    assert [role for role in StaffRole if Permission.STAFF_WRITE in STAFF_ROLES[role]] == [StaffRole.OWNER]
    assert [role for role in StaffRole if Permission.PORTALS_CREATE in STAFF_ROLES[role]] == []
    assert {role: set(held) for role, held in STAFF_ROLES_EVERYWHERE.items() if held} == {
        StaffRole.OWNER: {Permission.PORTALS_CREATE}
    }


def test_the_matrix_speaks_of_every_profile_and_every_role() -> None:
    assert (set(PROFILES), set(PROFILE_NAMES)) == (set(BuiltInProfile), set(BuiltInProfile))
    assert (set(STAFF_ROLES), set(STAFF_ROLES_EVERYWHERE)) == (set(StaffRole), set(StaffRole))


def test_a_permission_is_named_after_its_word() -> None:
    for each in Permission:
        assert each.name == each.value.replace(":", "_").replace("-", "_").upper()


def test_who_lacks_permissions_is_told_which_in_both_languages() -> None:
    missing = MissingPermission(permissions=(Permission.ORDERS_PLACE, Permission.BALANCES_READ))
    for language in Language:
        assert "orders:place, balances:read" in missing.message(language)
