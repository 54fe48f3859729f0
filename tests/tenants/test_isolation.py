"""Isolation, proven over HTTP: what is another's answers as what never existed, and nothing of it moves.

Portals A and C are companies of one supplier, B is another's; at A there are two customers. The questions
are generated from the schema, so a new field is asked as well. How code that forgets the tenant fares is in
tests/db/test_isolation.py.
"""

import copy
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
import uuid_utils.compat as uuid

import db
from db import roles
from db.carts import cart_items, carts
from db.categories import categories
from db.isolation import Mode
from db.statements import Statement
from resolvers.nodes import NODES, global_id
from rules.permissions import BuiltInProfile
from tests.client import Client
from tests.conftest import At
from tests.tenants.questions import Question, anything, document, questions, root
from tests.test_house_catalogue import SUPPLIER_TABLES, TENANT
from tests.world import PASSWORD, Portal, World, put

CUSTOMERS_PEOPLE = {
    "buyer": BuiltInProfile.BUYER,
    "accountant": BuiltInProfile.ACCOUNTANT,
    "viewer": BuiltInProfile.VIEWER,
}
PERSONAS = [*CUSTOMERS_PEOPLE, "neighbour", "staff"]


@dataclass
class Belongings:
    """What belongs to somebody: global ids with their types, and the texts by which things are named."""

    ids: list[tuple[str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def add(self, type_name: str, id: UUID, *texts: str) -> None:
        self.ids.append((type_name, global_id(type_name, id)))
        self.texts.extend(texts)

    def plus(self, *others: "Belongings") -> "Belongings":
        every = [self, *others]
        return Belongings(
            [pair for each in every for pair in each.ids], [t for each in every for t in each.texts]
        )


@dataclass
class Town:
    """Portals A, B and C with somebody's things everywhere."""

    world: World
    a: Portal
    b: Portal
    c: Portal
    company: Belongings  # what A shows to all its people
    customer: Belongings  # of the customer of buyer, accountant and viewer
    neighbour: Belongings  # of the other customer
    elsewhere: Belongings  # of B and C

    def own(self, persona: str) -> Belongings:
        """What the persona may see at A."""
        if persona == "staff":
            return self.company.plus(self.customer, self.neighbour)
        return self.company.plus(self.neighbour if persona == "neighbour" else self.customer)

    def foreign(self, persona: str) -> Belongings:
        """What the persona must not know of."""
        if persona == "staff":
            return self.elsewhere
        others = self.elsewhere.plus(self.customer if persona == "neighbour" else self.neighbour)
        others.texts = [text for text in others.texts if text not in PERSONAS]  # who can sign in, does
        return others

    def required(self, persona: str) -> dict[str, str]:
        """The persona's own, to stand where something is required."""
        items = [key for kind, key in self.own(persona).ids if kind == "CartItem"]
        return {"item": items[0], "sku": "sku-a", "userName": "nobody", "password": PASSWORD}

    async def checksums(self) -> dict[str, str]:
        """Of the rows of A, B and C and their suppliers, table by table."""
        tables = db.metadata.tables.values()
        parts = [
            f"select '{table}', md5(string_agg(t::text, '|' order by t::text)) from {table} t where "
            + ("supplier_id = any($2)" if table.name in SUPPLIER_TABLES else "tenant_id = any($1)")
            for table in tables
            if table.name != "suppliers"
        ]
        portals = [self.a, self.b, self.c]
        async with self.world.registry.transaction(Mode.SNAPSHOT, None) as connection:
            rows = await connection.fetch_text(
                " union all ".join(parts),
                [each.tenant_id for each in portals],
                [each.supplier_id for each in portals],
            )
        return dict(tuple(row) for row in rows)


async def settle(world: World) -> Town:
    a = await world.portal()
    b, c = await world.portal(), await world.portal(supplier=a.slug)
    company, neighbour = (
        await furnish_company(a, "a"),
        await furnish_customer(a, "n", {"neighbour": BuiltInProfile.BUYER}),
    )
    customer = await furnish_customer(a, "a", CUSTOMERS_PEOPLE)
    await a.staff_member("staff")
    elsewhere = Belongings()
    for portal, tag in ((b, "b"), (c, "c")):
        there = await furnish_company(portal, tag)
        people = await furnish_customer(portal, tag, {f"{tag}-buyer": BuiltInProfile.BUYER})
        elsewhere = elsewhere.plus(there, people)
        staff_member_id = await portal.staff_member(f"{tag}-staff", here_only=True)
        elsewhere.texts.append(f"{tag}-staff")
        if portal is b:  # the supplier of A and C has one staff, whose members its own people may see
            elsewhere.add("StaffMember", staff_member_id)
    return Town(world, a, b, c, company, customer, neighbour, elsewhere)


async def furnish_company(portal: Portal, tag: str) -> Belongings:
    """A product, its category and its warehouses."""
    found = Belongings()
    async with portal.writing() as connection:
        category_id = await put(connection, categories, code=f"category-{tag}", name="Things")
    product_id = await portal.product(f"sku-{tag}", name=f"Thing {tag}", category_id=category_id)
    found.add("Portal", portal.tenant_id)
    found.add("Product", product_id, f"sku-{tag}")
    found.add("Category", category_id, f"category-{tag}")
    found.add("Warehouse", portal.warehouse_ids["W1"])
    return found


async def furnish_customer(portal: Portal, tag: str, people: Mapping[str, BuiltInProfile]) -> Belongings:
    """A customer with its people, an order, and something in the first one's cart."""
    found = Belongings()
    code = f"customer-{tag}"
    found.add("Customer", await portal.customer(code), code)
    sku = next(iter(portal.products))
    found.add("Order", await portal.order(f"order-{tag}", customer=code, skus=(sku,)), f"order-{tag}")
    for name, profile in people.items():
        account_id = await portal.account(name, customer=code, profile=profile)
        found.add("Account", account_id, name)
        if profile is BuiltInProfile.BUYER:
            found.add("Cart", account_id)
            async with portal.writing() as connection:
                group = await connection.fetch_text(
                    "select id from access_groups where name = $1", f"{profile} of {name}"
                )
                await put(connection, carts, account_id=account_id, version=1)
                item = await put(
                    connection,
                    cart_items,
                    account_id=account_id,
                    product_id=portal.products[sku],
                    quantity=1,
                )
            found.add("AccessGroup", group[0][0])
            found.add("CartItem", item)
    return found


async def become(persona: str, portal: Portal, at: At) -> Client:
    return await at(portal).sign_in(persona)


async def answer(asker: Client, question: Question, value: str, own: Mapping[str, Any]) -> tuple[Any, ...]:
    """All that the asker is told: status, headers and body, byte by byte, with the value taken out."""
    response = await asker.post(question.document, question.variables(value, own))
    assert response.status_code in (200, 400), response.text
    headers = {name: each for name, each in response.headers.items() if name != "x-request-id"}
    return response.status_code, headers, response.content.replace(value.encode(), b"<asked>")


def never_existed(kind: str, like: str) -> str:
    """An id of the same type, or a text of the same length, that names nothing anywhere."""
    if kind == "text":
        return f"zz{uuid.uuid4().hex * 4}"[: len(like)]
    return global_id(kind, uuid.uuid7())


async def differences(
    asker: Client, foreign: Belongings, own: Mapping[str, Any], *, only: str = ""
) -> list[str]:
    """The questions that tell something that is another's from what never existed."""
    found = []
    things = {"ID": foreign.ids, "String": [("text", text) for text in foreign.texts]}
    for scalar, named in things.items():
        for question in questions(scalar):
            unknown: dict[tuple[str, int], Any] = {}
            for kind, value in named if only in str(question) else []:
                shape = kind, len(value)
                if shape not in unknown:
                    unknown[shape] = await answer(asker, question, never_existed(kind, value), own)
                if await answer(asker, question, value, own) != unknown[shape]:
                    found.append(f"{question} tells of the {kind} {value}")
    return found


def test_the_questions_name_every_type_that_has_an_id() -> None:
    named = {
        "Portal",
        "Product",
        "Category",
        "Warehouse",
        "Customer",
        "Order",
        "Account",
        "AccessGroup",
        "Cart",
    }
    assert named | {"StaffMember"} == set(NODES), "furnish the town with the new type"


@pytest.mark.parametrize("persona", PERSONAS)
async def test_what_is_anothers_answers_as_what_never_existed(persona: str, world: World, at: At) -> None:
    town = await settle(world)
    asker = await become(persona, town.a, at)
    before = await town.checksums()
    assert await differences(asker, town.foreign(persona), town.required(persona)) == []
    assert await town.checksums() == before


async def test_an_outsider_is_told_the_same_of_everything(world: World, at: At) -> None:
    town = await settle(world)
    every = town.elsewhere.plus(town.own("staff"))
    every.texts = [text for text in every.texts if text not in PERSONAS]
    assert await differences(at(town.a), every, town.required("buyer")) == []


async def test_each_question_can_tell_what_is_ones_own_from_what_never_existed(world: World, at: At) -> None:
    """Otherwise the test above would prove nothing: the question might never reach the row."""
    town = await settle(world)
    buyer, own, required = await become("buyer", town.a, at), town.own("buyer"), town.required("buyer")
    blind = []
    for scalar, named in (("ID", own.ids), ("String", [("text", text) for text in own.texts])):
        for question in questions(scalar):
            told = [
                await answer(buyer, question, value, required)
                != await answer(buyer, question, never_existed(kind, value), required)
                for kind, value in named
            ]
            blind += [] if any(told) else [str(question)]
    assert blind == []


@pytest.mark.parametrize("layers", ["neither", "the policy", "the predicate", "both"])
async def test_the_proof_fails_when_both_layers_are_gone_and_only_then(
    layers: str, world: World, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = await settle(world)
    buyer = await become("buyer", town.a, at)
    if layers in ("the predicate", "both"):
        monkeypatch.setattr(db.products, "_by_ids", without_tenant(db.products._by_ids))
    found = []
    async with without_policy(world, "products") if layers in ("the policy", "both") else nullcontext():
        for only in ("product(id)", "node(id)", "nodes(ids)"):
            found += await differences(buyer, town.elsewhere, town.required("buyer"), only=only)
    product_ids = [key for kind, key in town.elsewhere.ids if kind == "Product"]
    reported = [
        f"{only} tells of the Product {key}"
        for only in ("product(id)", "node(id)", "nodes(ids)")
        for key in product_ids
    ]
    assert sorted(found) == (sorted(reported) if layers == "both" else [])


def without_tenant(statement: Statement[Any]) -> Statement[Any]:
    """The statement as it were if somebody had forgotten the tenant."""
    forgetful = copy.copy(statement)
    forgetful.sql = statement.sql.replace("products.tenant_id = $1", "$1")
    assert forgetful.sql != statement.sql
    forgetful.sql = forgetful.sql.replace("$1::UUID AND", "$1::UUID is not null AND")
    return forgetful


@asynccontextmanager
async def without_policy(world: World, table: str) -> AsyncIterator[None]:
    """Lets all rows through to everybody for a while; this database is the worker's own."""
    await alter_policy(world, table, "true")
    try:
        yield
    finally:
        await alter_policy(world, table, TENANT)


async def alter_policy(world: World, table: str, condition: str) -> None:
    async with world.registry.transaction(Mode.WRITE, None) as connection:
        await connection.execute_text(f"set local role {roles.OWNER}")
        await connection.execute_text(
            f"alter policy {table}_tenant on {table} using ({condition}) with check ({condition})"
        )


@pytest.mark.parametrize("persona", PERSONAS)
async def test_a_token_of_one_portal_is_nobody_at_another(persona: str, world: World, at: At) -> None:
    town = await settle(world)
    token = (await become(persona, town.a, at)).token
    for portal in (town.b, town.c):
        stranger, outsider = at(portal), at(portal)
        stranger.token = token
        assert await stranger.ask("{ viewer { permissions } }") == {"viewer": None}
        for operation in ("query", "mutation"):
            for name in root(operation).fields:
                given = anything(operation, name, {"id": "x", "ids": [], **town.required(persona)})
                told = [
                    (await each.post(document(operation, name), given)).content
                    for each in (stranger, outsider)
                ]
                assert told[0] == told[1], name


async def test_nodes_gives_what_is_ones_own_and_null_for_the_rest_in_order(world: World, at: At) -> None:
    town = await settle(world)
    buyer = await become("buyer", town.a, at)
    mine = town.a.products["sku-a"]
    ids = [
        global_id("Product", town.b.products["sku-b"]),
        global_id("Product", mine),
        "not an id",
        global_id("Product", uuid.uuid7()),
        global_id("Order", mine),
        *[key for _, key in town.foreign("buyer").ids],
        global_id("Warehouse", town.a.warehouse_ids["W1"]),
    ]
    found = (await buyer.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids))["nodes"]
    assert [each and each["id"] for each in found] == [
        each if each in (ids[1], ids[-1]) else None for each in ids
    ]


async def test_tampered_ids_name_nothing(world: World, at: At) -> None:
    town = await settle(world)
    buyer = await become("buyer", town.a, at)
    whole = global_id("Product", town.a.products["sku-a"])
    tampered = [whole[:i] + ("A" if whole[i] != "A" else "B") + whole[i + 1 :] for i in range(len(whole))]
    tampered += [
        whole[:-1],
        whole + "=",
        whole + "A",
        " " + whole,
        whole.lower(),
        "",
        "=",
        "ü" * 20,
        "0" * 5_000,
    ]
    tampered += [
        global_id(type_name, town.a.products["sku-a"]) for type_name in NODES if type_name != "Product"
    ]
    for start in range(0, len(tampered), 100):
        ids = tampered[start : start + 100]
        found = await buyer.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids)
        assert found == {"nodes": [None] * len(ids)}


CONNECTIONS = [name for name, each in root("query").fields.items() if "after" in each.args]
PAGE = "query($after: String, $before: String) {{ {}(first: 2, after: $after, before: $before) {{ nodes {{ id }} pageInfo {{ startCursor endCursor }} }} }}"


@pytest.mark.parametrize("name", CONNECTIONS)
async def test_a_cursor_of_another_finds_nothing_but_ones_own(name: str, world: World, at: At) -> None:
    town = await settle(world)
    buyer, own = await become("buyer", town.a, at), {key for _, key in town.own("buyer").ids}
    others = [await at(town.b).sign_in("b-buyer"), await at(town.a).sign_in("neighbour")]
    for other in others:
        info = (await other.ask(PAGE.format(name)))[name]["pageInfo"]
        for side in ("after", "before"):
            body = (await buyer.post(PAGE.format(name), {side: info["endCursor"]})).json()
            if "errors" in body:
                assert body["errors"][0]["extensions"]["code"] == "INVALID_CURSOR"
            else:
                assert {each["id"] for each in body["data"][name]["nodes"]} <= own


@pytest.mark.parametrize("name", CONNECTIONS)
async def test_tampered_cursors_are_refused(name: str, world: World, at: At) -> None:
    town = await settle(world)
    buyer = await become("buyer", town.a, at)
    pages = {each: await buyer.ask(PAGE.format(each)) for each in CONNECTIONS}
    whole: str = pages[name][name]["pageInfo"]["endCursor"]
    end = len(whole.rstrip("=")) - 1  # the last character's last bits may say nothing
    tampered = [whole[:i] + ("A" if whole[i] != "A" else "B") + whole[i + 1 :] for i in range(end)]
    tampered += ["", "AAAA", "=", "ü", "null", whole[:-4], whole + "AAAA", "A" * 5_000]
    tampered += [pages[each][each]["pageInfo"]["endCursor"] for each in CONNECTIONS if each != name]
    for cursor in tampered:
        error = await buyer.refusal(PAGE.format(name), after=cursor)
        assert error["extensions"] == {"code": "INVALID_CURSOR", "argument": ["after"]}, cursor


async def test_an_idempotency_key_is_ones_own(world: World, at: At) -> None:
    clear = """mutation($input: CartClearInput!) {
      cartClear(input: $input) { cart { id version } errors { code } } }"""
    town = await settle(world)
    people = [
        await become("buyer", town.a, at),
        await become("neighbour", town.a, at),
        await at(town.b).sign_in("b-buyer"),
        await at(town.c).sign_in("c-buyer"),
    ]
    answers = [await each.ask(clear, input={"idempotencyKey": "the same"}) for each in people]
    assert [each["cartClear"]["errors"] for each in answers] == [[]] * 4
    assert len({each["cartClear"]["cart"]["id"] for each in answers}) == 4
