"""Health: whether the process lives, and whether it can serve."""

from dataclasses import dataclass
from functools import cache
from http import HTTPStatus

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse

from db import migrations
from db.connections import Database
from db.isolation import Mode

_log = structlog.get_logger("kontor.health")

_serves = cache(migrations.serves)  # it reads the folder of migrations


async def healthz(_request: Request) -> JSONResponse:
    """The process answers."""
    return _now("ok")


@dataclass(slots=True)
class Readiness:
    """/readyz: the database can be reached and has the tables that this code expects, or those of a later release."""

    database: Database

    async def check(self, _request: Request) -> JSONResponse:
        """200 when requests can be served, 503 with the reason otherwise."""
        try:
            async with self.database.transaction(Mode.SNAPSHOT, None) as connection:
                current = await migrations.current(connection)
        except Exception as error:
            _log.warning("not ready", cause=str(error) or type(error).__name__)
            return _now("unavailable", HTTPStatus.SERVICE_UNAVAILABLE, reason="database")
        if not _serves(current):
            return _now("unavailable", HTTPStatus.SERVICE_UNAVAILABLE, reason="migration")
        return _now("ok")


def _now(status: str, code: HTTPStatus = HTTPStatus.OK, **why: str) -> JSONResponse:
    """What is true at this moment, and may not be kept on the way."""
    return JSONResponse({"status": status, **why}, code, {"cache-control": "no-store"})
