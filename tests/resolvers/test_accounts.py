"""Accounts: staff lists them, provisions and changes them, and takes access away; nobody else does."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from db.access_groups import access_group_members
from resolvers.nodes import global_id
from rules.permissions import BuiltInProfile, StaffRole
from tests.client import Client, answered
from tests.conftest import At
from tests.tenants.test_sessions import SIGN_IN, name, sql
from tests.tenants.test_walkthrough import do
from tests.world import PASSWORD, Portal, World, put

ACCOUNT = """id userName name email active activated version customer { code }
  memberships { endsOn group { name } account { userName } }"""
LIST = f"""query($filter: AccountFilter, $orderBy: [AccountOrder!], $first: Int, $after: String) {{
  accounts(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {{
    totalCount nodes {{ {ACCOUNT} }} edges {{ cursor node {{ userName }} }}
    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"""
NODE = f"query($id: ID!) {{ node(id: $id) {{ ... on Account {{ {ACCOUNT} sessions {{ id }} }} }} }}"

Errors = list[tuple[str, list[str]]]


@dataclass
class Office:
    """A portal where Mona, a manager, provisions; Bea buys for the customer C1. Ids are global."""

    portal: Portal
    mona: Client
    customer: str
    group: str
    bea: str

    def new(self, **given: Any) -> dict[str, Any]:
        """The input for another account of the customer."""
        mia = {"userName": "mia", "name": "Mia Mugs", "email": "mia@customers.example"}
        return mia | {"customer": self.customer, "groups": [{"group": self.group}]} | given

    def writes(self) -> dict[str, dict[str, Any]]:
        """Each mutation on accounts, with an input that works."""
        return {
            "accountProvision": self.new(),
            "accountUpdate": {"account": self.bea, "name": "Another"},
            "accountDeactivate": {"account": self.bea},
            "accountResetAccess": {"account": self.bea},
        }

    async def provision(self, **given: Any) -> dict[str, Any]:
        """The payload for another account of the customer."""
        return await do(
            self.mona, "accountProvision", f"account {{ {ACCOUNT} }} activationCode", **self.new(**given)
        )

    async def rows(self) -> Any:
        """All that mutations on accounts could change."""
        tables = ("accounts", "access_group_members", "sessions", "idempotency_keys", "audit_entries")
        return [await sql(self.portal, f"select t::text from {table} t order by 1") for table in tables]


async def settle(world: World, at: At, *, supplier: str | None = None) -> Office:
    """A new office; its manager belongs to this company alone."""
    portal = await world.portal(supplier=supplier)
    bea = await portal.account("bea")
    group = await portal.group("Buyers")
    await portal.staff_member(f"mona-{portal.slug}", here_only=True)
    return Office(
        portal,
        await at(portal).sign_in(f"mona-{portal.slug}"),
        global_id("Customer", portal.customers["C1"]),
        global_id("AccessGroup", group),
        global_id("Account", bea),
    )


@pytest.fixture
async def office(world: World, at: At) -> Office:
    return await settle(world, at)


async def refused(client: Client, mutation: str, **given: Any) -> Errors:
    """The codes and paths with which a mutation is refused."""
    document = f"""mutation($input: {mutation[0].upper()}{mutation[1:]}Input!) {{
      {mutation}(input: $input) {{ errors {{ code path }} }} }}"""
    answer = (await client.ask(document, input=given))[mutation]
    return [(each["code"], each["path"]) for each in answer["errors"]]


async def listed(client: Client, **given: Any) -> list[str]:
    """The user names that a question for accounts finds."""
    return [each["userName"] for each in (await client.ask(LIST, **given))["accounts"]["nodes"]]


async def test_an_outsider_learns_and_changes_nothing(office: Office, at: At) -> None:
    before = await office.rows()
    assert (await at(office.portal).refusal(LIST))["extensions"]["code"] == "UNAUTHENTICATED"
    for mutation, given in office.writes().items():
        assert await refused(at(office.portal), mutation, **given) == [("UNAUTHENTICATED", [])]
    assert await office.rows() == before


@pytest.mark.parametrize(
    ("role", "may_read"), [(None, False), (StaffRole.ACCOUNTANT, False), (StaffRole.AGENT, True)]
)
async def test_customers_and_lesser_staff_change_nothing(
    office: Office, at: At, role: StaffRole | None, may_read: bool
) -> None:
    if role is None:
        await office.portal.account("kim", profile=BuiltInProfile.CUSTOMER)
    else:
        await office.portal.staff_member("kim", role=role)
    kim = await at(office.portal).sign_in("kim")
    before = await office.rows()
    if may_read:
        assert await listed(kim) == ["bea"]
    else:
        assert (await kim.refusal(LIST))["extensions"]["code"] == "MISSING_PERMISSION"
    for mutation, given in office.writes().items():
        assert await refused(kim, mutation, **given) == [("MISSING_PERMISSION", [])]
    assert await office.rows() == before


async def test_what_is_another_companys_is_not_found_and_does_not_move(
    world: World, office: Office, at: At
) -> None:
    sister = await settle(world, at, supplier=office.portal.slug)
    before = await office.rows(), await sister.rows()
    both = [{"group": office.group}, {"group": sister.group}]
    for mutation, given, path in [
        ("accountProvision", office.new(customer=sister.customer), ["customer"]),
        ("accountProvision", office.new(groups=both), ["groups", "1"]),
        ("accountUpdate", {"account": sister.bea, "name": "Mine"}, ["account"]),
        ("accountUpdate", {"account": office.bea, "customer": sister.customer}, ["customer"]),
        ("accountUpdate", {"account": office.bea, "groups": both}, ["groups", "1"]),
        ("accountDeactivate", {"account": sister.bea}, ["account"]),
        ("accountResetAccess", {"account": sister.bea}, ["account"]),
        ("accountDeactivate", {"account": global_id("Account", UUID(int=7))}, ["account"]),
        ("accountDeactivate", {"account": office.customer}, ["account"]),
        ("accountDeactivate", {"account": "nothing"}, ["account"]),
    ]:
        assert await refused(office.mona, mutation, **given) == [("NOT_FOUND", path)]
    assert await listed(office.mona, filter={"customer": sister.customer}) == []
    assert (await office.mona.ask(NODE, id=sister.bea))["node"] is None
    assert (await office.rows(), await sister.rows()) == before


async def test_a_customers_account_sees_its_colleague_but_not_what_that_may_and_where_it_is(
    office: Office, at: At
) -> None:
    portal = office.portal
    await portal.account("ben")
    await portal.account("carl", customer="C2")
    ben, carl, bea = [await at(portal).sign_in(each) for each in ("ben", "carl", "bea")]
    assert (await carl.ask(NODE, id=office.bea))["node"] is None
    seen = (await ben.ask(NODE, id=office.bea))["node"]
    assert (seen["userName"], seen["memberships"], seen["sessions"]) == ("bea", None, [])
    own = (await bea.ask(NODE, id=office.bea))["node"]
    assert [each["group"]["name"] for each in own["memberships"]] == ["BUYER of bea"]
    assert len(own["sessions"]) == 1


async def test_staff_finds_accounts_by_customer_name_and_state(office: Office, at: At) -> None:
    portal, mona = office.portal, office.mona
    await portal.account("ben", customer="C2")
    await portal.account("zoe", customer="C2")
    await sql(portal, "update accounts set name = 'Jörg Großmann', active = false where user_name = 'ben'")
    await office.provision()
    customer = global_id("Customer", portal.customers["C2"])
    for given, found in [
        ({}, ["bea", "ben", "mia", "zoe"]),
        ({"customer": customer}, ["ben", "zoe"]),
        ({"active": False}, ["ben"]),
        ({"active": True, "customer": customer}, ["zoe"]),
        ({"activated": False}, ["mia"]),
        ({"activated": True, "active": True}, ["bea", "zoe"]),
        ({"search": "BE"}, ["bea", "ben"]),
        ({"search": "ea"}, []),
        ({"search": "mia mug"}, ["mia"]),
        ({"search": "JÖRG"}, ["ben"]),
        ({"search": "%"}, []),
        ({"customer": "nothing"}, []),
    ]:
        assert (given, await listed(mona, filter=given, orderBy=["USER_NAME_ASC"])) == (given, found)


@pytest.mark.parametrize("search", ["Jörg Groß", "jörg groß", "Jo\N{COMBINING DIAERESIS}rg"])
async def test_a_name_is_found_however_it_is_spelled(office: Office, search: str) -> None:
    await office.provision(name="Jörg Großmann")
    assert await listed(office.mona, filter={"search": search}) == ["mia"]


async def test_accounts_come_in_the_order_that_is_asked_for_and_in_pages(office: Office) -> None:
    await office.provision(userName="amy", name="Zelda")
    await office.provision(userName="zac", name="Anton")
    mona = office.mona
    for order, found in [
        (None, ["zac", "bea", "amy"]),
        (["NAME_ASC"], ["zac", "bea", "amy"]),
        (["NAME_DESC"], ["amy", "bea", "zac"]),
        (["USER_NAME_ASC"], ["amy", "bea", "zac"]),
        (["USER_NAME_DESC"], ["zac", "bea", "amy"]),
    ]:
        assert await listed(mona, orderBy=order) == found
        after, seen = None, []
        for number in range(1, 4):
            page = (await mona.ask(LIST, orderBy=order, first=1, after=after))["accounts"]
            seen += [each["node"]["userName"] for each in page["edges"]]
            info = page["pageInfo"]
            assert (page["totalCount"], info["hasPreviousPage"]) == (3, number > 1)
            assert (info["hasNextPage"], info["startCursor"]) == (number < 3, page["edges"][0]["cursor"])
            after = info["endCursor"]
        assert seen == found


async def test_whoever_is_provisioned_with_a_password_signs_in_at_once_and_a_customer_has_many(
    office: Office, at: At
) -> None:
    made = await office.provision(userName=" MIA ", password="a quiet harbour")
    assert made["activationCode"] is None
    assert made["account"] == {
        "id": made["account"]["id"],
        "userName": "mia",
        "name": "Mia Mugs",
        "email": "mia@customers.example",
        "active": True,
        "activated": True,
        "version": 1,
        "customer": {"code": "C1"},
        "memberships": [{"endsOn": None, "group": {"name": "Buyers"}, "account": {"userName": "mia"}}],
    }
    await office.provision(userName="max", password="a quiet harbour")
    mia = await at(office.portal).sign_in("Mia", "a quiet harbour")
    viewer = "{ viewer { permissions account { id } customer { code } } }"
    assert (await mia.ask(viewer))["viewer"]["account"] == {"id": made["account"]["id"]}
    bea = await at(office.portal).sign_in("bea")
    for told in ("permissions", "customer"):
        assert (await mia.ask(viewer))["viewer"][told] == (await bea.ask(viewer))["viewer"][told]
    assert sorted(await listed(office.mona, filter={"customer": office.customer})) == ["bea", "max", "mia"]


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"userName": ""}, "USER_NAME_INVALID", ["userName"]),
        ({"userName": " \t"}, "USER_NAME_INVALID", ["userName"]),
        ({"userName": "m" * 201}, "USER_NAME_INVALID", ["userName"]),
        ({"userName": "ß" * 101}, "USER_NAME_INVALID", ["userName"]),
        ({"name": " "}, "TEXT_MISSING", ["name"]),
        ({"name": "m" * 201}, "TEXT_TOO_LONG", ["name"]),
        ({"email": "mia"}, "INVALID_EMAIL", ["email"]),
        ({"password": "7 chars"}, "PASSWORD_LENGTH_INVALID", ["password"]),
        ({"password": ""}, "PASSWORD_LENGTH_INVALID", ["password"]),
        ({"password": "m" * 1_001}, "PASSWORD_LENGTH_INVALID", ["password"]),
        ({"password": "Password1"}, "PASSWORD_TOO_COMMON", ["password"]),
        ({"password": "\uff30assword1"}, "PASSWORD_TOO_COMMON", ["password"]),
        ({"userName": "mia harbour", "password": "MIA Harbour"}, "PASSWORD_TOO_COMMON", ["password"]),
        ({"groups": []}, "ACCESS_GROUPS_MISSING", ["groups"]),
        ({"groups": [{"group": "nothing"}]}, "NOT_FOUND", ["groups", "0"]),
        ({"groups": [{"group": "nothing"}] * 51}, "LIST_TOO_LONG", ["groups"]),
        ({"idempotencyKey": ""}, "INVALID_IDEMPOTENCY_KEY", ["idempotencyKey"]),
    ],
)
async def test_what_makes_no_sense_is_refused_with_its_path(
    office: Office, given: dict[str, Any], code: str, path: list[str]
) -> None:
    before = await office.rows()
    assert await refused(office.mona, "accountProvision", **office.new(**given)) == [(code, path)]
    if not given.keys() & {"userName", "password", "idempotencyKey"}:
        update = {"account": office.bea, **given}
        assert await refused(office.mona, "accountUpdate", **update) == [(code, path)]
    assert await office.rows() == before


@pytest.mark.parametrize("user_name", ["bea", " BEA", "\uff42ea", "sam", "SAM\t"])
async def test_the_name_of_an_account_or_of_somebody_on_the_suppliers_staff_is_taken(
    user_name: str, world: World, office: Office, at: At
) -> None:
    sister = await settle(world, at, supplier=office.portal.slug)
    await sister.portal.staff_member("sam", here_only=True)
    taken = [("USER_NAME_TAKEN", ["userName"])]
    before = await office.rows()
    assert await refused(office.mona, "accountProvision", **office.new(userName=user_name)) == taken
    assert await office.rows() == before
    elsewhere = await settle(world, at)
    if user_name == "sam":
        assert (await elsewhere.provision(userName="sam"))["account"]["userName"] == "sam"


async def test_of_two_who_provision_one_name_at_once_one_is_told_that_it_is_taken(office: Office) -> None:
    answers = await asyncio.gather(
        *(refused(office.mona, "accountProvision", **office.new(userName=each)) for each in ("mia", "MIA"))
    )
    assert sorted(answers) == [[], [("USER_NAME_TAKEN", ["userName"])]]
    assert await listed(office.mona) == ["bea", "mia"]


@pytest.mark.parametrize("mutation", ["accountProvision", "accountUpdate"])
async def test_a_membership_ends_today_at_the_earliest_and_a_group_is_named_once(
    office: Office, mutation: str
) -> None:
    other = global_id("AccessGroup", await office.portal.group("Others"))
    days = await sql(office.portal, "select (current_date - 1)::text, current_date::text")
    yesterday, today = days[0]

    def given(*groups: dict[str, Any]) -> dict[str, Any]:
        inputs = office.new() if mutation == "accountProvision" else {"account": office.bea}
        return inputs | {"groups": list(groups)}

    before = await office.rows()
    for groups, errors in [
        (
            [{"group": office.group, "endsOn": today}, {"group": other, "endsOn": yesterday}],
            [("END_DATE_PAST", ["groups", "1", "endsOn"])],
        ),
        (
            [{"group": office.group, "endsOn": yesterday}, {"group": other, "endsOn": "1999-12-31"}],
            [("END_DATE_PAST", ["groups", "0", "endsOn"]), ("END_DATE_PAST", ["groups", "1", "endsOn"])],
        ),
        (
            [{"group": office.group}, {"group": office.group, "endsOn": today}],
            [("INVALID_INPUT", ["groups"])],
        ),
    ]:
        assert await refused(office.mona, mutation, **given(*groups)) == errors
    assert await office.rows() == before
    done = await do(
        office.mona, mutation, f"account {{ {ACCOUNT} }}", **given({"group": other, "endsOn": today})
    )
    assert [(each["group"]["name"], each["endsOn"]) for each in done["account"]["memberships"]] == [
        ("Others", today)
    ]


async def test_what_is_given_changes_at_once_and_the_rest_stays(office: Office, at: At) -> None:
    portal, mona = office.portal, office.mona
    bea = await at(portal).sign_in("bea")
    viewers = global_id("AccessGroup", await portal.group("Viewers", profile=BuiltInProfile.VIEWER))
    async with portal.writing() as connection:  # long over: it does not count, and is gone afterwards
        over = await connection.fetch_text("select current_date - 9")
        old = await portal.group("Old")
        await put(
            connection,
            access_group_members,
            access_group_id=old,
            account_id=(await connection.fetch_text("select id from accounts"))[0][0],
            ends_on=over[0][0],
        )
    before = (await mona.ask(NODE, id=office.bea))["node"]
    assert [each["group"]["name"] for each in before["memberships"]] == ["BUYER of bea"]

    async def update(**given: Any) -> Any:
        document = f"account {{ {ACCOUNT} sessions {{ id }} }}"
        return (await do(mona, "accountUpdate", document, account=office.bea, **given))["account"]

    assert await update(name="Beatrice") == before | {"name": "Beatrice", "version": 2}
    assert await update(email="b@new.example", customer=office.customer) == before | {
        "name": "Beatrice",
        "email": "b@new.example",
        "version": 3,
    }
    assert "ORDERS_PLACE" in (await bea.ask("{ viewer { permissions } }"))["viewer"]["permissions"]
    changed = await update(groups=[{"group": viewers}])
    assert [each["group"]["name"] for each in changed["memberships"]] == ["Viewers"]
    assert "ORDERS_PLACE" not in (await bea.ask("{ viewer { permissions } }"))["viewer"]["permissions"]
    assert (await mona.ask(NODE, id=office.bea))["node"] == changed
    assert await sql(portal, "select count(*) from access_group_members") == [(1,)]


async def test_an_account_is_never_bound_to_another_customer(office: Office) -> None:
    other = await office.portal.customer("C2")
    given = {"account": office.bea, "customer": global_id("Customer", other), "name": "Moved"}
    before = await office.rows()
    assert await refused(office.mona, "accountUpdate", **given) == [("ACCOUNT_BOUND", ["customer"])]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await sql(office.portal, "update accounts set customer_id = $1", other)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await sql(office.portal, "delete from accounts")
    assert await office.rows() == before


@pytest.mark.parametrize(
    ("mutation", "change"),
    [("accountUpdate", {"name": "Beatrix"}), ("accountDeactivate", {}), ("accountResetAccess", {})],
)
async def test_an_account_that_changed_since_it_was_read_is_a_conflict(
    office: Office, mutation: str, change: dict[str, str]
) -> None:
    given = {"account": office.bea, "version": 1, **change}
    assert await refused(office.mona, mutation, **given) == []
    before = await office.rows()
    document = f"""mutation($input: {mutation[0].upper()}{mutation[1:]}Input!) {{ {mutation}(input: $input) {{
      account {{ id }} errors {{ code path ... on VersionConflictError {{ current }} }} }} }}"""
    answer = (await office.mona.ask(document, input=given))[mutation]
    conflict = {"code": "VERSION_CONFLICT", "path": ["version"], "current": 2}
    assert answer == {"account": None, "errors": [conflict]}
    assert await office.rows() == before
    assert await refused(office.mona, mutation, account=office.bea, version=2) == []


async def test_whoever_is_deactivated_is_out_at_once_and_told_what_an_unknown_is(
    office: Office, at: At
) -> None:
    portal = office.portal
    bea, again = await at(portal).sign_in("bea"), await at(portal).sign_in("bea")
    ben = await portal.account("ben")
    ben_himself = await at(portal).sign_in("ben")
    done = await do(office.mona, "accountDeactivate", f"account {{ {ACCOUNT} }}", account=office.bea)
    assert (done["account"]["active"], done["account"]["version"]) == (False, 2)
    assert [await name(each) for each in (bea, again, ben_himself)] == [None, None, "ben"]
    assert await sql(portal, "select account_id from sessions where account_id is not null") == [(ben,)]
    told = {
        answered(await at(portal).post(SIGN_IN, {"input": {"userName": each, "password": PASSWORD}}))
        for each in ("bea", "nobody")
    }
    assert [b"SIGN_IN_REFUSED" in each for each in told] == [True]


async def test_each_change_is_in_the_audit_for_the_customer_it_was_made_for(office: Office) -> None:
    for mutation, given in office.writes().items():
        await do(office.mona, mutation, "account { id }", **given)
    log = """{ auditLog(orderBy: [AT_ASC]) { nodes { action staffMember { userName } onBehalfOf { code }
      changes { field before after } } } }"""
    entries = (await office.mona.ask(log))["auditLog"]["nodes"][1:]
    assert [each["action"] for each in entries] == list(office.writes())
    for entry in entries:
        assert entry["staffMember"]["userName"].startswith("mona")
        assert entry["onBehalfOf"] == {"code": "C1"}
    changes = [
        {each["field"]: (each["before"], each["after"]) for each in entry["changes"]} for entry in entries
    ]
    assert changes[0]["user_name"] == (None, '"mia"')
    assert '"Buyers"' in changes[0]["groups"][1]
    assert changes[1] == {"name": ('"Bea"', '"Another"'), "version": ("1", "2")}
    assert changes[2] == {"active": ("true", "false"), "version": ("2", "3")}
    assert changes[3] == {"active": ("false", "true"), "activated": ("true", "false"), "version": ("3", "4")}
