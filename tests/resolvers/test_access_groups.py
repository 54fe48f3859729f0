"""Access groups: who keeps them, what is refused with which path, and that changes count at once."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import uuid_utils.compat as uuid

import db
from resolvers.nodes import global_id
from rules.access_groups import MOST_MEMBERS
from rules.documents import DocumentKind
from rules.permissions import BuiltInProfile, StaffRole
from rules.restrictions import MOST_LISTED, Modes, RestrictionKind, RestrictionMode
from tests.client import Client
from tests.conftest import At
from tests.world import Portal, World

ERRORS = "errors { code path message ... on AccessGroupInUseError { members } ... on VersionConflictError { current } }"
GROUP = """id name version profile { builtIn name } members { account { userName } group { name } endsOn }
  restrictions { kind mode inForce categories { code } products { sku } warehouses { code } documentKinds }"""
DOCUMENTS = {
    "create": f"""mutation($input: AccessGroupCreateInput!) {{ accessGroupCreate(input: $input) {{
      accessGroup {{ {GROUP} }} {ERRORS} }} }}""",
    "update": f"""mutation($input: AccessGroupUpdateInput!) {{ accessGroupUpdate(input: $input) {{
      accessGroup {{ {GROUP} }} {ERRORS} }} }}""",
    "delete": f"""mutation($input: AccessGroupDeleteInput!) {{ accessGroupDelete(input: $input) {{
      deletedId {ERRORS} }} }}""",
}
GROUPS = f"{{ accessGroups {{ {GROUP} }} }}"
PRODUCTS = "{ products { nodes { sku } } }"
TODAY = (
    "select current_date, (select count(*) from access_groups), (select count(*) from access_group_members)"
)

Errors = list[tuple[str, list[str]]]


async def change(client: Client, what: str, **given: Any) -> dict[str, Any]:
    (answer,) = (await client.ask(DOCUMENTS[what], input=given)).values()
    found: dict[str, Any] = answer
    return found


async def refused(client: Client, what: str, **given: Any) -> Errors:
    """What stands in the way, and where."""
    answer = await change(client, what, **given)
    assert answer.pop("accessGroup", None) is answer.pop("deletedId", None) is None
    return [(each["code"], each["path"]) for each in answer["errors"]]


async def done(client: Client, what: str, **given: Any) -> dict[str, Any]:
    """The group after a change that has to work."""
    answer = await change(client, what, **given)
    assert answer["errors"] == []
    group: dict[str, Any] = answer["accessGroup"]
    return group


async def skus(client: Client) -> list[str]:
    return sorted(each["sku"] for each in (await client.ask(PRODUCTS))["products"]["nodes"])


async def counts(portal: Portal) -> tuple[Any, ...]:
    """The database's day, and how many groups and members there are."""
    async with portal.writing() as connection:
        return tuple((await connection.fetch_text(TODAY))[0])


async def profile_id(portal: Portal, profile: BuiltInProfile = BuiltInProfile.BUYER) -> str:
    async with portal.writing() as connection:
        return global_id("Profile", await db.profiles.built_in(connection, profile))


def ids(type_name: str, *keys: UUID) -> list[str]:
    return [global_id(type_name, each) for each in keys]


def denying(kind: str, values: str, *listed: str) -> dict[str, Any]:
    """A restriction that allows what is listed and nothing else."""
    return {"kind": kind, "mode": "DENY_EXCEPT", values: list(listed)}


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.product("B")
    await portal.staff_member("mona")
    return portal


@pytest.fixture
async def mona(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("mona")


async def test_an_outsider_reads_and_changes_no_groups(portal: Portal, at: At) -> None:
    group = global_id("AccessGroup", await portal.group("Buyers"))
    assert (await at(portal).refusal(GROUPS))["extensions"]["code"] == "UNAUTHENTICATED"
    assert await refused(at(portal), "create", name="X", profile=await profile_id(portal)) == [
        ("UNAUTHENTICATED", [])
    ]
    for what in ("update", "delete"):
        assert await refused(at(portal), what, group=group) == [("UNAUTHENTICATED", [])]


@pytest.mark.parametrize("role", [None, StaffRole.ACCOUNTANT, StaffRole.AGENT], ids=str)
async def test_customers_and_lesser_staff_change_no_groups(
    portal: Portal, at: At, role: StaffRole | None
) -> None:
    await (portal.staff_member("zoe", role=role) if role else portal.account("zoe"))
    zoe, group = await at(portal).sign_in("zoe"), global_id("AccessGroup", await portal.group("Buyers"))
    before = await counts(portal)
    assert await refused(zoe, "create", name="X", profile=await profile_id(portal)) == [
        ("MISSING_PERMISSION", [])
    ]
    for what in ("update", "delete"):
        assert await refused(zoe, what, group=group) == [("MISSING_PERMISSION", [])]
    assert await counts(portal) == before
    if role is StaffRole.AGENT:  # who helps customers sees why they see what they see
        assert [each["name"] for each in (await zoe.ask(GROUPS))["accessGroups"]] == ["Buyers"]
    else:
        assert (await zoe.refusal(GROUPS))["extensions"]["code"] == "MISSING_PERMISSION"


@pytest.mark.parametrize("sister", [True, False])
async def test_what_is_another_companys_is_not_there_and_nothing_moves(
    world: World, portal: Portal, mona: Client, sister: bool
) -> None:
    other = await world.portal(supplier=portal.slug if sister else None)
    await other.product("A")
    theirs = await other.group("Theirs", await other.account("bea"))
    group, profile = global_id("AccessGroup", await portal.group("Ours")), await profile_id(portal)
    member = [{"account": global_id("Account", (await _accounts(other))[0])}]
    lists = {
        "PRODUCT_CATEGORY": ("categories", global_id("Category", other.category_id)),
        "PRODUCT": ("products", global_id("Product", other.products["A"])),
        "WAREHOUSE": ("warehouses", global_id("Warehouse", other.warehouse_ids["W1"])),
    }
    before = await counts(portal), await counts(other)
    for what, more in (("create", {"name": "X", "profile": profile}), ("update", {"group": group})):
        assert await refused(mona, what, **more | {"profile": await profile_id(other)}) == [
            ("NOT_FOUND", ["profile"])
        ]
        assert await refused(mona, what, **more, members=member) == [("NOT_FOUND", ["members", "0"])]
        for kind, (values, foreign) in lists.items():
            assert await refused(mona, what, **more, restrictions=[denying(kind, values, foreign)]) == [
                ("NOT_FOUND", ["restrictions", "0", values, "0"])
            ]
    for wrong in (global_id("AccessGroup", theirs), global_id("AccessGroup", uuid.uuid7()), profile, "?"):
        assert await refused(mona, "update", group=wrong, name="Mine") == [("NOT_FOUND", ["group"])]
        assert await refused(mona, "delete", group=wrong) == [("NOT_FOUND", ["group"])]
    assert (await counts(portal), await counts(other)) == before
    assert [each["name"] for each in (await mona.ask(GROUPS))["accessGroups"]] == ["Ours"]


async def _accounts(portal: Portal) -> list[UUID]:
    async with portal.writing() as connection:
        return [row[0] for row in await connection.fetch_text("select id from accounts order by user_name")]


async def test_every_value_that_is_not_there_is_told(portal: Portal, mona: Client) -> None:
    listed = [
        global_id("Product", portal.products["A"]),
        global_id("Product", uuid.uuid7()),
        global_id("Category", portal.category_id),
    ]
    members = [{"account": each} for each in listed]
    profile = await profile_id(portal)
    refusal = await refused(
        mona, "create", name="X", profile=profile, restrictions=[denying("PRODUCT", "products", *listed)]
    )
    assert refusal == [("NOT_FOUND", ["restrictions", "0", "products", place]) for place in ("1", "2")]
    assert await refused(mona, "create", name="X", profile=profile, members=members) == [
        ("NOT_FOUND", ["members", place]) for place in ("0", "1", "2")
    ]
    assert await counts(portal) == ((await counts(portal))[0], 0, 0)


async def test_a_new_group_keeps_and_shows_all_four_kinds_and_its_members(
    portal: Portal, mona: Client
) -> None:
    bea = await portal.account("bea", profile=None)
    last_day = ((await counts(portal))[0] + timedelta(days=1)).isoformat()
    await portal.enforce(RestrictionKind.WAREHOUSE)
    made = await done(
        mona,
        "create",
        name="All kinds",
        profile=await profile_id(portal, BuiltInProfile.ACCOUNTANT),
        members=[{"account": global_id("Account", bea), "endsOn": last_day}],
        restrictions=[
            denying("DOCUMENT_KIND", "documentKinds", "INVOICE", "CREDIT_NOTE", "INVOICE"),
            denying("WAREHOUSE", "warehouses", *ids("Warehouse", portal.warehouse_ids["W1"])),
            {"kind": "PRODUCT", "mode": "ALLOW_EXCEPT", "products": ids("Product", portal.products["A"])},
            denying("PRODUCT_CATEGORY", "categories", *ids("Category", portal.category_id) * 2),
        ],
    )
    nothing: dict[str, Any] = {"categories": [], "products": [], "warehouses": [], "documentKinds": []}
    assert made == {
        "id": made["id"],
        "name": "All kinds",
        "version": 1,
        "profile": {"builtIn": "ACCOUNTANT", "name": "Accountant"},
        "members": [
            {"account": {"userName": "bea"}, "group": {"name": "All kinds"}, "endsOn": last_day},
        ],
        "restrictions": [
            {"kind": kind, "mode": mode, "inForce": kind == "WAREHOUSE"} | nothing | lists
            for kind, mode, lists in (
                ("PRODUCT_CATEGORY", "DENY_EXCEPT", {"categories": [{"code": "all"}]}),
                ("PRODUCT", "ALLOW_EXCEPT", {"products": [{"sku": "A"}]}),
                ("WAREHOUSE", "DENY_EXCEPT", {"warehouses": [{"code": "W1"}]}),
                ("DOCUMENT_KIND", "DENY_EXCEPT", {"documentKinds": ["CREDIT_NOTE", "INVOICE"]}),
            )
        ],
    }
    assert (await mona.ask(GROUPS))["accessGroups"] == [made]
    node = await mona.ask("query($id: ID!) { node(id: $id) { ... on AccessGroup { name } } }", id=made["id"])
    assert node == {"node": {"name": "All kinds"}}


async def test_an_update_replaces_all_restrictions_and_clears_what_is_no_longer_listed(
    portal: Portal, mona: Client
) -> None:
    lists: dict[RestrictionKind, list[Any]] = {
        RestrictionKind.PRODUCT: [portal.products["A"]],
        RestrictionKind.WAREHOUSE: [portal.warehouse_ids["W1"]],
        RestrictionKind.DOCUMENT_KIND: [DocumentKind.INVOICE],
    }
    denied = RestrictionMode.DENY_EXCEPT
    key = await portal.group(
        "Buyers", modes=Modes(product=denied, warehouse=denied, document_kind=denied), lists=lists
    )
    group = global_id("AccessGroup", key)
    both = ids("Product", portal.products["B"])
    changed = await done(mona, "update", group=group, restrictions=[denying("PRODUCT", "products", *both)])
    assert [(each["kind"], each["products"]) for each in changed["restrictions"]] == [
        ("PRODUCT", [{"sku": "B"}])
    ]
    again = [{"kind": kind, "mode": "DENY_EXCEPT"} for kind in ("PRODUCT", "WAREHOUSE", "DOCUMENT_KIND")]
    emptied = await done(mona, "update", group=group, restrictions=again)
    assert [
        each["products"] + each["warehouses"] + each["documentKinds"] for each in emptied["restrictions"]
    ] == [[], [], []]
    assert (await done(mona, "update", group=group, restrictions=[]))["restrictions"] == []


async def test_what_is_left_out_of_an_update_stays(portal: Portal, mona: Client) -> None:
    bea = await portal.account("bea", profile=None)
    restrictions = [denying("PRODUCT", "products", *ids("Product", portal.products["A"]))]
    made = await done(
        mona,
        "create",
        name="Buyers",
        profile=await profile_id(portal),
        restrictions=restrictions,
        members=[{"account": global_id("Account", bea)}],
    )
    renamed = await done(mona, "update", group=made["id"], name="Purchasers", version=1)
    assert renamed == made | {
        "name": "Purchasers",
        "version": 2,
        "members": [{"account": {"userName": "bea"}, "group": {"name": "Purchasers"}, "endsOn": None}],
    }
    assert await done(mona, "update", group=made["id"], name="Purchasers") == renamed


async def test_a_new_profile_and_new_restrictions_count_at_once(portal: Portal, mona: Client, at: At) -> None:
    await portal.enforce(RestrictionKind.PRODUCT)
    group = global_id("AccessGroup", await portal.group("Buyers", await portal.account("bea", profile=None)))
    bea, permissions = await at(portal).sign_in("bea"), "{ viewer { permissions } }"
    assert await skus(bea) == ["A", "B"]
    assert "ORDERS_PLACE" in (await bea.ask(permissions))["viewer"]["permissions"]
    listed = ids("Product", portal.products["B"])
    await done(mona, "update", group=group, restrictions=[denying("PRODUCT", "products", *listed)])
    assert await skus(bea) == ["B"]
    await done(mona, "update", group=group, profile=await profile_id(portal, BuiltInProfile.VIEWER))
    assert "ORDERS_PLACE" not in (await bea.ask(permissions))["viewer"]["permissions"]
    await done(mona, "update", group=group, members=[])
    assert (await bea.ask(permissions))["viewer"]["permissions"] == []
    assert (await bea.refusal(PRODUCTS))["extensions"]["code"] == "MISSING_PERMISSION"


async def test_a_name_is_used_once(portal: Portal, mona: Client) -> None:
    group, profile = await portal.group("Buyers"), await profile_id(portal)
    await portal.group("Taken")
    assert await refused(mona, "create", name="Taken", profile=profile) == [("NAME_TAKEN", ["name"])]
    assert await refused(mona, "update", group=global_id("AccessGroup", group), name="Taken") == [
        ("NAME_TAKEN", ["name"])
    ]


async def test_a_name_that_somebody_else_takes_at_the_same_time_is_taken(
    portal: Portal, mona: Client
) -> None:
    group, other = await portal.group("Buyers"), await portal.group("Others")
    async with portal.writing() as connection:
        await db.access_groups.change(connection, other, name="Taken")
        renaming = asyncio.create_task(
            change(mona, "update", group=global_id("AccessGroup", group), name="Taken")
        )
        await asyncio.sleep(0.2)
        assert not renaming.done()
    assert [(each["code"], each["path"]) for each in (await renaming)["errors"]] == [("NAME_TAKEN", ["name"])]


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"name": " "}, "TEXT_MISSING", ["name"]),
        ({"name": "x" * 201}, "TEXT_TOO_LONG", ["name"]),
        (
            {"restrictions": [{"kind": "PRODUCT", "mode": mode} for mode in ("DENY_EXCEPT", "ALLOW_EXCEPT")]},
            "RESTRICTION_TWICE",
            ["restrictions", "1", "kind"],
        ),
        *(
            (
                {"restrictions": [{"kind": kind, "mode": "DENY_EXCEPT", values: []}]},
                "RESTRICTION_VALUES_OF_ANOTHER_KIND",
                ["restrictions", "0", values],
            )
            for kind, values in (
                ("PRODUCT", "categories"),
                ("WAREHOUSE", "products"),
                ("DOCUMENT_KIND", "warehouses"),
                ("PRODUCT_CATEGORY", "documentKinds"),
            )
        ),
        (
            {"restrictions": [denying("PRODUCT", "products", *["?"] * (MOST_LISTED + 1))]},
            "LIST_TOO_LONG",
            ["restrictions", "0", "products"],
        ),
        ({"members": [{"account": "?"}] * (MOST_MEMBERS + 1)}, "LIST_TOO_LONG", ["members"]),
    ],
)
async def test_what_makes_no_group_is_refused_with_its_path(
    portal: Portal, mona: Client, given: dict[str, Any], code: str, path: list[str]
) -> None:
    key, profile = await portal.group("Buyers"), await profile_id(portal)
    assert await refused(mona, "create", **{"name": "X", "profile": profile} | given) == [(code, path)]
    assert await refused(mona, "update", group=global_id("AccessGroup", key), **given) == [(code, path)]
    assert [each["name"] for each in (await mona.ask(GROUPS))["accessGroups"]] == ["Buyers"]


async def test_a_group_that_changed_since_it_was_read_is_a_conflict(portal: Portal, mona: Client) -> None:
    group = global_id("AccessGroup", await portal.group("Buyers"))
    await done(mona, "update", group=group, name="One", version=1)
    for what in ("update", "delete"):
        answer = await change(mona, what, group=group, version=1)
        assert [(each["code"], each["path"], each["current"]) for each in answer["errors"]] == [
            ("VERSION_CONFLICT", ["version"], 2)
        ]
    assert [each["name"] for each in (await mona.ask(GROUPS))["accessGroups"]] == ["One"]


async def test_the_same_key_makes_one_group(portal: Portal, mona: Client) -> None:
    given = {"name": "Once", "profile": await profile_id(portal), "idempotencyKey": "once"}
    assert await done(mona, "create", **given) == await done(mona, "create", **given)
    assert await refused(mona, "create", **given | {"name": "Twice"}) == [
        ("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"])
    ]
    assert (await counts(portal))[1] == 1


async def test_a_repeat_whose_group_was_deleted_since_says_that_it_is_not_there(
    portal: Portal, mona: Client
) -> None:
    given = {"name": "Doomed", "profile": await profile_id(portal), "idempotencyKey": "once"}
    group = await done(mona, "create", **given)
    await change(mona, "delete", group=group["id"])
    assert await refused(mona, "create", **given) == [("NOT_FOUND", ["idempotencyKey"])]


async def test_customers_are_told_the_names_of_their_groups_and_nothing_more(portal: Portal, at: At) -> None:
    await portal.account("carl")
    await portal.group(
        "Mine", await portal.account("bea", profile=None), modes=Modes(product=RestrictionMode.DENY_EXCEPT)
    )
    bea = await at(portal).sign_in("bea")
    asked = "accessGroups { id name profile { builtIn } restrictions { kind } members { endsOn } }"
    (mine,) = (await bea.ask(f"{{ viewer {{ {asked} }} }}"))["viewer"]["accessGroups"]
    assert mine == {
        "id": mine["id"],
        "name": "Mine",
        "profile": {"builtIn": "BUYER"},
        "restrictions": None,
        "members": None,
    }
    node = "query($id: ID!) { node(id: $id) { ... on AccessGroup { name members { endsOn } } } }"
    assert await bea.ask(node, id=mine["id"]) == {"node": {"name": "Mine", "members": None}}
    async with portal.writing() as connection:
        others = await db.access_groups.id_of_name(connection, f"{BuiltInProfile.BUYER} of carl")
    assert others is not None
    assert await bea.ask(node, id=global_id("AccessGroup", others)) == {"node": None}


async def test_the_audit_tells_who_changed_a_group_and_how(portal: Portal, mona: Client) -> None:
    profile = await profile_id(portal)
    made = await done(mona, "create", name="Buyers", profile=profile)
    listed = ids("Product", portal.products["A"])
    await done(mona, "update", group=made["id"], restrictions=[denying("PRODUCT", "products", *listed)])
    await change(mona, "delete", group=made["id"])
    log = await mona.ask(
        """query($id: ID!) { auditLog(filter: {node: $id}) { nodes {
        action staffMember { userName } nodeId changes { field after } } } }""",
        id=made["id"],
    )
    entries = log["auditLog"]["nodes"]
    assert [each["action"] for each in entries] == [
        f"accessGroup{what}" for what in ("Delete", "Update", "Create")
    ]
    assert {each["staffMember"]["userName"] for each in entries} == {"mona"}
    assert {each["nodeId"] for each in entries} == {made["id"]}
    lists = next(each for each in entries[1]["changes"] if each["field"] == "lists")
    assert str(portal.products["A"]) in lists["after"]
