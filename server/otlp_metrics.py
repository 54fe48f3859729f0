"""OTLP metrics: what /metrics tells, sent to a collector as well, from a thread of its own.

There is one set of figures, that of server/metrics.py, and its names are kept: a figure is called the same on whichever
way it came. The shapes are those that OpenTelemetry has for Prometheus' types:
https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
"""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import structlog
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.samples import Sample

from server.metrics import Metrics
from server.otlp import EXPORT_SECONDS, resource
from server.settings import Settings

_CLOSE_SECONDS = 2
_SCOPE = InstrumentationScope("kontor")
_CUMULATIVE = AggregationTemporality.CUMULATIVE

_log = structlog.get_logger("kontor.metrics")


@contextmanager
def sent(settings: Settings, metrics: Metrics) -> Iterator[None]:
    """Send the figures to the collector of the settings every `metrics_seconds` as long as the block lasts, and once more
    at its end. What a collector does not take is in what it is sent next: figures count from the beginning."""
    exporter = OTLPMetricExporter(f"{settings.otlp_endpoint}/v1/metrics", timeout=EXPORT_SECONDS)
    process, began = resource(settings), time.time_ns()
    ended = threading.Event()

    def send() -> None:
        told = ScopeMetrics(_SCOPE, translated(metrics.families(), began, time.time_ns()), "")
        exporter.export(MetricsData([ResourceMetrics(process, [told], "")]))

    def send_regularly() -> None:
        while True:
            last = ended.wait(settings.metrics_seconds)
            try:
                send()
            except Exception as error:
                _log.error("figures not sent", exc_info=error)
            if last:
                return

    sending = threading.Thread(target=send_regularly, name="otlp-metrics", daemon=True)
    sending.start()
    try:
        yield
    finally:
        ended.set()
        sending.join(_CLOSE_SECONDS)
        exporter.shutdown()


def translated(families: Iterable[Family], began: int, now: int) -> list[Metric]:
    """Figures of Prometheus as OpenTelemetry's, counted from `began` to `now` (nanoseconds since 1970)."""
    return [_metric(each, began, now) for each in families if each.samples]


def _metric(family: Family, began: int, now: int) -> Metric:
    name, data = family.name, _data(family, began, now)
    if isinstance(data, Sum):
        name = family.samples[0].name  # with _total
    return Metric(name, family.documentation, family.unit, data)


def _data(family: Family, began: int, now: int) -> Gauge | Histogram | Sum:
    if family.type == "histogram":
        return Histogram(list(_distributions(family.samples, began, now)), _CUMULATIVE)
    points = [NumberDataPoint(each.labels, began, now, each.value) for each in family.samples]
    if family.type == "counter":
        return Sum(points, _CUMULATIVE, is_monotonic=True)
    if family.type == "gauge":
        return Gauge(points)
    raise NotImplementedError(f"{family.name} is a {family.type}")


def _distributions(samples: Sequence[Sample], began: int, now: int) -> Iterator[HistogramDataPoint]:
    """Prometheus counts how many are at most so large; OpenTelemetry how many are between two bounds."""
    counted: dict[tuple[tuple[str, str], ...], list[tuple[float, int]]] = defaultdict(list)
    sums: dict[tuple[tuple[str, str], ...], float] = {}
    for sample in samples:
        labels = tuple((name, value) for name, value in sample.labels.items() if name != "le")
        if "le" in sample.labels:
            counted[labels].append((float(sample.labels["le"]), int(sample.value)))
        elif sample.name.endswith("_sum"):
            sums[labels] = sample.value
    unknown: Any = None  # Prometheus keeps neither the least nor the most
    for labels, up_to in counted.items():
        yield HistogramDataPoint(
            dict(labels),
            began,
            now,
            count=up_to[-1][1],
            sum=sums[labels],
            bucket_counts=[after - before for before, after in pairwise([0, *(count for _, count in up_to)])],
            explicit_bounds=[bound for bound, _ in up_to[:-1]],
            min=unknown,
            max=unknown,
        )
