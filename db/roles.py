"""The database's roles: who owns the tables, who serves requests, who migrates."""

from typing import Any

import asyncpg

OWNER = "app_owner"
SERVER = "app_rw"
MIGRATION = "app_migrate"

# The owner never logs in. The server is held by row-level security; whoever migrates has to see all rows.
_ATTRIBUTES = {
    OWNER: "nologin nosuperuser nobypassrls nocreatedb nocreaterole",
    SERVER: "login nosuperuser nobypassrls nocreatedb nocreaterole",
    MIGRATION: "login nosuperuser bypassrls nocreatedb nocreaterole",
}
# Roles belong to the whole server: two preparations at once would trip over each other.
_LOCK = "select pg_advisory_lock(hashtext('kontor roles'))"


async def prepare(
    admin_url: str,
    database: str,
    app_password: str | None = None,
    migrate_password: str | None = None,
) -> None:
    """Make the roles and the database, or bring them to what they should be; may be run again at any time.

    `admin_url` names a superuser, or a role with CREATEROLE, CREATEDB and BYPASSRLS, and any database to
    start from. A password of None is left as it is: right for the embedded server, which asks for none.
    Raises asyncpg.PostgresError, and OSError when the server cannot be reached.
    """
    dsn = admin_url.replace("postgresql+asyncpg://", "postgresql://", 1)
    admin = await asyncpg.connect(dsn)
    try:
        await admin.execute(_LOCK)
        for role, attributes in _ATTRIBUTES.items():
            await _prepare_role(admin, role, attributes)
        await _set_password(admin, SERVER, app_password)
        await _set_password(admin, MIGRATION, migrate_password)
        # The administrator as well: only a member may give a database to a role that is not itself.
        await _run(admin, "grant %I to %I, %I", OWNER, MIGRATION, await admin.fetchval("select current_user"))
        await _prepare_database(admin, database)
        await _prepare_schema(dsn, database)
    finally:
        await admin.close()


async def drop_database(admin_url: str, database: str) -> None:
    """Drop a database, whoever is still connected to it."""
    admin = await asyncpg.connect(admin_url.replace("postgresql+asyncpg://", "postgresql://", 1))
    try:
        await _run(admin, "drop database if exists %I with (force)", database)
    finally:
        await admin.close()


async def _prepare_role(admin: Any, role: str, attributes: str) -> None:
    if not await admin.fetchval("select true from pg_roles where rolname = $1", role):
        await _run(admin, f"create role %I {attributes}", role)
    elif await admin.fetchval("select rolsuper from pg_roles where rolname = current_user"):
        # Only a superuser may name all of these, even to leave them as they are.
        await _run(admin, f"alter role %I {attributes}", role)


async def _set_password(admin: Any, role: str, password: str | None) -> None:
    if password is not None:
        await _run(admin, "alter role %I password %L", role, password)


async def _prepare_database(admin: Any, database: str) -> None:
    if await admin.fetchval("select true from pg_database where datname = $1", database):
        await _run(admin, "alter database %I owner to %I", database, OWNER)
    else:
        await _run(admin, "create database %I owner %I", database, OWNER)


async def _prepare_schema(dsn: str, database: str) -> None:
    """Nobody but the owner makes anything in the schema; what the server may touch, each migration grants."""
    connection = await asyncpg.connect(dsn, database=database)
    try:
        await _run(connection, "set role %I", OWNER)
        await connection.execute("revoke all on schema public from public")
        await _run(connection, "grant usage on schema public to %I", SERVER)
        await _run(connection, "grant usage, create on schema public to %I", OWNER)
    finally:
        await connection.close()


async def _run(connection: Any, sql: str, *names: str) -> None:
    """Run a statement that takes no parameters: PostgreSQL itself quotes names (%I) and values (%L)."""
    places = ", ".join(f"${number}::text" for number in range(2, len(names) + 2))
    await connection.execute(await connection.fetchval(f"select format($1, {places})", sql, *names))
