"""Letterheads and logos: what a company says of itself on its documents."""

import base64
from typing import Any

import pytest

import db
from rules.logos import MOST_BYTES
from rules.permissions import StaffRole
from tests.client import Client
from tests.conftest import At
from tests.rules.test_logos import JPEG, png
from tests.server.test_prints import LETTERHEAD
from tests.world import Portal, World

SAID = (
    "address vatId registration phone email web accountHolder iban bic bank paymentTermsEn paymentTermsDe "
    "footerEn footerDe"
)
READ = f"{{ portal {{ version letterhead {{ {SAID} }} logo {{ type width height image }} }} }}"
UPDATE = f"""mutation($input: PortalUpdateInput!) {{ portalUpdate(input: $input) {{
  portal {{ letterhead {{ {SAID} }} version }} errors {{ code path }} }} }}"""
LOGO = """mutation($input: PortalLogoUpdateInput!) { portalLogoUpdate(input: $input) {
  portal { logo { type width height image } version } errors { code path } } }"""


async def update(client: Client, **given: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.ask(UPDATE, input=given))["portalUpdate"]
    return answer


async def logo(client: Client, **given: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.ask(LOGO, input=given))["portalLogoUpdate"]
    return answer


def packed(image: bytes) -> str:
    return base64.b64encode(image).decode()


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal(supplier="of test_letterheads")
    await portal.account("bea")
    await portal.staff_member(f"stan-{portal.slug}", here_only=True)
    return portal


@pytest.fixture
async def stan(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in(f"stan-{portal.slug}")


async def test_an_outsider_reads_and_changes_nothing(portal: Portal, stan: Client, at: At) -> None:
    await update(stan, letterhead=LETTERHEAD)
    await logo(stan, image=packed(png()))
    found = (await at(portal).ask(READ))["portal"]
    assert (found["letterhead"], found["logo"]) == (None, None)
    for answer in (await update(at(portal), letterhead={}), await logo(at(portal), image=None)):
        assert [each["code"] for each in answer["errors"]] == ["UNAUTHENTICATED"]


async def test_customers_read_it_and_neither_they_nor_lesser_staff_change_it(
    portal: Portal, stan: Client, at: At
) -> None:
    await update(stan, letterhead=LETTERHEAD)
    await logo(stan, image=packed(png()))
    await portal.staff_member(f"agnes-{portal.slug}", role=StaffRole.AGENT)
    for name in ("bea", f"agnes-{portal.slug}"):
        somebody = await at(portal).sign_in(name)
        found = (await somebody.ask(READ))["portal"]
        assert found["letterhead"]["iban"] == "GB29NWBK60161331926819"
        assert found["logo"] == {"type": "PNG", "width": 4, "height": 3, "image": packed(png())}
        for answer in (await update(somebody, letterhead={}), await logo(somebody, image=None)):
            assert [each["code"] for each in answer["errors"]] == ["MISSING_PERMISSION"]


async def test_another_company_has_its_own(world: World, portal: Portal, stan: Client, at: At) -> None:
    sister = await world.portal(supplier="of test_letterheads")
    await sister.account("cleo")
    await update(stan, letterhead=LETTERHEAD)
    await logo(stan, image=packed(png()))
    found = (await (await at(sister).sign_in("cleo")).ask(READ))["portal"]
    assert (found["letterhead"]["address"], found["logo"]) == ([], None)


async def test_whoever_works_for_several_companies_reads_those_of_each(
    world: World, portal: Portal, stan: Client, at: At
) -> None:
    sister = await world.portal(supplier="of test_letterheads")
    await sister.staff_member("sam")
    await update(stan, letterhead=LETTERHEAD)
    await logo(stan, image=packed(JPEG))
    sam = await at(sister).sign_in("sam")
    found = (await sam.ask("{ supplier { portals { slug letterhead { bank } logo { type } } } }"))["supplier"]
    said = {each["slug"]: (each["letterhead"]["bank"], each["logo"]) for each in found["portals"]}
    assert (said[portal.slug], said[sister.slug]) == (("NatWest", {"type": "JPEG"}), ("", None))


async def test_a_letterhead_is_kept_tidily_and_replaced_as_a_whole(portal: Portal, stan: Client) -> None:
    answer = await update(stan, letterhead=LETTERHEAD | {"phone": "  +44  20 ", "footerEn": "one \n two"})
    assert answer["errors"] == []
    said = answer["portal"]["letterhead"]
    assert (said["vatId"], said["phone"], said["footerEn"]) == ("GB123456789", "+44 20", "one\ntwo")
    assert said["address"] == LETTERHEAD["address"]
    assert (await update(stan, name="Renamed"))["portal"]["letterhead"] == said
    less = (await update(stan, letterhead={"address": ["", "Only Ltd"]}))["portal"]["letterhead"]
    assert less == dict.fromkeys(SAID.split(), "") | {"address": ["Only Ltd"]}


async def test_what_is_wrong_with_it_is_told_at_once_and_nothing_is_kept(stan: Client) -> None:
    answer = await update(
        stan, name="Never", letterhead={"iban": "DE00", "vatId": "?", "address": ["x" * 201]}
    )
    assert answer["portal"] is None
    assert [(each["code"], each["path"]) for each in answer["errors"]] == [
        ("IBAN_INVALID", ["letterhead", "iban"]),
        ("VAT_ID_INVALID", ["letterhead", "vatId"]),
        ("TEXT_TOO_LONG", ["letterhead", "address", "0"]),
    ]
    assert (await stan.ask("{ portal { name } }"))["portal"]["name"] != "Never"


async def test_a_logo_is_replaced_and_taken_away(portal: Portal, stan: Client) -> None:
    version = (await stan.ask(READ))["portal"]["version"]
    first = await logo(stan, image=packed(png()), version=version)
    assert first["portal"]["version"] == version + 1
    stale = await logo(stan, image=None, version=version)
    assert [each["code"] for each in stale["errors"]] == ["VERSION_CONFLICT"]
    wrapped = "\n".join(packed(JPEG)[place : place + 76] for place in range(0, len(packed(JPEG)), 76))
    assert (await logo(stan, image=wrapped))["portal"]["logo"]["type"] == "JPEG"
    assert (await logo(stan, image=None))["portal"]["logo"] is None
    async with portal.writing() as connection:
        assert await db.logos.of_tenant(connection) is None


async def test_what_is_there_already_changes_nothing(stan: Client) -> None:
    first = (await update(stan, letterhead=LETTERHEAD))["portal"]
    assert (await update(stan, letterhead=LETTERHEAD))["portal"] == first
    second = (await logo(stan, image=packed(png())))["portal"]
    assert second["version"] == first["version"] + 1
    assert (await logo(stan, image=packed(png())))["portal"] == second


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "INVALID_INPUT"),
        ({"image": ""}, "LOGO_UNREADABLE"),
        ({"image": "§§§"}, "LOGO_UNREADABLE"),
        ({"image": packed(b"<svg/>")}, "LOGO_UNREADABLE"),
        ({"image": packed(png()[:-1])}, "LOGO_UNREADABLE"),
        ({"image": packed(b"\x89PNG\r\n\x1a\n" + b"x" * MOST_BYTES)}, "LOGO_TOO_LARGE"),
    ],
)
async def test_what_is_no_logo_is_refused(given: dict[str, Any], code: str, stan: Client) -> None:
    answer = await logo(stan, **given)
    assert [(each["code"], each["path"]) for each in answer["errors"]] == [(code, ["image"])]
    assert (await stan.ask(READ))["portal"]["logo"] is None
