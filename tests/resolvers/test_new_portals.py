"""New portals: who may found one, what is refused, and that it is ready as soon as it is saved."""

import itertools
from typing import Any

import pytest

import db
from db.categories import categories
from db.prices import price_lists
from db.warehouses import warehouses
from resolvers.nodes import global_id, key_of
from rules.permissions import BuiltInProfile, StaffRole
from rules.portals import MOST_HOSTS
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_carts import add
from tests.resolvers.test_orders import place
from tests.world import Portal, World, put

PORTAL = "id slug name legalName currency locale supportEmail open stockPolicy restrictionKinds hosts version"
CREATE = f"""mutation($input: PortalCreateInput!) {{ portalCreate(input: $input) {{
  portal {{ {PORTAL} waiting {{ newOrders contactChanges }} }} errors {{ code path message }} }} }}"""
LOG = """{ auditLog { nodes { action staffMember { userName } node { id } nodeId requestId
  changes { field after } } } }"""
SLUGS = "{ supplier { portals { slug } } }"
_numbers = itertools.count(1)


def wanted(**more: Any) -> dict[str, Any]:
    """What portalCreate takes, with a slug and a host that nobody has."""
    slug = f"founded-{next(_numbers)}"
    company = {"slug": slug, "name": "Neue Firma", "currency": "EUR", "language": "GERMAN"}
    return company | {"supportEmail": "hilfe@neu.example", "hosts": [f"{slug}.example"]} | more


async def create(client: Client, **given: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.ask(CREATE, input=given))["portalCreate"]
    return answer


async def refused(client: Client, **given: Any) -> list[tuple[str, list[str]]]:
    answer = await create(client, **given)
    assert answer["portal"] is None
    return [(each["code"], each["path"]) for each in answer["errors"]]


async def slugs(client: Client) -> list[str]:
    return sorted(each["slug"] for each in (await client.ask(SLUGS))["supplier"]["portals"])


async def furnished(home: Portal, slug: str, id: str) -> Portal:
    """A portal that was founded, with a price list, a category and a warehouse."""
    tenant_id = key_of(id, "Portal")
    assert tenant_id is not None
    async with home.world.database.transaction(db.isolation.Mode.WRITE, tenant_id) as connection:
        price_list = await put(connection, price_lists, code="w", name="Wholesale", tax_included=False)
        await connection.fetch_text(
            "update portals set price_list_id = $1 where tenant_id = $2", price_list, tenant_id
        )
        category = await put(connection, categories, code="all", name="Alles")
        warehouse = await put(connection, warehouses, code="W1", name="Lager")
    return Portal(
        home.world, tenant_id, home.supplier_id, slug, "EUR", price_list, category, {"W1": warehouse}
    )


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.staff_member("olga", role=StaffRole.OWNER)
    return portal


@pytest.fixture
async def olga(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("olga")


async def test_an_outsider_founds_nothing(portal: Portal, olga: Client, at: At) -> None:
    assert await refused(at(portal), **wanted()) == [("UNAUTHENTICATED", [])]
    assert await slugs(olga) == [portal.slug]


@pytest.mark.parametrize(
    ("role", "here_only"),
    [
        (None, True),
        (StaffRole.OWNER, True),
        (StaffRole.MANAGER, False),
        (StaffRole.AGENT, False),
        (StaffRole.ACCOUNTANT, False),
    ],
)
async def test_only_an_owner_of_all_companies_founds_one(
    portal: Portal, olga: Client, at: At, role: StaffRole | None, here_only: bool
) -> None:
    if role is None:
        await portal.account("zoe")
    else:
        await portal.staff_member("zoe", role=role, here_only=here_only)
    assert await refused(await at(portal).sign_in("zoe"), **wanted()) == [("MISSING_PERMISSION", [])]
    assert await slugs(olga) == [portal.slug]


async def test_it_says_what_was_given_and_is_open_at_once(portal: Portal, olga: Client) -> None:
    given = wanted(legalName="Neue Firma GmbH", stockPolicy="ALLOW_BACKORDER")
    made = (await create(olga, **given))["portal"]
    assert made == {
        "id": made["id"],
        "slug": given["slug"],
        "name": "Neue Firma",
        "legalName": "Neue Firma GmbH",
        "currency": "EUR",
        "locale": "de",
        "supportEmail": "hilfe@neu.example",
        "open": True,
        "stockPolicy": "ALLOW_BACKORDER",
        "restrictionKinds": [],
        "hosts": given["hosts"],
        "version": 1,
        "waiting": {"newOrders": 0, "contactChanges": 0},
    }
    query = {"query": f"{{ portal {{ {PORTAL} }} }}"}
    answer = await olga.http.post(f"http://{given['hosts'][0]}/graphql", json=query)
    assert answer.json()["data"]["portal"] == {name: made[name] for name in PORTAL.split()}
    assert await slugs(olga) == sorted([portal.slug, given["slug"]])


async def test_what_is_left_out_has_a_sensible_value(olga: Client) -> None:
    given = wanted()
    del given["hosts"]
    made = (await create(olga, **given))["portal"]
    assert (made["legalName"], made["stockPolicy"], made["hosts"]) == ("Neue Firma", "REQUIRE_STOCK", [])


async def test_the_suppliers_people_come_in_where_their_roles_let_them(
    world: World, portal: Portal, olga: Client, at: At
) -> None:
    await portal.staff_member("mona")
    await portal.staff_member("hanna", here_only=True)
    await (await world.portal()).staff_member("nora")
    given = wanted()
    await create(olga, **given)
    new = Client(olga.http, given["slug"])
    for user_name in ("olga", "mona"):
        await new.sign_in(user_name)
    for user_name in ("hanna", "nora"):
        with pytest.raises(AssertionError, match="SIGN_IN_REFUSED"):
            await new.sign_in(user_name)


async def test_it_has_the_built_in_profiles_and_sells_once_it_has_a_catalogue(
    portal: Portal, olga: Client
) -> None:
    given = wanted()
    made = (await create(olga, **given))["portal"]
    there = await Client(olga.http, given["slug"]).sign_in("olga")
    profiles = (await there.ask("{ profiles { builtIn name } }"))["profiles"]
    assert {each["builtIn"] for each in profiles} == set(BuiltInProfile)
    assert "Einkauf" in {each["name"] for each in profiles}
    new = await furnished(portal, given["slug"], made["id"])
    await new.product("A", price="2.50")
    await new.account("bea")
    bea = await Client(olga.http, given["slug"]).sign_in("bea")
    await add(bea, {"sku": "A", "quantity": "3"})
    placed = await place(bea)
    assert placed["errors"] == []
    (order,) = placed["orders"]
    assert (order["number"], order["status"]["processingState"]) == ("SO-000001", "NOT_STARTED")
    assert order["totals"]["total"] == {"amount": "9.00", "currency": "EUR"}
    waiting = "{ supplier { portals { slug waiting { newOrders } } } orders { totalCount } }"
    found = await olga.ask(waiting)
    assert {each["slug"]: each["waiting"]["newOrders"] for each in found["supplier"]["portals"]} == {
        portal.slug: 0,
        given["slug"]: 1,
    }
    assert found["orders"] == {"totalCount": 0}


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"slug": "Not A Slug"}, "SLUG_INVALID", ["slug"]),
        ({"slug": "taken-by-other"}, "SLUG_TAKEN", ["slug"]),
        ({"name": " "}, "TEXT_MISSING", ["name"]),
        ({"legalName": "x" * 201}, "TEXT_TOO_LONG", ["legalName"]),
        ({"currency": "euro"}, "CURRENCY_INVALID", ["currency"]),
        ({"supportEmail": "nobody"}, "INVALID_EMAIL", ["supportEmail"]),
        ({"hosts": ["fine.example", "not fine"]}, "HOST_INVALID", ["hosts", "1"]),
        ({"hosts": ["fine.example", "TAKEN-BY-OTHER.example"]}, "HOST_TAKEN", ["hosts", "1"]),
        ({"hosts": ["x.example"] * (MOST_HOSTS + 1)}, "LIST_TOO_LONG", ["hosts"]),
    ],
)
async def test_what_makes_no_portal_is_refused_with_its_path_and_nothing_is_there(
    world: World, portal: Portal, olga: Client, given: dict[str, Any], code: str, path: list[str]
) -> None:
    other = await world.portal()
    given = _naming(given, other)
    async with other.writing() as connection:
        await db.portals.add_hosts(connection, [f"{other.slug}.example"])
    assert await refused(olga, **wanted(**given)) == [(code, path)]
    assert await slugs(olga) == [portal.slug]
    actions = [each["action"] for each in (await olga.ask(LOG))["auditLog"]["nodes"]]
    assert "portalCreate" not in actions
    async with other.writing() as connection:
        assert await db.entrances.by_host(connection, "fine.example") is None


def _naming(given: Any, other: Portal) -> Any:
    """The same with the slug of a portal that is there."""
    if isinstance(given, dict):
        return {name: _naming(value, other) for name, value in given.items()}
    if isinstance(given, list):
        return [_naming(each, other) for each in given]
    return given.replace("taken-by-other", other.slug).replace("TAKEN-BY-OTHER", other.slug.upper())


async def test_the_same_key_founds_one_company(portal: Portal, olga: Client) -> None:
    given = wanted(idempotencyKey="once")
    first, second = [await create(olga, **given) for _ in range(2)]
    assert first == second
    assert first["errors"] == []
    assert await refused(olga, **given | {"name": "Another"}) == [
        ("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"])
    ]
    assert await slugs(olga) == sorted([portal.slug, given["slug"]])


async def test_the_audit_of_both_portals_begins_with_who_founded_it(olga: Client) -> None:
    given = wanted()
    made = (await create(olga, **given))["portal"]
    there = await Client(olga.http, given["slug"]).sign_in("olga")
    entries = []
    for client in (olga, there):
        log = (await client.ask(LOG))["auditLog"]["nodes"]
        (entry,) = [each for each in log if each["action"] == "portalCreate"]
        assert (entry["staffMember"], entry["node"]) == ({"userName": "olga"}, {"id": made["id"]})
        assert entry["nodeId"] == made["id"]
        after = {each["field"]: each["after"] for each in entry["changes"]}
        assert (after["slug"], after["currency"]) == (f'"{given["slug"]}"', '"EUR"')
        assert after["hosts"] == f'["{given["slug"]}.example"]'
        entries.append(entry)
    assert entries[0]["requestId"] == entries[1]["requestId"] != ""
    assert [each["action"] for each in (await there.ask(LOG))["auditLog"]["nodes"]][-1] == "portalCreate"


async def test_the_founder_stays_at_the_portal_where_it_was_asked(portal: Portal, olga: Client) -> None:
    made = (await create(olga, **wanted()))["portal"]
    await portal.customer("C1")
    found = await olga.ask("{ portal { id } customers { nodes { code } } }")
    assert found == {
        "portal": {"id": global_id("Portal", portal.tenant_id)},
        "customers": {"nodes": [{"code": "C1"}]},
    }
    assert made["id"] != found["portal"]["id"]
