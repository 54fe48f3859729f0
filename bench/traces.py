"""Cost of traces: `python -m bench.traces`; see --help.

What do requests cost, server and PostgreSQL, while nothing is traced, while a tenth is, and while all are? And, where the
folder of another version is given, what did they cost there? All servers take turns on the same core and database.
"""

import argparse
import asyncio
import os
import statistics
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import uvloop

from bench.peers import data, database, processes, report
from bench.peers.data import Portal, Size
from bench.peers.database import Place
from bench.peers.measure import cost_of
from bench.peers.meter import Cost
from bench.peers.operations import A, C, Operation
from bench.peers.servers import COMPILED, UNLIMITED, Running, running
from server.settings import ROOT

_WARM_SECONDS = 2.0
_OPERATIONS = (A, C)


class _Collector(BaseHTTPRequestHandler):
    """Takes spans and does nothing with them."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Called by the server for what is sent."""
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_given: object) -> None:
        """It has nothing to say."""


def main() -> None:
    """Make everything, measure, print, throw everything away."""
    parser = argparse.ArgumentParser(prog="python -m bench.traces")
    parser.add_argument(
        "--seconds", type=float, default=3.0, help="of load, for each operation in each round"
    )
    parser.add_argument("--rounds", type=int, default=7, help="in which all take turns")
    parser.add_argument("--beside", type=Path, help="folder of another version, with a .venv")
    given = parser.parse_args()
    processes.unwind_when_told()
    os.sched_setaffinity(0, {database.OTHER_CORE})
    with database.running() as place, _collecting() as endpoint:
        portal = asyncio.run(data.fill(place, Size(orders=2_000, documents=False), number=0))
        kinds = {
            "traces off": (ROOT, {}),
            "a tenth traced": (ROOT, {"KONTOR_OTLP_ENDPOINT": endpoint, "KONTOR_TRACE_SHARE": "0.1"}),
            "all traced": (ROOT, {"KONTOR_OTLP_ENDPOINT": endpoint}),
        }
        if given.beside:
            kinds = {"the other version": (given.beside, {}), **kinds}
        with ExitStack() as started:
            servers = {
                title: started.enter_context(
                    running([COMPILED], place, portal, settings={**UNLIMITED, **more}, folder=folder)
                )[0]
                for title, (folder, more) in kinds.items()
            }
            found = uvloop.run(_measure(servers, place, portal, given.rounds, given.seconds))
    print("\n".join(report.as_table(["", *_heads()], found)))


@contextmanager
def _collecting() -> Iterator[str]:
    collector = ThreadingHTTPServer(("127.0.0.1", 0), _Collector)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{collector.server_address[1]}"
    finally:
        collector.shutdown()
        collector.server_close()


async def _measure(
    servers: dict[str, Running], place: Place, portal: Portal, rounds: int, seconds: float
) -> list[list[str]]:
    costs: dict[tuple[str, Operation], list[Cost]] = {}
    for number in range(rounds + 1):  # the first warms up
        for operation in _OPERATIONS:
            for title, server in servers.items():
                each = await cost_of(
                    server, operation, place, portal, seconds=seconds if number else _WARM_SECONDS
                )
                if number:
                    costs.setdefault((title, operation), []).append(each)
    return [[title, *_figures([costs[title, each] for each in _OPERATIONS])] for title in servers]


def _heads() -> list[str]:
    return [
        f"{each.name} {what}" for each in _OPERATIONS for what in ("server ms", "PostgreSQL ms", "p99 ms")
    ]


def _figures(costs: Sequence[Sequence[Cost]]) -> list[str]:
    """Medians over the rounds, of the server's CPU with the least and the most."""
    told = []
    for each in costs:
        ours = sorted(one.server_ms for one in each)
        told += [
            f"{statistics.median(ours):.3f} ({ours[0]:.3f}-{ours[-1]:.3f})",
            f"{statistics.median(one.postgres_ms for one in each):.3f}",
            f"{statistics.median(one.p99_ms for one in each):.1f}",
        ]
    return told


if __name__ == "__main__":
    main()
