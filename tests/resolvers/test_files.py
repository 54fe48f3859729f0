"""Shared files, over HTTP: who sees which, when, and what the staff does with them."""

import asyncio
import hashlib
from typing import Any

import pytest

from resolvers.nodes import global_id
from rules.permissions import BuiltInProfile, StaffRole
from tests.client import Client
from tests.conftest import At
from tests.files import ALL, FILE, FILES, PDF, SHARE, UNSHARE, UPDATE, share, titles, uploaded
from tests.world import Portal, World

FOUND = f"query($id: ID!) {{ file(id: $id) {{ {FILE} }} node(id: $id) {{ id }} }}"
OTHER = b"%PDF-1.7\n" + b"next year's prices\n" * 20


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.account("bea")
    await portal.account("cleo", customer="C2")
    await portal.staff_member("stan")
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


@pytest.fixture
async def cleo(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("cleo")


@pytest.fixture
async def stan(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("stan")


async def found(client: Client, file_id: str) -> dict[str, Any] | None:
    """The file as somebody sees it, who sees it as a node too, or neither."""
    answer = await client.ask(FOUND, id=file_id)
    assert (answer["file"] is None) is (answer["node"] is None)
    file: dict[str, Any] | None = answer["file"]
    return file


async def change(client: Client, document: str, **given: Any) -> dict[str, Any]:
    (answer,) = (await client.ask(document, input=given)).values()
    result: dict[str, Any] = answer
    return result


async def changed(client: Client, document: str, **given: Any) -> dict[str, Any]:
    answer = await change(client, document, **given)
    assert answer["errors"] == [], answer
    file: dict[str, Any] = answer["file"]
    return file


def errors(answer: dict[str, Any]) -> list[tuple[str, list[str]]]:
    assert answer["file"] is None
    return [(each["code"], each["path"]) for each in answer["errors"]]


async def day(portal: Portal, from_today: int) -> str:
    """A day by the database's date."""
    async with portal.writing() as connection:
        return str((await connection.fetch_text(f"select current_date + {from_today}"))[0][0])


async def test_an_outsider_sees_no_files_and_shares_none(portal: Portal, stan: Client, at: At) -> None:
    file = await share(stan)
    outsider = at(portal)
    for document in (FILES, FOUND):
        body = (await outsider.post(document, {"id": file["id"]})).json()
        assert {each["extensions"]["code"] for each in body["errors"]} == {"UNAUTHENTICATED"}
    for document in (UPDATE, UNSHARE):
        assert errors(await change(outsider, document, file=file["id"])) == [("UNAUTHENTICATED", [])]


async def test_another_tenants_file_is_not_there(world: World, portal: Portal, stan: Client, at: At) -> None:
    sister = await world.portal(supplier=portal.slug)
    file, theirs = await share(stan), await at(sister).sign_in("stan")
    assert await titles(theirs) == []
    assert await found(theirs, file["id"]) is None
    for document in (UPDATE, UNSHARE):
        assert errors(await change(theirs, document, file=file["id"])) == [("NOT_FOUND", ["file"])]
    given = {"file": file["id"], "upload": await uploaded(theirs)}
    assert errors(await change(theirs, SHARE, **given)) == [("NOT_FOUND", ["file"])]
    assert errors(await change(stan, SHARE, upload=given["upload"], audience=ALL)) == [
        ("NOT_FOUND", ["upload"])
    ]


async def test_customers_share_nothing(bea: Client, stan: Client) -> None:
    file = await share(stan)
    for document, given in (
        (SHARE, {"upload": "x"}),
        (UPDATE, {"file": file["id"]}),
        (UNSHARE, {"file": file["id"]}),
    ):
        assert errors(await change(bea, document, **given)) == [("MISSING_PERMISSION", [])]


@pytest.mark.parametrize("role", StaffRole)
async def test_who_of_the_staff_shares(role: StaffRole, portal: Portal, at: At, stan: Client) -> None:
    file = await share(stan)
    await portal.staff_member("sam", role=role)
    sam = await at(portal).sign_in("sam")
    seen = await found(sam, file["id"])
    assert seen is not None
    allowed = role is not StaffRole.ACCOUNTANT
    assert {each["name"]: each["allowed"] for each in seen["actions"]} == dict.fromkeys(
        ("SHARE", "UPDATE", "UNSHARE"), allowed
    )
    answer = await change(sam, UNSHARE, file=file["id"])
    assert [each["code"] for each in answer["errors"]] == ([] if allowed else ["MISSING_PERMISSION"])


@pytest.mark.parametrize("profile", BuiltInProfile)
async def test_every_profile_reads_files(
    profile: BuiltInProfile, portal: Portal, at: At, stan: Client
) -> None:
    await share(stan)
    await portal.account("pat", profile=profile)
    assert await titles(await at(portal).sign_in("pat")) == ["prices"]


async def test_a_file_for_some_customers_is_there_for_them_alone(
    portal: Portal, bea: Client, cleo: Client, stan: Client
) -> None:
    hers = global_id("Customer", portal.customers["C1"])
    file = await share(stan, title="For C1", audience={"kind": "CUSTOMERS", "customers": [hers]})
    assert file["audience"] == {"kind": "CUSTOMERS", "accessGroups": [], "customers": [{"code": "C1"}]}
    await share(stan, title="For all")
    assert await titles(bea) == ["For C1", "For all"]
    assert await titles(cleo) == ["For all"]
    assert await found(cleo, file["id"]) is None
    seen = await found(bea, file["id"])
    assert seen is not None
    assert (seen["audience"], seen["versions"], seen["actions"]) == (None, None, [])
    assert await titles(stan) == ["For C1", "For all"]


async def test_a_file_for_a_group_is_there_for_its_members_of_today(
    portal: Portal, bea: Client, cleo: Client, stan: Client
) -> None:
    async with portal.writing() as connection:
        ids = dict(map(tuple, await connection.fetch_text("select user_name, id from accounts")))
    group = await portal.group("Resellers", ids["bea"])
    named = {"kind": "ACCESS_GROUPS", "accessGroups": [global_id("AccessGroup", group)]}
    file = await share(stan, audience=named)
    assert file["audience"]["accessGroups"] == [{"name": "Resellers"}]
    assert await titles(bea) == ["prices"]
    assert await titles(cleo) == []
    async with portal.writing() as connection:
        await connection.fetch_text(
            "update access_group_members set ends_on = current_date - 1 where access_group_id = $1", group
        )
    assert await titles(bea) == []
    assert await found(bea, file["id"]) is None


async def test_one_groups_audience_and_another_groups_permission_do_not_add_up(
    portal: Portal, bea: Client, stan: Client
) -> None:
    async with portal.writing() as connection:
        bea_id = (await connection.fetch_text("select id from accounts where user_name = 'bea'"))[0][0]
    group = await portal.group("No files", bea_id)
    async with portal.writing() as connection:
        await connection.fetch_text(
            """with p as (insert into profiles (tenant_id, id, name, permissions)
            values ($1, gen_random_uuid(), 'Orders', array['ORDERS_READ']) returning id)
            update access_groups set profile_id = p.id from p where access_groups.id = $2""",
            portal.tenant_id,
            group,
        )
    await share(stan, audience={"kind": "ACCESS_GROUPS", "accessGroups": [global_id("AccessGroup", group)]})
    await share(stan, title="For all")
    assert await titles(bea) == ["For all"]


async def test_a_group_that_is_deleted_leaves_its_files_to_the_staff(
    portal: Portal, bea: Client, stan: Client
) -> None:
    group = global_id("AccessGroup", await portal.group("Short"))
    file = await share(stan, audience={"kind": "ACCESS_GROUPS", "accessGroups": [group]})
    delete = """mutation($input: AccessGroupDeleteInput!) { accessGroupDelete(input: $input) { errors { code } } }"""
    assert (await stan.ask(delete, input={"group": group}))["accessGroupDelete"]["errors"] == []
    seen = await found(stan, file["id"])
    assert seen is not None
    assert seen["audience"] == {"kind": "ACCESS_GROUPS", "accessGroups": [], "customers": []}
    assert await titles(bea) == []


@pytest.mark.parametrize(
    ("first", "last", "visible"),
    [
        (None, None, True),
        (0, 0, True),
        (-1, 1, True),
        (1, None, False),
        (None, -1, False),
        (-5, -1, False),
        (0, None, True),
        (None, 0, True),
    ],
)
async def test_a_file_is_there_from_its_first_day_to_its_last(
    first: int | None, last: int | None, visible: bool, portal: Portal, bea: Client, stan: Client
) -> None:
    days: dict[str, Any] = {
        name: None if each is None else await day(portal, each)
        for name, each in (("visibleFrom", first), ("visibleTo", last))
    }
    file = await share(stan, **days)
    assert {name: file[name] for name in days} == days
    assert (await titles(bea) == ["prices"]) is visible
    assert (await found(bea, file["id"]) is not None) is visible
    assert await titles(stan) == ["prices"]


async def test_a_shared_file_says_what_it_is(bea: Client, stan: Client) -> None:
    file = await share(stan, name="Preise 2026.pdf", description="For the season", title="Prices")
    own = {
        "title": "Prices",
        "description": "For the season",
        "fileName": "Preise 2026.pdf",
        "mediaType": "application/pdf",
        "size": len(PDF),
        "sha256": hashlib.sha256(PDF).hexdigest(),
        "contentVersion": 1,
        "version": 1,
        "visibleFrom": None,
        "visibleTo": None,
        "unsharedAt": None,
    }
    assert {name: file[name] for name in own} == own
    assert file["audience"] == {"kind": "ALL_CUSTOMERS", "accessGroups": [], "customers": []}
    (version,) = file["versions"]
    assert version["sharedBy"] == {"userName": "stan"}
    assert (version["contentVersion"], version["fileName"]) == (1, "Preise 2026.pdf")
    seen = await found(bea, file["id"])
    assert seen is not None
    assert {name: seen[name] for name in own} == own


async def test_another_content_is_the_file_from_then_on_and_the_staff_keeps_the_first(
    bea: Client, stan: Client
) -> None:
    first = await share(stan, title="Prices", description="Of this year")
    again = await share(stan, OTHER, name="next.pdf", file=first["id"], version=1)
    assert again["id"] == first["id"]
    assert (again["contentVersion"], again["version"], again["title"]) == (2, 2, "Prices")
    assert (again["fileName"], again["sha256"]) == ("next.pdf", hashlib.sha256(OTHER).hexdigest())
    assert again["sharedAt"] > first["sharedAt"]
    assert [each["contentVersion"] for each in again["versions"]] == [2, 1]
    contents = [(await stan.http.get(each["download"]["url"])).content for each in again["versions"]]
    assert contents == [OTHER, PDF]
    seen = await found(bea, first["id"])
    assert seen is not None
    assert (seen["description"], seen["size"]) == ("Of this year", len(OTHER))
    assert await titles(bea) == ["Prices"]


async def test_contents_that_come_at_once_come_one_after_the_other(stan: Client) -> None:
    file = await share(stan)
    each = [await uploaded(stan, OTHER) for _ in range(4)]
    given = [{"file": file["id"], "upload": upload} for upload in each]
    found = await asyncio.gather(*(changed(stan, SHARE, **one) for one in given))
    assert sorted(one["contentVersion"] for one in found) == [2, 3, 4, 5]
    upload, whole = await uploaded(stan), {"audience": ALL}
    answers = await asyncio.gather(*(change(stan, SHARE, upload=upload, **whole) for _ in range(4)))
    assert (
        sorted(code for one in answers for code, _ in (errors(one) if one["errors"] else []))
        == ["UPLOAD_USED"] * 3
    )


async def test_another_content_can_come_with_other_words_and_for_others(
    portal: Portal, bea: Client, cleo: Client, stan: Client
) -> None:
    first = await share(stan)
    hers = {"kind": "CUSTOMERS", "customers": [global_id("Customer", portal.customers["C2"])]}
    await share(stan, OTHER, file=first["id"], title="Yours", audience=hers)
    assert await titles(bea) == []
    assert await titles(cleo) == ["Yours"]


async def test_what_is_left_out_of_an_update_stays(portal: Portal, bea: Client, stan: Client) -> None:
    tomorrow = await day(portal, 1)
    file = await share(stan, description="Old", visibleTo=tomorrow)
    same = await changed(stan, UPDATE, file=file["id"], title="New")
    assert (same["title"], same["description"], same["visibleTo"]) == ("New", "Old", tomorrow)
    assert (same["contentVersion"], same["sharedAt"], same["version"]) == (1, file["sharedAt"], 2)
    cleared = await changed(stan, UPDATE, file=file["id"], description="", visibleTo=None)
    assert (cleared["title"], cleared["description"], cleared["visibleTo"]) == ("New", "", None)
    later = await changed(stan, UPDATE, file=file["id"], visibleFrom=tomorrow)
    assert later["visibleFrom"] == tomorrow
    assert await titles(bea) == []
    narrowed = {"kind": "CUSTOMERS", "customers": [global_id("Customer", portal.customers["C1"])]}
    await changed(stan, UPDATE, file=file["id"], visibleFrom=None, audience=narrowed)
    assert await titles(bea) == ["New"]
    wide = await changed(stan, UPDATE, file=file["id"], audience=ALL)
    assert wide["audience"] == {"kind": "ALL_CUSTOMERS", "accessGroups": [], "customers": []}


async def test_a_file_that_is_shared_no_longer_is_the_staffs_until_it_is_shared_again(
    bea: Client, stan: Client
) -> None:
    file = await share(stan)
    gone = await changed(stan, UNSHARE, file=file["id"])
    assert gone["unsharedAt"] is not None
    assert {each["name"]: each["allowed"] for each in gone["actions"]} == {
        "SHARE": True,
        "UPDATE": False,
        "UNSHARE": False,
    }
    assert await titles(bea) == await titles(bea, unshared=True) == []
    assert await found(bea, file["id"]) is None
    assert await titles(stan, unshared=True) == await titles(stan) == ["prices"]
    assert await titles(stan, unshared=False) == []
    for document in (UPDATE, UNSHARE):
        assert errors(await change(stan, document, file=file["id"])) == [("FILE_UNSHARED", ["file"])]
    again = await share(stan, OTHER, file=file["id"])
    assert again["unsharedAt"] is None
    assert await titles(bea) == ["prices"]


@pytest.mark.parametrize("document", [UPDATE, UNSHARE])
async def test_a_file_that_changed_since_it_was_read_is_a_conflict(document: str, stan: Client) -> None:
    file = await share(stan)
    await changed(stan, UPDATE, file=file["id"], title="New")
    answer = await change(stan, document, file=file["id"], version=1)
    assert errors(answer) == [("VERSION_CONFLICT", ["version"])]
    upload = await uploaded(stan)
    answer = await change(stan, SHARE, file=file["id"], upload=upload, version=1)
    assert errors(answer) == [("VERSION_CONFLICT", ["version"])]
    await changed(stan, SHARE, file=file["id"], upload=upload, version=2)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"audience": None}, [("FILE_AUDIENCE_MISSING", ["audience"])]),
        ({"audience": {"kind": "CUSTOMERS"}}, [("FILE_AUDIENCE_MISSING", ["audience"])]),
        (
            {"audience": {"kind": "CUSTOMERS", "customers": ["x", "y"]}},
            [("NOT_FOUND", ["audience", "customers", "0"]), ("NOT_FOUND", ["audience", "customers", "1"])],
        ),
        (
            {"audience": {"kind": "ACCESS_GROUPS", "accessGroups": ["x"]}},
            [("NOT_FOUND", ["audience", "accessGroups", "0"])],
        ),
        (
            {"audience": {"kind": "CUSTOMERS", "customers": ["x"] * 1_001}},
            [("LIST_TOO_LONG", ["audience", "customers"])],
        ),
        ({"title": " "}, [("TEXT_MISSING", ["title"])]),
        ({"description": "x" * 2_001}, [("TEXT_TOO_LONG", ["description"])]),
        ({"visibleFrom": "2026-02-02", "visibleTo": "2026-02-01"}, [("FILE_PERIOD_INVALID", ["visibleTo"])]),
        ({"upload": "x"}, [("NOT_FOUND", ["upload"])]),
    ],
)
async def test_bad_input_is_told_and_the_upload_can_still_be_used(
    given: dict[str, Any], expected: list[tuple[str, list[str]]], stan: Client
) -> None:
    whole = {"upload": await uploaded(stan), "audience": ALL}
    assert errors(await change(stan, SHARE, **whole | given)) == expected
    assert await titles(stan) == []
    await changed(stan, SHARE, **whole)


async def test_an_audience_of_one_kind_names_nobody_of_the_other(portal: Portal, stan: Client) -> None:
    customer = global_id("Customer", portal.customers["C1"])
    group = global_id("AccessGroup", await portal.group("Resellers"))
    for audience in (
        {"kind": "ALL_CUSTOMERS", "customers": [customer]},
        {"kind": "CUSTOMERS", "customers": [customer], "accessGroups": [group]},
    ):
        answer = await change(stan, SHARE, upload=await uploaded(stan), audience=audience)
        assert errors(answer) == [("FILE_AUDIENCE_UNFIT", ["audience"])]


async def test_an_upload_is_used_once_and_not_before_it_has_come(stan: Client) -> None:
    given: dict[str, Any] = {"upload": await uploaded(stan), "audience": ALL}
    await changed(stan, SHARE, **given)
    assert errors(await change(stan, SHARE, **given)) == [("UPLOAD_USED", ["upload"])]
    create = """mutation { uploadCreate(input: {name: "a.pdf", mediaType: "application/pdf", size: 5}) {
      upload { id } } }"""
    given["upload"] = (await stan.ask(create))["uploadCreate"]["upload"]["id"]
    assert errors(await change(stan, SHARE, **given)) == [("UPLOAD_MISSING", ["upload"])]


async def test_the_same_key_shares_once(stan: Client) -> None:
    given = {"upload": await uploaded(stan), "audience": ALL, "idempotencyKey": "k"}
    first, second = [await changed(stan, SHARE, **given) for _ in range(2)]
    assert first["id"] == second["id"]
    assert await titles(stan) == ["prices"]


async def test_files_are_found_by_words_of_title_description_and_name(bea: Client, stan: Client) -> None:
    await share(stan, name="katalog.pdf", title="Große Töpfe", description="100% Ton")
    await share(stan, name="list_b.pdf", title="Mugs", description="Prices and pots")
    for search, expected in {
        "TÖPFE": ["Große Töpfe"],
        "katalog große": ["Große Töpfe"],
        "katalog mugs": [],
        "100%": ["Große Töpfe"],
        "%": ["Große Töpfe"],
        "t_b": ["Mugs"],
        "\\": [],
        "pric pots": ["Mugs"],
        "": ["Große Töpfe", "Mugs"],
    }.items():
        assert await titles(bea, search=search) == expected, search
    error = await bea.refusal(FILES, filter={"search": "x" * 201})
    assert error["extensions"] == {"code": "TEXT_TOO_LONG", "argument": ["filter", "search"]}


async def test_files_come_in_the_order_that_is_asked_for(stan: Client) -> None:
    for title in ("B", "A", "C"):
        await share(stan, title=title)
    for order, expected in (
        ([], "CAB"),
        (["SHARED_AT_ASC"], "BAC"),
        (["SHARED_AT_DESC"], "CAB"),
        (["TITLE_ASC"], "ABC"),
        (["TITLE_DESC"], "CBA"),
    ):
        nodes = (await stan.ask(FILES, orderBy=order))["files"]["nodes"]
        assert "".join(each["title"] for each in nodes) == expected


async def test_whoever_looks_as_an_account_sees_what_it_sees_and_shares_nothing(
    portal: Portal, stan: Client, bea: Client
) -> None:
    await share(stan, title="For all")
    theirs = {"kind": "CUSTOMERS", "customers": [global_id("Customer", portal.customers["C2"])]}
    file = await share(stan, title="For C2", audience=theirs)
    account = (await bea.ask("{ viewer { account { id } } }"))["viewer"]["account"]["id"]
    view = "mutation($input: AccountViewAsInput!) { accountViewAs(input: $input) { token errors { code } } }"
    token = (await stan.ask(view, input={"account": account}))["accountViewAs"]["token"]
    eyes = Client(stan.http, stan.slug, token)
    assert await titles(eyes) == ["For all"]
    assert errors(await change(eyes, UNSHARE, file=file["id"])) == [("READ_ONLY_SESSION", [])]


async def test_staff_is_told_why_an_account_does_not_see_a_file(
    portal: Portal, stan: Client, bea: Client
) -> None:
    account = (await bea.ask("{ viewer { account { id } } }"))["viewer"]["account"]["id"]
    theirs = {"kind": "CUSTOMERS", "customers": [global_id("Customer", portal.customers["C2"])]}
    explain = """query($account: ID!, $node: ID!) { explainAccess(account: $account, node: $node) { visible reason } }"""
    for audience, expected in ((ALL, "VISIBLE"), (theirs, "NOT_SHARED")):
        file = await share(stan, audience=audience)
        told = (await stan.ask(explain, account=account, node=file["id"]))["explainAccess"]
        assert told == {"visible": expected == "VISIBLE", "reason": expected}
