"""Telemetry: whether this process tells an OpenTelemetry collector of its work. What it tells, and OpenTelemetry with it,
is in spans.py and otlp_metrics.py."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from resolvers.context import Context
from server.metrics import Kind, Metrics
from server.settings import Settings

if TYPE_CHECKING:
    from server.spans import Spans


@dataclass(slots=True, frozen=True)
class Ended:
    """What became of an operation, left in its request's state as `ended` for whatever lies around the application."""

    kind: Kind
    codes: Sequence[str]
    context: Context


@contextmanager
def tracing(settings: Settings) -> Iterator["Spans | None"]:
    """The spans of this process as long as the block lasts, None where the settings name nobody to send them to."""
    if not settings.otlp_endpoint:
        yield None
        return
    # Only now: who traces nothing carries nothing of OpenTelemetry.
    from server.spans import exported

    with exported(settings) as spans:
        yield spans


@contextmanager
def telling(settings: Settings, metrics: Metrics) -> Iterator[None]:
    """The figures of this process are sent as well, as long as the block lasts."""
    if not settings.otlp_endpoint:
        yield
        return
    # Only now, for the same reason.
    from server.otlp_metrics import sent

    with sent(settings, metrics):
        yield
