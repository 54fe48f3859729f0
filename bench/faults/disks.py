"""A disk that is full: line 36.

The tables are moved to a small disk in memory that is then filled. Their log stays where it was: PostgreSQL stops when that
finds no room, so that it belongs on a disk of its own.
"""

import asyncio
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg

from bench.faults.asking import Answer, asking, sku
from bench.faults.lines import Claims, Skipped, line
from bench.faults.places import Ground, orders_are_whole
from bench.faults.servers import serving
from bench.import_exchange import plain
from bench.peers.database import NAME, Place

_MEGABYTES = 128
_TABLES, _FILLER = "tables", "filler"
_MOST_ORDERS = 1_000  # until one finds no room: the tables have some left


@line(
    36,
    must="disk full: clean errors, reads go on, recovers",
    done=f"all tables on a disk of {_MEGABYTES} MB that is filled to the last byte while orders are placed, then emptied",
)
async def disk_full(ground: Ground, claims: Claims) -> str:
    """What needs room is refused, what needs none is answered, and nobody has to do anything when there is room."""
    place, portal = ground.place, ground.portal
    async with (
        _small_disk(place) as disk,
        serving(place) as server,
        asking(server, portal) as viewer,
        asking(server, portal, portal.buyers[0]) as buyer,
    ):
        claims.that((await buyer.order(sku(1), "room")).right, "orders work while there is room")
        await asyncio.to_thread(_fill, disk)
        placed, refused = 0, list[Answer]()
        while len(refused) < 10 and placed < _MOST_ORDERS:
            answer = await buyer.order(sku(1), f"full-{placed}")
            placed += answer.right
            refused += [] if answer.right else [answer]
        reads = await asyncio.gather(*(viewer.ask() for _ in range(20)))
        ready = await server.at("/readyz")
        _empty(disk)
        again = await buyer.order(sku(1), f"full-{placed}")
        whole = await orders_are_whole(place, portal)
    claims.that(len(refused) == 10, "the disk is full")
    claims.that(all(each.refused_cleanly for each in refused), "what finds no room is 503 with retry-after")
    claims.that(all("No space" not in each.text for each in refused), "which says nothing of disks")
    claims.that(all(each.right for each in reads) and ready == 200, "reads go on")
    claims.that(again.number is not None, "the refused order can be repeated when there is room")
    claims.that(whole, "numbers are unique and without gaps")
    codes = {code for each in refused for code in each.codes}
    return f"{placed} orders more, then {len(refused)} x {codes}, {len(reads)} reads answered, {again.number} after"


def _mount(place: Place) -> Path:
    """A small disk on which PostgreSQL has a folder. Raises Skipped without the right to mount one."""
    owner = (place.home / "postgres").resolve().stat()
    disk = Path(tempfile.mkdtemp(prefix="kontor-bench-disk-"))
    options = f"size={_MEGABYTES}m,mode=0755"
    if not _ran("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)):
        disk.rmdir()
        raise Skipped("mounting a small disk takes root's rights")
    (disk / _TABLES).mkdir(mode=0o700)
    os.chown(disk / _TABLES, owner.st_uid, owner.st_gid)
    return disk


def _unmount(disk: Path) -> None:
    _ran("umount", "--lazy", str(disk))
    disk.rmdir()


def _fill(disk: Path) -> None:
    """Take all room there is."""
    with (disk / _FILLER).open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4_096)


def _empty(disk: Path) -> None:
    """Give it back."""
    (disk / _FILLER).unlink(missing_ok=True)


@asynccontextmanager
async def _small_disk(place: Place) -> AsyncIterator[Path]:
    """The database's tables on a disk of their own as long as the block lasts. Raises Skipped without the right to mount."""
    disk = _mount(place)
    try:
        await _administer(place, f"create tablespace small location '{disk / _TABLES}'")
        await _administer(place, f"alter database {NAME} set tablespace small")
        yield disk
    finally:
        _empty(disk)
        await _administer(place, f"alter database {NAME} set tablespace pg_default")
        await _administer(place, "drop tablespace if exists small")
        _unmount(disk)


def _ran(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


async def _administer(place: Place, statement: str) -> None:
    """Run a statement while nobody is connected to the database."""
    admin = await asyncpg.connect(plain(place.cluster.url("postgres", "postgres")))
    try:
        await admin.execute(
            f"select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{NAME}'"
        )
        await admin.execute(statement)
    finally:
        await admin.close()
