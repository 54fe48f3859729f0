"""A page of products under access groups against the same page without: `python -m bench.restricted_pages [ROUNDS]`.

One portal with 10,000 products in 600 categories, two warehouses, and for each customer a buyer. The pages
are asked in turns of the real application in this process; told is the CPU of server and PostgreSQL a request,
as medians over the rounds, and the ratio to the page without restrictions in the same run.
"""

import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuid

import db
from db import migrations, roles
from db.access_groups import Membership
from db.connections import Connection, Database
from db.embedded import Cluster
from db.isolation import Mode
from rules.permissions import BuiltInProfile
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from server.app import create
from server.settings import Settings
from tenants import provisioning
from tenants.passwords import Passwords
from tenants.provisioning import NewLogin, NewPortal

_DATABASE = "bench"
_REQUESTS = 30
_PAGE = """query($first: Int) { products(first: $first) { nodes { id sku name available
  price { unitPrice { amount currency } } stock { available warehouse { code } } } } }"""
_ALLOW, _DENY = RestrictionMode.ALLOW_EXCEPT, RestrictionMode.DENY_EXCEPT
_CATEGORY, _PRODUCT, _WAREHOUSE = (
    RestrictionKind.PRODUCT_CATEGORY,
    RestrictionKind.PRODUCT,
    RestrictionKind.WAREHOUSE,
)
# Who asks: five groups each, with the modes and the lists of each group. 200 values are listed in each list.
_BUYERS: dict[str, list[tuple[Modes, tuple[RestrictionKind, ...]]]] = {
    "unrestricted": [(Modes(), ())],
    "a group that allows one category": [(Modes(category=_DENY), (_CATEGORY,))],
    "five groups that allow 200 categories": [(Modes(category=_DENY), (_CATEGORY,))] * 5,
    "five groups that deny 200 categories": [(Modes(category=_ALLOW), (_CATEGORY,))] * 5,
    "five groups that allow 200 products": [(Modes(product=_DENY), (_PRODUCT,))] * 5,
    "five groups that deny 200 products": [(Modes(product=_ALLOW), (_PRODUCT,))] * 5,
    "five groups of all kinds": [
        (Modes(category=_DENY), (_CATEGORY,)),
        (Modes(product=_ALLOW), (_PRODUCT,)),
        (Modes(category=_ALLOW, product=_ALLOW), (_CATEGORY, _PRODUCT)),
        (Modes(category=_DENY, warehouse=_DENY), (_CATEGORY, _WAREHOUSE)),
        (Modes(product=_DENY, warehouse=_ALLOW), (_PRODUCT, _WAREHOUSE)),
    ],
}


def main(rounds: int) -> None:
    """Make a server and a world, measure, throw both away."""
    home = Path(tempfile.mkdtemp(prefix="kontor-bench-"))
    cluster = Cluster(home)
    try:
        cluster.up()
        asyncio.run(roles.prepare(cluster.url("postgres", "postgres"), _DATABASE))
        migrations.upgrade(cluster.url(roles.MIGRATION, _DATABASE))
        asyncio.run(_measure(cluster, home, rounds))
    finally:
        cluster.destroy()
        shutil.rmtree(home)


@dataclass(slots=True)
class _Cost:
    """CPU of one request, in milliseconds, and how many rows came."""

    server: float
    postgres: float
    rows: int


async def _measure(cluster: Cluster, home: Path, rounds: int) -> None:
    database = await Database.open(cluster.url(roles.SERVER, _DATABASE), size=1)
    passwords = Passwords()
    settings = Settings(  # type: ignore[call-arg]
        _env_file=None, DATABASE_URL=cluster.url(roles.SERVER, _DATABASE), home=home
    )
    app = create(settings, database, passwords)
    registry = await Database.open(cluster.url(roles.MIGRATION, _DATABASE), size=1)
    tokens = await _build(registry, database)
    costs: dict[str, list[_Cost]] = {name: [] for name in tokens}
    backend = await _backend(database)
    for _ in range(rounds + 1):
        for name, token in tokens.items():
            costs[name].append(await _ask(app, token, backend))
    base = costs["unrestricted"][1:]
    for name, found in costs.items():
        one, plain = found[1:], statistics.median(each.server + each.postgres for each in base)
        both = statistics.median(each.server + each.postgres for each in one)
        print(
            f"{name:40} {one[0].rows:4} rows, server {statistics.median(each.server for each in one):6.2f} ms,"
            f" PostgreSQL {statistics.median(each.postgres for each in one):6.2f} ms, ratio {both / plain:5.2f}"
        )
    passwords.close()
    await database.close()
    await registry.close()


async def _ask(app: Any, token: str, backend: int) -> _Cost:
    """The same page some times over, as the application sees it: without the cost of a client."""
    body = json.dumps({"query": _PAGE, "variables": {"first": 100}}).encode()
    rows = 0
    server, postgres = time.process_time(), _cpu(backend)
    for _ in range(_REQUESTS):
        answer = json.loads(await _post(app, token, body))
        assert "errors" not in answer, answer
        rows = len(answer["data"]["products"]["nodes"])
    server, postgres = time.process_time() - server, _cpu(backend) - postgres
    return _Cost(server / _REQUESTS * 1_000, postgres / _REQUESTS * 1_000, rows)


async def _post(app: Any, token: str, body: bytes) -> bytes:
    chunks: list[bytes] = []
    asked = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if asked:
            return asked.pop()
        await asyncio.Event().wait()  # the client stays
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        chunks.append(message.get("body", b""))

    headers = {"host": "bench.test", "content-type": "application/json", "authorization": f"Bearer {token}"}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/portals/bench/graphql",
        "raw_path": b"/portals/bench/graphql",
        "query_string": b"",
        "scheme": "http",
        "server": ("bench.test", 80),
        "client": ("127.0.0.1", 1),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    await app(scope, receive, send)
    return b"".join(chunks)


async def _backend(database: Database) -> int:
    async with database.transaction(Mode.SNAPSHOT, None) as connection:
        found: int = (await connection.fetch_text("select pg_backend_pid()"))[0][0]
    return found


def _cpu(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


_WORLD = (
    """insert into price_lists (tenant_id, id, code, name) values ($1, gen_random_uuid(), 'all', 'All')""",
    """update portals set price_list_id = l.id from price_lists l where portals.tenant_id = $1""",
    """insert into warehouses (tenant_id, id, code, name)
    select $1, gen_random_uuid(), 'W' || n, 'Warehouse' from generate_series(1, 2) n""",
    """insert into categories (tenant_id, id, code, name)
    select $1, gen_random_uuid(), 'R' || n, 'Root' from generate_series(1, 100) n""",
    """insert into categories (tenant_id, id, code, name, parent_id)
    select $1, gen_random_uuid(), 'C' || n, 'Category', r.id from generate_series(1, 500) n
    join categories r on r.code = 'R' || (n % 100 + 1)""",
    """insert into products (tenant_id, id, sku, name, kind, unit, tax_rate, category_id)
    select $1, gen_random_uuid(), 'P' || lpad(n::text, 5, '0'), 'Product ' || n, 'GOODS', 'pcs', 20, c.id
    from generate_series(1, 10000) n join categories c on c.code = 'C' || (n * 7 % 500 + 1)""",
    """insert into prices (tenant_id, product_id, price_list_id, currency, min_quantity, unit_price)
    select $1, p.id, l.id, 'EUR', 1, 10 from products p, price_lists l""",
    """insert into stock (tenant_id, product_id, warehouse_id, on_hand)
    select $1, p.id, w.id, 100 from products p, warehouses w""",
    """insert into customers (tenant_id, id, code, name, country, currency, email)
    values ($1, gen_random_uuid(), 'C', 'Customer', '', 'EUR', '')""",
)


async def _build(registry: Database, database: Database) -> dict[str, str]:
    """The portal and its buyers; returns a token for each."""
    new = NewPortal(
        slug="bench",
        name="Bench",
        legal_name="Bench",
        currency="EUR",
        locale="en",
        support_email="help@bench.example",
        hosts=[],
    )
    await provisioning.add_portal(registry, "bench", "Bench", new)
    tenant_id = await provisioning.tenant_of(database, "bench")
    tokens = {}
    async with database.transaction(Mode.WRITE, tenant_id) as connection:
        for sql in _WORLD:
            await connection.fetch_text(sql, tenant_id)
        kinds = [_CATEGORY, _PRODUCT, _WAREHOUSE]
        await db.portals.change(connection, tenant_id, restriction_kinds=kinds)
        for name, groups in _BUYERS.items():
            tokens[name] = await _buyer(connection, name, groups)
    async with registry.transaction(Mode.WRITE, None) as connection:
        await connection.execute_text(f"set local role {roles.OWNER}")
        await connection.execute_text("analyze")
    return tokens


async def _buyer(
    connection: Connection, name: str, groups: list[tuple[Modes, tuple[RestrictionKind, ...]]]
) -> str:
    customer_id = (await connection.fetch_text("select id from customers"))[0][0]
    account = await provisioning.add_account(
        connection, customer_id, NewLogin(user_name=name, name=name, email="", password_hash="-")
    )
    profile_id = await db.profiles.built_in(connection, BuiltInProfile.BUYER)
    for number, (modes, kinds) in enumerate(groups):
        group = await db.access_groups.add(
            connection, id=uuid.uuid7(), name=f"{name} {number}", profile_id=profile_id
        )
        assert group is not None
        most = 200 if len(groups) > 1 else 1
        lists = {kind: await _listed(connection, kind, number, most) for kind in kinds}
        await db.access_groups.restrict(connection, group.id, modes, lists)
        await db.access_groups.add_members(connection, [Membership(group.id, account.id, None)])
    token = name.replace(" ", "-")
    await connection.fetch_text(
        """insert into sessions (tenant_id, id, token_hash, account_id, expires_at)
        values ($1, gen_random_uuid(), sha256($2), $3, now() + interval '1 day')""",
        connection.tenant_id,
        token.encode(),
        account.id,
    )
    return token


async def _listed(connection: Connection, kind: RestrictionKind, number: int, most: int) -> list[UUID]:
    """Some values of a kind, others for each group; of the two warehouses one."""
    table, key = {
        _CATEGORY: ("categories", "code"),
        _PRODUCT: ("products", "sku"),
        _WAREHOUSE: ("warehouses", "code"),
    }[kind]
    most = 1 if kind is _WAREHOUSE else most
    rows = await connection.fetch_text(
        f"select id from {table} order by md5({key} || $1), {key} limit $2", str(number), most
    )
    return [row[0] for row in rows]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
