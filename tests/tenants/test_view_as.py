"""View as: staff sees byte for byte what an account sees, changes nothing, and is seen doing it."""

import re
from typing import Any
from uuid import UUID

import pytest

import db
from resolvers.nodes import global_id
from rules.permissions import BuiltInProfile, StaffRole
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from tests.client import Client, answered
from tests.conftest import At
from tests.resolvers.test_accounts import Errors, Office, refused, settle
from tests.tenants.questions import anything, document, root
from tests.tenants.test_sessions import SIGN_OUT, name, sql
from tests.tenants.test_walkthrough import do
from tests.world import PASSWORD, World

VIEWER = """{ viewer { account { id userName name email version memberships { endsOn group { name } } }
  customer { id code name } staffMember { id } permissions accessGroups { id name profile { builtIn } } } }"""
VIEWED_BY = "{ viewer { account { userName } viewedBy { userName name } staffMember { id } } }"
OWN_SESSIONS = "{ sessions { id current } }"
READ_ONLY = "READ_ONLY_SESSION"


@pytest.fixture
async def office(world: World, at: At) -> Office:
    return await settle(world, at)


async def cannot(staff: Client, account: str) -> Errors:
    """The codes and paths with which a staff member is not let look."""
    return await refused(staff, "accountViewAs", account=account)


async def everything(office: Office) -> dict[str, Any]:
    """All rows that the office's people could change, table by table."""
    return {
        table: await sql(office.portal, f"select t::text from {table} t order by 1")
        for table in db.metadata.tables
        if table not in ("suppliers", "portals", "portal_hosts", "budgets")
    }


async def test_an_outsider_a_customer_and_an_accountant_cannot_look_as_anybody(
    office: Office, at: At
) -> None:
    portal = office.portal
    await portal.account("ben")
    await portal.staff_member("anton", role=StaffRole.ACCOUNTANT)
    ben, anton = await at(portal).sign_in("ben"), await at(portal).sign_in("anton")
    before = await everything(office)
    assert await cannot(at(portal), office.bea) == [("UNAUTHENTICATED", [])]
    assert await cannot(ben, office.bea) == [("MISSING_PERMISSION", [])]
    assert await cannot(anton, office.bea) == [("MISSING_PERMISSION", [])]
    assert await everything(office) == before


async def test_the_account_of_another_company_and_one_that_may_not_come_in_are_not_found(
    world: World, office: Office, at: At
) -> None:
    sister = await settle(world, at, supplier=office.portal.slug)
    gone = await office.portal.account("gone")
    await sql(office.portal, "update accounts set active = false where id = $1", gone)
    before = await everything(office), await everything(sister)
    for account in (
        sister.bea,
        global_id("Account", UUID(int=7)),
        global_id("Account", gone),
        office.customer,
        "nothing",
    ):
        assert await cannot(office.mona, account) == [("NOT_FOUND", ["account"])]
    assert (await everything(office), await everything(sister)) == before


async def test_the_token_is_good_at_no_other_portal(world: World, office: Office, at: At) -> None:
    sister = await settle(world, at, supplier=office.portal.slug)
    await office.portal.staff_member("sam")
    viewed = await (await at(office.portal).sign_in("sam")).view_as(office.bea)
    assert await name(viewed) == "bea"
    assert await name(Client(viewed.http, sister.portal.slug, viewed.token)) is None


async def furnish(office: Office, at: At) -> Client:
    """Bea with things in her cart and an order, who does not see all there is, and as whom one may look."""
    portal = office.portal
    await portal.product("A", price="12.50")
    hidden = await portal.product("HIDDEN")
    await portal.order("SO-1")
    bea = UUID(str((await sql(portal, "select id from accounts where user_name = 'bea'"))[0][0]))
    await sql(portal, "delete from access_group_members")
    modes = Modes(product=RestrictionMode.ALLOW_EXCEPT)
    await portal.group("Not all", bea, modes=modes, lists={RestrictionKind.PRODUCT: [hidden]})
    await portal.enforce(RestrictionKind.PRODUCT)
    client = await at(portal).sign_in("bea")
    await do(client, "cartAddItems", "cart { id }", items=[{"sku": "A", "quantity": "3"}])
    return client


async def test_staff_sees_byte_for_byte_what_the_account_sees(office: Office, at: At) -> None:
    bea = await furnish(office, at)
    viewed = await office.mona.view_as(office.bea)
    ids = await bea.ask("{ cart { id items { product { id } } } orders { nodes { id } } portal { id } }")
    orders = [each["id"] for each in ids["orders"]["nodes"]]
    hidden = global_id("Product", office.portal.products["HIDDEN"])
    known = [ids["cart"]["id"], ids["cart"]["items"][0]["product"]["id"], *orders, hidden]
    known += [ids["portal"]["id"], office.bea, office.customer, office.group]
    asked: list[tuple[str, dict[str, Any]]] = [(VIEWER, {})]
    for field in root("query").fields:
        if field not in (
            "viewer",
            "sessions",
        ):  # who looks is marked; where the account is signed in, is its own
            more: dict[str, Any] = {"ids": known}
            for each in known if field == "node" else [office.bea]:
                text = re.sub(r"\bsessions \{[^{}]*\}", "", document("query", field))
                asked.append(
                    (
                        text,
                        anything(
                            "query", field, dict.fromkeys(("id", "account", "node", "invoice"), each) | more
                        ),
                    )
                )
    for given in ({"sku": "A"}, {"sku": "HIDDEN"}, {"id": hidden}):
        asked.append((document("query", "product"), given))
    answers = []
    for text, variables in asked:
        one, other = [await each.post(text, variables) for each in (bea, viewed)]
        assert (one.status_code, answered(one)) == (other.status_code, answered(other)), text
        answers.append(one.text)
    assert any('"sku":"A"' in each and "12.50" in each for each in answers)
    assert not any('"HIDDEN"' in each for each in answers)
    assert any("SO-1" in each for each in answers)
    assert any('"MISSING_PERMISSION"' in each for each in answers)


async def test_what_changes_for_the_account_changes_for_whoever_looks(office: Office, at: At) -> None:
    bea = await furnish(office, at)
    viewed = await office.mona.view_as(office.bea)
    seen = "{ products { nodes { sku } } cart { items { sku quantity } } }"
    assert await viewed.ask(seen) == await bea.ask(seen)
    await office.portal.enforce()
    await do(bea, "cartAddItems", "cart { id }", items=[{"sku": "HIDDEN", "quantity": "1"}])
    assert len((await viewed.ask(seen))["products"]["nodes"]) == 2
    assert await viewed.ask(seen) == await bea.ask(seen)
    await sql(office.portal, "delete from access_group_members")
    assert (await viewed.refusal(seen))["extensions"]["code"] == "MISSING_PERMISSION"


async def test_every_mutation_but_sign_out_is_refused_and_changes_nothing(office: Office, at: At) -> None:
    bea = await furnish(office, at)
    viewed = await office.mona.view_as(office.bea)
    hers = await bea.ask("{ cart { items { id } } sessions { id } }")
    profiles = await office.mona.ask("{ profiles { id } viewer { staffMember { id } } }")
    own = {
        "account": office.bea,
        "customer": office.customer,
        "group": office.group,
        "item": hers["cart"]["items"][0]["id"],
        "session": hers["sessions"][0]["id"],
        "profile": profiles["profiles"][0]["id"],
        "staffMember": profiles["viewer"]["staffMember"]["id"],
        "contactChange": "none",
        "rmaRequest": "none",
        "ticket": "none",
        "subject": "Help",
        "text": "Help",
        "problem": "Broken",
        "file": "none",
        "mediaType": "text/csv",
        "upload": "none",
        "order": "none",
        "lifecycleStatus": "none",
        "quotation": "none",
        "reconciliationStatement": "none",
        "invoice": "none",
        "document": "none",
        "documentDraft": "none",
        "payment": "none",
        "sku": "A",
        "priceList": "Standard",
        "warehouse": "W1",
        "csv": "A,1",
        "manifest": "{}",
        "documents": "none",
        "reason": "no",
        "nameDe": "n",
        "nameEn": "n",
        "userName": "bea",
        "password": PASSWORD,
        "oldPassword": PASSWORD,
        "newPassword": "a quiet harbour",
        "code": "C1",
        "name": "Somebody",
        "email": "somebody@customers.example",
        "slug": "another-portal",
        "currency": "GBP",
        "supportEmail": "help@another.example",
        "url": "https://erp.example/hook",
        "webhook": "none",
        "delivery": "none",
        "notice": "none",
    }
    before = await everything(office)
    mutations = [each for each in root("mutation").fields if each != "signOut"]
    for mutation in mutations:
        answer = await viewed.ask(document("mutation", mutation), **anything("mutation", mutation, own))
        errors = answer[mutation].pop("errors")
        assert [(each["code"], each["path"]) for each in errors] == [(READ_ONLY, [])], mutation
        assert not any(value for key, value in answer[mutation].items() if key != "__typename"), mutation
    assert len(mutations) > 25
    assert await everything(office) == before
    assert (await viewed.ask(SIGN_OUT))["signOut"]["errors"] == []
    assert [await name(each) for each in (viewed, bea)] == [None, "bea"]


async def test_it_is_marked_and_ends_after_30_minutes(office: Office, at: At) -> None:
    await office.portal.staff_member("agnes", role=StaffRole.AGENT)
    agnes = await at(office.portal).sign_in("agnes")
    viewed = await agnes.view_as(office.bea)
    assert (await viewed.ask(VIEWED_BY))["viewer"] == {
        "account": {"userName": "bea"},
        "viewedBy": {"userName": "agnes", "name": "Agnes"},
        "staffMember": None,
    }
    for other in (agnes, await at(office.portal).sign_in("bea")):
        assert (await other.ask("{ viewer { viewedBy { id } } }"))["viewer"] == {"viewedBy": None}
    which = "where viewing_account_id is not null"
    lasts = f"select expires_at - created_at = interval '30 minutes' from sessions {which}"
    assert await sql(office.portal, lasts) == [(True,)]
    await sql(office.portal, f"update sessions set expires_at = now() {which}")
    assert await name(viewed) is None
    assert [await name(each) for each in (agnes, other)] == ["agnes", "bea"]


@pytest.mark.parametrize(
    "end",
    [
        "update staff_roles set role = 'ACCOUNTANT' where staff_member_id = $1",
        "delete from staff_roles where staff_member_id = $1",
        "update staff_members set active = false where id = $1",
        "update accounts set active = false where $1::uuid is not null",
    ],
)
async def test_it_ends_at_once_with_what_it_rests_on(office: Office, at: At, end: str) -> None:
    staff_member_id = await office.portal.staff_member("sam")
    viewed = await (await at(office.portal).sign_in("sam")).view_as(office.bea)
    assert await name(viewed) == "bea"
    await sql(office.portal, end, staff_member_id)
    assert await name(viewed) is None
    assert (await viewed.refusal("{ products { totalCount } }"))["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("mutation", ["accountDeactivate", "accountResetAccess"])
async def test_it_ends_for_good_when_access_is_taken_from_the_account(office: Office, mutation: str) -> None:
    viewed = await office.mona.view_as(office.bea)
    await do(office.mona, mutation, "account { id }", account=office.bea)
    await do(office.mona, "accountResetAccess", "account { active }", account=office.bea)
    assert [await name(viewed), bool(await name(office.mona))] == [None, True]
    assert await name(await office.mona.view_as(office.bea)) == "bea"


async def test_staff_looks_also_while_the_portal_is_closed(office: Office, at: At) -> None:
    bea = await furnish(office, at)
    before = await office.mona.view_as(office.bea)
    seen = "{ products { nodes { sku } } portal { open } }"
    open_to_all = (await bea.ask(seen))["products"]
    await office.portal.switch(is_open=False)
    assert await name(bea) is None
    for viewed in (before, await office.mona.view_as(office.bea)):
        assert await viewed.ask(seen) == {"products": open_to_all, "portal": {"open": False}}


async def test_it_is_a_session_of_the_staff_member_and_none_of_the_accounts(office: Office, at: At) -> None:
    await office.portal.staff_member("olga", role=StaffRole.OWNER)
    bea, olga = await at(office.portal).sign_in("bea"), await at(office.portal).sign_in("olga")
    viewed = await office.mona.view_as(office.bea)
    assert (await viewed.ask(OWN_SESSIONS))["sessions"] == []
    here, signed_in = (await office.mona.ask(OWN_SESSIONS))["sessions"]
    assert (here["current"], signed_in["current"]) == (False, True)
    assert [each["current"] for each in (await bea.ask(OWN_SESSIONS))["sessions"]] == [True]
    sessions = (
        "query($id: ID!) { node(id: $id) { ... on Account { sessions { id } } ... on Session { id } } }"
    )
    for other in (bea, olga, viewed):
        account = (await other.ask(sessions, id=office.bea))["node"]
        assert here["id"] not in [each["id"] for each in account["sessions"]]
        assert (await other.ask(sessions, id=here["id"]))["node"] is None
    for other in (bea, olga):
        assert await refused(other, "sessionRevoke", session=here["id"]) == [("NOT_FOUND", ["session"])]
    assert await name(viewed) == "bea"
    assert await refused(office.mona, "sessionRevoke", session=here["id"]) == []
    assert await name(viewed) is None


async def test_who_looked_as_whom_is_in_the_audit(office: Office, at: At) -> None:
    await office.portal.staff_member("agnes", role=StaffRole.AGENT)
    viewed = await (await at(office.portal).sign_in("agnes")).view_as(office.bea)
    await viewed.ask(SIGN_OUT)
    log = """{ auditLog(filter: {actions: ["accountViewAs", "signOut"]}, orderBy: [AT_ASC]) { nodes { action
      account { id } staffMember { userName } onBehalfOf { code } nodeId changes { field after } } } }"""
    entries = (await office.mona.ask(log))["auditLog"]["nodes"]
    assert [each["action"] for each in entries] == ["accountViewAs", "signOut"]
    for each in entries:
        assert (each["account"], each["staffMember"]) == (None, {"userName": "agnes"})
        assert each["onBehalfOf"] == {"code": "C1"}
        assert each["nodeId"] == entries[0]["nodeId"]
    told = {each["field"]: each["after"] for each in entries[0]["changes"]}
    bea = (await sql(office.portal, "select id::text from accounts"))[0][0]
    assert told["viewing_account_id"] == f'"{bea}"'
    assert "account_id" not in told


async def test_who_may_not_read_balances_does_not_read_them_through_another(world: World, at: At) -> None:
    portal = await world.portal()
    await portal.account("bea", profile=BuiltInProfile.CUSTOMER)
    seen = {}
    for person, role in (("agnes", StaffRole.AGENT), ("mona", StaffRole.MANAGER)):
        await portal.staff_member(person, role=role)
        staff = await at(portal).sign_in(person)
        found = await staff.ask("{ accounts { nodes { id } } }")
        account = found["accounts"]["nodes"][0]["id"]
        looking = await staff.view_as(account)
        seen[person] = (await looking.ask("{ viewer { permissions } }"))["viewer"]["permissions"]
    assert "BALANCES_READ" in seen["mona"]
    assert "ORDERS_PLACE" in seen["agnes"]
    assert "BALANCES_READ" not in seen["agnes"]
