"""Memberships of access groups: who is in, until when, and what that means for the group."""

from datetime import timedelta

import pytest

from resolvers.nodes import global_id
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_access_groups import (
    GROUPS,
    change,
    counts,
    denying,
    done,
    ids,
    profile_id,
    refused,
)
from tests.world import Portal, World


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.product("B")
    await portal.staff_member("mona")
    return portal


@pytest.fixture
async def mona(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("mona")


async def test_members_are_replaced_and_an_ended_membership_can_begin_again(
    portal: Portal, mona: Client
) -> None:
    bea, carl = [await portal.account(name, profile=None) for name in ("bea", "carl")]
    yesterday = (await counts(portal))[0] - timedelta(days=1)
    key = await portal.group("Buyers", bea, ends_on=yesterday)
    group = global_id("AccessGroup", key)
    assert (await mona.ask(GROUPS))["accessGroups"][0]["members"] == []
    for member in (bea, carl):
        wanted = [{"account": global_id("Account", member)}]
        changed = await done(mona, "update", group=group, members=wanted)
        user_name = "bea" if member == bea else "carl"
        assert [each["account"] for each in changed["members"]] == [{"userName": user_name}]
    assert (await counts(portal))[2] == 1


async def test_today_is_the_earliest_last_day_of_a_membership(portal: Portal, mona: Client) -> None:
    accounts = [await portal.account(name, profile=None) for name in ("bea", "carl")]
    today, *_ = await counts(portal)
    days = (today - timedelta(days=1), today)
    members = [
        {"account": global_id("Account", account), "endsOn": day.isoformat()}
        for account, day in zip(accounts, days, strict=True)
    ]
    group = global_id("AccessGroup", await portal.group("Buyers"))
    past = [("END_DATE_PAST", ["members", "0", "endsOn"])]
    profile = await profile_id(portal)
    assert await refused(mona, "create", name="New", profile=profile, members=members) == past
    assert await refused(mona, "update", group=group, members=members) == past
    assert (await counts(portal))[1:] == (1, 0)
    changed = await done(mona, "update", group=group, members=members[1:])
    assert [each["endsOn"] for each in changed["members"]] == [today.isoformat()]


async def test_an_account_is_a_member_once(portal: Portal, mona: Client) -> None:
    member = {"account": global_id("Account", await portal.account("bea", profile=None))}
    assert await refused(
        mona, "create", name="X", profile=await profile_id(portal), members=[member, member]
    ) == [("INVALID_INPUT", ["members"])]


async def test_a_group_with_members_stays_until_they_are_gone(portal: Portal, mona: Client) -> None:
    accounts = [await portal.account(name, profile=None) for name in ("bea", "carl")]
    group = global_id("AccessGroup", await portal.group("Buyers", *accounts))
    answer = await change(mona, "delete", group=group)
    assert [(each["code"], each["path"], each["members"]) for each in answer["errors"]] == [
        ("ACCESS_GROUP_IN_USE", ["group"], 2)
    ]
    await done(mona, "update", group=group, members=[])
    gone = {"deletedId": group, "errors": []}
    for _ in range(2):  # told again, and done once
        assert await change(mona, "delete", group=group, idempotencyKey="gone") == gone
    assert await mona.ask(GROUPS) == {"accessGroups": []}


async def test_ended_memberships_and_listed_values_do_not_stop_a_deletion(
    portal: Portal, mona: Client
) -> None:
    bea = await portal.account("bea")
    yesterday = (await counts(portal))[0] - timedelta(days=1)
    group = global_id("AccessGroup", await portal.group("Former", bea, ends_on=yesterday))
    listed = ids("Product", portal.products["A"])
    await done(mona, "update", group=group, restrictions=[denying("PRODUCT", "products", *listed)])
    assert await change(mona, "delete", group=group) == {"deletedId": group, "errors": []}
    assert (await counts(portal))[1:] == (1, 1)
