"""Staff members: who gives and takes which roles."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.permissions import StaffRole
from rules.staff_members import HeldRole, RoleOutOfReach, check_reach, reaches, replaced

HERE, THERE = UUID(int=1), UUID(int=2)
OWNER_HERE, OWNER_EVERYWHERE = HeldRole(StaffRole.OWNER, HERE), HeldRole(StaffRole.OWNER, None)

PLACES = st.sampled_from([HERE, THERE, None])
ROLES = st.lists(st.builds(HeldRole, st.sampled_from(list(StaffRole)), PLACES), max_size=5)
LESSER = st.lists(
    st.builds(HeldRole, st.sampled_from([each for each in StaffRole if each is not StaffRole.OWNER]), PLACES),
    max_size=5,
)


@given(LESSER, PLACES)
def test_who_owns_nothing_reaches_nobody(actor: list[HeldRole], place: UUID | None) -> None:
    assert not reaches(actor, place)


@given(LESSER)
def test_the_owner_of_one_company_reaches_neither_its_sister_nor_all_companies(
    lesser: list[HeldRole],
) -> None:
    actor = [*lesser, OWNER_HERE]
    assert reaches(actor, HERE)
    assert not reaches(actor, THERE)
    assert not reaches(actor, None)


def test_owners_of_each_single_company_do_not_own_all_of_them() -> None:
    assert not reaches([OWNER_HERE, HeldRole(StaffRole.OWNER, THERE)], None)


@given(ROLES)
def test_the_owner_of_all_companies_reaches_everybody(changed: list[HeldRole]) -> None:
    check_reach([OWNER_EVERYWHERE], changed, "roles")


@given(ROLES, ROLES)
def test_one_role_out_of_reach_is_enough_to_refuse(actor: list[HeldRole], changed: list[HeldRole]) -> None:
    if all(reaches(actor, each.at_tenant_id) for each in changed):
        check_reach(actor, changed, "roles")
    else:
        with pytest.raises(RoleOutOfReach) as refused:
            check_reach(actor, changed, "roles")
        assert refused.value.path == ("roles",)


@given(ROLES)
def test_nothing_changed_is_in_everybodys_reach(actor: list[HeldRole]) -> None:
    check_reach(actor, [], "roles")


@given(ROLES, ROLES, ROLES)
def test_roles_out_of_reach_stay_whatever_is_given(
    actor: list[HeldRole], had: list[HeldRole], given_roles: list[HeldRole]
) -> None:
    kept = [each for each in had if not reaches(actor, each.at_tenant_id)]
    try:
        has = replaced(actor, had, given_roles, "roles")
    except RoleOutOfReach:
        assert any(not reaches(actor, each.at_tenant_id) and each not in kept for each in given_roles)
    else:
        assert [each for each in has if not reaches(actor, each.at_tenant_id)] == kept
        assert set(has) == {*kept, *given_roles}
