"""Attributes and comparisons, over HTTP: what a company says of its products, and products side by side."""

import asyncio
from typing import Any

import pytest

from rules.permissions import BuiltInProfile, StaffRole
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from tests.client import Client
from tests.conftest import At
from tests.world import Portal, World

UPSERT = """mutation($input: AttributesUpsertInput!) { attributesUpsert(input: $input) {
  attributes { code name nameEn nameDe kind unit position choices { code name nameEn nameDe } }
  errors { code path } } }"""
SAY = """mutation($input: ProductsUpsertInput!) { productsUpsert(input: $input) { products { sku
  attributes { attribute { code } value } } errors { code path } } }"""
READ = """query($sku: String!) { product(sku: $sku) { attributes { attribute { id code name unit }
  text value number boolean choice { code name } } } }"""
COMPARE = """query($ids: [ID!], $skus: [String!], $quantity: Decimal! = "1") {
  compareProducts(ids: $ids, skus: $skus, quantity: $quantity) { products { sku }
  prices { unitPrice { amount } } available rows { attribute { code } differs values { value text } } } }"""
LOG = "{ auditLog(first: 9) { nodes { action node { __typename } changes { field before after } } } }"

COLOUR = {
    "code": "colour",
    "nameEn": "Colour",
    "nameDe": "Farbe",
    "kind": "CHOICE",
    "position": 2,
    "choices": [
        {"code": "red", "nameEn": "Red", "nameDe": "Rot"},
        {"code": "blue", "nameEn": "Blue", "nameDe": "Blau"},
    ],
}
WIDTH = {
    "code": "width",
    "nameEn": "Width",
    "nameDe": "Breite",
    "kind": "NUMBER",
    "unit": "cm",
    "position": 1,
}
SAFE = {"code": "safe", "nameEn": "Safe", "nameDe": "Sicher", "kind": "BOOLEAN", "position": 3}
NOTE = {"code": "note", "nameEn": "Note", "nameDe": "Hinweis", "position": 3}


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A", stock_at={"W1": "5", "W2": "2"})
    await portal.price_break("A", "10", "9.00")
    await portal.product("B", price=None, stock_at={})
    await portal.product("S", kind="SERVICE")
    await portal.account("bea")
    await portal.staff_member("olga", role=StaffRole.OWNER)
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


@pytest.fixture
async def olga(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("olga")


async def define(client: Client, *rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.ask(UPSERT, input={"rows": list(rows), **more}))[
        "attributesUpsert"
    ]
    return answer


async def say(client: Client, sku: str, **values: str | None) -> dict[str, Any]:
    said = [{"attribute": code, "value": value} for code, value in values.items()]
    answer = await client.ask(SAY, input={"rows": [{"sku": sku, "attributes": said}]})
    payload: dict[str, Any] = answer["productsUpsert"]
    return payload


def told(answer: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(each["code"], each["path"]) for each in answer["errors"]]


async def values(client: Client, sku: str) -> dict[str, str]:
    found = (await client.ask(READ, sku=sku))["product"]["attributes"]
    return {each["attribute"]["code"]: each["value"] for each in found}


async def test_an_outsider_neither_reads_nor_keeps_nor_compares(portal: Portal, at: At) -> None:
    outsider = at(portal)
    assert (await outsider.refusal("{ attributes { code } }"))["extensions"]["code"] == "UNAUTHENTICATED"
    assert (await outsider.refusal(COMPARE, skus=["A", "B"]))["extensions"]["code"] == "UNAUTHENTICATED"
    assert told(await define(outsider, WIDTH)) == [("UNAUTHENTICATED", [])]


async def test_another_tenants_attributes_are_not_there(
    world: World, portal: Portal, olga: Client, at: At
) -> None:
    other = await world.portal()
    await other.staff_member("oscar", role=StaffRole.OWNER)
    assert told(await define(await at(other).sign_in("oscar"), WIDTH)) == []
    assert (await olga.ask("{ attributes { code } }"))["attributes"] == []
    assert told(await say(olga, "A", width="1")) == [
        ("NOT_FOUND", ["rows", "0", "attributes", "0", "attribute"])
    ]


async def test_a_customer_reads_attributes_and_keeps_none(bea: Client, olga: Client) -> None:
    assert told(await define(bea, WIDTH)) == [("MISSING_PERMISSION", [])]
    await define(olga, COLOUR, SAFE, WIDTH, NOTE)
    bea.headers["accept-language"] = "de"
    found = (await bea.ask("{ attributes { id code name kind choices { name } } }"))["attributes"]
    assert [(each["code"], each["name"]) for each in found] == [
        ("width", "Breite"),
        ("colour", "Farbe"),
        ("note", "Hinweis"),
        ("safe", "Sicher"),
    ]
    assert found[1]["choices"] == [{"name": "Rot"}, {"name": "Blau"}]
    node = await bea.ask("query($id: ID!) { node(id: $id) { ... on Attribute { code } } }", id=found[0]["id"])
    assert node == {"node": {"code": "width"}}


async def test_what_is_left_out_stays_and_a_repeat_changes_nothing(olga: Client) -> None:
    first = await define(olga, COLOUR, WIDTH)
    assert first["errors"] == []
    assert first["attributes"][1] == WIDTH | {"name": "Width", "choices": []}
    assert await define(olga, COLOUR, WIDTH) == first
    assert await define(olga, {"code": "colour"}, {"code": "width", "unit": "cm"}) == first
    log = (await olga.ask(LOG))["auditLog"]["nodes"]
    assert [each["action"] for each in log].count("attributesUpsert") == 2
    choices = [*reversed(COLOUR["choices"]), {"code": "green", "nameEn": "Green", "nameDe": "Grün"}]  # type: ignore[call-overload]
    changed = await define(olga, {"code": "colour", "choices": choices, "position": 9})
    assert [each["code"] for each in changed["attributes"][0]["choices"]] == ["blue", "red", "green"]
    (latest, *_) = (await olga.ask(LOG))["auditLog"]["nodes"]
    assert latest["node"] == {"__typename": "Attribute"}
    assert [each["field"] for each in latest["changes"]] == ["position", "choices"]
    changed = await define(olga, {"code": "width", "kind": "TEXT"})
    assert (changed["attributes"][0]["unit"], changed["errors"]) == (None, [])


BAD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "TEXT_MISSING name": ({"code": "x", "nameEn": "X"}, ["nameDe"]),
    "TEXT_MISSING code": (NOTE | {"code": ""}, ["code"]),
    "TEXT_TOO_LONG": (NOTE | {"code": "x", "nameEn": "x" * 201}, ["nameEn"]),
    "NUMBER_OUT_OF_RANGE": (NOTE | {"code": "x", "position": -1}, ["position"]),
    "ATTRIBUTE_UNIT_MISPLACED": (NOTE | {"code": "x", "unit": "cm"}, ["unit"]),
    "TEXT_MISSING unit": (WIDTH | {"code": "x", "unit": ""}, ["unit"]),
    "ATTRIBUTE_CHOICES_MISPLACED": (NOTE | {"code": "x", "choices": COLOUR["choices"]}, ["choices"]),
    "ATTRIBUTE_CHOICES_MISSING": (COLOUR | {"code": "x", "choices": []}, ["choices"]),
    "TEXT_MISSING choice": (
        COLOUR | {"code": "x", "choices": [{"code": "a", "nameEn": "", "nameDe": "A"}]},
        ["choices", "0", "nameEn"],
    ),
    "CODE_TWICE choice": (
        COLOUR | {"code": "x", "choices": [{"code": "a", "nameEn": "A", "nameDe": "A"}] * 2},
        ["choices", "1", "code"],
    ),
    "CODE_TWICE row": (WIDTH, ["code"]),
    "ATTRIBUTE_IN_USE": ({"code": "colour", "kind": "TEXT", "choices": []}, ["kind"]),
    "ATTRIBUTE_CHOICE_IN_USE": ({"code": "colour", "choices": COLOUR["choices"][1:]}, ["choices"]),  # type: ignore[index]
}


@pytest.mark.parametrize("case", BAD)
async def test_attributes_that_make_no_sense_are_refused_with_their_place(case: str, olga: Client) -> None:
    await define(olga, COLOUR)
    await say(olga, "A", colour="red")
    row, path = BAD[case]
    answer = await define(olga, WIDTH, row)
    assert (answer["attributes"], told(answer)) == (None, [(case.split()[0], ["rows", "1", *path])])
    answer = await define(olga, WIDTH, row, policy="GOOD_ROWS")
    assert [each["code"] for each in answer["attributes"]] == ["width"]


async def test_a_choice_that_nobody_has_may_go(olga: Client) -> None:
    await define(olga, COLOUR)
    await say(olga, "A", colour="red")
    answer = await define(olga, {"code": "colour", "choices": COLOUR["choices"][:1]})  # type: ignore[index]
    assert (answer["errors"], len(answer["attributes"][0]["choices"])) == ([], 1)


async def test_values_are_kept_by_their_kind_and_read_in_the_language(bea: Client, olga: Client) -> None:
    await define(olga, COLOUR, WIDTH, SAFE, NOTE)
    answer = await say(olga, "A", safe="TRUE", width="08.50", colour="red", note="Dry")
    assert answer["errors"] == []
    found = (await bea.ask(READ, sku="A"))["product"]["attributes"]
    assert [(each["text"], each["number"], each["boolean"]) for each in found] == [
        ("8.5 cm", "8.5", None),
        ("Red", None, None),
        ("Dry", None, None),
        ("Yes", None, True),
    ]
    assert [each["choice"] for each in found] == [None, {"code": "red", "name": "Red"}, None, None]
    bea.headers["accept-language"] = "de"
    german = (await bea.ask(READ, sku="A"))["product"]["attributes"]
    assert [each["text"] for each in german] == ["8,5 cm", "Rot", "Dry", "Ja"]


async def test_what_is_said_changes_goes_and_stays(olga: Client) -> None:
    await define(olga, COLOUR, WIDTH, NOTE)
    await say(olga, "A", width="1", colour="red", note="x")
    await say(olga, "A", width="1.0", colour="blue", note=None)
    assert await values(olga, "A") == {"width": "1", "colour": "blue"}
    (latest, *_) = (await olga.ask(LOG))["auditLog"]["nodes"]
    assert [each["field"] for each in latest["changes"]] == ["attributes"]
    count = len((await olga.ask(LOG))["auditLog"]["nodes"])
    await say(olga, "A", width="1.00", note=None)
    assert len((await olga.ask(LOG))["auditLog"]["nodes"]) == count


@pytest.mark.parametrize(
    ("code", "value", "rule"),
    [
        ("width", "wide", "ATTRIBUTE_VALUE_NO_NUMBER"),
        ("safe", "yes", "ATTRIBUTE_VALUE_NO_BOOLEAN"),
        ("colour", "green", "ATTRIBUTE_VALUE_NO_CHOICE"),
        ("note", " ", "TEXT_MISSING"),
        ("note", "x" * 501, "TEXT_TOO_LONG"),
    ],
)
async def test_a_value_that_the_kind_does_not_know_is_refused(
    code: str, value: str, rule: str, olga: Client
) -> None:
    await define(olga, COLOUR, WIDTH, SAFE, NOTE)
    answer = await say(olga, "A", **{code: value})
    assert told(answer) == [(rule, ["rows", "0", "attributes", "0", "value"])]
    assert await values(olga, "A") == {}


async def test_an_attribute_is_said_once_a_row(olga: Client) -> None:
    await define(olga, NOTE)
    said = [{"attribute": "note", "value": "a"}, {"attribute": "note", "value": "b"}]
    answer = (await olga.ask(SAY, input={"rows": [{"sku": "A", "attributes": said}]}))["productsUpsert"]
    assert told(answer) == [("CODE_TWICE", ["rows", "0", "attributes", "1", "attribute"])]


async def test_products_stand_side_by_side(bea: Client, olga: Client) -> None:
    await define(olga, COLOUR, WIDTH, SAFE, NOTE)
    await say(olga, "A", width="8.5", safe="true", colour="red")
    await say(olga, "B", width="8.50", safe="false")
    found = (await bea.ask(COMPARE, skus=["B", "A", "S"], quantity="10"))["compareProducts"]
    assert found["products"] == [{"sku": "B"}, {"sku": "A"}, {"sku": "S"}]
    assert found["prices"] == [None, {"unitPrice": {"amount": "9.00"}}, {"unitPrice": {"amount": "10.00"}}]
    assert found["available"] == ["0", "7", None]
    found = (await bea.ask(COMPARE, skus=["B", "A"]))["compareProducts"]
    assert [(each["attribute"]["code"], each["differs"]) for each in found["rows"]] == [
        ("width", False),
        ("colour", True),
        ("safe", True),
    ]
    assert [value and value["text"] for row in found["rows"] for value in row["values"]] == [
        *("8.5 cm", "8.5 cm"),
        *(None, "Red"),
        *("No", "Yes"),
    ]


async def test_what_the_viewer_may_not_see_is_as_empty_as_what_never_existed(
    portal: Portal, olga: Client, at: At
) -> None:
    await define(olga, WIDTH)
    await say(olga, "A", width="1")
    await say(olga, "B", width="2")
    rita = await portal.account("rita", profile=None)
    kind = RestrictionKind.PRODUCT
    await portal.enforce(kind)
    modes = Modes(product=RestrictionMode.ALLOW_EXCEPT)
    await portal.group(
        "no B", rita, profile=BuiltInProfile.VIEWER, modes=modes, lists={kind: [portal.products["B"]]}
    )
    restricted = await at(portal).sign_in("rita")
    ids = [(await olga.ask(f'{{ product(sku: "{sku}") {{ id }} }}'))["product"]["id"] for sku in "AB"]
    found = (await restricted.ask(COMPARE, ids=[ids[1], ids[0], "nothing"]))["compareProducts"]
    assert found == {
        "products": [None, {"sku": "A"}, None],
        "prices": [None, {"unitPrice": {"amount": "10.00"}}, None],
        "available": [None, "7", None],
        "rows": [
            {
                "attribute": {"code": "width"},
                "differs": False,
                "values": [None, {"value": "1", "text": "1 cm"}, None],
            }
        ],
    }


async def test_products_are_named_by_ids_or_by_skus(bea: Client) -> None:
    error = (await bea.refusal(COMPARE, ids=["a", "b"], skus=["A", "B"]))["extensions"]
    assert error == {"code": "INVALID_INPUT", "argument": ["ids"]}


async def test_a_choice_does_not_go_while_a_product_gets_it(portal: Portal, olga: Client) -> None:
    skus = [f"P{number}" for number in range(6)]
    for sku in skus:
        await portal.product(sku)
        await define(olga, COLOUR)
        said, defined = await asyncio.gather(
            say(olga, sku, colour="blue"),
            define(olga, {"code": "colour", "choices": COLOUR["choices"][:1]}),  # type: ignore[index]
        )
        assert sorted([told(said) == [], told(defined) == []]) == [False, True]
        await say(olga, sku, colour=None)


@pytest.mark.parametrize(
    ("named", "argument", "count"),
    [
        ({}, "ids", 0),
        ({"skus": []}, "skus", 0),
        ({"ids": ["a"]}, "ids", 1),
        ({"skus": ["A", "A"]}, "skus", 1),
        ({"skus": [f"P{number}" for number in range(11)]}, "skus", 11),
    ],
)
async def test_two_to_ten_different_products_are_compared(
    named: dict[str, Any], argument: str, count: int, bea: Client
) -> None:
    refused = await bea.refusal(COMPARE, **named)
    assert refused["extensions"] == {"code": "COMPARED_COUNT_INVALID", "argument": [argument]}
    assert refused["message"] == f"Compare 2 to 10 different products; these are {count}."


@pytest.mark.parametrize("quantity", ["0", "-1"])
async def test_prices_are_compared_at_a_quantity_of_something(quantity: str, bea: Client) -> None:
    refused = await bea.refusal(COMPARE, skus=["A", "B"], quantity=quantity)
    assert refused["extensions"] == {"code": "QUANTITY_NOT_POSITIVE", "argument": ["quantity"]}


async def test_a_product_that_is_named_twice_is_compared_once(bea: Client) -> None:
    found = (await bea.ask(COMPARE, skus=["B", "A", "B"]))["compareProducts"]
    assert found["products"] == [{"sku": "B"}, {"sku": "A"}]
