"""Metrics: what this process tells Prometheus of its work; counts and durations, and nothing of any tenant."""

import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, TypeAlias, get_args

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from db.connections import Database
from db.jobs import Backlog, Job
from execution import fallbacks
from execution.compiled import plans
from execution.fallbacks import Reason
from resolvers.context import Facilities
from server import answers, callers
from server.large_bodies import LargeBodies
from server.requests import JSON, Refused
from server.settings import Settings
from tenants.budgets import Budgets, Whose

# "none": what was refused before anything of it ran, so that nobody asked what it would have been.
Kind: TypeAlias = Literal["query", "mutation", "subscription", "none"]

Outcome: TypeAlias = Literal["done", "later", "failed"]

_SUCCESS = "OK"
# Up to the deadline of a request, and closest where most of them end.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)

disable_created_metrics()  # type: ignore[no-untyped-call]  # when each count began, beside every count: the process's own start says it once


class Metrics:
    """The figures of one application, in a registry of its own: a process may have several applications. `connections`
    are the sockets and streams that are open; a worker alone has none, and no large bodies.

    Labels are words of ours, never a client's: not the names of operations, nor anything that says which portal.
    """

    def __init__(
        self,
        facilities: Facilities,
        connections: Sized = (),
        large_bodies: LargeBodies | None = None,
    ) -> None:
        self._registry = registry = CollectorRegistry()
        self._operations = Counter(
            "kontor_operations",
            "GraphQL operations that have ended, by type and the code of their first error, OK without one.",
            ["type", "code"],
            registry=registry,
        )
        self._seconds = Histogram(
            "kontor_operation_seconds",
            "Seconds from an operation that was read to its answer, before that is written.",
            ["type"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._statements = Counter(
            "kontor_statements",
            "SQL statements that operations have sent, by the type of the operation.",
            ["type"],
            registry=registry,
        )
        self._jobs = Counter(
            "kontor_jobs",
            "Times that a worker of this process was at a job, by what came of it: done, put off, or failed and tried again.",
            ["job", "outcome"],
            registry=registry,
        )
        self._in_flight = Gauge(
            "kontor_requests_in_flight", "GraphQL requests that are being answered.", registry=registry
        )
        live = Gauge(
            "kontor_live_connections", "WebSockets and event streams that are open.", registry=registry
        )
        live.set_function(lambda: len(connections))
        registry.register(_Executions())
        registry.register(_Plans())
        registry.register(_Pool(facilities.database))
        registry.register(_Refusals(facilities.budgets))
        registry.register(_Turns(facilities, large_bodies))
        self._backlog = _Backlog()
        registry.register(self._backlog)
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)

    def in_flight(self) -> AbstractContextManager[object]:
        """A request counts as being answered as long as the block lasts."""
        return self._in_flight.track_inprogress()

    def ended(self, kind: Kind, codes: Sequence[str], statements: int, seconds: float | None = None) -> None:
        """An operation has ended with the codes of its errors. A subscription takes no time: it lasts."""
        self._operations.labels(kind, codes[0] if codes else _SUCCESS).inc()
        self._statements.labels(kind).inc(statements)
        if seconds is not None:
            self._seconds.labels(kind).observe(seconds)

    def worked(self, job: Job, outcome: Outcome) -> None:
        """A worker was at a job."""
        self._jobs.labels(job.value, outcome).inc()

    def waits(self, backlog: Mapping[Job, Backlog]) -> None:
        """A worker has looked at what there is to do; nothing, where it could not."""
        self._backlog.found = backlog

    def families(self) -> Iterable[Metric]:
        """All figures as they are now."""
        return self._registry.collect()

    def text(self) -> bytes:
        """All figures as they are now, in Prometheus' text format."""
        return generate_latest(self._registry)


class _Executions(Collector):
    """Who ran the operations of this process, all applications and webhooks included; read when they are asked for."""

    def collect(self) -> Iterator[Metric]:
        paths = CounterMetricFamily(
            "kontor_executions",
            "Operations by who ran them: a plan compiled once, or graphql-core because there could be none. "
            "With KONTOR_COMPILED=false neither counts.",
            labels=["path"],
        )
        paths.add_metric(["compiled"], fallbacks.compiled)
        paths.add_metric(["fallback"], fallbacks.fallbacks.total())
        yield paths
        reasons = CounterMetricFamily(
            "kontor_fallbacks", "Operations left to graphql-core, by the reason.", labels=["reason"]
        )
        for reason in Reason:
            reasons.add_metric([reason.value], fallbacks.fallbacks[reason])
        yield reasons


class _Plans(Collector):
    """The plans that this process remembers, of all applications."""

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("kontor_plans", "Compiled plans that are remembered.", value=len(plans))
        yield GaugeMetricFamily("kontor_plans_bytes", "About how much memory they take.", value=plans.bytes)


class _Pool(Collector):
    """The connections that requests borrow."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterator[Metric]:
        use = self._database.use
        connections = GaugeMetricFamily(
            "kontor_database_connections",
            "Database connections: those that requests use, and those that the next ones can have.",
            labels=["state"],
        )
        connections.add_metric(["in_use"], use.borrowed)
        connections.add_metric(["free"], use.most - use.borrowed)
        yield connections
        yield GaugeMetricFamily(
            "kontor_database_waiting", "Requests that wait for a database connection.", value=use.waiting
        )


class _Turns(Collector):
    """Those who wait for their portal's turn."""

    def __init__(self, facilities: Facilities, large_bodies: LargeBodies | None) -> None:
        self._facilities = facilities
        self._large_bodies = large_bodies

    def collect(self) -> Iterator[Metric]:
        turns = GaugeMetricFamily(
            "kontor_turns_waiting",
            "Operations that wait for their portal's turn, and for what.",
            labels=["turn"],
        )
        turns.add_metric(["thread"], self._facilities.beside.waiting)
        turns.add_metric(["event"], self._facilities.watches.waiting)
        turns.add_metric(["large_body"], self._large_bodies.waiting if self._large_bodies else 0)
        yield turns


class _Backlog(Collector):
    """What there is to do for workers, as the one of this process has seen it last."""

    def __init__(self) -> None:
        self.found: Mapping[Job, Backlog] = {}

    def collect(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily(
            "kontor_jobs_waiting",
            "Jobs that nobody has begun, of all workers: due, later, or given_up. Told where a worker runs.",
            labels=["job", "state"],
        )
        late = GaugeMetricFamily(
            "kontor_jobs_late_seconds",
            "For how long the oldest of them has been due. Told where a worker runs.",
            labels=["job"],
        )
        for job, backlog in self.found.items():
            waiting.add_metric([job.value, "due"], backlog.due)
            waiting.add_metric([job.value, "later"], backlog.later)
            waiting.add_metric([job.value, "given_up"], backlog.given_up)
            late.add_metric([job.value], backlog.seconds)
        yield waiting
        yield late


class _Refusals(Collector):
    """The operations that somebody could not pay."""

    def __init__(self, budgets: Budgets) -> None:
        self._budgets = budgets

    def collect(self) -> Iterator[Metric]:
        refused = CounterMetricFamily(
            "kontor_rate_limited",
            "Times that an operation was refused, or an event kept waiting, because a budget had too little left.",
            labels=["budget"],
        )
        for whose in get_args(Whose):
            refused.add_metric([whose], self._budgets.refused[whose])
        yield refused


@dataclass(slots=True)
class Exposition:
    """/metrics: the figures, for whoever may read them."""

    settings: Settings
    metrics: Metrics

    async def handle(self, request: Request) -> Response:
        """The figures, or 401 for who lacks the token that the settings ask for."""
        if not self._may_read(request):
            refused = Refused(
                HTTPStatus.UNAUTHORIZED,
                "UNAUTHENTICATED",
                "Metrics need their bearer token.",
                {"WWW-Authenticate": "Bearer"},
            )
            return answers.of_refusal(refused, JSON)
        headers = {"cache-control": "no-store", "content-type": CONTENT_TYPE_LATEST}
        return Response(self.metrics.text(), headers=headers)

    def _may_read(self, request: Request) -> bool:
        wanted = self.settings.metrics_token
        if wanted is None:
            return True  # the address is there in development alone
        given = callers.bearer(request.headers.get("authorization", "")) or ""
        return hmac.compare_digest(given.encode(), wanted.get_secret_value().encode())
