"""Lets schemathesis ask the real server whatever the schema allows, and does not, as nobody, a buyer and an owner; run by `make audits-fuzz`.

What it is to send and what it looks for is in fuzz_rules.py. The same seed sends the same.
"""

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from graphql import GraphQLList, GraphQLObjectType, build_schema, get_named_type, is_required_argument
from rich.console import Console

from bench.faults.asking import Client, client
from bench.faults.servers import Serving, serving
from bench.peers import database, processes
from db import roles
from db.connections import Database
from schema.root import sdl
from server.demo import personas
from server.demo.install import install
from server.importing import import_folder
from server.settings import ROOT, Settings
from server.storing import open_storage
from tests.audits.outside import Verdict, console, row

_HERE, _OTHER = "harbour", "alpen"
# Nobody, who buys for a customer, who owns the company; what somebody does is there for the next one.
_PEOPLE = {"nobody": None, "a buyer": "bella", "an owner": "simone"}
# Each would take away what the others, or the rest of the run, are to be asked with.
_LEFT_OUT = ("Mutation.signOut", "Mutation.sessionRevoke", "Mutation.accountViewAs")
_SIGN_IN = """mutation($name: String!, $password: String!) {
  signIn(input: {userName: $name, password: $password}) { token } }"""
_AMPLE = dict.fromkeys(
    ("budget_units", "budget_per_second", "portal_budget_units", "portal_budget_per_second"), 2_000_000_000
)
_LONGEST_SECONDS = 600
_REPORTS = ROOT / ".kontor-fuzz"
_TEXT = re.compile(r"^(number|code|sku|slug|userName|name|title)$")
_WIDTHS = (12, 10, 8, 8, 8, 14, 14)


@dataclass(frozen=True, slots=True)
class Known:
    """What is there at a portal: ids of all kinds, and texts by which things are called."""

    ids: list[str]
    texts: list[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of a run: how it ended, and each answer's field, status, codes and whether it had data."""

    status: int
    report: Path
    answers: list[tuple[str, int, list[str], bool]]


def main() -> int:
    """Ask as each of the people, and say what came of it."""
    given = _arguments()
    if not Path(given.schemathesis).exists():
        console.print(
            "There is no schemathesis here: `make audits-fuzz` installs it in an environment of its own."
        )
        return 2
    processes.unwind_when_told()
    verdict = Verdict()
    with database.running() as place:
        asyncio.run(_furnish(place))
        asyncio.run(_judge(given, place, verdict))
    return verdict.told("schemathesis")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.audits.fuzz", description=__doc__)
    parser.add_argument("schemathesis", help="the program")
    parser.add_argument("--examples", type=int, default=20, help="most of each field of Query and Mutation")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="a field, e.g. Query.orders")
    return parser.parse_args()


async def _furnish(place: database.Place) -> None:
    """The demo, whose portals have something of everything."""
    settings = Settings(_env_file=None, DATABASE_URL=place.url(), home=place.home / "kontor")  # type: ignore[call-arg]
    registry = await Database.open(place.url(roles.MIGRATION), size=2)
    own = await Database.open(place.url(), size=2)
    silent = Console(quiet=True)

    async def load(folder: Path, slug: str) -> int:
        return await import_folder(settings, folder, slug, place.home / "imports" / slug, silent)

    try:
        await install(
            registry, own, open_storage(settings), load, base_domain="localhost", real=None, tell=silent.print
        )
    finally:
        await own.close()
        await registry.close()


async def _judge(given: argparse.Namespace, place: database.Place, verdict: Verdict) -> None:
    _REPORTS.mkdir(exist_ok=True)
    schema = place.home / "schema.graphql"
    schema.write_text(sdl())
    async with serving(place, _AMPLE) as server:
        tokens = {name: await _token(server, _HERE, user) for name, user in _PEOPLE.items() if user}
        own = await _known(server, _HERE, tokens["an owner"])
        others = await _known(server, _OTHER, await _token(server, _OTHER, "vroni"))
        known = place.home / "known.json"
        known.write_text(json.dumps({"ids": own.ids, "others": others.ids, "texts": own.texts}))
        console.print(
            f"{len(own.ids)} ids and {len(own.texts)} texts of {_HERE} are known, {len(others.ids)} ids of {_OTHER}."
        )
        console.print(row(("", "answers", "200", "400", "429", "fields asked", "not refused"), _WIDTHS))
        for name in _PEOPLE:
            asked = await asyncio.to_thread(_ask, given, server, schema, known, name, tokens.get(name))
            _tell(name, asked, verdict)
        faults = [
            line for line in server.log.read_text(errors="replace").splitlines() if '"level":"error"' in line
        ]
        for fault in faults[:5]:
            console.print(_end_of(fault), markup=False)
        verdict.that(not faults, f"the server's log tells of no fault of ours, not of {len(faults)}")
        verdict.that(await server.at("/healthz") == 200, "the server lives")


def _end_of(fault: str) -> str:
    """The last lines of what went wrong, where it did."""
    return "\n".join(str(json.loads(fault).get("exception", fault)).splitlines()[-12:])


async def _token(server: Serving, slug: str, user: str) -> str:
    given = {"query": _SIGN_IN, "variables": {"name": user, "password": personas.PASSWORD}}
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        answer = await http.post(server.address(f"/portals/{slug}/graphql"), json=given)
    token: str = answer.json()["data"]["signIn"]["token"]
    return token


async def _known(server: Serving, slug: str, token: str) -> Known:
    """Whatever the lists of the schema show to the holder of a token."""
    query = build_schema(sdl()).query_type
    assert query is not None
    ids, texts = set[str](), set[str]()
    async with client(server.address(f"/portals/{slug}/graphql"), token) as owner:
        for name, field in query.fields.items():
            connection = get_named_type(field.type)
            if isinstance(connection, GraphQLObjectType) and not any(
                map(is_required_argument, field.args.values())
            ):
                for node in await _nodes(owner, name, connection):
                    ids |= {value for key, value in node.items() if key == "id"}
                    texts |= {value for key, value in node.items() if key != "id" and value}
    return Known(sorted(ids), sorted(texts))


async def _nodes(owner: Client, name: str, connection: GraphQLObjectType) -> list[Mapping[str, str]]:
    """Some nodes of a list, with their ids and what they are called."""
    if "nodes" not in connection.fields:
        return []
    node = get_named_type(connection.fields["nodes"].type)
    fields = getattr(node, "fields", {})
    wanted = [
        each
        for each, field in fields.items()
        if each == "id" or (_TEXT.match(each) and not field.args and not isinstance(field.type, GraphQLList))
    ]
    answer = (
        await owner.ask(f"{{ {name}(first: 8) {{ nodes {{ {' '.join(wanted)} }} }} }}") if wanted else None
    )
    found: Any = ((answer.body.get("data") or {}).get(name) or {}) if answer else {}
    return [
        {key: value for key, value in each.items() if isinstance(value, str)}
        for each in found.get("nodes", [])
    ]


def _ask(
    given: argparse.Namespace, server: Serving, schema: Path, known: Path, name: str, token: str | None
) -> Asked:
    """One run of schemathesis as somebody."""
    seen = schema.with_name(f"seen-{name.split()[-1]}.jsonl")
    seen.touch()
    report = _REPORTS / f"{name.split()[-1]}.txt"
    command = [
        str(Path(given.schemathesis).absolute()),
        *("run", str(schema), "--url", server.address(f"/portals/{_HERE}/graphql"), "--no-color"),
        *("--phases", "fuzzing", "--max-examples", str(given.examples), "--seed", str(given.seed)),
        *("--generation-database", "none", "--suppress-health-check", "all", "--continue-on-failure"),
        *("--mode", "all", "--request-timeout", "30", "--output-sanitize", "true", "--warnings", "off"),
        *("--checks", "is_answered_as_graphql_over_http,response_schema_conformance,negative_data_rejection"),
        *("--header", "Accept: application/graphql-response+json"),
        *(("--header", f"Authorization: Bearer {token}") if token else ()),
        *(("--include-name", given.only) if given.only else ()),
        *(part for each in _LEFT_OUT for part in ("--exclude-name", each)),
    ]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(schema.parent),
        "SCHEMATHESIS_HOOKS": "fuzz_rules",
        "PYTHONPATH": str(Path(__file__).parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "KONTOR_FUZZ_KNOWN": str(known),
        "KONTOR_FUZZ_SEEN": str(seen),
    }
    with report.open("wb") as file:
        ran = subprocess.run(
            command,
            cwd=schema.parent,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
            timeout=_LONGEST_SECONDS,
            check=False,
        )
    return Asked(ran.returncode, report, [tuple(json.loads(line)) for line in seen.read_text().splitlines()])


def _tell(name: str, asked: Asked, verdict: Verdict) -> None:
    statuses = Counter(status for _, status, _, _ in asked.answers)
    fields = {field for field, *_ in asked.answers}
    answered = {field for field, _, _, data in asked.answers if data}
    counts = (statuses[each] for each in (200, 400, 429))
    console.print(row((name, len(asked.answers), *counts, len(fields), len(answered)), _WIDTHS))
    codes = Counter(code for _, _, every, _ in asked.answers for code in every)
    console.print("  " + ", ".join(f"{code} {count}" for code, count in codes.most_common(12)))
    verdict.that(bool(asked.answers), f"{name}: something was asked")
    verdict.that(
        asked.status == 0,
        f"{name}: schemathesis finds nothing; what it found is in {asked.report.relative_to(ROOT)}",
    )


if __name__ == "__main__":
    started = time.monotonic()
    outcome = main()
    console.print(f"It took {time.monotonic() - started:.0f} s.")
    sys.exit(outcome)
