"""The bench's own PostgreSQL: made, migrated, pinned to its core, thrown away."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.import_exchange import plain
from bench.peers.processes import descendants
from db import migrations, roles
from db.embedded import Cluster

NAME = "bench"
# The server that is measured has one core for itself; PostgreSQL and whoever asks share the other.
SERVER_CORE, OTHER_CORE = 0, 1
# Autovacuum would come when it likes; what is filled is vacuumed and analysed once instead.
_QUIET = "alter system set autovacuum = off; select pg_reload_conf()"


@dataclass(frozen=True, slots=True)
class Place:
    """A database that runs: its cluster, the folder that goes with it, and its first process."""

    cluster: Cluster
    home: Path
    postmaster: int

    def url(self, role: str = roles.SERVER) -> str:
        """Where SQLAlchemy finds it as a role."""
        return self.cluster.url(role, NAME)

    @property
    def sockets(self) -> str:
        """The folder of its socket, for those who do not take a URL."""
        return self.url().partition("?host=")[2].replace("%2F", "/")

    async def admin(self) -> asyncpg.Connection:
        """A connection that sees and may do everything."""
        return await asyncpg.connect(plain(self.url("postgres")))


@contextmanager
def running() -> Iterator[Place]:
    """A migrated, empty database as long as the block lasts."""
    home = Path(tempfile.mkdtemp(prefix="kontor-bench-"))
    cluster = Cluster(home)
    try:
        cluster.up()
        asyncio.run(roles.prepare(cluster.url("postgres", "postgres"), NAME))
        migrations.upgrade(cluster.url(roles.MIGRATION, NAME))
        yield Place(cluster, home, asyncio.run(_settle(cluster)))
    finally:
        cluster.destroy()
        shutil.rmtree(home, ignore_errors=True)


async def _settle(cluster: Cluster) -> int:
    """Make it quiet and put it on its core; the id of its first process."""
    admin = await asyncpg.connect(plain(cluster.url("postgres", NAME)))
    try:
        for statement in _QUIET.split("; "):
            await admin.execute(statement)
        postmaster = _parent(await admin.fetchval("select pg_backend_pid()"))
    finally:
        await admin.close()
    for pid in (postmaster, *descendants(postmaster)):
        with suppress(ProcessLookupError):
            os.sched_setaffinity(pid, {OTHER_CORE})
    return postmaster


def _parent(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("PPid:")))
