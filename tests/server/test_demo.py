"""The demo: what `make demo` sets up, and that GraphiQL's sample operations work in it."""

import json
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from rich.console import Console

import db
from db.isolation import Mode
from server.demo import personas, portals
from server.demo.install import install
from server.importing import import_folder
from server.settings import ROOT, Settings
from tests.client import Client
from tests.conftest import At
from tests.world import World

SAMPLES = ROOT / "frontend" / "graphiql" / "samples"
SLUGS = [portal.slug for portal in portals.MADE_UP]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def told(world: World, settings: Settings) -> list[str]:
    """The demo, installed; what its installation said."""
    console = Console(quiet=True)
    said: list[str] = []

    async def load(folder: Path, slug: str) -> int:
        return await import_folder(settings, folder, slug, settings.home / "imports" / slug, console)

    await install(world.registry, world.database, load, base_domain="localhost", real=None, tell=said.append)
    return said


def at_demo(http: Any, slug: str) -> Client:
    return Client(http, slug)


async def as_persona(http: Any, slug: str, role: str) -> Client:
    person = next(each for each in personas.of_portal(slug) if each.role == role)
    return await at_demo(http, slug).sign_in(person.user_name, personas.PASSWORD)


async def variables_of(sample: Path) -> dict[str, Any]:
    beside = sample.with_suffix(".variables.json")
    return json.loads(beside.read_text()) if beside.exists() else {}


@pytest.mark.parametrize("slug", SLUGS)
async def test_an_outsider_sees_the_portal_and_nothing_else(told: list[str], http: Any, slug: str) -> None:
    outsider = at_demo(http, slug)
    assert (await outsider.ask("{ portal { slug open } viewer { customer { id } } }")) == {
        "portal": {"slug": slug, "open": True},
        "viewer": None,
    }
    assert (await outsider.refusal("{ orders { nodes { id } } }"))["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_persona_of_one_portal_is_nobody_at_another(told: list[str], http: Any) -> None:
    buyer = await as_persona(http, "harbour", "buyer")
    for slug in ("nord", "alpen"):
        elsewhere = Client(http, slug, buyer.token)
        assert await elsewhere.ask("{ viewer { permissions } }") == {"viewer": None}


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("role", ["buyer", "accountant", "staff"])
async def test_every_sample_runs_at_every_portal(told: list[str], http: Any, slug: str, role: str) -> None:
    client = await as_persona(http, slug, role)
    samples = sorted((SAMPLES / role).glob("*.graphql"))
    assert samples
    for sample in samples:
        if "\nsubscription " in sample.read_text():
            continue  # make browser tries it
        answer = await client.ask(sample.read_text(), **await variables_of(sample))
        for value in answer.values():
            assert value is not None, sample
            assert not (isinstance(value, dict) and value.get("errors")), (sample, value)


async def test_the_sample_cart_ships_from_two_warehouses(told: list[str], http: Any) -> None:
    oscar = await at_demo(http, "harbour").sign_in("oscar", personas.PASSWORD)
    fill, place = (SAMPLES / "buyer" / f"{name}.graphql" for name in ("02-fill-cart", "03-place-order"))
    await oscar.ask(fill.read_text(), **await variables_of(fill))
    placed = await oscar.ask(place.read_text(), **await variables_of(place))
    orders = placed["orderPlace"]["orders"]
    assert sorted(order["warehouse"]["code"] for order in orders) == ["LON", "MAN"]
    mine = await oscar.ask("{ orders(first: 2) { nodes { number } } }")
    assert {each["number"] for each in mine["orders"]["nodes"]} == {order["number"] for order in orders}


@pytest.mark.parametrize("slug", SLUGS)
async def test_every_processing_state_is_there_to_be_seen(told: list[str], http: Any, slug: str) -> None:
    staff = await as_persona(http, slug, "staff")
    for state in ("NOT_STARTED", "IN_PROGRESS", "COMPLETED", "CANCELLED"):
        found = await staff.ask(f"{{ orders(filter: {{processingStates: [{state}]}}) {{ totalCount }} }}")
        assert found["orders"]["totalCount"] > 0


async def test_installing_again_changes_nothing(told: list[str], world: World, settings: Settings) -> None:
    async def load(folder: Path, slug: str) -> int:
        raise AssertionError("nothing is imported twice")

    assert len(told) == len(SLUGS)
    await install(world.registry, world.database, load, base_domain="localhost", real=None, tell=told.append)
    assert len(told) == len(SLUGS)


async def test_the_demos_ledger_equals_its_documents(told: list[str], world: World, at: At) -> None:
    async with world.database.transaction(Mode.SNAPSHOT, None) as connection:
        tenant_id = await db.portals.tenant_by_slug(connection, "harbour")
    async with world.database.transaction(Mode.SNAPSHOT, tenant_id) as connection:
        documents = await connection.fetch_text(
            "select (select sum(total) from invoices) - (select sum(total) from credit_notes)"
            " - (select sum(amount) from payments)"
        )
        ledger = await connection.fetch_text("select sum(amount) from movements")
    assert documents[0][0] == ledger[0][0] != 0
