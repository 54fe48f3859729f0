"""Servers: the real one, started as in production, with the settings of a line; several may run at one place."""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.peers import processes
from bench.peers.data import Portal
from bench.peers.database import Place
from bench.peers.servers import NotStarted, free_port
from server.settings import ROOT

_PATIENCE_SECONDS = 60
# All servers of a run sign cursors alike, as the processes of one installation do.
_SECRET_KEY = secrets.token_hex(32)


@dataclass(frozen=True, slots=True)
class Serving:
    """A server's process, and where it listens."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path

    def url(self, portal: Portal, scheme: str = "http") -> str:
        """Where a portal is."""
        return f"{scheme}://127.0.0.1:{self.port}/portals/{portal.slug}/graphql"

    def address(self, path: str) -> str:
        """Where a path is."""
        return f"http://127.0.0.1:{self.port}{path}"

    async def at(self, path: str) -> int:
        """The status that an address answers; 0 when nothing does."""
        return await asyncio.to_thread(self._at, path)

    def _at(self, path: str) -> int:
        try:
            return httpx.get(self.address(path), timeout=10, trust_env=False).status_code
        except httpx.HTTPError:
            return 0

    def kill(self) -> None:
        """End it without a word, as the kernel does when memory runs out."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(5)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None


@asynccontextmanager
async def serving(
    place: Place,
    settings: Mapping[str, object] | None = None,
    *,
    database_url: str | None = None,
    around: Mapping[str, str] | None = None,
    patient: bool = True,
) -> AsyncIterator[Serving]:
    """A server as long as the block lasts, which answers from the beginning where one is `patient`.

    `settings` are its own, named as in server/settings.py; `around` are other variables of its environment. Raises NotStarted.
    """
    port = free_port()
    log = place.home / f"server-{port}.log"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("KONTOR_")},
        "DATABASE_URL": database_url or place.url(),
        "KONTOR_ENVIRONMENT": "production",
        "KONTOR_SECRET_KEY": _SECRET_KEY,
        "KONTOR_HOME": str(place.home / "kontor"),
        "KONTOR_PORT": str(port),
        "KONTOR_WORKER": "false",
        **{f"KONTOR_{name.upper()}": str(value) for name, value in (settings or {}).items()},
        **(around or {}),
    }
    with log.open("wb") as file:
        process = processes.start(
            [sys.executable, "-m", "server", "serve"],
            None,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
    started = Serving(process, port, log)
    try:
        if patient:
            await asyncio.to_thread(_wait, started)
        yield started
    finally:
        await asyncio.to_thread(processes.end, process)


def _wait(started: Serving) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        if not started.alive:
            said = started.log.read_text(errors="replace")[-500:]
            raise NotStarted(f"the server has ended with {started.process.returncode}: {said}")
        if started._at("/healthz") == 200:
            return
        time.sleep(0.1)
    raise NotStarted(f"the server does not answer after {_PATIENCE_SECONDS} s")
