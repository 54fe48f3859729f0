"""Metrics: who may read them, what they count, and that they say nothing of any tenant."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
import uuid_utils.compat as uuid
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr, ValidationError

import db
from db.connections import Database
from db.jobs import Job
from execution import fallbacks
from execution.fallbacks import Reason
from execution.plans import Plans
from server import workers
from server.app import create
from server.settings import ROOT, Settings
from tests.client import Client
from tests.server.live import Serving, becomes, streaming
from tests.world import Portal, World

TOKEN = "known-to-nobody-but-the-one-who-scrapes"
PRODUCTION = {"environment": "production"}
Others = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def another(world: World, settings: Settings) -> Others:
    """`another(database, **settings)`: another application with other settings."""

    @asynccontextmanager
    async def made(database: Database | None = None, **changed: Any) -> AsyncIterator[httpx.AsyncClient]:
        app = create(settings.model_copy(update=changed), database or world.database, world.passwords)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://kontor.test"
        ) as client:
            yield client

    return made


async def figures(http: httpx.AsyncClient) -> dict[str, float]:
    """All samples, each by its name and the values of its labels: `kontor_operations_total query OK`."""
    response = await http.get("/metrics")
    assert response.status_code == 200, response.text
    return {
        " ".join(
            [sample.name, *(value for _, value in sorted(sample.labels.items(), reverse=True))]
        ): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_in_production_there_are_none_unless_they_are_switched_on(another: Others, method: str) -> None:
    async with another(**PRODUCTION) as http:
        asked, nothing = [await http.request(method, path) for path in ("/metrics", "/nothing")]
        assert asked.status_code == nothing.status_code == 404
        assert asked.content == nothing.content


async def test_nobody_reads_them_without_their_token(another: Others, bea: Client) -> None:
    for environment in ("production", "development"):
        async with another(environment=environment, metrics_token=SecretStr(TOKEN)) as http:
            for given in (
                None,
                "",
                f"Bearer {bea.token}",
                f"Basic {TOKEN}",
                f"Bearer {TOKEN}x",
                "Bearer \xe9",
            ):
                headers = {} if given is None else {b"authorization": given.encode("latin-1")}
                response = await http.get("/metrics", params={"token": TOKEN}, headers=headers)
                assert response.status_code == 401
                assert response.headers["www-authenticate"] == "Bearer"
                assert response.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


async def test_whoever_has_the_token_reads_them(another: Others) -> None:
    async with another(**PRODUCTION, metrics_token=SecretStr(TOKEN)) as http:
        response = await http.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/plain; version=")
        assert response.headers["cache-control"] == "no-store"
        assert "kontor_operations" in response.text


async def test_in_development_anybody_reads_them(http: httpx.AsyncClient) -> None:
    assert (await http.get("/metrics")).status_code == 200
    assert (await http.post("/metrics")).headers["allow"] == "GET"


def test_a_token_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(ValidationError, match="KONTOR_METRICS_TOKEN has at least 32 characters"):
        Settings(_env_file=None, metrics_token=SecretStr("scrape"))  # type: ignore[call-arg]


async def test_they_say_nothing_of_a_tenant_and_repeat_no_word_of_a_client(
    http: httpx.AsyncClient, portal: Portal, bea: Client
) -> None:
    await bea.post("query Strangely { viewer { permissions } }", operationName="Strangely")
    await bea.post("query Oddly { oddly }", operationName="Oddly")
    await bea.post("{ portal { slug } }", operationName="Curiously")
    await http.get(f"/portals/{portal.slug}/nothing")
    text = (await http.get("/metrics")).text
    for word in (portal.slug, str(portal.tenant_id), "bea", bea.token, "trangely", "ddly", "uriously"):
        assert str(word) not in text
    labels = {
        label
        for family in text_string_to_metric_families(text)
        if family.name.startswith("kontor_")
        for sample in family.samples
        for label in sample.labels
    }
    assert labels == {
        "type",
        "code",
        "le",
        "path",
        "reason",
        "state",
        "budget",
        "turn",
    }  # and job and outcome, once there are some


async def test_operations_are_counted_by_type_and_outcome_and_timed(
    another: Others, portal: Portal, bea: Client
) -> None:
    async with another() as http:
        here, outsider = Client(http, portal.slug, bea.token), Client(http, portal.slug)
        await here.ask("{ viewer { permissions } }")
        await here.ask("{ viewer { permissions } }")
        await here.ask(
            'mutation { cartAddItems(input: {items: [{sku: "A", quantity: "1"}]}) { errors { code } } }'
        )
        await outsider.post("{ orders { totalCount } }")
        await outsider.post("{ nothing }")
        await outsider.post("{")
        told = await figures(http)
    assert {name: value for name, value in told.items() if name.startswith("kontor_operations_total")} == {
        "kontor_operations_total query OK": 2,
        "kontor_operations_total mutation OK": 1,
        "kontor_operations_total query UNAUTHENTICATED": 1,
        "kontor_operations_total none GRAPHQL_VALIDATION_FAILED": 1,
        "kontor_operations_total none GRAPHQL_PARSE_FAILED": 1,
    }
    for kind, count in {"query": 3, "mutation": 1, "none": 2}.items():
        assert told[f"kontor_operation_seconds_count {kind}"] == count
        assert told[f"kontor_operation_seconds_bucket {kind} +Inf"] == count
        assert told[f"kontor_operation_seconds_sum {kind}"] > 0


async def test_each_application_has_its_own_figures(another: Others, portal: Portal) -> None:
    async with another() as one, another() as other:
        await Client(one, portal.slug).ask("{ portal { slug } }")
        assert (await figures(one))["kontor_operations_total query OK"] == 1
        assert "kontor_operations_total query OK" not in await figures(other)


async def test_requests_in_flight_and_connections_in_use_are_seen_while_they_are(
    another: Others, portal: Portal, database_url: str
) -> None:
    pool = await Database.open(database_url, size=2)
    held = "kontor_database_connections in_use", "kontor_database_connections free"
    async with another(pool) as http:
        client = Client(http, portal.slug)
        await client.ask("{ portal { slug } }")  # finds the portal, which is then remembered
        idle = await figures(http)
        async with pool.connect(None), pool.connect(None):
            waiting = asyncio.create_task(client.ask("{ portal { slug } }"))
            async with asyncio.timeout(1):
                while not (busy := await figures(http))["kontor_requests_in_flight"]:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        await waiting
        again = await figures(http)
    await pool.close()
    assert [idle["kontor_requests_in_flight"], *(idle[each] for each in held)] == [0, 0, 2]
    assert [busy["kontor_requests_in_flight"], *(busy[each] for each in held)] == [1, 2, 0]
    assert [again["kontor_requests_in_flight"], *(again[each] for each in held)] == [0, 0, 2]


async def test_what_is_watched_is_counted_while_it_is_and_when_it_ends(
    live: Serving, portal: Portal, bea: Client
) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{live.port}") as http:
        async with streaming(live, portal.slug, bea.token):
            await live.watched(1)
            told = await figures(http)
            assert told["kontor_live_connections"] == 1
            assert told["kontor_requests_in_flight"] == 0
        async with streaming(live, portal.slug, None) as stream:
            assert await stream.code() == "UNAUTHENTICATED"
        await becomes(lambda: not live.server.server_state.tasks)
        told = await figures(http)
    assert told["kontor_live_connections"] == 0
    assert told["kontor_operations_total subscription OK"] == 1
    assert told["kontor_operations_total subscription UNAUTHENTICATED"] == 1
    assert "kontor_operation_seconds_count subscription" not in told


async def test_every_reason_to_fall_back_is_there_and_counts(http: httpx.AsyncClient) -> None:
    before = await figures(http)
    fallbacks.fallbacks.update(Reason)
    fallbacks.fallbacks[Reason.INTROSPECTION] += 1
    fallbacks.compiled += 1
    after = await figures(http)
    grown = {name: after[name] - before[name] for name in after if name.startswith(("kontor_e", "kontor_f"))}
    assert grown == {
        "kontor_executions_total compiled": 1,
        "kontor_executions_total fallback": len(Reason) + 1,
        **{f"kontor_fallbacks_total {reason.value}": 1 for reason in Reason},
        "kontor_fallbacks_total introspection": 2,
    }


async def grown(another: Others, portal: Portal, *asked: str, **changed: Any) -> dict[str, float]:
    """What operations add to the counts of executions and fallbacks."""
    async with another(**changed) as http:
        before = await figures(http)
        for query in asked:
            await Client(http, portal.slug).ask(query)
        after = await figures(http)
    told = {name: after[name] - before[name] for name in after if name.startswith(("kontor_e", "kontor_f"))}
    return {name: count for name, count in told.items() if count}


async def test_what_is_left_to_graphql_core_is_counted_by_its_reason(another: Others, portal: Portal) -> None:
    schema = "{ __schema { queryType { name } } }"
    assert await grown(
        another, portal, "{ portal { slug } }", schema, "{ portal { open } }", compiled=True
    ) == {
        "kontor_executions_total compiled": 2,
        "kontor_executions_total fallback": 1,
        "kontor_fallbacks_total introspection": 1,
    }


async def test_without_compilation_nothing_is_compiled_and_nothing_falls_back(
    another: Others, portal: Portal
) -> None:
    assert await grown(another, portal, "{ portal { slug } }", compiled=False) == {}


async def test_plans_are_counted_and_weighed(
    another: Others, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans = Plans()  # those of all tests together are as many as are kept
    monkeypatch.setattr("execution.compiled.plans", plans)
    monkeypatch.setattr("server.metrics.plans", plans)
    async with another(compiled=True) as http:
        before = await figures(http)
        for _ in range(2):
            await Client(http, portal.slug).ask("{ portal { aliasThatNobodyElseUses: slug } }")
        after = await figures(http)
    assert after["kontor_plans"] - before["kontor_plans"] == 1
    assert after["kontor_plans_bytes"] - before["kontor_plans_bytes"] > 100


@pytest.mark.parametrize(("given", "compiled"), [({}, True), ({"KONTOR_COMPILED": "false"}, False)])
def test_operations_are_compiled_unless_the_environment_says_otherwise(
    given: dict[str, str], compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KONTOR_COMPILED", raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert Settings(_env_file=None).compiled is compiled  # type: ignore[call-arg]


async def test_every_figure_that_the_page_on_running_names_is_there(http: httpx.AsyncClient) -> None:
    page = (ROOT / "docs" / "running.md").read_text()
    named = set(re.findall(r"\b(?:kontor|process)_[a-z_]+", page)) - {"kontor_metrics_token"}
    assert len(named) > 5
    told = set(re.findall(r"^# HELP (\S+)", (await http.get("/metrics")).text, re.MULTILINE))
    assert {each.removesuffix("_bucket") for each in named} <= told


async def test_the_process_tells_of_itself(http: httpx.AsyncClient) -> None:
    told = await figures(http)
    assert told["process_resident_memory_bytes"] > 10_000_000
    assert told["process_cpu_seconds_total"] > 0
    assert told["python_gc_collections_total 0"] > 0


async def test_a_worker_tells_what_waits_to_be_done_as_long_as_the_database_says_so(
    settings: Settings, world: World, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_COUNT_SECONDS", 0.05)
    async with portal.writing() as connection:
        await db.jobs.enqueue(connection, Job.NOTICE_SEND, [uuid.uuid7()], after=timedelta(hours=1))
    database = await Database.open(settings.database_url, size=2, wait_seconds=0.1)
    app = create(settings, database, world.passwords)

    def told() -> bool:
        return b'kontor_jobs_waiting{job="notice.send",state="later"}' in app.state.metrics.text()

    assert not told()
    async with workers.working(settings, app.state.facilities, app.state.metrics):
        await becomes(told)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://kontor.test"
        ) as http:
            found = await figures(http)
        async with database.connect(None), database.connect(None):
            await becomes(lambda: not told())
        await becomes(told)
    assert found["kontor_jobs_waiting later notice.send"] >= 1
    assert found["kontor_jobs_late_seconds notice.send"] == 0
    await database.close()


async def test_those_who_wait_for_their_portals_turn_are_counted(
    settings: Settings, world: World, portal: Portal
) -> None:
    app = create(settings, world.database, world.passwords)
    beside = app.state.facilities.beside
    go = threading.Event()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kontor.test") as http:
        assert (await figures(http))["kontor_turns_waiting thread"] == 0
        tasks = [asyncio.create_task(beside.do(portal.tenant_id, go.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        told = await figures(http)
        go.set()
        await asyncio.gather(*tasks)
        assert told["kontor_turns_waiting thread"] == 2
        assert told["kontor_turns_waiting large_body"] == told["kontor_turns_waiting event"] == 0
        assert (await figures(http))["kontor_turns_waiting thread"] == 0
