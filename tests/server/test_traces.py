"""Traces: what spans say of requests, whose traces are believed, and that nothing of it is there when it is off."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from starlette.types import Message, Receive, Scope, Send
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

import db
from db.connections import Database
from db.failures import TooSlow
from db.isolation import Mode
from server.app import create
from server.settings import ROOT, Settings
from server.spans import Spans, trusted
from server.statement_texts import summary, without_values
from tests.client import Client
from tests.server.live import ADD, PLACE
from tests.world import Portal, World

PRODUCTS = "query Shelf($first: Int) { products(first: $first) { nodes { sku name } } }"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
STRANGER, PROXY = "192.0.2.7", "10.1.2.3"


@dataclass
class Traced:
    """The application, traced, on two connections of its own."""

    spans: Spans
    database: Database
    exporter: InMemorySpanExporter
    app: Any

    def http(self, peer: str = STRANGER) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(peer, 50_000))
        return httpx.AsyncClient(transport=transport, base_url="http://kontor.test")

    @property
    def ended(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    @property
    def request(self) -> ReadableSpan:
        """The one request that was traced."""
        [span] = [each for each in self.ended if each.kind is SpanKind.SERVER]
        return span

    @property
    def statements(self) -> list[ReadableSpan]:
        return [each for each in self.ended if each.kind is SpanKind.CLIENT]


def said(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def traced_app(world: World, settings: Settings, url: str, **changed: Any) -> AsyncIterator[Traced]:
    own = settings.model_copy(update={"trusted_proxies": "10.0.0.0/8", "compiled": True, **changed})
    exporter = InMemorySpanExporter()
    spans = Spans(own, SimpleSpanProcessor(exporter))
    database = await Database.open(url, size=2, wait_seconds=5, tracer=spans)
    yield Traced(spans, database, exporter, spans.around(create(own, database, world.passwords)))
    await database.close()
    spans.close()


@pytest.fixture
async def traced(world: World, settings: Settings, database_url: str) -> AsyncIterator[Traced]:
    async for each in traced_app(world, settings, database_url):
        yield each


@pytest.fixture
async def uncompiled(world: World, settings: Settings, database_url: str) -> AsyncIterator[Traced]:
    async for each in traced_app(world, settings, database_url, compiled=False):
        yield each


async def ask(traced: Traced, portal: Portal, query: str = PRODUCTS, **more: Any) -> httpx.Response:
    """Where the portal and who pays are known, as they were asked for before; what that was is forgotten."""
    peer, headers, token = more.pop("peer", STRANGER), more.pop("headers", {}), more.pop("token", None)
    own = {"authorization": f"Bearer {token}"} if token else {}
    url = f"/portals/{portal.slug}/graphql"
    async with traced.http(peer) as http:
        for _ in range(2):
            await http.post(url, json={"query": "{ __typename }"}, headers=own)
        traced.exporter.clear()
        return await http.post(url, json={"query": query, **more}, headers=headers | own)


async def test_what_anybody_says_of_a_trace_is_not_believed(traced: Traced, portal: Portal) -> None:
    await ask(traced, portal, headers={"traceparent": PARENT, "x-forwarded-for": PROXY})
    assert traced.request.parent is None
    assert f"{traced.request.context.trace_id:032x}" != TRACE


async def test_what_a_trusted_proxy_says_of_it_is(traced: Traced, portal: Portal) -> None:
    await ask(traced, portal, peer=PROXY, headers={"traceparent": PARENT})
    assert traced.request.parent is not None
    assert {f"{each.context.trace_id:032x}" for each in traced.ended} == {TRACE}
    assert f"{traced.request.parent.span_id:016x}" == "00f067aa0ba902b7"


async def test_a_proxy_that_does_not_trace_has_nothing_traced(traced: Traced, portal: Portal) -> None:
    response = await ask(traced, portal, peer=PROXY, headers={"traceparent": PARENT[:-1] + "0"})
    assert response.status_code == 200
    assert traced.ended == []


@pytest.mark.parametrize("sent", ["", "00-zz", PARENT[:-3], f"00-{'0' * 32}-{'0' * 16}-01"])
async def test_a_trace_that_makes_no_sense_is_one_of_our_own(
    traced: Traced, portal: Portal, sent: str
) -> None:
    await ask(traced, portal, peer=PROXY, headers={"traceparent": sent})
    assert traced.request.parent is None


@pytest.mark.parametrize(
    ("proxies", "client", "believed"),
    [
        ("", "127.0.0.1", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("10.0.0.0/8, 2001:db8::/32", "10.9.9.9", True),
        ("10.0.0.0/8, 2001:db8::/32", "2001:db8::7", True),
        ("10.0.0.0/8, 2001:db8::/32", "11.0.0.1", False),
        ("/run/kontor.sock", "/run/kontor.sock", True),
        ("*", "203.0.113.9", True),
        ("10.0.0.0/8", "", False),
    ],
)
def test_which_proxies_are_trusted_is_as_the_settings_say(proxies: str, client: str, believed: bool) -> None:
    assert trusted(proxies)((client, 1) if client else None) is believed


async def test_a_request_is_one_span_that_says_what_was_asked_where_and_what_it_took(
    traced: Traced, portal: Portal, bea: Client
) -> None:
    headers = {"x-request-id": "this-one"}
    await ask(traced, portal, variables={"first": 5}, token=bea.token, headers=headers)
    span = traced.request
    told = said(span)
    waited = told.pop("kontor.queue_seconds")
    assert 0 < waited < 1
    assert span.name == "query"
    assert span.status.status_code is StatusCode.UNSET
    assert told == {
        "http.request.method": "POST",
        "http.route": "/portals/{slug}/graphql",
        "http.response.status_code": 200,
        "network.protocol.version": "1.1",
        "url.scheme": "http",
        "graphql.operation.type": "query",
        "graphql.operation.name": "Shelf",
        "kontor.portal": portal.slug,
        "kontor.tenant.id": str(portal.tenant_id),
        "kontor.request_id": "this-one",
        "kontor.execution": "compiled",
        "kontor.statements": len([each for each in traced.statements if "SELECT" in each.name]),
    }


async def test_below_it_is_the_waiting_and_every_statement_without_values(
    traced: Traced, portal: Portal, bea: Client
) -> None:
    await ask(traced, portal, token=bea.token)
    [waiting] = [each for each in traced.ended if each.name == "wait for connection"]
    names = [each.name for each in traced.statements]
    assert names[0] == "BEGIN"
    assert names[1].startswith("SELECT access_group_members")
    assert any(name.startswith("SELECT") and "products" in name for name in names)
    assert names[-1] == "COMMIT"
    for each in (waiting, *traced.statements):
        assert each.parent is not None
        assert each.parent.span_id == traced.request.context.span_id
    for each in traced.statements:
        told = said(each)
        assert told["db.system.name"] == "postgresql"
        assert told["db.query.summary"] == each.name
        assert told["db.namespace"]
        assert "'" not in told["db.query.text"]
        assert str(portal.tenant_id) not in told["db.query.text"]


async def test_who_waits_for_a_connection_says_how_long(traced: Traced, portal: Portal) -> None:
    async with traced.database.connect(None), traced.database.connect(None):
        asked = asyncio.create_task(ask_known(traced, portal))
        await asyncio.sleep(0.3)
        assert not asked.done()
    await asked
    assert said(traced.request)["kontor.queue_seconds"] > 0.15


async def ask_known(traced: Traced, portal: Portal) -> None:
    async with traced.http() as http:
        await http.post(f"/portals/{portal.slug}/graphql", json={"query": "{ portal { slug } }"})


async def test_an_operation_that_was_not_compiled_says_why(
    traced: Traced, uncompiled: Traced, portal: Portal
) -> None:
    await ask(uncompiled, portal)
    assert said(uncompiled.request)["kontor.execution"] == "uncompiled"
    await ask(traced, portal, "{ __schema { queryType { name } } }")
    assert said(traced.request)["kontor.execution"] == "introspection"


async def test_a_mutation_and_what_is_read_after_it_are_one_trace(
    traced: Traced, portal: Portal, bea: Client
) -> None:
    await ask(traced, portal, ADD, token=bea.token)
    await ask(traced, portal, PLACE, token=bea.token)
    names = [each.name for each in traced.statements]
    assert traced.request.name == "mutation"
    assert names.count("BEGIN") == names.count("COMMIT") + names.count("ROLLBACK") == 2
    assert any(name.startswith("INSERT orders") for name in names)
    assert len({each.context.trace_id for each in traced.ended}) == 1


async def test_what_fails_says_how_and_never_with_what(
    traced: Traced, portal: Portal, bea: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(connection: Any, *_given: Any, **_named: Any) -> None:
        connection.deadline = 0.05
        await connection.fetch_text("select pg_sleep(2), 'my secret'")

    monkeypatch.setattr(db.products, "page", fail)
    response = await ask(traced, portal, token=bea.token)
    assert response.status_code == 503
    [slow] = [each for each in traced.statements if each.status.status_code is StatusCode.ERROR]
    assert said(slow)["db.query.text"] == "select pg_sleep(2), ?"
    assert said(slow)["error.type"] == "TimeoutError"
    assert slow.events == ()
    assert traced.request.status.status_code is StatusCode.ERROR
    assert said(traced.request)["http.response.status_code"] == 503
    assert said(traced.request)["kontor.codes"] == ("SERVICE_UNAVAILABLE",)


async def test_a_statement_that_postgresql_refuses_says_its_code(traced: Traced) -> None:
    with traced.spans.job("webhook.deliver", UUID(int=0), None):
        async with traced.database.transaction(Mode.WRITE, None) as connection:
            await connection.execute_text("set local statement_timeout = 10")
            with pytest.raises(TooSlow):
                await connection.fetch_text("select pg_sleep(2)")
            await connection.rollback()
            await connection.begin(Mode.WRITE)
    [slow] = [each for each in traced.statements if "pg_sleep" in said(each)["db.query.text"]]
    assert said(slow)["db.response.status_code"] == "57014"
    [job] = [each for each in traced.ended if each.kind is SpanKind.CONSUMER]
    assert (job.name, said(job)["messaging.destination.name"]) == (
        "process webhook.deliver",
        "webhook.deliver",
    )


async def test_a_link_is_not_in_its_trace(traced: Traced, portal: Portal) -> None:
    async with traced.http() as http:
        await http.get(f"/portals/{portal.slug}/downloads/my-secret-link?also=my-secret-query")
        await http.put("/uploads/my-secret-ticket", content=b"my-secret-bytes")
        await http.get("/my-secret-path")
    names = [each.name for each in traced.ended if each.kind is SpanKind.SERVER]
    assert names == ["GET /portals/{slug}/downloads/{link}", "PUT /uploads/{ticket}", "GET"]
    assert "secret" not in repr([said(each) for each in traced.ended])


async def test_a_method_of_somebodys_own_is_none_of_ours(traced: Traced, portal: Portal) -> None:
    async with traced.http() as http:
        await http.request("MYSECRET", f"/portals/{portal.slug}/graphql")
    assert said(traced.request)["http.request.method"] == "_OTHER"
    assert "MYSECRET" not in traced.request.name


async def test_who_looks_whether_we_are_well_is_not_traced(traced: Traced) -> None:
    async with traced.http() as http:
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await http.get(path)).status_code == 200
    assert traced.ended == []


@pytest.mark.parametrize(
    ("type", "begins"),
    [
        ("websocket", {"type": "websocket.accept"}),
        (
            "http",
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"text/event-stream")],
            },
        ),
    ],
)
async def test_what_lasts_is_traced_until_it_has_begun(
    traced: Traced, type: str, begins: dict[str, Any]
) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send(begins)
        assert [each.kind for each in traced.ended] == [SpanKind.SERVER]
        async with traced.database.transaction(Mode.SNAPSHOT, None) as connection:
            await connection.fetch_text("select 1")

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(_message: Message) -> None:
        return None

    scope = {"type": type, "path": "/graphql", "headers": [], "client": (STRANGER, 1), "scheme": "http"}
    await traced.spans.around(app)(scope, receive, send)
    assert len(traced.ended) == 1


async def test_lines_of_the_log_name_the_trace(traced: Traced, portal: Portal) -> None:
    with capture_logs(processors=[merge_contextvars]) as logs:
        await ask(traced, portal)
    [line] = [each for each in logs if each["event"] == "operation" and each["operation"] == "Shelf"]
    assert line["trace_id"] == f"{traced.request.context.trace_id:032x}"
    assert line["span_id"] == f"{traced.request.context.span_id:016x}"


async def test_what_a_request_calls_its_operation_is_not_repeated(traced: Traced, portal: Portal) -> None:
    with capture_logs() as logs:
        await ask(traced, portal, operationName="my secret")
    assert "graphql.operation.name" not in said(traced.request)
    assert "my secret" not in repr(logs)


def test_summaries_say_what_is_done_to_which_tables() -> None:
    asked = {
        "begin isolation level read committed; set local app.tenant_id = 'x'": "BEGIN",
        "commit": "COMMIT",
        "SELECT a.x FROM orders AS a JOIN customers ON true FOR UPDATE": "SELECT orders customers",
        "INSERT INTO carts (x) SELECT u.x FROM unnest($1) AS u ON CONFLICT DO UPDATE SET x = 1": "INSERT carts SELECT",
        "UPDATE stock SET x = extract(epoch FROM now())": "UPDATE stock now",
        "with gone as (delete from changes where x returning 1) select count(*) from gone": "DELETE changes SELECT gone",
        "select 1 where a is distinct from b": "SELECT",
        "listen x": "SQL",
    }
    assert {sql: summary(sql) for sql in asked} == asked


def test_constants_are_left_out_of_texts() -> None:
    assert without_values("select 'it''s', $1, $x$ a $b $x$, x") == "select ?, $1, ?, x"


@pytest.mark.parametrize(("endpoint", "there"), [("", False), ("http://127.0.0.1:1", True)])
def test_without_a_collector_nothing_of_opentelemetry_is_even_imported(endpoint: str, there: bool) -> None:
    program = """
import sys
import server.__main__
from server.settings import Settings
from server.telemetry import tracing
with tracing(Settings(_env_file=None, otlp_endpoint=sys.argv[1])) as spans:
    print(any(each.partition(".")[0] in ("opentelemetry", "google", "requests") for each in sys.modules), spans is not None)
"""
    ran = subprocess.run([sys.executable, "-c", program, endpoint], cwd=ROOT, capture_output=True, text=True)
    assert ran.stdout.split() == [str(there)] * 2, ran.stderr


@pytest.mark.parametrize("wrong", ["collector:4318", "ftp://x", "http://", "http://me:word@collector:4318"])
def test_an_endpoint_is_an_address_without_a_password(wrong: str) -> None:
    with pytest.raises(ValueError, match="KONTOR_OTLP_ENDPOINT") as refused:
        Settings(_env_file=None, otlp_endpoint=wrong)  # type: ignore[call-arg]
    assert "word@" not in str(refused.value)
