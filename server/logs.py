"""Logs: one line an event, for people or as JSON, every line of a request with its id."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog

from server.settings import Settings

# Texts that are not ours: errors tell what they met, and mail servers to whom they did not deliver.
_OF_OTHERS = ("cause", "error", "exception", "reason")
_ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:=]+@[^\s<>()\[\]\"',;:=]+")


def _without_addresses(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Nobody's e-mail address stays in a line."""
    for key in _OF_OTHERS:
        if isinstance(event.get(key), str):
            event[key] = _ADDRESS.sub("…@…", event[key])
    return event


def _as_json(event: dict[str, Any], **_given: Any) -> str:
    return orjson.dumps(event, default=repr).decode()


def configure(settings: Settings) -> None:
    """Set up structlog, and send what libraries log through the same lines."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    in_production = "json" if settings.environment == "production" else "console"
    as_json = (settings.log_format or in_production) == "json"
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(serializer=_as_json)
        if as_json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,  # without locals: they hold passwords
        )
    )
    rendering: list[structlog.typing.Processor] = [
        structlog.processors.format_exc_info,
        _without_addresses,
        renderer,
    ]
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
