"""Provisioning from the command line: portals and staff, and what is refused."""

from typing import Any

import pytest

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


async def add(
    settings: Settings,
    migration_url: str,
    slug: str,
    *hosts: str,
    supplier: str = "provisioned",
    **other: str,
) -> None:
    new = NewPortal(**PORTAL | {"slug": slug, "hosts": hosts or [f"{slug}.portals.example"]} | other)
    await provisioning.add_portal(settings, migration_url, supplier, supplier.title(), new)


async def add_staff(settings: Settings, slug: str, user_name: str, **other: Any) -> None:
    given = {"password": PASSWORD, "role": StaffRole.OWNER, "here_only": False, **other}
    password = given.pop("password")
    person: dict[str, Any] = {"user_name": user_name, "name": "Somebody", "email": "somebody@new.example"}
    await provisioning.add_staff_member(settings, slug, password, **person, **given)


async def test_a_new_portal_answers_at_its_host_and_lets_its_staff_in(
    settings: Settings, migration_url: str, http: Any
) -> None:
    await add(settings, migration_url, "brand-new", "Shop.New.example", "new.example")
    await add_staff(settings, "brand-new", "Olga")
    for host in ("shop.new.example", "NEW.example"):
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
