"""Signing in and out over HTTP: who gets a session, what it is good for, and when it ends."""

import base64
import hashlib
from datetime import datetime, timedelta
from typing import Any

import pytest

from rules.accounts import folded
from rules.permissions import (
    PROFILES,
    STAFF_ROLES,
    STAFF_ROLES_EVERYWHERE,
    BuiltInProfile,
    Permission,
    StaffRole,
)
from tests.client import Client
from tests.conftest import At
from tests.world import PASSWORD, Portal, World

SIGN_IN = """mutation($input: SignInInput!) { signIn(input: $input) {
  token expiresAt viewer { account { userName } staffMember { userName } } errors { code message path } } }"""
SIGN_OUT = "mutation { signOut { errors { code } } }"
VIEWER = """{ viewer { account { userName name email } staffMember { userName name email }
  customer { code name priceList { code taxIncluded } } permissions accessGroups { name profile { builtIn } } } }"""
NAME = "{ viewer { account { userName } staffMember { userName } } }"


async def sql(portal: Portal, text: str, *values: Any) -> Any:
    """Run a statement at a portal."""
    async with portal.writing() as connection:
        return await connection.fetch_text(text, *values)


async def name(client: Client) -> str | None:
    """Who somebody is at the portal."""
    viewer = (await client.ask(NAME))["viewer"]
    return str((viewer["account"] or viewer["staffMember"])["userName"]) if viewer else None


async def refusal(client: Client, user_name: str, password: str = PASSWORD) -> str:
    """The code with which a sign-in is refused."""
    answer = (await client.ask(SIGN_IN, input={"userName": user_name, "password": password}))["signIn"]
    assert answer["token"] is answer["expiresAt"] is answer["viewer"] is None
    (error,) = answer["errors"]
    code: str = error["code"]
    return code


async def test_an_outsider_is_nobody(world: World, at: At) -> None:
    portal = await world.portal()
    assert await name(at(portal)) is None
    assert (await at(portal).ask(SIGN_OUT))["signOut"]["errors"] == [{"code": "UNAUTHENTICATED"}]


@pytest.mark.parametrize("token", ["x", "0" * 43, "ü", "' or true --", "a" * 5_000])
async def test_what_is_no_token_is_nobody(token: str, world: World, at: At) -> None:
    portal = await world.portal()
    client = at(portal)
    client.headers["authorization"] = f"Bearer {token}".encode()  # type: ignore[assignment]
    assert await name(client) is None


async def test_a_portal_that_is_switched_off_refuses_customers_at_once_but_not_the_staff(
    world: World, at: At
) -> None:
    portal = await world.portal()
    await portal.account("bea")
    await portal.staff_member("sam")
    bea, sam = await at(portal).sign_in("bea"), await at(portal).sign_in("sam")
    await portal.switch(is_open=False)
    assert await name(bea) is None
    assert (await bea.refusal("{ orders { totalCount } }"))["extensions"]["code"] == "UNAUTHENTICATED"
    assert await refusal(at(portal), "bea") == "PORTAL_CLOSED"
    assert await refusal(at(portal), "bea", "wrong horse battery") == "SIGN_IN_REFUSED"
    assert await refusal(at(portal), "nobody") == "SIGN_IN_REFUSED"
    assert await name(sam) == "sam"
    assert await name(await at(portal).sign_in("sam")) == "sam"
    assert (await at(portal).ask("{ portal { open } }"))["portal"] == {"open": False}


async def test_staff_comes_in_at_every_company_of_its_supplier_unless_it_belongs_to_one(
    world: World, at: At
) -> None:
    home, elsewhere = await world.portal(), await world.portal()
    sister = await world.portal(supplier=home.slug)
    await home.staff_member("all")
    await home.staff_member("one", here_only=True)
    for portal, user_names in ((home, ["all", "one"]), (sister, ["all"]), (elsewhere, [])):
        for user_name in ("all", "one"):
            if user_name in user_names:
                assert await name(await at(portal).sign_in(user_name)) == user_name
            else:
                assert await refusal(at(portal), user_name) == "SIGN_IN_REFUSED"


async def test_staff_whose_last_role_was_taken_is_nobody_at_once(world: World, at: At) -> None:
    portal = await world.portal()
    staff_member_id = await portal.staff_member("sam")
    sam = await at(portal).sign_in("sam")
    await sql(portal, "delete from staff_roles where staff_member_id = $1", staff_member_id)
    assert await name(sam) is None
    assert await refusal(at(portal), "sam") == "SIGN_IN_REFUSED"


async def test_one_user_name_at_two_portals_is_two_people(world: World, at: At) -> None:
    one, other = await world.portal(), await world.portal()
    await one.account("bea", password="one horse battery")
    await other.account("bea", password="other horse battery")
    await at(one).sign_in("bea", "one horse battery")
    assert await refusal(at(one), "bea", "other horse battery") == "SIGN_IN_REFUSED"


async def test_a_session_ends_when_the_databases_clock_says_so(world: World, at: At) -> None:
    portal = await world.portal()
    await portal.account("bea")
    answer = (await at(portal).ask(SIGN_IN, input={"userName": "bea", "password": PASSWORD}))["signIn"]
    bea = at(portal)
    bea.token = answer["token"]
    now = (await sql(portal, "select now()"))[0][0]
    ends = datetime.fromisoformat(answer["expiresAt"])
    assert timedelta(hours=11, minutes=58) < ends - now <= timedelta(hours=12)
    await sql(portal, "update sessions set expires_at = now() + interval '1 minute'")
    assert await name(bea) == "bea"
    await sql(portal, "update sessions set expires_at = now()")
    assert await name(bea) is None
    assert (await bea.ask(SIGN_OUT))["signOut"]["errors"] == [{"code": "UNAUTHENTICATED"}]


async def test_sessions_that_have_ended_are_cleared_away_by_the_next_sign_in(world: World, at: At) -> None:
    portal, other = await world.portal(), await world.portal()
    for each in (portal, other):
        await each.account("bea")
        await at(each).sign_in("bea")
        await sql(each, "update sessions set expires_at = now()")
    await at(portal).sign_in("bea")
    assert await sql(portal, "select count(*) from sessions") == [(1,)]
    assert await sql(other, "select count(*) from sessions where expires_at <= now()") == [(1,)]


async def test_signing_out_ends_this_session_at_once_and_no_other(world: World, at: At) -> None:
    portal = await world.portal()
    await portal.account("bea")
    here, there = await at(portal).sign_in("bea"), await at(portal).sign_in("bea")
    assert (await here.ask(SIGN_OUT))["signOut"]["errors"] == []
    assert await name(here) is None
    assert await name(there) == "bea"
    assert (await here.ask(SIGN_OUT))["signOut"]["errors"] == [{"code": "UNAUTHENTICATED"}]


@pytest.mark.parametrize("kind", ["account", "staff_member"])
async def test_a_session_ends_when_its_holder_is_deactivated(kind: str, world: World, at: At) -> None:
    portal = await world.portal()
    await getattr(portal, kind)("kim")
    kim = await at(portal).sign_in("kim")
    assert await name(kim) == "kim"
    await sql(portal, f"update {kind}s set active = false")
    assert await name(kim) is None
    assert (await kim.refusal("{ products { totalCount } }"))["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_membership_gives_nothing_after_its_last_day(world: World, at: At) -> None:
    portal = await world.portal()
    await portal.account("bea")
    bea = await at(portal).sign_in("bea")
    await sql(portal, "update access_group_members set ends_on = current_date")
    viewer = (await bea.ask(VIEWER))["viewer"]
    assert "ORDERS_PLACE" in viewer["permissions"]
    assert len(viewer["accessGroups"]) == 1
    await sql(portal, "update access_group_members set ends_on = current_date - 1")
    viewer = (await bea.ask(VIEWER))["viewer"]
    assert (viewer["permissions"], viewer["accessGroups"]) == ([], [])
    assert (await bea.refusal("{ cart { id } }"))["extensions"]["code"] == "MISSING_PERMISSION"


@pytest.mark.parametrize("written", ["Straße", "STRASSE", " straße\t", f"{chr(0xFF53)}trasse", "strasse"])
async def test_case_and_unicode_forms_of_a_user_name_do_not_matter(
    written: str, world: World, at: At
) -> None:
    portal = await world.portal()
    await portal.account(folded("Straße"))
    assert await name(await at(portal).sign_in(written)) == "strasse"


async def test_the_composed_and_the_decomposed_user_name_are_one(world: World, at: At) -> None:
    portal = await world.portal()
    await portal.account(folded("Zoé"))
    assert await name(await at(portal).sign_in("ZOE\N{COMBINING ACUTE ACCENT}")) == "zoé"


async def test_a_token_is_256_bits_new_every_time_and_kept_only_as_a_hash(world: World, at: At) -> None:
    portal = await world.portal()
    await portal.account("bea")
    tokens = [str((await at(portal).sign_in("bea")).token) for _ in range(3)]
    assert len(set(tokens)) == 3
    kept = await sql(portal, "select s.token_hash, s::text from sessions s")
    assert {row[0] for row in kept} == {hashlib.sha256(token.encode()).digest() for token in tokens}
    for token in tokens:
        secret = base64.urlsafe_b64decode(token + "=")
        assert len(secret) == 32
        assert not [row for row in kept if token in row[1] or secret.hex() in row[1]]


async def test_an_account_sees_itself_its_customer_and_its_groups(world: World, at: At) -> None:
    portal = await world.portal()
    account_id = await portal.account("bea", profile=BuiltInProfile.VIEWER)
    await portal.group("A first", account_id, profile=BuiltInProfile.ACCOUNTANT)
    viewer = (await (await at(portal).sign_in("bea")).ask(VIEWER))["viewer"]
    assert viewer == {
        "account": {"userName": "bea", "name": "Bea", "email": "bea@customers.example"},
        "staffMember": None,
        "customer": {
            "code": "C1",
            "name": "Customer C1",
            "priceList": {"code": "wholesale", "taxIncluded": False},
        },
        "permissions": [
            "PRODUCTS_READ",
            "ORDERS_READ",
            "DOCUMENTS_READ",
            "BALANCES_READ",
            "STATEMENTS_ANSWER",
            "RMA_REQUESTS_READ",
            "TICKETS_READ",
            "TICKETS_WRITE",
            "UPLOADS_WRITE",
            "FILES_READ",
            "CONTACTS_READ",
            "CONTACTS_REQUEST",
        ],
        "accessGroups": [
            {"name": "A first", "profile": {"builtIn": "ACCOUNTANT"}},
            {"name": "VIEWER of bea", "profile": {"builtIn": "VIEWER"}},
        ],
    }


async def test_a_staff_member_sees_itself_and_has_no_customer(world: World, at: At) -> None:
    portal = await world.portal()
    await portal.staff_member("sam", role=StaffRole.AGENT)
    answer = (await at(portal).ask(SIGN_IN, input={"userName": "sam", "password": PASSWORD}))["signIn"]
    assert answer["viewer"] == {"account": None, "staffMember": {"userName": "sam"}}
    viewer = (await (await at(portal).sign_in("sam")).ask(VIEWER))["viewer"]
    assert viewer == {
        "account": None,
        "staffMember": {"userName": "sam", "name": "Sam", "email": "sam@staff.example"},
        "customer": None,
        "permissions": [each.name for each in Permission if each in STAFF_ROLES[StaffRole.AGENT]],
        "accessGroups": [],
    }


async def test_the_staff_is_known_to_itself_and_not_to_customers(world: World, at: At) -> None:
    portal = await world.portal()
    await portal.account("bea")
    await portal.staff_member("sam")
    bea, sam = await at(portal).sign_in("bea"), await at(portal).sign_in("sam")
    staff_id = (await sam.ask("{ viewer { staffMember { id } } }"))["viewer"]["staffMember"]["id"]
    node = "query($id: ID!) { node(id: $id) { id ... on StaffMember { userName } } }"
    assert await bea.ask(node, id=staff_id) == {"node": None}
    assert await sam.ask(node, id=staff_id) == {"node": {"id": staff_id, "userName": "sam"}}


async def test_an_account_in_no_group_may_do_nothing(world: World, at: At) -> None:
    portal = await world.portal()
    await portal.account("bea", profile=None)
    bea = await at(portal).sign_in("bea")
    assert (await bea.ask("{ viewer { permissions } }"))["viewer"] == {"permissions": []}
    for field in ("products { totalCount }", "orders { totalCount }", "cart { id }", "categories { id }"):
        error = await bea.refusal(f"{{ {field} }}")
        assert error["extensions"]["code"] == "MISSING_PERMISSION"


HELD: list[tuple[BuiltInProfile | StaffRole, frozenset[Permission]]] = [
    *PROFILES.items(),
    *((role, held | STAFF_ROLES_EVERYWHERE[role]) for role, held in STAFF_ROLES.items()),
]


@pytest.mark.parametrize(("held", "permissions"), HELD)
async def test_permissions_come_from_the_profile_or_the_role(
    held: BuiltInProfile | StaffRole, permissions: frozenset[Permission], world: World, at: At
) -> None:
    portal = await world.portal()
    if isinstance(held, BuiltInProfile):
        await portal.account("kim", profile=held)
    else:
        await portal.staff_member("kim", role=held)
    kim = await at(portal).sign_in("kim")
    viewer = (await kim.ask("{ viewer { permissions } }"))["viewer"]
    assert viewer["permissions"] == [each.name for each in Permission if each in permissions]
    for field, needed in (
        ("cart { id }", Permission.ORDERS_PLACE),
        ("orders { totalCount }", Permission.ORDERS_READ),
    ):
        body = (await kim.post(f"{{ {field} }}")).json()
        assert ("errors" in body) == (needed not in permissions)


async def test_all_roles_of_a_staff_member_count_together(world: World, at: At) -> None:
    home = await world.portal()
    sister = await world.portal(supplier=home.slug)
    staff_member_id = await home.staff_member("sam", role=StaffRole.AGENT)
    await sql(
        home,
        """insert into staff_roles (supplier_id, id, staff_member_id, at_tenant_id, role)
           values ($1, gen_random_uuid(), $2, $3, 'ACCOUNTANT')""",
        home.supplier_id,
        staff_member_id,
        home.tenant_id,
    )
    may = [
        (await (await at(portal).sign_in("sam")).ask("{ viewer { permissions } }"))["viewer"]["permissions"]
        for portal in (home, sister)
    ]
    assert ["BALANCES_READ" in each for each in may] == [True, False]
