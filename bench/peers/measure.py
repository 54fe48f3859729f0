"""Measuring: CPU, latency and memory of a server under load, in rounds that take turns; statements of one request."""

import asyncio
import re
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from bench.peers import placing
from bench.peers.data import Portal
from bench.peers.database import Place
from bench.peers.load import connected, like, once, under_load
from bench.peers.meter import Cost, Meter, cost
from bench.peers.operations import EVERY_ONE, READS, E, Operation
from bench.peers.servers import CONNECTIONS, Kind, Running

# Until compilers, caches and prepared statements of all connections are warm.
_WARM_SECONDS = 1.5
_LOGGED = re.compile(r" LOG:  (?:statement|execute [^:]*): ")
_TRIES = 3


class AnswersDiffer(Exception):
    """Two servers do not answer an operation alike, so there is nothing to compare."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The costs of an operation at a kind of server, one a round, and how many statements it runs."""

    kind: Kind
    operation: Operation
    costs: Sequence[Cost]
    statements: int

    def median(self, name: str) -> float:
        """The median of a figure over the rounds."""
        found: float = statistics.median(getattr(each, name) for each in self.costs)
        return found

    def ratio(self, other: "Figures") -> float:
        """How much CPU, server and PostgreSQL together, for one of the other's: the median of the rounds' ratios."""
        pairs = zip(self.costs, other.costs, strict=True)
        return statistics.median(mine.both_ms / theirs.both_ms for mine, theirs in pairs)

    def raw(self) -> dict[str, Any]:
        """All of it, for a file."""
        return {
            "server": self.kind.name,
            "operation": self.operation.name,
            "statements": self.statements,
            "rounds": [asdict(each) for each in self.costs],
        }


async def check(running: Sequence[Running], portal: Portal) -> None:
    """Ask every server everything that only reads. Raises AnswersDiffer."""
    for operation in READS:
        first: tuple[Running, Any] | None = None
        for server in running:
            asked = server.asked(operation)
            if asked is None:
                continue
            answer = orjson.loads(await once(server.port, server.request(operation, portal)))
            if "errors" in answer:
                raise AnswersDiffer(f"{operation.name} of {server.kind.name}: {answer['errors']}")
            plain = asked.plain(answer["data"])
            if first is None:
                first = server, plain
            elif plain != first[1]:
                names = f"{server.kind.name} and {first[0].kind.name}"
                raise AnswersDiffer(f"{operation.name} of {names}: {_difference(plain, first[1])}")


def _difference(one: Any, other: Any) -> str:
    """The first place at which two plain values differ."""
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)) and len(one) == len(other):
        return next(_difference(*pair) for pair in zip(one, other, strict=True) if pair[0] != pair[1])
    return f"{one!r} and {other!r}"[:500]


async def measure(
    running: Sequence[Running], place: Place, portal: Portal, *, rounds: int, seconds: float
) -> list[Figures]:
    """All operations at all servers, one after the other, in as many rounds."""
    pairs = [(server, each) for each in EVERY_ONE for server in running if server.asked(each)]
    for server, operation in pairs:
        await _cost(server, operation, place, portal, seconds=_WARM_SECONDS)
    statements = [await _statements(server, each, place, portal) for server, each in pairs]
    costs: list[list[Cost]] = [[] for _ in pairs]
    for number in range(1, rounds + 1):
        for found, (server, operation) in zip(costs, pairs, strict=True):
            found.append(await _cost(server, operation, place, portal, seconds=seconds))
        print(f"round {number} of {rounds}")
    return [
        Figures(server.kind, operation, found, count)
        for (server, operation), found, count in zip(pairs, costs, statements, strict=True)
    ]


async def _cost(
    server: Running, operation: Operation, place: Place, portal: Portal, *, seconds: float
) -> Cost:
    """One operation at one server, under load for some seconds."""
    if operation is E:
        return await placing.cost(server, place, portal, seconds=seconds)
    return await cost_of(server, operation, place, portal, seconds=seconds)


async def cost_of(
    server: Running, operation: Operation, place: Place, portal: Portal, *, seconds: float
) -> Cost:
    """An operation that reads, under load for some seconds; every answer has to be like the first."""
    asked = server.request(operation, portal)
    right = await once(server.port, asked)
    meter = Meter([server], place)
    load = await under_load(server.port, [asked], like(right), seconds=seconds, connections=CONNECTIONS)
    meter.stop()
    return cost(load, meter)


async def _statements(server: Running, operation: Operation, place: Place, portal: Portal) -> int:
    """How many statements one request sends, begin and commit included, by PostgreSQL's own log."""
    admin = await place.admin()
    log = place.home / "postgres" / "log"
    try:
        await admin.execute("alter system set log_statement = 'all'")
        await admin.execute("select pg_reload_conf()")
        await asyncio.sleep(0.3)
        counts = [await _logged(server, operation, portal, place, log) for _ in range(_TRIES)]
        await admin.execute("alter system reset log_statement")
        await admin.execute("select pg_reload_conf()")
        await asyncio.sleep(0.3)
        return min(counts)
    finally:
        await admin.close()


async def _logged(server: Running, operation: Operation, portal: Portal, place: Place, log: Path) -> int:
    if operation is E:
        await placing.fill_carts(place, portal)
    asked = server.request(operation, portal, portal.buyers[0].token if operation is E else None)
    # What a server does for its first request in a while is not this one's.
    lines = await connected(server.port, 1)
    await asyncio.sleep(0.2)
    start = _size(log)
    await lines[0].ask(asked)
    await asyncio.sleep(0.2)
    lines[0].close()
    return len(_LOGGED.findall(_since(log, start)))


def _size(log: Path) -> int:
    return log.stat().st_size


def _since(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode(errors="replace")
