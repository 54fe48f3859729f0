"""Fairness: `python -m bench.fairness`; see --help.

Two portals on one server. One is asked by a person, who waits a little between two requests; the other by many at once,
as fast as they can, who take no notice of being refused. What does the person at the first notice of it? The person is
measured alone and beside the others, in turns, in one run.
"""

import argparse
import asyncio
import multiprocessing
import os
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from statistics import median

import orjson
import uvloop

from bench.peers import data, database, machine, processes, report, servers
from bench.peers.data import Portal, Size
from bench.peers.database import OTHER_CORE, Place
from bench.peers.load import WrongAnswer, connected
from bench.peers.operations import A, Asked, B, C, Operation, new_document
from bench.peers.servers import COMPILED, UNLIMITED, Running
from db.connections import Database
from db.isolation import Mode
from rules.permissions import StaffRole
from rules.staff_members import HeldRole
from tenants.passwords import Passwords
from tenants.provisioning import NewLogin, add_staff_member

_SIZE = Size(orders=4_000, documents=False)
_PAUSE_SECONDS = 0.01
_WARM_SECONDS = 2.0
# A company that may ask for little: a tenth of a core or less.
_TIGHT = {"KONTOR_PORTAL_BUDGET_UNITS": "1000000", "KONTOR_PORTAL_BUDGET_PER_SECOND": "250000"}
_SPAWN = multiprocessing.get_context("spawn")
# Each request has another name where this one stands.
_NAME = b"N00000000"
_NEW = Operation(
    "N", "a document", Asked(new_document(0), lambda _portal: {}, lambda data: [data["portal"]["slug"]])
)
_KEEP = "mutation($input: %sInput!) { %s(input: $input) { products { sku } } }"
# A thousand products from an ERP, all changed; and as many values as an operation may bring along, which are refused.
_ROWS = Operation(
    "R",
    "a thousand rows",
    Asked(
        _KEEP % ("ProductsUpsert", "productsUpsert"),
        lambda _portal: {
            "input": {
                "rows": [
                    {"sku": f"ROW-{number:04}", "name": _NAME.decode(), "unit": "pcs", "taxRate": "20"}
                    for number in range(1_000)
                ]
            }
        },
        lambda data: [],
    ),
)
_VALUES = Operation(
    "V",
    "many values",
    Asked(
        _KEEP % ("StockUpsert", "stockUpsert"),
        lambda _portal: {"input": {"rows": 12_000 * [{"sku": "A", "warehouse": "W", "onHand": "1"}]}},
        lambda data: [],
    ),
)
_ERP, _PASSWORD = "erp", secrets.token_hex()


@dataclass(frozen=True, slots=True)
class Noticed:
    """What the person noticed: milliseconds of a request, as half of them and all but a hundredth are faster."""

    p50: float
    p99: float


@dataclass(frozen=True, slots=True)
class Case:
    """How the other portal is asked, and with which budget."""

    title: str
    operations: Sequence[Operation]
    settings: Mapping[str, str]
    by_staff: bool = False


_CASES = (
    Case("small operations, within its budget", (C,), {}),
    Case("pages of all kinds, within its budget", (A, B, C), {}),
    Case("small operations, beyond its budget", (C,), _TIGHT),
    Case("pages of all kinds, beyond its budget", (A, B, C), _TIGHT),
    Case("large documents that are new, within its budget", (_NEW,), UNLIMITED),
    Case("large documents that are new, beyond its budget", (_NEW,), _TIGHT),
    Case("a thousand rows each, within its budget", (_ROWS,), {}, by_staff=True),
    Case("a thousand rows each, beyond its budget", (_ROWS,), _TIGHT, by_staff=True),
    Case("50,000 values each, within its budget", (_VALUES,), UNLIMITED),
)


def main() -> None:
    """Make everything, measure, print it, throw everything away."""
    given = _arguments()
    processes.unwind_when_told()
    os.sched_setaffinity(0, {OTHER_CORE})
    print(machine.described())
    rows = []
    with database.running() as place:
        quiet, loud = asyncio.run(data.fill_many(place, _SIZE, 0, 2))
        asyncio.run(_hire(place, loud))
        for case in (each for each in _CASES if given.only in each.title):
            print(case.title)
            rows.append([case.title, *_case(place, quiet, loud, case, given)])
    head = [
        "the other portal",
        "alone p50",
        "p99",
        "beside p50",
        "p99",
        "of alone",
        "answered/s",
        "refused/s",
    ]
    print("\n".join(report.as_table(head, rows)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.fairness", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each round, alone and beside")
    parser.add_argument("--clients", type=int, default=64, help="of the loud portal")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="the cases whose title has this text in it"
    )
    return parser.parse_args()


async def _hire(place: Place, portal: Portal) -> None:
    """An ERP that signs in as a staff member of a portal."""
    database = await Database.open(place.url(), size=1)
    try:
        new = NewLogin(
            user_name=_ERP,
            name="ERP",
            email="erp@kontor.example",
            password_hash=await Passwords().hash(_PASSWORD),
        )
        async with database.transaction(Mode.WRITE, portal.tenant_id) as connection:
            await add_staff_member(connection, new, [HeldRole(StaffRole.OWNER, None)])
    finally:
        await database.close()


async def _signed_in(server: Running, portal: Portal) -> str:
    """The ERP's token."""
    (line,) = await connected(server.port, 1)
    asked = Asked(
        "mutation($input: SignInInput!) { signIn(input: $input) { token } }",
        lambda _portal: {"input": {"userName": _ERP, "password": _PASSWORD}},
        lambda data: [],
    )
    answer = orjson.loads(await line.ask(server.request(Operation("S", "a sign-in", asked), portal)))
    line.close()
    token: str = answer["data"]["signIn"]["token"]
    return token


def _case(place: Place, quiet: Portal, loud: Portal, case: Case, given: argparse.Namespace) -> list[str]:
    alone, beside, outcomes = list[Noticed](), list[Noticed](), Counter[str]()
    with servers.running([COMPILED], place, quiet, settings=case.settings) as (server,):
        uvloop.run(_person(server, quiet, _WARM_SECONDS))
        token = uvloop.run(_signed_in(server, loud)) if case.by_staff else loud.token
        asked = [server.request(each, loud, token) for each in case.operations]
        for _ in range(given.rounds):
            alone.append(uvloop.run(_person(server, quiet, given.seconds)))
            with _others(server, asked, given.clients, outcomes):
                time.sleep(_WARM_SECONDS)
                beside.append(uvloop.run(_person(server, quiet, given.seconds)))
    for each in zip(alone, beside, strict=True):
        print(" ", *each)
    ratio = median(b.p99 / a.p99 for a, b in zip(alone, beside, strict=True))
    seconds = given.rounds * (given.seconds + _WARM_SECONDS)
    figures = [
        f"{median(getattr(each, p) for each in which):.1f}"
        for which in (alone, beside)
        for p in ("p50", "p99")
    ]
    return [
        *figures,
        f"{ratio:.2f}",
        *(f"{outcomes[each] / seconds:,.0f}" for each in ("answered", "refused")),
    ]


async def _person(server: Running, portal: Portal, seconds: float) -> Noticed:
    """Somebody who looks at pages and at single orders, one after the other."""
    (line,) = await connected(server.port, 1)
    asked = [server.request(each, portal) for each in (C, B, C)]
    took, at, until = list[float](), 0, time.perf_counter() + seconds
    while (start := time.perf_counter()) < until:
        answer = await line.ask(asked[at % len(asked)])
        if at % len(asked) != 1:  # the pages are another thing to wait for
            took.append(time.perf_counter() - start)
        if b'"errors"' in answer:
            raise WrongAnswer(answer[:500].decode())
        at += 1
        await asyncio.sleep(_PAUSE_SECONDS)
    line.close()
    took.sort()
    return Noticed(took[len(took) // 2] * 1e3, took[len(took) * 99 // 100] * 1e3)


@contextmanager
def _others(server: Running, asked: Sequence[bytes], clients: int, outcomes: Counter[str]) -> Iterator[None]:
    """The other portal under load as long as the block lasts."""
    enough, told = _SPAWN.Event(), _SPAWN.Queue()
    process = _SPAWN.Process(target=_ask, args=(server.port, asked, clients, enough, told), daemon=True)
    process.start()
    try:
        yield
    finally:
        enough.set()
        outcomes.update(told.get(timeout=60))
        process.join(10)


def _ask(port: int, asked: Sequence[bytes], clients: int, enough: Event, told: "Queue[Counter[str]]") -> None:
    """In a process of its own: ask on so many connections, each as soon as it has an answer."""
    outcomes = Counter[str]()

    async def all_of_them() -> None:
        lines = await connected(port, clients)

        async def one(number: int) -> None:
            at = number
            while not enough.is_set():
                try:
                    name = b"N%08d" % (at * clients + number)
                    await lines[number].ask(asked[at % len(asked)].replace(_NAME, name))
                    outcomes["answered"] += 1
                except WrongAnswer as refused:
                    error = orjson.loads(str(refused))["errors"][0]["extensions"]
                    limited = error["code"] == "RATE_LIMITED" and error["retryAfter"] >= 1
                    waited = error["code"] == "SERVICE_UNAVAILABLE"  # for a turn that did not come
                    if not limited and not waited:
                        raise
                    outcomes["refused"] += 1
                at += 1

        await asyncio.gather(*(one(number) for number in range(clients)))

    try:
        uvloop.run(all_of_them())
    finally:
        told.put(outcomes)


if __name__ == "__main__":
    main()
