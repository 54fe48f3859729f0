"""The change feed, over HTTP: what changed after a cursor, in commit order, for staff that may follow it."""

import base64
from datetime import timedelta
from typing import Any

import pytest

import db
from resolvers import change_feed
from resolvers.nodes import NODES
from rules.change_feed import UNFOLLOWED
from rules.permissions import STAFF_ROLES, BuiltInProfile, Permission, StaffRole
from server import forgetting
from server import provisioning as command_line
from server.settings import Settings
from tenants.change_feed import forget
from tenants.provisioning import NewPortal, add_portal
from tests.client import Client
from tests.conftest import At
from tests.resolvers import test_audit
from tests.resolvers.test_audit import Story, do, send
from tests.world import Portal, World

CHANGES = """query($since: String, $types: [NodeType!], $first: Int) {
  changes(since: $since, types: $types, first: $first) { cursor more latest
  changes { cursor at type id operation event node { __typename id } customer { code } } } }"""
PRODUCTS = "{ products(first: 1) { pageInfo { endCursor } } }"
LONG_AGO = timedelta(days=10)

# Where each type that is followed lies; what is not here has no row of its own, or is not followed.
TABLES = {
    "AccessGroup": "access_groups",
    "Account": "accounts",
    "Attribute": "attributes",
    "Category": "categories",
    "ContactChange": "contact_changes",
    "CreditNote": "credit_notes",
    "Customer": "customers",
    "DocumentDraft": "document_drafts",
    "GoodsIssue": "goods_issues",
    "GoodsReturn": "goods_returns",
    "Invoice": "invoices",
    "LifecycleStatus": "lifecycle_statuses",
    "Order": "orders",
    "Payment": "payments",
    "Product": "products",
    "Profile": "profiles",
    "RMARequest": "rma_requests",
    "SupportMessage": "ticket_messages",
    "SupportTicket": "support_tickets",
    "Quotation": "quotations",
    "ReconciliationStatement": "reconciliation_statements",
    "SharedFile": "shared_files",
    "TaxInvoice": "tax_invoices",
    "Warehouse": "warehouses",
    "Webhook": "webhooks",
}


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.product("B")
    await portal.account("bea", profile=BuiltInProfile.CUSTOMER)
    await portal.staff_member("olga", role=StaffRole.OWNER)
    return portal


@pytest.fixture
async def olga(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("olga")


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


async def read(client: Client, **asked: Any) -> dict[str, Any]:
    page: dict[str, Any] = (await client.ask(CHANGES, **asked))["changes"]
    return page


def told(page: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["type"], each["operation"]) for each in page["changes"]]


async def code(client: Client, **asked: Any) -> str:
    return str((await client.refusal(CHANGES, **asked))["extensions"]["code"])


async def make_profiles(client: Client, how_many: int) -> None:
    for number in range(how_many):
        await do(client, "profileCreate", name=f"Profile {number}", permissions=[])


async def test_an_outsider_and_a_customer_follow_nothing(portal: Portal, bea: Client, at: At) -> None:
    assert await code(at(portal)) == "UNAUTHENTICATED"
    assert await code(bea) == "MISSING_PERMISSION"


@pytest.mark.parametrize("role", StaffRole)
async def test_of_the_staff_those_follow_it_who_may(role: StaffRole, portal: Portal, at: At) -> None:
    await portal.staff_member("stan", role=role)
    stan = await at(portal).sign_in("stan")
    if Permission.CHANGES_READ in STAFF_ROLES[role]:
        assert told(await read(stan)) == []
    else:
        assert await code(stan) == "MISSING_PERMISSION"


async def test_another_companys_changes_and_cursors_are_none_here(
    world: World, portal: Portal, olga: Client, at: At
) -> None:
    sister = await world.portal(supplier=portal.slug)
    theirs = await at(sister).sign_in("olga")
    await make_profiles(theirs, 3)
    foreign = await read(theirs)
    assert told(foreign) == [("PROFILE", "CREATED")] * 3
    assert told(await read(olga)) == []
    await make_profiles(olga, 3)
    for cursor in (foreign["cursor"], foreign["latest"], foreign["changes"][0]["cursor"]):
        assert await code(olga, since=cursor) == "INVALID_CURSOR"


async def test_a_cursor_that_was_changed_or_is_another_lists_is_refused(olga: Client) -> None:
    await make_profiles(olga, 1)
    cursor = (await read(olga))["cursor"]
    raw = base64.urlsafe_b64decode(cursor)
    forged = base64.urlsafe_b64encode(raw.replace(b"1]", b"0]")).decode()
    other = (await olga.ask(PRODUCTS))["products"]["pageInfo"]["endCursor"]
    for wrong in (forged, other, "", "now", "1", cursor + "=", cursor[:-4]):
        assert await code(olga, since=wrong) == "INVALID_CURSOR"


@pytest.mark.parametrize("first", [0, -1, 101])
async def test_a_page_has_1_to_100_changes(first: int, olga: Client) -> None:
    assert await code(olga, first=first) == "OPERATION_TOO_COMPLEX"


async def test_what_has_changed_is_told_in_order_page_by_page(olga: Client, bea: Client) -> None:
    await do(bea, "cartAddItems", items=[{"sku": "A", "quantity": "1"}])
    placed = (await do(bea, "orderPlace", "orders { id }"))["orders"][0]["id"]
    await do(olga, "orderShip", order=placed)
    await do(olga, "profileCreate", name="Mine", permissions=[])
    expected = [
        ("CART", "UPDATED"),
        ("ORDER", "CREATED"),
        ("CART", "UPDATED"),
        ("GOODS_ISSUE", "CREATED"),
        ("ORDER", "UPDATED"),
        ("PROFILE", "CREATED"),
    ]
    whole = await read(olga)
    assert told(whole) == expected
    assert not whole["more"]
    assert whole["cursor"] == whole["latest"] == whole["changes"][-1]["cursor"]
    paged: list[Any] = []
    page = await read(olga, first=4)
    while True:
        paged += page["changes"]
        if not page["more"]:
            break
        page = await read(olga, since=page["cursor"], first=4)
    assert paged == whole["changes"]
    for number, each in enumerate(whole["changes"]):
        assert (await read(olga, since=each["cursor"]))["changes"] == whole["changes"][number + 1 :]
    order = whole["changes"][1]
    assert order["node"] == {"__typename": "Order", "id": placed}
    assert (order["id"], order["customer"]) == (placed, {"code": "C1"})


async def test_a_poll_to_which_nothing_came_gives_a_cursor_too(olga: Client) -> None:
    nothing = await read(olga)
    assert (nothing["changes"], nothing["more"]) == ([], False)
    assert (await read(olga, since=nothing["cursor"]))["cursor"] == nothing["cursor"]
    await make_profiles(olga, 1)
    assert told(await read(olga, since=nothing["cursor"])) == [("PROFILE", "CREATED")]


async def test_one_begins_at_the_present_by_the_latest_cursor(olga: Client) -> None:
    await make_profiles(olga, 3)
    present = (await read(olga, first=1))["latest"]
    assert told(await read(olga, since=present)) == []
    await do(olga, "portalUpdate", name="Renamed")
    assert told(await read(olga, since=present)) == [("PORTAL", "UPDATED")]


async def test_the_types_that_are_asked_for_are_told_and_the_cursor_goes_on_behind_the_others(
    olga: Client,
) -> None:
    await make_profiles(olga, 3)
    await do(olga, "portalUpdate", name="Renamed")
    page = await read(olga, types=["PORTAL"])
    assert told(page) == [("PORTAL", "UPDATED")]
    assert told(await read(olga, types=[])) == []
    page = await read(olga, types=["ORDER", "INVOICE"])
    assert (page["changes"], page["cursor"], page["more"]) == ([], page["latest"], False)
    assert told(await read(olga, types=["PORTAL", "PROFILE"], first=4)) == [
        *[("PROFILE", "CREATED")] * 3,
        ("PORTAL", "UPDATED"),
    ]


async def test_a_page_of_a_rare_type_looks_at_a_stretch_and_says_that_there_is_more(
    olga: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_feed, "STRETCH", 2)
    await make_profiles(olga, 5)
    await do(olga, "portalUpdate", name="Renamed")
    pages = [await read(olga, types=["PORTAL"])]
    while pages[-1]["more"]:
        pages.append(await read(olga, types=["PORTAL"], since=pages[-1]["cursor"]))
    assert [told(each) for each in pages] == [[], [], [("PORTAL", "UPDATED")]]


async def test_what_is_no_more_or_not_for_the_viewer_has_no_node(
    portal: Portal, olga: Client, bea: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = (await do(olga, "profileCreate", "profile { id }", name="Mine", permissions=[]))["profile"]
    await do(olga, "profileDelete", profile=profile["id"])
    await do(bea, "cartAddItems", items=[{"sku": "A", "quantity": "1"}])
    order = (await do(bea, "orderPlace", "orders { id }"))["orders"][0]["id"]
    page = await read(olga)
    assert [(each["operation"], each["id"]) for each in page["changes"][:2]] == [
        ("CREATED", profile["id"]),
        ("DELETED", profile["id"]),
    ]
    nodes = {each["type"]: each["node"] for each in page["changes"]}
    assert nodes == {"PROFILE": None, "CART": None, "ORDER": {"__typename": "Order", "id": order}}
    less = STAFF_ROLES[StaffRole.OWNER] - {Permission.ORDERS_READ}
    monkeypatch.setitem(STAFF_ROLES, StaffRole.OWNER, less)
    page = await read(olga, types=["ORDER"])
    assert (told(page), page["changes"][0]["node"]) == ([("ORDER", "CREATED")], None)


async def test_coming_in_and_going_is_not_told(portal: Portal, olga: Client, at: At) -> None:
    await do(await at(portal).sign_in("bea"), "signOut")
    assert told(await read(olga)) == []
    async with portal.writing() as connection:
        assert await connection.fetch_text("select from changes") == []


async def test_what_failed_and_what_is_repeated_is_not_told_again(olga: Client) -> None:
    assert (await send(olga, "profileCreate", name="", permissions=[]))["errors"] != []
    for _ in range(2):
        await do(olga, "profileCreate", name="Mine", permissions=[], idempotencyKey="once")
    assert told(await read(olga)) == [("PROFILE", "CREATED")]


async def test_what_the_command_line_provisions_is_told(
    world: World, portal: Portal, at: At, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = f"{portal.slug}-made"
    new = NewPortal(
        slug=slug,
        name="Made",
        legal_name="Made",
        currency="EUR",
        locale="de",
        support_email="a@made.example",
        hosts=[f"{slug}.example"],
    )
    await add_portal(world.registry, slug, "Made", new)
    who = {"user_name": "otto", "name": "Otto", "email": "otto@made.example", "role": StaffRole.OWNER}
    await command_line.add_staff_member(settings, slug, "a quiet red harbour", here_only=False, **who)  # type: ignore[arg-type]
    otto = await Client(at(portal).http, slug).sign_in("otto", "a quiet red harbour")
    page = await read(otto)
    assert told(page) == [("PORTAL", "CREATED"), ("STAFF_MEMBER", "CREATED")]
    assert all(each["node"]["id"] == each["id"] for each in page["changes"])


def test_every_type_that_is_followed_can_be_asked_for() -> None:
    assert {each.value for each in change_feed.NodeType} == NODES.keys() - UNFOLLOWED
    assert {"RMA_REQUEST", "TAX_INVOICE"} == {
        change_feed._WORDS.sub("_", each).upper() for each in ("RMARequest", "TaxInvoice")
    }


async def rows_of(portal: Portal) -> tuple[int, dict[tuple[str, str], str]]:
    """The newest position, and every object of the types that are followed as it is."""
    every = " union all ".join(
        f"select '{name}', id::text, t::text from {table} t" for name, table in TABLES.items()
    )
    async with portal.writing() as connection:
        newest = await connection.fetch_text("select coalesce(max(position), 0) from changes")
        rows = await connection.fetch_text(
            f"""{every} union all select 'Cart', account_id::text, t::text from carts t
            union all select 'Portal', tenant_id::text, t::text from portals t where tenant_id = $1
            union all select 'StaffMember', id::text, t::text from staff_members t where supplier_id = $2""",
            portal.tenant_id,
            portal.supplier_id,
        )
    return newest[0][0], {(row[0], row[1]): row[2] for row in rows}


async def changes_after(portal: Portal, position: int) -> set[tuple[str, str, str]]:
    async with portal.writing() as connection:
        rows = await connection.fetch_text(
            "select node_type, node_id::text, operation from changes where position > $1", position
        )
    return {(row[0], row[1], row[2]) for row in rows}


async def test_every_object_that_a_mutation_makes_changes_or_deletes_is_told(
    portal: Portal, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found out by comparing all rows before and after each mutation there is."""
    missed: list[Any] = []
    seen = set()

    async def watched(client: Client, mutation: str, result: str = "", **given: Any) -> dict[str, Any]:
        position, before = await rows_of(portal)
        answer = await send(client, mutation, result, **given)
        _, after = await rows_of(portal)
        there = await changes_after(portal, position)
        # A cart is there before it is kept: at version 0.
        was = {(*key, "UPDATED" if key[0] == "Cart" else "CREATED") for key in after.keys() - before.keys()}
        was |= {(*key, "DELETED") for key in before.keys() - after.keys()}
        was |= {(*key, "UPDATED") for key in after.keys() & before.keys() if after[key] != before[key]}
        seen.update(was)
        missed.extend((mutation, *each) for each in was - there)
        return answer

    monkeypatch.setattr(test_audit, "send", watched)
    await Story(portal, at).tell()
    assert missed == []
    assert {each[0] for each in seen} >= {*TABLES, "Cart", "Portal", "StaffMember"} - {"AccessGroup"}


async def test_followed_objects_are_all_looked_at() -> None:
    named = {*TABLES, "Cart", "Portal", "StaffMember"}
    assert named == {each.value for each in change_feed.NodeType} - {"Attachment", "Supplier"}


async def an_old_and_a_new_half(portal: Portal, olga: Client, *, behind: int = 5) -> list[Any]:
    """Ten changes, the first of which are older; returns them as they are told."""
    await make_profiles(olga, 10)
    every = (await read(olga))["changes"]
    async with portal.writing() as connection:
        rows = await connection.fetch_text("delete from changes returning *")
        for row in rows:
            values = dict(row)
            if values["position"] <= behind:
                values["at"] -= LONG_AGO
            names = ", ".join(values)
            places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
            await connection.fetch_text(f"insert into changes ({names}) values ({places})", *values.values())
    return list(every)


async def test_what_is_older_than_it_is_kept_is_forgotten_and_said_to_be(
    world: World, portal: Portal, olga: Client
) -> None:
    every = await an_old_and_a_new_half(portal, olga)
    beginning = (await read(olga))["cursor"]
    assert await forget(world.database, LONG_AGO + timedelta(days=1)) == 0
    assert await forget(world.database, LONG_AGO - timedelta(days=1)) >= 5
    assert await forget(world.database, LONG_AGO - timedelta(days=1)) == 0
    kept = [each["id"] for each in every[5:]]
    assert [each["id"] for each in (await read(olga))["changes"]] == kept
    assert [each["id"] for each in (await read(olga, since=every[4]["cursor"]))["changes"]] == kept
    for old in every[:4]:
        assert await code(olga, since=old["cursor"]) == "CHANGES_FORGOTTEN"
    assert (await read(olga, since=beginning))["changes"] == []


async def test_the_command_line_forgets_what_is_older_than_the_setting_says(
    portal: Portal, olga: Client, settings: Settings
) -> None:
    await an_old_and_a_new_half(portal, olga)
    assert settings.changes_kept_days == 90
    await forgetting.forget(settings)
    assert len((await read(olga))["changes"]) == 10
    await forgetting.forget(settings.model_copy(update={"changes_kept_days": 9}))
    assert len((await read(olga))["changes"]) == 5


async def test_when_all_is_forgotten_the_newest_cursor_is_still_good(
    world: World, portal: Portal, olga: Client
) -> None:
    every = await an_old_and_a_new_half(portal, olga, behind=10)
    await forget(world.database, timedelta(days=1))
    page = await read(olga, since=every[-1]["cursor"])
    assert (page["changes"], page["more"], page["cursor"]) == ([], False, every[-1]["cursor"])
    assert (await read(olga))["cursor"] == every[-1]["cursor"]
    assert await code(olga, since=every[-2]["cursor"]) == "CHANGES_FORGOTTEN"
    await do(olga, "portalUpdate", name="Renamed")
    assert told(await read(olga, since=page["cursor"])) == [("PORTAL", "UPDATED")]


async def test_they_are_forgotten_a_few_at_a_time(
    world: World, portal: Portal, olga: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await an_old_and_a_new_half(portal, olga)
    monkeypatch.setattr(db.change_feed, "_FORGOTTEN_AT_ONCE", 2)
    async with portal.writing() as connection:
        assert await db.change_feed.forget(connection, timedelta(days=1)) == 2
    await forget(world.database, timedelta(days=1))
    assert len((await read(olga))["changes"]) == 5


async def test_a_clock_that_was_set_back_leaves_no_hole(portal: Portal, olga: Client) -> None:
    await an_old_and_a_new_half(portal, olga)
    async with portal.writing() as connection:
        await connection.fetch_text("delete from changes where position = 3")
        await connection.fetch_text(
            """insert into changes (tenant_id, position, node_type, node_id, operation, subject_id)
            values ($1, 3, 'Portal', $1, 'UPDATED', $1)""",
            portal.tenant_id,
        )
        assert await db.change_feed.forget(connection, timedelta(days=1)) == 2
        assert await db.change_feed.forget(connection, timedelta(days=1)) == 0
    assert len((await read(olga))["changes"]) == 8


async def test_a_cursor_from_after_the_backup_that_was_restored_is_not_taken_for_the_past(
    portal: Portal, olga: Client
) -> None:
    await make_profiles(olga, 3)
    late = (await read(olga))["latest"]
    async with portal.writing() as connection:
        await connection.fetch_text("delete from changes where position > 1")
        await connection.fetch_text("update feeds set position = 1")
    assert await code(olga, since=late) == "CHANGES_FORGOTTEN"
