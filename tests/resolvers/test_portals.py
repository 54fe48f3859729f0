"""The portal: what it tells everybody, what its staff may change, and new portals of the same supplier."""

import asyncio
from typing import Any

import pytest

import db
from resolvers.nodes import global_id
from rules.permissions import StaffRole
from rules.portals import MOST_HOSTS
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from tests.client import Client
from tests.conftest import At
from tests.world import PASSWORD, Portal, World

PORTAL = "id slug name legalName currency locale supportEmail open stockPolicy restrictionKinds hosts version"
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


async def refused(client: Client, **given: Any) -> list[tuple[str, list[str]]]:
    answer = await update(client, **given)
    assert answer["portal"] is None
    return [(each["code"], each["path"]) for each in answer["errors"]]


async def test_everybody_reads_where_it_answers_and_what_is_in_force(portal: Portal, at: At) -> None:
    await portal.enforce(RestrictionKind.WAREHOUSE)
    found = (await at(portal).ask(READ))["portal"]
    assert (found["hosts"], found["restrictionKinds"]) == ([f"{portal.slug}.localhost"], ["WAREHOUSE"])


async def test_a_new_currency_is_the_companys_own_and_documents_keep_theirs(
    portal: Portal, stan: Client
) -> None:
    await portal.product("A")
    await portal.order("SO-1")
    assert (await update(stan, currency="CHF"))["portal"]["currency"] == "CHF"
    orders = await stan.ask("{ orders { nodes { totals { total { currency } } } } }")
    assert orders["orders"]["nodes"] == [{"totals": {"total": {"currency": "GBP"}}}]


async def test_the_kinds_in_force_are_kept_once_each_and_work_at_once(
    portal: Portal, stan: Client, at: At
) -> None:
    await portal.product("A")
    cleo_id = await portal.account("cleo", profile=None)
    await portal.group("Nothing at all", cleo_id, modes=Modes(product=RestrictionMode.DENY_EXCEPT))
    cleo, count = await at(portal).sign_in("cleo"), "{ products { totalCount } }"
    for kinds, kept, seen in (
        (["WAREHOUSE", "PRODUCT", "PRODUCT"], ["PRODUCT", "WAREHOUSE"], 0),
        ([each.value for each in RestrictionKind], [each.value for each in RestrictionKind], 0),
        (["PRODUCT_CATEGORY", "DOCUMENT_KIND"], ["PRODUCT_CATEGORY", "DOCUMENT_KIND"], 1),
        ([], [], 1),
    ):
        assert (await update(stan, restrictionKinds=kinds))["portal"]["restrictionKinds"] == kept
        assert await cleo.ask(count) == {"products": {"totalCount": seen}}


async def asked_at(client: Client, host: str) -> str | None:
    """The slug of the portal that answers at a host."""
    answer = await client.http.post(f"http://{host}/graphql", json={"query": "{ portal { slug } }"})
    data = answer.json().get("data")
    return str(data["portal"]["slug"]) if data else None


async def test_hosts_are_added_and_removed(portal: Portal, stan: Client) -> None:
    new = [f"shop.{portal.slug}.example", f"b2b.{portal.slug}.example"]
    changed = await update(stan, hosts=[new[0].upper(), new[1], f"{new[1]}."])
    assert changed["portal"]["hosts"] == sorted(new)
    assert [await asked_at(stan, host) for host in new] == [portal.slug] * 2
    assert await asked_at(stan, f"{portal.slug}.localhost") is None
    assert (await update(stan, name="Neu"))["portal"]["hosts"] == sorted(new)
    assert (await update(stan, hosts=[new[0]]))["portal"]["hosts"] == [new[0]]
    assert (await update(stan, hosts=[]))["portal"]["hosts"] == []


@pytest.mark.parametrize("sister", [True, False])
async def test_a_host_of_another_portal_is_taken_and_nothing_changes(
    world: World, portal: Portal, stan: Client, at: At, sister: bool
) -> None:
    other = await world.portal(supplier="of test_portals" if sister else None)
    async with other.writing() as connection:
        await db.portals.add_hosts(connection, [f"{other.slug}.example"])
    before = [(await at(each).ask(READ))["portal"] for each in (portal, other)]
    hosts = [f"new.{portal.slug}.example", f"{other.slug.upper()}.example"]
    assert await refused(stan, name="Neu", hosts=hosts) == [("HOST_TAKEN", ["hosts", "1"])]
    assert [(await at(each).ask(READ))["portal"] for each in (portal, other)] == before


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"currency": "pounds"}, "CURRENCY_INVALID", ["currency"]),
        ({"hosts": ["fine.example", "http://not.example"]}, "HOST_INVALID", ["hosts", "1"]),
        ({"hosts": ["192.0.2.1"]}, "HOST_INVALID", ["hosts", "0"]),
        ({"hosts": ["x.example"] * (MOST_HOSTS + 1)}, "LIST_TOO_LONG", ["hosts"]),
        ({"hosts": ["somebody-elses.localhost"]}, "HOST_RESERVED", ["hosts", "0"]),
        ({"hosts": ["localhost"]}, "HOST_RESERVED", ["hosts", "0"]),
    ],
)
async def test_what_is_no_currency_or_host_is_refused_and_nothing_changes(
    stan: Client, given: dict[str, Any], code: str, path: list[str]
) -> None:
    before = await stan.ask(READ)
    assert await refused(stan, name="Neu", **given) == [(code, path)]
    assert await stan.ask(READ) == before


async def test_the_audit_tells_what_changed_of_the_portal(portal: Portal, stan: Client) -> None:
    host = f"new.{portal.slug}.example"
    await update(stan, currency="EUR", hosts=[host], restrictionKinds=["PRODUCT"])
    await refused(stan, hosts=["-"])
    log = await stan.ask("{ auditLog { nodes { action node { id } changes { field before after } } } }")
    (entry,) = [each for each in log["auditLog"]["nodes"] if each["action"] == "portalUpdate"]
    assert entry["node"] == {"id": global_id("Portal", portal.tenant_id)}
    assert {each["field"]: (each["before"], each["after"]) for each in entry["changes"]} == {
        "currency": ('"GBP"', '"EUR"'),
        "hosts": (f'["{portal.slug}.localhost"]', f'["{host}"]'),
        "restriction_kinds": ("[]", '["PRODUCT"]'),
        "version": ("1", "2"),
    }
