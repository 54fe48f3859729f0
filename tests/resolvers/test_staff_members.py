"""Staff members: who gives which roles where, how they come in, and that every company keeps an owner."""

from typing import Any
from uuid import UUID

import pytest
import uuid_utils.compat as uuid

from resolvers.nodes import global_id
from rules.permissions import STAFF_ROLES, STAFF_ROLES_EVERYWHERE, StaffRole
from rules.staff_members import MOST_ROLES
from tests.client import Client
from tests.conftest import At
from tests.world import PASSWORD, Portal, World

MEMBER = """id userName name email active activated version
  roles { role everywhere portal { slug } }"""
CODES = {"Provision": "activationCode", "ResetAccess": "activationCode"}
STAFF = f"{{ supplier {{ staffMembers {{ {MEMBER} }} }} }}"
SIGN_IN = "mutation($input: SignInInput!) { signIn(input: $input) { errors { code } } }"
ACTIVATE = """mutation($input: AccountActivateInput!) { accountActivate(input: $input) {
  viewer { staffMember { userName activated } } errors { code } } }"""
WHO = "{ viewer { staffMember { userName } permissions } }"

Errors = list[tuple[str, list[str]]]
EVERYWHERE = {"role": "MANAGER"}


async def change(client: Client, what: str, **given: Any) -> dict[str, Any]:
    document = f"""mutation($input: StaffMember{what}Input!) {{ staffMember{what}(input: $input) {{
      staffMember {{ {MEMBER} }} {CODES.get(what, "")}
      errors {{ code path message ... on VersionConflictError {{ current }} }} }} }}"""
    answer: dict[str, Any] = (await client.ask(document, input=given))[f"staffMember{what}"]
    return answer


async def refused(client: Client, what: str, **given: Any) -> Errors:
    answer = await change(client, what, **given)
    assert answer["staffMember"] is answer.get("activationCode") is None
    return [(each["code"], each["path"]) for each in answer["errors"]]


async def done(client: Client, what: str, **given: Any) -> dict[str, Any]:
    answer = await change(client, what, **given)
    assert answer["errors"] == []
    return answer


def person(user_name: str, *roles: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What staffMemberProvision takes; manager everywhere when nothing is said."""
    who = {"userName": user_name, "name": user_name.title(), "email": f"{user_name.strip()}@staff.example"}
    return who | {"roles": list(roles) or [EVERYWHERE]} | more


def at_portal(portal: Portal, role: str = "MANAGER") -> dict[str, str]:
    return {"role": role, "portal": global_id("Portal", portal.tenant_id)}


def member(id: UUID) -> str:
    return global_id("StaffMember", id)


async def refusal(client: Client, user_name: str) -> list[str]:
    answer = await client.ask(SIGN_IN, input={"userName": user_name, "password": PASSWORD})
    return [each["code"] for each in answer["signIn"]["errors"]]


async def staff(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.ask(STAFF))["supplier"]["staffMembers"]
    return found


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.staff_member("olga", role=StaffRole.OWNER)
    return portal


@pytest.fixture
async def sister(world: World, portal: Portal) -> Portal:
    return await world.portal(supplier=portal.slug)


@pytest.fixture
async def olga(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("olga")


async def test_an_outsider_changes_no_staff(portal: Portal, olga: Client, at: At) -> None:
    mona = member(await portal.staff_member("mona"))
    assert await refused(at(portal), "Provision", **person("zoe")) == [("UNAUTHENTICATED", [])]
    for what in ("Update", "Deactivate", "ResetAccess"):
        assert await refused(at(portal), what, staffMember=mona) == [("UNAUTHENTICATED", [])]


@pytest.mark.parametrize(
    "role", [None, *(each for each in StaffRole if each is not StaffRole.OWNER)], ids=str
)
async def test_customers_and_lesser_staff_change_no_staff_not_even_themselves(
    portal: Portal, olga: Client, at: At, role: StaffRole | None
) -> None:
    zoe_id = await (portal.staff_member("zoe", role=role) if role else portal.account("zoe"))
    zoe, before = await at(portal).sign_in("zoe"), await staff(olga)
    assert await refused(zoe, "Provision", **person("friend")) == [("MISSING_PERMISSION", [])]
    assert await refused(zoe, "Update", staffMember=member(zoe_id), roles=[{"role": "OWNER"}]) == [
        ("MISSING_PERMISSION", [])
    ]
    for what in ("Deactivate", "ResetAccess"):
        assert await refused(zoe, what, staffMember=before[0]["id"]) == [("MISSING_PERMISSION", [])]
    assert await staff(olga) == before


async def test_another_suppliers_people_and_portals_are_not_there(
    world: World, portal: Portal, olga: Client, at: At
) -> None:
    other = await world.portal()
    nora_id = await other.staff_member("nora", role=StaffRole.OWNER)
    nora = await at(other).sign_in("nora")
    before = await staff(olga), await staff(nora)
    account = await portal.account("bea")
    for wrong in (member(nora_id), member(uuid.uuid7()), member(account), global_id("Account", account), "x"):
        for what in ("Update", "Deactivate", "ResetAccess"):
            assert await refused(olga, what, staffMember=wrong) == [("NOT_FOUND", ["staffMember"])]
    roles = [EVERYWHERE, at_portal(other)]
    not_there = [("NOT_FOUND", ["roles", "1", "portal"])]
    assert await refused(olga, "Provision", **person("zoe", *roles)) == not_there
    assert await refused(olga, "Update", staffMember=before[0][0]["id"], roles=roles) == not_there
    assert (await staff(olga), await staff(nora)) == before
    still = (await nora.ask(WHO))["viewer"]
    owner = STAFF_ROLES[StaffRole.OWNER] | STAFF_ROLES_EVERYWHERE[StaffRole.OWNER]
    assert set(still["permissions"]) == {each.name for each in owner}


async def test_with_a_password_somebody_comes_in_at_once_where_the_roles_are(
    portal: Portal, sister: Portal, olga: Client, at: At
) -> None:
    new = person("Zoë", at_portal(sister, "AGENT"), at_portal(sister, "AGENT"), password=PASSWORD)
    answer = await done(olga, "Provision", **new)
    assert answer["activationCode"] is None
    assert answer["staffMember"] == {
        "id": answer["staffMember"]["id"],
        "userName": "zoë",
        "name": "Zoë",
        "email": "Zoë@staff.example",
        "active": True,
        "activated": True,
        "version": 1,
        "roles": [{"role": "AGENT", "everywhere": False, "portal": {"slug": sister.slug}}],
    }
    assert answer["staffMember"] in await staff(olga)
    zoe = await at(sister).sign_in("zoë")
    assert "ACCOUNTS_READ" in (await zoe.ask(WHO))["viewer"]["permissions"]
    assert await refusal(at(portal), "zoë") == ["SIGN_IN_REFUSED"]


async def test_without_a_password_a_code_opens_the_door_once(portal: Portal, olga: Client, at: At) -> None:
    answer = await done(olga, "Provision", **person("zoe"))
    assert answer["staffMember"]["activated"] is False
    assert await refusal(at(portal), "zoe") == ["SIGN_IN_REFUSED"]
    given = {"userName": "zoe", "code": answer["activationCode"].lower(), "password": PASSWORD}
    activated = (await at(portal).ask(ACTIVATE, input=given))["accountActivate"]
    assert activated == {"viewer": {"staffMember": {"userName": "zoe", "activated": True}}, "errors": []}
    again = (await at(portal).ask(ACTIVATE, input=given))["accountActivate"]
    assert again == {"viewer": None, "errors": [{"code": "ACTIVATION_CODE_USED"}]}
    await at(portal).sign_in("zoe")


async def test_a_user_name_is_one_persons_at_all_companies_of_a_supplier(
    world: World, portal: Portal, sister: Portal, olga: Client
) -> None:
    other = await world.portal()
    await portal.account("bea")
    await sister.account("sally")
    await other.account("zoe")
    await portal.staff_member("mona", here_only=True)
    for taken in ("bea", "SALLY", "Mona", " olga "):
        assert await refused(olga, "Provision", **person(taken)) == [("USER_NAME_TAKEN", ["userName"])]
    await done(olga, "Provision", **person("zoe"))


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"userName": " "}, "USER_NAME_INVALID", ["userName"]),
        ({"userName": "x" * 201}, "USER_NAME_INVALID", ["userName"]),
        ({"name": ""}, "TEXT_MISSING", ["name"]),
        ({"email": "nobody"}, "INVALID_EMAIL", ["email"]),
        ({"password": "1234567"}, "PASSWORD_LENGTH_INVALID", ["password"]),
        ({"password": "password1"}, "PASSWORD_TOO_COMMON", ["password"]),
        ({"roles": []}, "ROLES_MISSING", ["roles"]),
        ({"roles": [EVERYWHERE] * (MOST_ROLES + 1)}, "LIST_TOO_LONG", ["roles"]),
        ({"roles": [{"role": "AGENT", "portal": "x"}]}, "NOT_FOUND", ["roles", "0", "portal"]),
    ],
)
async def test_what_makes_no_staff_member_is_refused_with_its_path(
    portal: Portal, olga: Client, given: dict[str, Any], code: str, path: list[str]
) -> None:
    mona = member(await portal.staff_member("mona"))
    before = await staff(olga)
    assert await refused(olga, "Provision", **person("zoe") | given) == [(code, path)]
    if not {"userName", "password"} & given.keys():
        assert await refused(olga, "Update", staffMember=mona, **given) == [(code, path)]
    assert await staff(olga) == before


async def test_new_roles_count_at_once_at_every_company(
    portal: Portal, sister: Portal, olga: Client, at: At
) -> None:
    mona_id = await portal.staff_member("mona")
    here, there = [await at(each).sign_in("mona") for each in (portal, sister)]
    roles = [at_portal(portal, "ACCOUNTANT")]
    changed = await done(olga, "Update", staffMember=member(mona_id), roles=roles, version=1)
    assert changed["staffMember"]["roles"] == [
        {"role": "ACCOUNTANT", "everywhere": False, "portal": {"slug": portal.slug}}
    ]
    assert "ACCOUNTS_WRITE" not in (await here.ask(WHO))["viewer"]["permissions"]
    assert await there.ask(WHO) == {"viewer": None}
    everywhere = await done(olga, "Update", staffMember=member(mona_id), roles=[EVERYWHERE], name="Mona M.")
    assert everywhere["staffMember"]["roles"] == [{"role": "MANAGER", "everywhere": True, "portal": None}]
    assert everywhere["staffMember"]["name"] == "Mona M."
    assert (await there.ask(WHO))["viewer"]["staffMember"] == {"userName": "mona"}


@pytest.mark.parametrize("what", ["Deactivate", "ResetAccess"])
async def test_whose_access_was_taken_is_refused_at_once_at_every_portal(
    portal: Portal, sister: Portal, olga: Client, at: At, what: str
) -> None:
    mona_id = await portal.staff_member("mona")
    sessions = [await at(each).sign_in("mona") for each in (portal, sister)]
    answer = await done(olga, what, staffMember=member(mona_id))
    active = what == "ResetAccess"
    assert (answer["staffMember"]["active"], answer["staffMember"]["activated"]) == (active, not active)
    for client in sessions:
        assert await client.ask(WHO) == {"viewer": None}
        assert (await client.refusal(STAFF))["extensions"]["code"] == "UNAUTHENTICATED"
        assert await refusal(client, "mona") == ["SIGN_IN_REFUSED"]


async def test_who_was_deactivated_comes_back_with_a_new_code_and_no_old_session(
    portal: Portal, sister: Portal, olga: Client, at: At
) -> None:
    mona_id = await portal.staff_member("mona")
    old = await at(sister).sign_in("mona")
    await done(olga, "Deactivate", staffMember=member(mona_id))
    code = (await done(olga, "ResetAccess", staffMember=member(mona_id)))["activationCode"]
    given = {"userName": "mona", "code": code, "password": "another quiet harbour"}
    assert (await at(portal).ask(ACTIVATE, input=given))["accountActivate"]["errors"] == []
    assert await refusal(at(portal), "mona") == ["SIGN_IN_REFUSED"]  # the old password
    await at(sister).sign_in("mona", "another quiet harbour")
    assert await old.ask(WHO) == {"viewer": None}


async def test_a_staff_member_that_changed_since_it_was_read_is_a_conflict(
    portal: Portal, olga: Client
) -> None:
    mona = member(await portal.staff_member("mona"))
    await done(olga, "Update", staffMember=mona, email="new@staff.example", version=1)
    for what in ("Update", "Deactivate", "ResetAccess"):
        answer = await change(olga, what, staffMember=mona, version=1)
        assert [(each["code"], each["path"], each["current"]) for each in answer["errors"]] == [
            ("VERSION_CONFLICT", ["version"], 2)
        ]


async def test_the_same_key_does_it_once_and_tells_the_code_once(olga: Client) -> None:
    first = await done(olga, "Provision", **person("zoe"), idempotencyKey="zoe")
    second = await done(olga, "Provision", **person("zoe"), idempotencyKey="zoe")
    assert first["activationCode"]
    assert second == first | {"activationCode": None}
    key = {"staffMember": first["staffMember"]["id"], "idempotencyKey": "reset"}
    codes = [(await done(olga, "ResetAccess", **key))["activationCode"] for _ in range(2)]
    assert codes[0]
    assert codes[1] is None


async def test_the_audit_tells_who_gave_which_roles_and_no_secret(portal: Portal, olga: Client) -> None:
    answer = await done(olga, "Provision", **person("zoe"))
    zoe = answer["staffMember"]["id"]
    await done(olga, "Update", staffMember=zoe, roles=[at_portal(portal, "AGENT")])
    reset = await done(olga, "ResetAccess", staffMember=zoe)
    await done(olga, "Deactivate", staffMember=zoe)
    log = await olga.ask(
        """query($id: ID!) { auditLog(filter: {node: $id}) { nodes {
        action staffMember { userName } node { ... on StaffMember { userName } } changes { field before after } } } }""",
        id=zoe,
    )
    entries = log["auditLog"]["nodes"]
    assert [each["action"].removeprefix("staffMember") for each in entries] == [
        "Deactivate",
        "ResetAccess",
        "Update",
        "Provision",
    ]
    assert {each["staffMember"]["userName"] for each in entries} == {"olga"}
    assert {each["node"]["userName"] for each in entries} == {"zoe"}
    assert {
        "field": "roles",
        "before": '[{"role":"MANAGER","portal":null}]',
        "after": f'[{{"role":"AGENT","portal":"{portal.tenant_id}"}}]',
    } in entries[2]["changes"]
    for code in (answer["activationCode"], reset["activationCode"]):
        assert code not in str(entries)
