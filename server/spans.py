"""Spans: what traces say of requests, statements and jobs, in OpenTelemetry's words (docs/decisions/0039).

Of whoever asks they say which portal, and nothing that they sent: no address, header, query, variable or link.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import structlog
from opentelemetry import trace
from opentelemetry.context import Context as Surroundings
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db.workers import Later
from server.otlp import EXPORT_SECONDS, resource
from server.settings import Settings
from server.statement_texts import summary, without_values
from server.telemetry import Ended

_CLOSE_SECONDS = 5
_LONGEST = 4_096  # of what one attribute says
_MOST_CODES = 20
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Who looks whether we are well, every few seconds.
_UNTRACED = frozenset({"/healthz", "/readyz", "/metrics"})
_FAULT = "INTERNAL_SERVER_ERROR"
_QUEUE_SECONDS = "kontor.queue_seconds"
_W3C = TraceContextTextMapPropagator()
_NOTHING = nullcontext()


@contextmanager
def exported(settings: Settings) -> Iterator["Spans"]:
    """Spans that are sent to the collector of the settings, in batches by a thread; what is left goes at the end."""
    exporter = OTLPSpanExporter(f"{settings.otlp_endpoint}/v1/traces", timeout=EXPORT_SECONDS)
    spans = Spans(settings, BatchSpanProcessor(exporter))
    try:
        yield spans
    finally:
        spans.close()


class Spans:
    """The spans of one process; a `db.tracing.Tracer`."""

    def __init__(self, settings: Settings, processor: SpanProcessor) -> None:
        self._provider = TracerProvider(
            resource=resource(settings),
            sampler=ParentBased(TraceIdRatioBased(settings.trace_share)),
            span_limits=SpanLimits(max_span_attribute_length=_LONGEST),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("kontor")
        self._database = unquote(urlsplit(settings.database_url).path.removeprefix("/"))
        self._trusted = trusted(settings.trusted_proxies)

    def close(self) -> None:
        """Send what is left, as far as the collector takes it soon, and take no more."""
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(_CLOSE_SECONDS)

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application, traced. Has to lie around what believes X-Forwarded-For, to see who really sent it."""
        return _Traced(app, self)

    def request(self, scope: Scope) -> Span:
        """The span of a request, in the trace that a trusted proxy has begun, or in one of its own."""
        attributes = {
            "http.request.method": _method(scope),
            "network.protocol.version": scope.get("http_version", "1.1"),
        }
        surroundings = Surroundings()
        if self._trusted(scope.get("client")):
            sent = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            surroundings = _W3C.extract(sent, surroundings)
        return self._tracer.start_span(
            attributes["http.request.method"], surroundings, SpanKind.SERVER, attributes
        )

    @contextmanager
    def _waited_for(self, span: Span) -> Iterator[None]:
        """A span of its own, and a figure of the request's, which may wait more than once."""
        started = time.perf_counter()
        waiting = self._tracer.start_span("wait for connection")
        try:
            yield
        except BaseException as error:
            _fail(waiting, error)
            raise
        finally:
            waiting.end()
            told = (span.attributes or {}).get(_QUEUE_SECONDS) if isinstance(span, ReadableSpan) else None
            before = told if isinstance(told, float) else 0.0
            span.set_attribute(_QUEUE_SECONDS, before + time.perf_counter() - started)

    def waiting(self) -> AbstractContextManager[object]:
        """Somebody waits for a connection."""
        span = trace.get_current_span()
        return self._waited_for(span) if span.is_recording() else _NOTHING

    def statement(self, sql: str) -> AbstractContextManager[object]:
        """A statement runs; on behalf of nobody who is traced it is none of a trace's business."""
        return self._run(sql) if trace.get_current_span().is_recording() else _NOTHING

    @contextmanager
    def _run(self, sql: str) -> Iterator[None]:
        name = summary(sql)
        attributes = {
            "db.system.name": "postgresql",
            "db.namespace": self._database,
            "db.query.summary": name,
            "db.query.text": without_values(sql),
        }
        span = self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)
        try:
            yield
        except BaseException as error:
            _fail(span, error)
            raise
        finally:
            span.end()

    @contextmanager
    def job(self, name: str, tenant_id: UUID, carried: Mapping[str, object] | None) -> Iterator[None]:
        """A job is done, in the trace of the request that asked for it. One that is put off has not failed."""
        attributes = {
            "messaging.system": "pgqueuer",
            "messaging.destination.name": name,
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "kontor.tenant.id": str(tenant_id),
        }
        surroundings = _W3C.extract(carried or {}, Surroundings())
        span = self._tracer.start_span(f"process {name}", surroundings, SpanKind.CONSUMER, attributes)
        with within(span):
            try:
                yield
            except Later:
                raise
            except BaseException as error:
                _fail(span, error)
                raise
            finally:
                span.end()

    def carry(self) -> dict[str, str] | None:
        """The current span, as W3C writes it."""
        carried: dict[str, str] = {}
        _W3C.inject(carried)
        return carried or None


@contextmanager
def within(span: Span) -> Iterator[None]:
    """What happens in the block belongs to the span, and the log's lines say so. Whoever calls this ends the span."""
    said = span.get_span_context()
    ids = {"trace_id": trace.format_trace_id(said.trace_id), "span_id": trace.format_span_id(said.span_id)}
    with (
        trace.use_span(span, record_exception=False, set_status_on_exception=False),
        structlog.contextvars.bound_contextvars(**ids),
    ):
        yield


def trusted(proxies: str) -> Any:
    """Whether an ASGI client is one of the proxies of the settings; uvicorn reads them alike."""
    named = [each.strip() for each in proxies.split(",") if each.strip()]
    networks: list[IPv4Network | IPv6Network] = []
    for each in named:
        try:
            networks.append(ip_network(each))
        except ValueError:
            continue  # a name, e.g. of what sends through a Unix socket

    def is_trusted(client: tuple[str, int] | None) -> bool:
        host = client[0] if client else ""
        if proxies == "*" or host in named:
            return True
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in networks)

    return is_trusted


class _Traced:
    """Gives each request its span. What lasts, sockets and streams, is traced until it has begun."""

    def __init__(self, app: ASGIApp, spans: Spans) -> None:
        self._app = app
        self._spans = spans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry."""
        if scope["type"] not in ("http", "websocket") or scope["path"] in _UNTRACED:
            await self._app(scope, receive, send)
            return
        span = self._spans.request(scope)

        async def send_and_tell(message: Message) -> None:
            if message["type"].endswith("http.response.start"):
                _tell_status(span, message["status"])
            if _lasts(message):
                _end(span, scope)
            await send(message)

        with within(span):
            try:
                await self._app(scope, receive, send_and_tell)
            except BaseException as error:
                _fail(span, error)
                raise
            finally:
                _end(span, scope)


def _method(scope: Scope) -> str:
    """A WebSocket begins as GET; what is no method that we know is anybody's word."""
    method: str = scope.get("method", "GET")
    return method if method in _METHODS else "_OTHER"


def _lasts(message: Message) -> bool:
    """Whether this begins what goes on as long as somebody watches."""
    if message["type"] == "http.response.start":
        types = [value for name, value in message.get("headers", ()) if name.lower() == b"content-type"]
        return any(each.startswith(b"text/event-stream") for each in types)
    return bool(message["type"] == "websocket.accept")


def _end(span: Span, scope: Scope) -> None:
    if not span.is_recording():
        return
    route = getattr(scope.get("route"), "path_format", None)
    if route is not None:
        span.update_name(f"{_method(scope)} {route}")
        span.set_attribute("http.route", route)
    span.set_attribute("url.scheme", scope["scheme"])  # only now: a trusted proxy may have said another
    state = scope.get("state", {})
    if "request_id" in state:
        span.set_attribute("kontor.request_id", state["request_id"])
    if "ended" in state:
        _tell_operation(span, state["ended"])
    span.end()


def _tell_operation(span: Span, ended: Ended) -> None:
    context, portal = ended.context, ended.context.known_portal
    if ended.kind != "none":
        span.update_name(ended.kind)
        span.set_attribute("graphql.operation.type", ended.kind)
    told: dict[str, str | int | list[str] | None] = {
        "graphql.operation.name": context.operation_name,
        "kontor.portal": portal.slug if portal else None,
        "kontor.tenant.id": str(context.tenant_id),
        "kontor.statements": context.statements,
        "kontor.execution": context.executed,
        "kontor.codes": list(ended.codes[:_MOST_CODES]) or None,
    }
    span.set_attributes({name: value for name, value in told.items() if value is not None})
    if ended.codes:
        span.set_attribute("error.type", ended.codes[0])
    if _FAULT in ended.codes:
        span.set_status(StatusCode.ERROR)


def _tell_status(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_attribute("error.type", str(status))
        span.set_status(StatusCode.ERROR)


def _fail(span: Span, error: BaseException) -> None:
    """It went wrong, and in which way; what an exception says may be anything."""
    span.set_status(StatusCode.ERROR)
    span.set_attribute("error.type", type(error).__qualname__)
    code = getattr(error, "sqlstate", None)
    if isinstance(code, str):
        span.set_attribute("db.response.status_code", code)
