"""Servers: each is started as its users start it, alone on its core, and asked in its own way."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.peers import postgraphile, processes
from bench.peers.data import Portal
from bench.peers.database import SERVER_CORE, Place
from bench.peers.load import request
from bench.peers.operations import Asked, Operation
from server.settings import ROOT

_PATIENCE_SECONDS = 60
# Connections that load makes, and of each server to PostgreSQL.
CONNECTIONS, POOL = 8, 10
# One viewer asks for as much as there is time for: budgets are looked after as ever, and hold up nobody.
_MOST = str(2_000_000_000)
UNLIMITED: Mapping[str, str] = {
    f"KONTOR_{each}": _MOST
    for each in (
        "BUDGET_UNITS",
        "BUDGET_PER_SECOND",
        "PORTAL_BUDGET_UNITS",
        "PORTAL_BUDGET_PER_SECOND",
    )
}


class NotStarted(Exception):
    """A server did not answer in time, or ended."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of server: its name in figures, and what it is for people."""

    name: str
    title: str


FLOOR = Kind("floor", "floor: bare ASGI, SQL by hand")
UNCOMPILED = Kind("uncompiled", "Kontor, not compiled")
COMPILED = Kind("compiled", "Kontor, compiled")
POSTGRAPHILE = Kind("postgraphile", "PostGraphile, session known")
POSTGRAPHILE_SESSIONS = Kind("postgraphile-sessions", "PostGraphile, session looked up")
EVERY_ONE = (FLOOR, COMPILED, UNCOMPILED, POSTGRAPHILE, POSTGRAPHILE_SESSIONS)
OURS = (COMPILED, UNCOMPILED)
PEERS = (POSTGRAPHILE, POSTGRAPHILE_SESSIONS)


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers."""

    kind: Kind
    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def pids(self) -> list[int]:
        """Its process and all below it."""
        return [self.process.pid, *processes.descendants(self.process.pid)]

    def asked(self, operation: Operation) -> Asked | None:
        """How it is asked an operation; None when it cannot answer."""
        if self.kind in PEERS:
            return operation.postgraphile
        return None if self.kind is FLOOR and operation.postgraphile is None else operation.ours

    def request(self, operation: Operation, portal: Portal, token: str | None = None) -> bytes:
        """An operation as this server is asked by the viewer, or by the holder of another token."""
        asked = self.asked(operation)
        assert asked is not None
        path = f"/portals/{portal.slug}/graphql" if self.kind in OURS else "/graphql"
        body = {"query": asked.query, "variables": asked.variables(portal)}
        return request(self.port, path, token or portal.token, body)


@contextmanager
def running(
    kinds: Sequence[Kind],
    place: Place,
    portal: Portal,
    *,
    core: int | None = SERVER_CORE,
    settings: Mapping[str, str] = UNLIMITED,
    folder: Path = ROOT,
) -> Iterator[list[Running]]:
    """Servers on their core as long as the block lasts, ours with these settings, from that folder."""
    with ExitStack() as started:
        found = []
        for kind in kinds:
            found.append(_start(kind, place, portal, core, settings, folder))
            started.callback(processes.end, found[-1].process)
        for each in found:
            _wait(each)
        yield found


def _start(
    kind: Kind, place: Place, portal: Portal, core: int | None, more: Mapping[str, str], folder: Path
) -> Running:
    port = free_port()
    command, settings = _command(kind, place, portal, port)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KONTOR_")}
    process = processes.start(
        command,
        core,
        cwd=folder,
        env={**kept, **settings, **more},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return Running(kind, port, process)


def _command(kind: Kind, place: Place, portal: Portal, port: int) -> tuple[list[str], dict[str, str]]:
    if kind is FLOOR:
        given = {
            "DATABASE_URL": place.url(),
            "BENCH_TENANT": str(portal.tenant_id),
            "BENCH_PORT": str(port),
        }
        return [sys.executable, "-m", "bench.peers.floor"], given
    if kind in PEERS:
        known = kind is POSTGRAPHILE
        return postgraphile.command(place, portal, port, connections=POOL, sessions=not known)
    return [sys.executable, "-m", "server", "serve"], {
        "DATABASE_URL": place.url(),
        "KONTOR_ENVIRONMENT": "production",
        "KONTOR_SECRET_KEY": secrets.token_hex(32),
        "KONTOR_HOME": str(place.home / "kontor"),
        "KONTOR_PORT": str(port),
        "KONTOR_POOL_SIZE": str(POOL),
        # Jobs are done by a process of their own: what one server leaves to do, another would be charged for.
        "KONTOR_WORKER": "false",
        "KONTOR_COMPILED": "true" if kind is COMPILED else "false",
    }


def _wait(server: Running) -> None:
    """Until it answers anything."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        if server.process.poll() is not None:
            raise NotStarted(f"{server.kind.name} has ended with {server.process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", server.port), 1):
                return
        except OSError:
            time.sleep(0.1)
    raise NotStarted(f"{server.kind.name} does not listen after {_PATIENCE_SECONDS} s")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
