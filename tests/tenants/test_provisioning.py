"""Provisioning from the command line: portals and staff, what is refused, and what the server may do itself."""

from typing import Any

import asyncpg
import pytest
import uuid_utils.compat as uuid

import db
from rules.permissions import StaffRole
from server import provisioning
from server.settings import Settings
from tenants.provisioning import NewPortal, NotProvisioned
from tests.client import Client
from tests.world import PASSWORD, World

PORTAL: dict[str, Any] = {
    "name": "New Company",
    "legal_name": "New Company Ltd",
    "currency": "EUR",
    "locale": "de",
    "support_email": "help@new.example",
}


async def add(settings: Settings, migration_url: str, slug: str, *hosts: str, **other: Any) -> None:
    new = NewPortal(**PORTAL | {"slug": slug, "hosts": hosts or [f"{slug}.portals.example"]} | other)
    await provisioning.add_portal(settings, migration_url, "provisioned", "Provisioned", new)


async def add_staff(settings: Settings, slug: str, user_name: str, **other: Any) -> None:
    given = {"password": PASSWORD, "role": StaffRole.OWNER, "here_only": False, **other}
    password = given.pop("password")
    person: dict[str, Any] = {"user_name": user_name, "name": "Somebody", "email": "somebody@new.example"}
    await provisioning.add_staff_member(settings, slug, password, **person, **given)


async def test_a_new_portal_answers_at_its_host_and_lets_its_staff_in(
    settings: Settings, migration_url: str, http: Any
) -> None:
    await add(settings, migration_url, "brand-new", "Shop.New.example", "b2b.new.example")
    await add_staff(settings, "brand-new", "Olga")
    for host in ("shop.new.example", "B2B.new.example"):
        answer = await http.post(f"http://{host}/graphql", json={"query": "{ portal { slug locale open } }"})
        assert answer.json()["data"]["portal"] == {"slug": "brand-new", "locale": "de", "open": True}
    olga = await Client(http, "brand-new").sign_in("olga")
    assert "PORTAL_WRITE" in (await olga.ask("{ viewer { permissions } }"))["viewer"]["permissions"]


async def test_staff_of_one_company_alone_are_nobody_at_its_sister(
    settings: Settings, migration_url: str, http: Any
) -> None:
    for slug in ("one-sister", "other-sister"):
        await add(settings, migration_url, slug)
    await add_staff(settings, "one-sister", "hanna", here_only=True)
    await Client(http, "one-sister").sign_in("hanna")
    with pytest.raises(AssertionError, match="SIGN_IN_REFUSED"):
        await Client(http, "other-sister").sign_in("hanna")


@pytest.mark.parametrize(
    "wrong",
    [{"slug": "Not A Slug"}, {"slug": ""}, {"currency": "euro"}, {"locale": "fr"}, {"hosts": ["no host"]}],
)
async def test_what_makes_no_portal_is_refused(
    settings: Settings, migration_url: str, world: World, wrong: dict[str, Any]
) -> None:
    with pytest.raises(NotProvisioned):
        await add(settings, migration_url, **{"slug": "never-made", **wrong})
    async with world.database.transaction(db.isolation.Mode.SNAPSHOT, None) as connection:
        assert await db.portals.tenant_by_slug(connection, "never-made") is None


async def test_a_slug_or_a_host_that_is_taken_is_refused_and_changes_nothing(
    settings: Settings, migration_url: str, world: World
) -> None:
    await add(settings, migration_url, "taken")
    for slug, host in (("taken", "other.portals.example"), ("other-slug", "taken.portals.example")):
        with pytest.raises(NotProvisioned, match="taken"):
            await add(settings, migration_url, slug, host)
    async with world.database.transaction(db.isolation.Mode.SNAPSHOT, None) as connection:
        assert await db.portals.tenant_by_slug(connection, "other-slug") is None


async def test_a_login_that_cannot_be_is_refused(settings: Settings, migration_url: str) -> None:
    await add(settings, migration_url, "has-staff")
    await add_staff(settings, "has-staff", "twice")
    for slug, user_name, password in (
        ("has-staff", "TWICE", PASSWORD),
        ("has-staff", " ", PASSWORD),
        ("has-staff", "short", "1234567"),
        ("nowhere", "nobody", PASSWORD),
    ):
        with pytest.raises(NotProvisioned):
            await add_staff(settings, slug, user_name, password=password)


async def test_a_user_name_of_an_account_at_any_company_of_the_supplier_is_taken(
    settings: Settings, world: World, http: Any
) -> None:
    portal = await world.portal()
    sister = await world.portal(supplier=portal.slug)
    await sister.account("sally")
    with pytest.raises(NotProvisioned, match="sally is taken"):
        await add_staff(settings, portal.slug, "Sally")
    with pytest.raises(AssertionError, match="SIGN_IN_REFUSED"):
        await Client(http, portal.slug).sign_in("sally")


FOUND = """insert into portals (tenant_id, supplier_id, slug, name, legal_name, currency, locale, support_email)
  values ($1, $2, $3, 'New', 'New Ltd', 'EUR', 'en', 'help@new.example') returning slug"""


async def test_the_servers_role_adds_portals_of_the_tenants_own_supplier_alone(world: World) -> None:
    ours, others = await world.portal(), await world.portal()
    slug = f"sister-of-{ours.slug}"
    async with ours.writing() as connection:
        assert await connection.fetch_text(FOUND, uuid.uuid7(), ours.supplier_id, slug) == [(slug,)]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with ours.writing() as connection:
            await connection.fetch_text(FOUND, uuid.uuid7(), others.supplier_id, f"foreign-{ours.slug}")
    with pytest.raises(asyncpg.PostgresError):
        async with world.database.transaction(db.isolation.Mode.WRITE, None) as connection:
            await connection.fetch_text(FOUND, uuid.uuid7(), ours.supplier_id, f"nobodys-{ours.slug}")


async def test_the_servers_role_adds_and_removes_hosts_of_its_own_tenant_alone(world: World) -> None:
    ours = await world.portal()
    sister = await world.portal(supplier=ours.slug)
    put_host = "insert into portal_hosts (tenant_id, host) values ($1, $2) returning host"
    async with ours.writing() as connection:
        host = f"new.{ours.slug}.example"
        assert await connection.fetch_text(put_host, ours.tenant_id, host) == [(host,)]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with ours.writing() as connection:
            await connection.fetch_text(put_host, sister.tenant_id, f"stolen.{sister.slug}.example")
    async with ours.writing() as connection:
        removed = await connection.fetch_text("delete from portal_hosts returning host")
    assert sorted(row[0] for row in removed) == sorted([host, f"{ours.slug}.localhost"])
    async with sister.writing() as connection:
        found = await db.entrances.by_host(connection, f"{sister.slug}.localhost")
        assert found is not None
        assert found.tenant_id == sister.tenant_id


@pytest.mark.parametrize(
    "sql",
    [
        "delete from portals",
        "update portals set slug = 'mine'",
        "update portals set supplier_id = gen_random_uuid()",
        "update portals set tenant_id = gen_random_uuid()",
        "update portal_hosts set tenant_id = tenant_id",
        "insert into suppliers (id, code, name) values (gen_random_uuid(), 'mine', 'Mine')",
        "update suppliers set name = 'Mine'",
        "delete from suppliers",
    ],
)
async def test_the_servers_role_takes_nothing_of_the_registry_away(world: World, sql: str) -> None:
    portal = await world.portal()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with portal.writing() as connection:
            await connection.fetch_text(sql)
