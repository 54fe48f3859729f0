"""OTLP metrics: what a collector is sent is what /metrics tells, in OpenTelemetry's shapes."""

from itertools import accumulate
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
)
from prometheus_client import CollectorRegistry, Info
from prometheus_client import Gauge as Figure
from prometheus_client import Histogram as Distribution
from prometheus_client.parser import text_string_to_metric_families

from db.jobs import Job
from server.app import create
from server.metrics import Metrics
from server.otlp_metrics import translated
from server.settings import Settings
from tests.client import Client
from tests.world import Portal, World

BEGAN, NOW = 1_000, 2_000
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def series(metrics: list[Metric]) -> Series:
    """What was translated, as Prometheus has it again."""
    found: Series = {}
    for metric in metrics:
        for point in metric.data.data_points:
            assert (point.start_time_unix_nano, point.time_unix_nano) == (BEGAN, NOW)
            labels: dict[str, Any] = dict(point.attributes or {})
            if isinstance(point, NumberDataPoint):
                found[metric.name, frozenset(labels.items())] = point.value
                continue
            assert isinstance(point, HistogramDataPoint)
            found[f"{metric.name}_count", frozenset(labels.items())] = point.count
            found[f"{metric.name}_sum", frozenset(labels.items())] = point.sum
            bounds = [*map(float, point.explicit_bounds), float("inf")]
            for bound, count in zip(bounds, accumulate(point.bucket_counts), strict=True):
                found[f"{metric.name}_bucket", frozenset((labels | {"le": str(bound)}).items())] = count
    return found


def exposed(text: str) -> Series:
    return {
        (
            sample.name,
            frozenset((name, _bound(name, value)) for name, value in sample.labels.items()),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _bound(name: str, value: str) -> str:
    return str(float(value)) if name == "le" else value


async def test_the_collector_is_told_every_figure_of_metrics_by_the_same_name(
    settings: Settings, world: World, portal: Portal, bea: Client
) -> None:
    app = create(settings, world.database, world.passwords)
    metrics: Metrics = app.state.metrics
    metrics.worked(Job.NOTICE_SEND, "later")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kontor.test") as http:
        here = Client(http, portal.slug, bea.token)
        await here.ask("{ portal { slug } }")
        await here.ask("mutation { cartAddItems(input: {items: []}) { errors { code } } }")
        await here.post("{ nothing }")
        text = (await http.get("/metrics")).text
    found, told = exposed(text), series(translated(metrics.families(), BEGAN, NOW))
    assert told.keys() == found.keys()
    ours = {key for key in found if key[0].startswith("kontor_")}
    assert {key: told[key] for key in ours} == {key: found[key] for key in ours}
    assert told["kontor_operation_seconds_count", frozenset({("type", "query")})] == 1
    assert told["kontor_statements_total", frozenset({("type", "mutation")})] > 1
    assert told["kontor_jobs_total", frozenset({("job", "notice.send"), ("outcome", "later")})] == 1


async def test_counts_only_grow_and_distributions_and_states_are_called_so(
    settings: Settings, world: World
) -> None:
    metrics = create(settings, world.database, world.passwords).state.metrics
    metrics.ended("query", [], 3, 0.2)
    kinds = {each.name: each.data for each in translated(metrics.families(), BEGAN, NOW)}
    counts, seconds = kinds["kontor_operations_total"], kinds["kontor_operation_seconds"]
    assert isinstance(counts, Sum)
    assert counts.is_monotonic
    assert isinstance(seconds, Histogram)
    assert (
        counts.aggregation_temporality is seconds.aggregation_temporality is AggregationTemporality.CUMULATIVE
    )
    assert isinstance(kinds["kontor_requests_in_flight"], Gauge)


def test_what_is_between_two_bounds_is_counted_once() -> None:
    registry = CollectorRegistry()
    sizes = Distribution("sizes", "Of things.", ["of"], buckets=(1, 2, 5), registry=registry)
    for size in (0.5, 1, 1.5, 4, 4, 100):
        sizes.labels("a").observe(size)
    sizes.labels("b").observe(3)
    (metric,) = translated(registry.collect(), BEGAN, NOW)
    one, other = metric.data.data_points
    assert isinstance(one, HistogramDataPoint)
    assert isinstance(other, HistogramDataPoint)
    assert (one.attributes, one.count, one.sum) == ({"of": "a"}, 6, 111)
    assert (one.explicit_bounds, one.bucket_counts) == ([1, 2, 5], [2, 1, 2, 1])
    assert (other.attributes, other.bucket_counts) == ({"of": "b"}, [0, 0, 1, 0])


def test_what_nobody_has_counted_is_not_there_and_no_kind_is_left_out_in_silence() -> None:
    registry = CollectorRegistry()
    Figure("nothing", "Of nobody.", ["of"], registry=registry)
    assert translated(registry.collect(), BEGAN, NOW) == []
    Info("build", "Of it.", registry=registry).info({"version": "1"})
    with pytest.raises(NotImplementedError, match="build is a info"):
        translated(registry.collect(), BEGAN, NOW)
