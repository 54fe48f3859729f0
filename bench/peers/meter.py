"""Meter: how much CPU and memory a server and PostgreSQL use, and what that is for each request."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.peers import processes
from bench.peers.database import Place
from bench.peers.load import Load
from bench.peers.servers import Running


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request took: milliseconds of CPU of the server and of PostgreSQL, and of waiting; MB at the end."""

    server_ms: float
    postgres_ms: float
    per_second: float
    p50_ms: float
    p99_ms: float
    memory_mb: float
    requests: int

    @property
    def both_ms(self) -> float:
        """CPU of server and PostgreSQL together."""
        return self.server_ms + self.postgres_ms


class Meter:
    """What servers and PostgreSQL use while it runs, in nanoseconds. Backends of ours, by their pids, do not count."""

    def __init__(self, servers: Sequence[Running], place: Place, *, leave_out: Sequence[int] = ()) -> None:
        self._servers = servers
        self._place = place
        self._leave_out = set(leave_out)
        self.server = self.postgres = 0
        self.start()

    def start(self) -> None:
        """Go on from here."""
        self._before = self._look()

    def stop(self) -> None:
        """Add what was used since the start."""
        server, postgres = (
            processes.spent(before, after) for before, after in zip(self._before, self._look(), strict=True)
        )
        self.server += server
        self.postgres += postgres

    @property
    def memory(self) -> float:
        """MB that the servers have at this moment."""
        return processes.memory(pid for server in self._servers for pid in server.pids)

    def _look(self) -> tuple[dict[int, int], dict[int, int]]:
        backends = [self._place.postmaster, *processes.descendants(self._place.postmaster)]
        return (
            processes.cpu_of(pid for server in self._servers for pid in server.pids),
            processes.cpu_of(pid for pid in backends if pid not in self._leave_out),
        )


def cost(load: Load, meter: Meter) -> Cost:
    """What each request of a load cost, of all that a meter has counted."""
    count = len(load.latencies)
    ordered = sorted(load.latencies)
    return Cost(
        server_ms=meter.server / count / 1e6,
        postgres_ms=meter.postgres / count / 1e6,
        per_second=count / load.seconds,
        p50_ms=ordered[count // 2] * 1e3,
        p99_ms=ordered[count * 99 // 100] * 1e3,
        memory_mb=meter.memory,
        requests=count,
    )
