"""Faults of ours: what is masked and noted, what is 503, and what the health checks say."""

import asyncio
import io
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
import structlog
from structlog.testing import capture_logs

import db
from db.connections import Connection, Database
from db.failures import Contended, TooSlow, Unavailable, Unstorable
from db.isolation import Mode
from server import logs as logs_of_the_server
from server.app import create
from server.settings import Settings
from tests.client import Client
from tests.conftest import At
from tests.world import PASSWORD, Portal, World

SECRET = "select secret from accounts where name = 'Grace'"
PRODUCTS = "{ products { nodes { sku } } }"
PRODUCT = '{ portal { slug } product(sku: "A") { sku } }'


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.account("bea")
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


def raising(error: BaseException) -> Callable[..., Any]:
    async def read(*_given: Any, **_named: Any) -> Any:
        raise error

    return read


async def test_an_internal_error_is_masked_and_noted(bea: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db.products, "page", raising(RuntimeError(SECRET)))
    bea.headers["x-request-id"] = "this-one"
    with capture_logs() as logs:
        response = await bea.post(PRODUCTS)
    assert response.status_code == 500
    assert response.json()["errors"] == [
        {
            "message": "Something went wrong here; it was noted.",
            "locations": [{"line": 1, "column": 3}],
            "path": ["products"],
            "extensions": {"code": "INTERNAL_SERVER_ERROR"},
        }
    ]
    assert response.headers["x-request-id"] == "this-one"
    fault, operation = logs
    assert (fault["log_level"], fault["request_id"], str(fault["exc_info"])) == ("error", "this-one", SECRET)
    assert (operation["request_id"], operation["status"]) == ("this-one", 500)
    assert operation["codes"] == ["INTERNAL_SERVER_ERROR"]


async def test_an_error_beside_what_could_be_answered_is_masked_too(
    bea: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.products, "by_skus", raising(RuntimeError(SECRET)))
    response = await bea.post(PRODUCT)
    assert response.status_code == 200
    assert response.json()["data"] == {"portal": {"slug": bea.slug}, "product": None}
    assert response.json()["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "secret" not in response.text


async def test_an_error_in_a_mutation_is_masked_and_nothing_is_kept(
    bea: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.sessions, "remove", raising(RuntimeError(SECRET)))
    response = await bea.post("mutation { signOut { errors { code } } }")
    assert response.status_code == 500
    assert "secret" not in response.text
    assert "set-cookie" not in response.headers
    assert (await bea.ask("{ viewer { account { userName } } }"))["viewer"] is not None


@pytest.mark.parametrize("recognized", [RuntimeError(SECRET), KeyError(SECRET), AssertionError(SECRET)])
async def test_an_error_before_the_first_field_is_masked(
    bea: Client, monkeypatch: pytest.MonkeyPatch, recognized: Exception
) -> None:
    monkeypatch.setattr(db.sessions, "by_token", raising(recognized))
    response = await bea.post(PRODUCTS)
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (
        500,
        "INTERNAL_SERVER_ERROR",
    )
    assert "secret" not in response.text


async def test_an_error_while_the_portal_is_looked_up_is_masked(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.entrances, "by_slug", raising(RuntimeError(SECRET)))
    for method in ("GET", "POST", "PUT"):
        response = await http.request(method, "/portals/not-seen-yet/graphql", headers={"accept": "*/*"})
        assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (
            500,
            "INTERNAL_SERVER_ERROR",
        )
        assert "secret" not in response.text


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Unavailable(SECRET), 503, "SERVICE_UNAVAILABLE"),
        (TooSlow(SECRET), 503, "DEADLINE_EXCEEDED"),
        (TimeoutError(SECRET), 503, "DEADLINE_EXCEEDED"),
        (Contended(SECRET), 503, "CONTENTION"),
        (Unstorable(SECRET), 200, "BAD_USER_INPUT"),
    ],
)
async def test_what_the_database_cannot_do_has_a_code_of_its_own(
    bea: Client, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    monkeypatch.setattr(db.products, "page", raising(error))
    response = await bea.post(PRODUCTS)
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (status, code)
    assert response.headers.get("retry-after") == ("1" if status == 503 else None)
    assert "secret" not in response.text


@pytest.mark.parametrize("form", ["console", "json"])
async def test_no_password_or_token_is_in_the_log_even_of_a_fault(
    portal: Portal, at: At, settings: Settings, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    before, handlers = structlog.get_config(), logging.getLogger().handlers[:]
    logs_of_the_server.configure(settings.model_copy(update={"log_format": form}))
    structlog.configure(cache_logger_on_first_use=False)
    monkeypatch.setattr(db.sessions, "add", raising(RuntimeError("it broke")))
    try:
        response = await at(portal).post(
            'mutation($p: String!) { signIn(input: {userName: "bea", password: $p}) { token } }',
            {"p": PASSWORD},
        )
        await at(portal).post(
            f'mutation {{ signIn(input: {{userName: "bea", password: "{PASSWORD}"}}) {{ token }} }}'
        )
    finally:
        structlog.configure(**before)
        logging.getLogger().handlers[:] = handlers
    assert response.status_code == 500
    assert "it broke" in written.getvalue()
    assert PASSWORD not in written.getvalue()
    assert PASSWORD.split()[2] not in written.getvalue()


@asynccontextmanager
async def app_on(
    database: Database, world: World, settings: Settings, **changed: Any
) -> AsyncIterator[httpx.AsyncClient]:
    app = create(settings.model_copy(update=changed), database, world.passwords)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://kontor.test") as client:
        yield client


DEAD = [
    "postgresql+asyncpg://app_rw@/kontor?host=/nowhere",
    "postgresql+asyncpg://app_rw@127.0.0.1:1/kontor",
    "postgresql+asyncpg://app_rw@nowhere.invalid/kontor",
]


@pytest.mark.parametrize("url", DEAD)
async def test_without_the_database_every_answer_is_503(
    world: World, settings: Settings, portal: Portal, url: str
) -> None:
    database = await Database.open(url, wait_seconds=0.5)
    async with app_on(database, world, settings) as http:
        for accept in ("application/graphql-response+json", "application/json", "text/html"):
            response = await http.get(
                f"/portals/{portal.slug}/graphql", params={"query": PRODUCTS}, headers={"accept": accept}
            )
            assert response.status_code == 503
            assert response.json()["errors"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"
            assert response.headers["retry-after"] == "1"
            assert response.headers["cache-control"] == "no-store"
            assert "nowhere" not in response.text
        assert (await http.get("/healthz")).status_code == 200
        response = await http.get("/readyz")
        assert (response.status_code, response.json()) == (
            503,
            {"status": "unavailable", "reason": "database"},
        )
    await database.close()


async def test_a_portal_that_is_known_is_503_too_when_the_database_goes_away(
    world: World, settings: Settings, portal: Portal, database_url: str
) -> None:
    database = await Database.open(database_url, size=1, wait_seconds=0.05)
    async with app_on(database, world, settings) as http:
        url = f"/portals/{portal.slug}/graphql"
        assert (await http.post(url, json={"query": "{ portal { slug } }"})).status_code == 200
        async with database.connect(None):  # the only connection there is
            response = await http.post(url, json={"query": "{ portal { slug } }"})
            assert (response.status_code, response.headers["retry-after"]) == (503, "1")
            assert "data" not in response.json()
            mutation = await http.post(url, json={"query": "mutation { signOut { errors { code } } }"})
            assert mutation.status_code == 503
            assert (await http.get("/readyz")).status_code == 503
        assert (await http.post(url, json={"query": "{ portal { slug } }"})).status_code == 200
    await database.close()


async def test_a_request_over_its_deadline_is_ended(
    world: World, settings: Settings, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(*_given: Any) -> Any:
        await asyncio.sleep(30)

    monkeypatch.setattr(db.sessions, "by_token", slow)
    async with app_on(world.database, world, settings, request_deadline_seconds=0.05) as http:
        started = time.monotonic()
        response = await http.post(f"/portals/{portal.slug}/graphql", json={"query": PRODUCTS})
        assert time.monotonic() - started < 15
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (
        503,
        "DEADLINE_EXCEEDED",
    )


async def test_the_process_says_that_it_lives_and_that_it_is_ready(http: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/readyz"):
        response = await http.get(path)
        assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def set_revision(world: World, revision: str) -> str:
    async with world.registry.transaction(Mode.WRITE, UUID(int=0)) as connection:
        [before] = await connection.fetch_text("select version_num from alembic_version")
        await connection.fetch_text("update alembic_version set version_num = $1", revision)
    found: str = before[0]
    return found


async def test_a_database_at_an_older_migration_is_not_ready(world: World, http: httpx.AsyncClient) -> None:
    before = await set_revision(world, "2026_11_24_first_tables")
    try:
        response = await http.get("/readyz")
    finally:
        await set_revision(world, before)
    assert (response.status_code, response.json()) == (
        503,
        {"status": "unavailable", "reason": "migration"},
    )
    assert (await http.get("/readyz")).status_code == 200


async def test_what_an_older_database_lacks_is_503(
    bea: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for sql, missing in {
        "select 1 from of_tomorrow": "of_tomorrow",
        "select tomorrow from products": "tomorrow",
    }.items():

        async def page(connection: Connection, *_: object, sql: str = sql, **__: object) -> None:
            await connection.fetch_text(sql)

        monkeypatch.setattr(db.products, "page", page)
        response = await bea.post(PRODUCTS)
        error = response.json()["errors"][0]
        assert (response.status_code, error["extensions"]["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert missing not in response.text


async def test_a_database_that_a_later_release_has_migrated_is_ready(
    world: World, http: httpx.AsyncClient
) -> None:
    """Its servers come one after the other, and these go on until they are replaced."""
    before = await set_revision(world, "of a later release")
    try:
        response = await http.get("/readyz")
    finally:
        await set_revision(world, before)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_a_full_disk_is_503(bea: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    full = asyncpg.DiskFullError(f"could not extend file: No space left on device; {SECRET}")
    monkeypatch.setattr(asyncpg.Connection, "fetch", raising(full))
    response = await bea.post(PRODUCTS)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.json()["errors"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"
    assert "secret" not in response.text


async def test_a_database_that_was_never_prepared_is_not_ready(
    world: World, settings: Settings, admin_url: str, database_url: str
) -> None:
    for url in (database_url.replace("kontor_test_", "missing_"), admin_url):
        database = await Database.open(url, wait_seconds=1)
        async with app_on(database, world, settings) as http:
            response = await http.get("/readyz")
            assert (response.status_code, response.json()["status"]) == (503, "unavailable")
        await database.close()
