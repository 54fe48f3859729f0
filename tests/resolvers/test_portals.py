"""The portal: what it tells everybody, and what its staff may change."""

import asyncio
from typing import Any

import pytest

from rules.permissions import StaffRole
from tests.client import Client
from tests.conftest import At
from tests.world import PASSWORD, Portal, World

PORTAL = "id slug name legalName currency locale supportEmail open stockPolicy version"
READ = f"{{ portal {{ {PORTAL} }} }}"
UPDATE = f"""mutation($input: PortalUpdateInput!) {{ portalUpdate(input: $input) {{ portal {{ {PORTAL} }}
  errors {{ code path message ... on VersionConflictError {{ current }} }} }} }}"""
SIGN_IN = "mutation($input: SignInInput!) { signIn(input: $input) { token errors { code } } }"


async def update(client: Client, **given: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.ask(UPDATE, input=given))["portalUpdate"]
    return answer


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal(supplier="of test_portals")
    await portal.account("bea")
    await portal.staff_member(f"stan-{portal.slug}", here_only=True)
    return portal


@pytest.fixture
async def stan(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in(f"stan-{portal.slug}")


async def test_an_outsider_reads_the_portal_and_changes_nothing(portal: Portal, at: At) -> None:
    assert (await at(portal).ask(READ))["portal"]["slug"] == portal.slug
    assert [each["code"] for each in (await update(at(portal), open=False))["errors"]] == ["UNAUTHENTICATED"]


@pytest.mark.parametrize("role", [StaffRole.AGENT, StaffRole.ACCOUNTANT])
async def test_customers_and_lesser_staff_may_not_change_it(portal: Portal, at: At, role: StaffRole) -> None:
    await portal.staff_member(f"agnes-{portal.slug}", role=role)
    for name in ("bea", f"agnes-{portal.slug}"):
        somebody = await at(portal).sign_in(name)
        assert [each["code"] for each in (await update(somebody, open=False))["errors"]] == [
            "MISSING_PERMISSION"
        ]
    assert (await at(portal).ask(READ))["portal"]["open"] is True


async def test_the_staff_of_one_company_cannot_change_another(
    world: World, portal: Portal, stan: Client, at: At
) -> None:
    sister = await world.portal(supplier="of test_portals")
    elsewhere = Client(stan.http, sister.slug, stan.token)
    assert [each["code"] for each in (await update(elsewhere, open=False))["errors"]] == ["UNAUTHENTICATED"]
    await update(stan, open=False)
    assert (await at(sister).ask(READ))["portal"]["open"] is True


async def test_a_portal_switched_off_refuses_its_customers_at_once_and_not_its_staff(
    portal: Portal, stan: Client, at: At
) -> None:
    bea = await at(portal).sign_in("bea")
    assert (await update(stan, open=False))["errors"] == []
    assert (await bea.ask("{ viewer { permissions } }")) == {"viewer": None}
    refused = await at(portal).ask(SIGN_IN, input={"userName": "bea", "password": PASSWORD})
    assert refused["signIn"] == {"token": None, "errors": [{"code": "PORTAL_CLOSED"}]}
    assert (await update(stan, open=True))["portal"]["open"] is True
    assert (await bea.ask("{ viewer { account { userName } } }"))["viewer"]["account"]["userName"] == "bea"


async def test_what_is_given_changes_and_the_rest_stays(portal: Portal, stan: Client, at: At) -> None:
    before = (await stan.ask(READ))["portal"]
    changed = await update(
        stan,
        name="Neuer Name",
        legalName="Neuer Name GmbH",
        language="GERMAN",
        supportEmail="hilfe@neu.example",
        stockPolicy="ALLOW_BACKORDER",
    )
    assert changed["errors"] == []
    assert changed["portal"] == before | {
        "name": "Neuer Name",
        "legalName": "Neuer Name GmbH",
        "locale": "de",
        "supportEmail": "hilfe@neu.example",
        "stockPolicy": "ALLOW_BACKORDER",
        "version": 2,
    }
    assert (await at(portal).ask(READ))["portal"] == changed["portal"]
    node = await stan.ask("query($id: ID!) { node(id: $id) { ... on Portal { name } } }", id=before["id"])
    assert node == {"node": {"name": "Neuer Name"}}


async def test_a_portal_that_changed_since_it_was_read_is_a_conflict(stan: Client) -> None:
    await update(stan, name="One", version=1)
    answer = await update(stan, name="Two", version=1)
    assert answer["portal"] is None
    assert [(each["code"], each["path"], each["current"]) for each in answer["errors"]] == [
        ("VERSION_CONFLICT", ["version"], 2)
    ]


async def test_who_waited_for_another_change_is_told_the_version_that_it_made(
    portal: Portal, stan: Client
) -> None:
    async with portal.writing() as connection:
        await connection.fetch_text(
            "update portals set version = version + 1 where tenant_id = $1", portal.tenant_id
        )
        updating = asyncio.create_task(update(stan, name="Two", version=1))
        await asyncio.sleep(0.2)
        assert not updating.done()
    assert [each["current"] for each in (await updating)["errors"]] == [2]


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"name": " "}, "TEXT_MISSING", ["name"]),
        ({"legalName": "x" * 201}, "TEXT_TOO_LONG", ["legalName"]),
        ({"supportEmail": "nobody"}, "INVALID_EMAIL", ["supportEmail"]),
    ],
)
async def test_what_makes_no_sense_is_refused_with_its_path(
    stan: Client, given: dict[str, str], code: str, path: list[str]
) -> None:
    answer = await update(stan, **given)
    assert [(each["code"], each["path"]) for each in answer["errors"]] == [(code, path)]


async def test_the_same_key_changes_once(stan: Client) -> None:
    for _ in range(2):
        assert (await update(stan, open=False, idempotencyKey="off"))["portal"]["version"] == 2
