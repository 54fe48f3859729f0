"""Telemetry of real processes: spans that a collector receives, lines of the log, and no secret in either."""

import asyncio
import io
import json
import logging
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from db.failures import Unstorable
from db.isolation import Mode
from server import logs
from server.settings import Settings
from tests.client import Client
from tests.conftest import At
from tests.db.test_workers import forget_all
from tests.receiver import Receiver, receiving
from tests.server.live import ADD
from tests.server.test_webhook_deliveries import state_becomes, webhook
from tests.server.test_worker_process import Process, answers, process, works
from tests.world import Portal, World

PLACE = """mutation Place($input: OrderPlaceInput!) { orderPlace(input: $input) { orders { id } errors { code } } }"""
SIGN_IN = """mutation SignIn($input: SignInInput!) { signIn(input: $input) { token errors { code } } }"""
FORGOTTEN = """mutation($input: AccountProvisionInput!) { accountProvision(input: $input) { activationCode
  errors { code message } } }"""
STATEMENT = """mutation { x: signIn(input: {userName: "geheim-user-8", password: "geheim-word-8"}) { token errors { code } } }"""
PASSWORD, WRONG = "geheim-password-1", "geheim-wrong-2"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
COMMENT, NUMBER = "geheim-comment-3", "geheim-number-4"


@pytest.fixture
async def portal(world: World) -> AsyncIterator[Portal]:
    await forget_all(world)
    portal = await world.portal()
    await portal.product("A", stock_at={"W1": "1000"})
    await portal.account("geheim-bea-0", password=PASSWORD)
    await portal.staff_member("olga")
    yield portal
    await forget_all(world)


@pytest.fixture
async def olga(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("olga")


@dataclass
class Observed:
    """A process whose lines and spans are kept."""

    process: Process
    collector: Receiver
    http: httpx.AsyncClient
    lines: list[bytes] = field(default_factory=list)

    def spans(self) -> list[Any]:
        received = [ExportTraceServiceRequest.FromString(each) for each in self.received("/v1/traces")]
        return [
            span
            for each in received
            for resource in each.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def figures(self) -> dict[str, list[Any]]:
        """The points that it was sent last, by the name of their metric."""
        last = ExportMetricsServiceRequest.FromString(self.received("/v1/metrics")[-1])
        return {
            metric.name: list(getattr(metric, metric.WhichOneof("data")).data_points)
            for resource in last.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def received(self, path: str) -> list[bytes]:
        return [each.body for each in self.collector.told if each.path == path]

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines if line.startswith(b"{")]

    async def read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.lines.append(line)

    async def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(self.process.wait(), 20) == 0


@asynccontextmanager
async def observed(url: str, home: Path, collector: Receiver, **more: str) -> AsyncIterator[Observed]:
    """A server with its worker, observed."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    given = {
        "KONTOR_PORT": str(port),
        "KONTOR_LOG_FORMAT": "json",
        "KONTOR_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    async with (
        process("serve", url, home, **given | more) as running,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as http,
    ):
        found = Observed(running, collector, http)
        reading = asyncio.create_task(found.read())
        await answers(http)
        try:
            yield found
        finally:
            if running.returncode is None:
                running.kill()
            await reading


def said(span: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}


async def fail_in_many_ways(client: Client) -> list[str]:
    """Ask badly, each time with secrets; returns the secrets that are not in the constants."""
    wrong = Client(client.http, client.slug)
    path = f"/portals/{client.slug}/graphql"
    await wrong.post(SIGN_IN, {"input": {"userName": "geheim-bea-0", "password": WRONG}})
    await wrong.post(SIGN_IN, {"input": {"userName": "geheim-nobody-5", "password": WRONG}})
    await wrong.post(STATEMENT)
    await client.post(SIGN_IN, {"input": {"userName": {"geheim-shape-6": 1}, "password": WRONG}})
    await client.post(PLACE, {"input": {"comment": "geheim-nul-7\0"}})
    await client.post(PLACE, {"input": {"comment": "geheim-long-9" * 1_000}})
    await client.post(PLACE, {"input": {"shipTo": "geheim-id-10"}})
    await client.post('{ product(sku: "geheim-literal-11" { sku } }')
    await client.post('{ product(sku: "geheim-field-12") { geheimField13 } }')
    await client.post('{ product(sku: "geheim-sku-14") { sku } }', operationName="geheim-operation-15")
    await client.post('{ orders(after: "geheim-cursor-16") { nodes { id } } }')
    await client.http.post(path, content=b'{"query": "geheim-body-17')
    await client.http.post(path, content=b"geheim-form-18", headers={"content-type": "text/plain"})
    await client.http.get(path, params={"query": "mutation { signOut { errors { code } } } #geheim-query-19"})
    await client.http.get(path, params={"query": "{ portal { slug } }", "geheim-name-20": "geheim-value-21"})
    headers = {"cookie": "__Host-kontor=geheim-cookie-22", "authorization": "Bearer geheim-token-23"}
    await client.http.post(path, json={"query": "{ me { id } }"}, headers=headers)
    odd = {
        "user-agent": "geheim-agent-24",
        "origin": "https://geheim-origin.example",
        "referer": "geheim-page-25",
    }
    await client.http.post(path, json={"query": "{ portal { slug } }"}, headers=odd)
    await client.http.get(f"/portals/{client.slug}/downloads/geheim-link-26")
    await client.http.put(f"/portals/{client.slug}/uploads/geheim-ticket-27", content=b"geheim-bytes-28")
    await client.http.get("/geheim-path-29")
    assert client.token is not None
    return [client.token]


async def test_nothing_that_people_keep_to_themselves_is_in_a_line_or_a_span(
    portal: Portal, olga: Client, database_url: str, tmp_path: Path
) -> None:
    async with (
        receiving() as collector,
        receiving(status=500, answer="geheim-answer-30") as erp,
        observed(database_url, tmp_path, collector) as server,
    ):
        _, signing = await webhook(olga, erp)
        there = Client(server.http, portal.slug)
        signed_in = await there.ask(SIGN_IN, input={"userName": "geheim-bea-0", "password": PASSWORD})
        bea = Client(server.http, portal.slug, signed_in["signIn"]["token"])
        await bea.ask(ADD)
        placed = await bea.ask(PLACE, input={"comment": COMMENT, "purchaseOrderNumber": NUMBER})
        assert placed["orderPlace"]["errors"] == []
        secrets = await fail_in_many_ways(bea)
        await erp.becomes(2)
        await server.stop()
    received = b"".join(each.body for each in collector.told)
    lines = b"".join(server.lines)
    for text in (received, lines):
        assert b"geheim" not in text.lower()
        for secret in (*secrets, signing, "customers.example", "staff.example"):
            assert secret.encode() not in text
    # What was looked through is all that there was.
    assert b"orderPlace" not in received
    codes = {code for each in server.events() for code in each.get("codes", ())}
    assert {
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
        "BAD_USER_INPUT",
        "INVALID_CURSOR",
    } <= codes, codes
    operations = [each for each in server.events() if each["event"] == "operation"]
    assert {"SignIn", "Place"} <= {each["operation"] for each in operations}
    spans = {f"{each.trace_id.hex()} {each.span_id.hex()}" for each in server.spans()}
    assert {f"{each['trace_id']} {each['span_id']}" for each in operations} <= spans


async def test_a_job_is_in_the_trace_of_the_request_that_asked_for_it_as_a_trusted_proxy_began_it(
    portal: Portal, olga: Client, at: At, database_url: str, tmp_path: Path
) -> None:
    async with (
        receiving() as collector,
        receiving() as erp,
        observed(database_url, tmp_path, collector, KONTOR_TRUSTED_PROXIES="127.0.0.1") as server,
    ):
        await webhook(olga, erp)
        bea = await Client(server.http, portal.slug).sign_in("geheim-bea-0", PASSWORD)
        await bea.ask(ADD)
        bea.headers |= {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "x-forwarded-for": "192.0.2.7"}
        await bea.ask(PLACE, input={})
        await erp.becomes(1)
        await state_becomes(olga, "DELIVERED")
        await server.stop()
    assert {each.path for each in collector.told} == {"/v1/traces", "/v1/metrics"}
    spans = server.spans()
    [request] = [each for each in spans if said(each).get("graphql.operation.name") == "Place"]
    assert request.trace_id.hex() == TRACE
    jobs = [each for each in spans if each.name.startswith("process ")]
    assert {each.name for each in jobs} == {"process webhook.deliver", "process notice.send"}
    for job in jobs:
        assert job.trace_id == request.trace_id
        assert said(job)["kontor.tenant.id"] == str(portal.tenant_id)
        assert [each.name for each in spans if each.parent_span_id == job.span_id and each.name == "BEGIN"]
    sent = [each for each in server.events() if each["event"] in ("webhook", "notice")]
    assert {each["trace_id"] for each in sent} == {request.trace_id.hex()}
    done = {said(each)["job"]: said(each)["outcome"] for each in server.figures()["kontor_jobs_total"]}
    assert done == {"webhook.deliver": "done", "notice.send": "done"}


async def test_a_collector_is_sent_figures_now_and_then_and_when_the_process_ends(
    portal: Portal, database_url: str, tmp_path: Path
) -> None:
    async with (
        receiving() as collector,
        observed(database_url, tmp_path, collector, KONTOR_METRICS_SECONDS="0.2") as server,
    ):
        client = Client(server.http, portal.slug)
        await client.ask("{ portal { slug } }")
        async with asyncio.timeout(5):
            while len(server.received("/v1/metrics")) < 2:  # noqa: ASYNC110  (nobody tells)
                await asyncio.sleep(0.05)
        await client.ask("{ portal { slug } }")
        await server.stop()
    operations = server.figures()["kontor_operations_total"]
    assert [(said(each), each.as_double) for each in operations] == [({"type": "query", "code": "OK"}, 2)]
    (resource,) = ExportMetricsServiceRequest.FromString(server.received("/v1/metrics")[-1]).resource_metrics
    of_process = said(resource.resource)
    assert (of_process["service.name"], of_process["deployment.environment.name"]) == (
        "kontor",
        "development",
    )
    assert len(of_process["service.instance.id"]) == 36


async def test_a_worker_alone_sends_what_it_did(
    portal: Portal, olga: Client, at: At, database_url: str, tmp_path: Path
) -> None:
    async with receiving() as collector, receiving() as erp:
        await webhook(olga, erp)
        bea = await at(portal).sign_in("geheim-bea-0", PASSWORD)
        await bea.ask(ADD)
        await bea.ask(PLACE, input={})
        given = {"KONTOR_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}"}
        async with process("worker", database_url, tmp_path, **given) as worker:
            await works(worker)
            await state_becomes(olga, "DELIVERED")
            worker.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(worker.wait(), 20) == 0
    done = Observed(worker, collector, olga.http).figures()["kontor_jobs_total"]
    assert {"job": "webhook.deliver", "outcome": "done"} in [said(each) for each in done]


async def test_a_collector_that_is_not_there_or_says_nothing_delays_neither_answers_nor_the_end(
    portal: Portal, database_url: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone, socket.create_server(("127.0.0.1", 0)) as silent:
        ports = [each.getsockname()[1] for each in (gone, silent)]
        gone.close()
        for port in ports:
            async with observed(database_url, tmp_path, Receiver(port=port)) as server:
                client = Client(server.http, portal.slug)
                for _ in range(20):
                    assert (await client.ask("{ portal { slug } }"))["portal"]["slug"] == portal.slug
                async with asyncio.timeout(12):
                    await server.stop()


async def test_what_postgresql_says_of_rows_stays_with_it(portal: Portal) -> None:
    writing = portal.world.database.transaction(Mode.WRITE, portal.tenant_id)
    with pytest.raises(Exception, match="not-null constraint") as refused:
        async with writing as connection:
            await connection.fetch_text(
                "update customers set name = null where tenant_id = $1", portal.tenant_id
            )
    assert "customers.example" not in str(refused.value)  # the row that cannot be
    with pytest.raises(Unstorable) as unstorable:
        async with portal.world.database.transaction(Mode.WRITE, portal.tenant_id) as connection:
            await connection.fetch_text("select $1::int", "geheim")
    assert "geheim" not in str(unstorable.value)
    assert unstorable.value.__cause__ is None


@pytest.mark.parametrize("form", ["console", "json"])
def test_addresses_that_others_tell_are_not_in_the_log(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    before, handlers = structlog.get_config(), logging.getLogger().handlers[:]
    logs.configure(settings.model_copy(update={"log_format": form}))
    structlog.configure(cache_logger_on_first_use=False)
    try:
        log = structlog.get_logger("kontor.test")
        log.info("notice", reason="the mail server said 550 <bea@geheim.example>: nobody", kind="ORDER")
        log.error("fault", exc_info=KeyError("bea@geheim.example"))
        log.warning("fault", cause="Key (email)=(bea.b+c@geheim.example) is there")
    finally:
        structlog.configure(**before)
        logging.getLogger().handlers[:] = handlers
    lines = written.getvalue()
    assert "geheim" not in lines
    assert "550" in lines
    assert "KeyError" in lines
    assert lines.count("…@…") == 3
