"""Customer rows, over HTTP: many customers kept in step with an ERP by the company's own codes."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from db.customers import customers
from db.prices import price_lists
from rules.permissions import StaffRole
from tests.client import Client
from tests.conftest import At
from tests.world import Portal, World, put

ALL = """id code name country currency email phone version priceList { code } creditLimit { amount currency }
  contacts { name jobTitle email phone } addresses { kind name street postalCode city region country }"""
UPSERT = f"""mutation($input: CustomersUpsertInput!) {{ customersUpsert(input: $input) {{
  customers {{ {ALL} }} errors {{ code path message ... on VersionConflictError {{ current }}
  ... on MissingPermissionError {{ permissions }} }} }} }}"""
CODES = """mutation($input: CustomersUpsertInput!) { customersUpsert(input: $input) {
  customers { code } errors { code path } } }"""
ONE = f"query($code: String) {{ customer(code: $code) {{ {ALL} }} }}"
LOG = "{ auditLog(first: 100) { nodes { action onBehalfOf { code } changes { field before after } } } }"

KIM = {"name": "Kim", "jobTitle": "Buyer", "email": "kim@new.example", "phone": "1"}
LEE = {"name": "Lee", "jobTitle": "", "email": "", "phone": ""}
HULL = {
    "kind": "SHIPPING",
    "name": "Dock",
    "street": "1 Quay\nGate 2",
    "postalCode": "HU1",
    "city": "Hull",
    "region": "Yorkshire",
    "country": "United Kingdom",
}
FULL = {
    "code": "N",
    "name": "New Ltd",
    "country": "Deutschland",
    "currency": "EUR",
    "email": "mail@new.example",
    "phone": "+49 1",
    "priceList": "gold",
    "creditLimit": "1000.505",
    "contacts": [KIM, LEE],
    "addresses": [HULL],
}
KEPT = FULL | {
    "priceList": {"code": "gold"},
    "creditLimit": {"amount": "1000.51", "currency": "EUR"},
    "version": 1,
}


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.account("bea")
    await portal.staff_member("olga", role=StaffRole.OWNER)
    async with portal.writing() as connection:
        await put(connection, price_lists, code="gold", name="Gold", tax_included=False)
    return portal


@pytest.fixture
async def olga(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("olga")


async def upsert(client: Client, *rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.ask(UPSERT, input={"rows": list(rows), **more}))["customersUpsert"]
    return answer


async def taken(client: Client, *rows: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """The customers of rows that all have to be taken, without their ids."""
    answer = await upsert(client, *rows, **more)
    assert answer["errors"] == []
    return [{name: each[name] for name in each if name != "id"} for each in answer["customers"]]


async def kept(client: Client, code: str) -> dict[str, Any] | None:
    customer: dict[str, Any] | None = (await client.ask(ONE, code=code))["customer"]
    return customer


def told(answer: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """The codes and paths of an answer's errors."""
    return [(each["code"], each["path"]) for each in answer["errors"]]


async def written(portal: Portal) -> list[Any]:
    """Where and since which transaction all customers and what hangs on them are, and how long the audit is."""
    async with portal.writing() as connection:
        return [
            list(await connection.fetch_text(f"select ctid, xmin from {table} order by 1"))
            for table in ("customers", "contacts", "addresses", "audit_entries")
        ]


async def test_an_outsider_keeps_no_customers(portal: Portal, olga: Client, at: At) -> None:
    answer = await upsert(at(portal), FULL)
    assert (answer["customers"], told(answer)) == (None, [("UNAUTHENTICATED", [])])
    assert await kept(olga, "N") is None


async def test_another_tenants_customers_and_price_lists_are_not_touched(
    world: World, portal: Portal, olga: Client, at: At
) -> None:
    other = await world.portal()
    await other.customer("C1")
    await other.staff_member("oscar")
    async with other.writing() as connection:
        await put(connection, price_lists, code="theirs", name="Theirs", tax_included=False)
    before = await written(other)
    await taken(olga, {"code": "C1", "name": "Renamed"})
    answer = await upsert(olga, {"code": "C1", "priceList": "theirs"})
    assert told(answer) == [("NOT_FOUND", ["rows", "0", "priceList"])]
    assert await written(other) == before


@pytest.mark.parametrize("who", [StaffRole.AGENT, StaffRole.ACCOUNTANT, "bea"])
async def test_customers_and_lesser_staff_keep_no_customers(
    who: StaffRole | str, portal: Portal, olga: Client, at: At
) -> None:
    if isinstance(who, StaffRole):
        await portal.staff_member("sam", role=who)
    answer = await upsert(await at(portal).sign_in("sam" if isinstance(who, StaffRole) else who), FULL)
    assert (answer["customers"], told(answer)) == (None, [("MISSING_PERMISSION", [])])
    assert answer["errors"][0]["permissions"] == ["CUSTOMERS_WRITE"]
    assert await kept(olga, "N") is None


async def test_a_new_customer_is_kept_with_all_that_is_said_of_it(olga: Client) -> None:
    assert await taken(olga, FULL) == [KEPT]
    customer = await kept(olga, "N")
    assert customer is not None
    assert customer == KEPT | {"id": customer["id"]}


async def test_of_a_new_customer_only_the_name_has_to_be_said(olga: Client) -> None:
    (customer,) = await taken(olga, {"code": "N", "name": "New"})
    assert customer == {
        "code": "N",
        "name": "New",
        "country": "",
        "currency": "GBP",
        "email": "",
        "phone": "",
        "version": 1,
        "priceList": {"code": "wholesale"},
        "creditLimit": None,
        "contacts": [],
        "addresses": [],
    }


@pytest.mark.parametrize("nothing", [{}, dict.fromkeys(("name", "country", "currency", "email", "phone"))])
async def test_what_is_left_out_stays(nothing: dict[str, None], olga: Client) -> None:
    await taken(olga, FULL)
    assert await taken(olga, {"code": "N", **nothing, "contacts": None, "addresses": None}) == [KEPT]
    assert await taken(olga, {"code": "N", **nothing, "phone": "2"}) == [KEPT | {"phone": "2", "version": 2}]


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({"name": "Newer"}, {"name": "Newer"}),
        ({"country": "", "email": "", "phone": ""}, {"country": "", "email": "", "phone": ""}),
        ({"priceList": None}, {"priceList": {"code": "wholesale"}}),
        ({"creditLimit": None}, {"creditLimit": None}),
        ({"creditLimit": "0"}, {"creditLimit": {"amount": "0.00", "currency": "EUR"}}),
        ({"contacts": [LEE]}, {"contacts": [LEE]}),
        ({"contacts": [LEE, KIM]}, {"contacts": [LEE, KIM]}),
        ({"contacts": [], "addresses": []}, {"contacts": [], "addresses": []}),
        (
            {"addresses": [{"kind": "BILLING"}]},
            {"addresses": [dict.fromkeys(HULL, "") | {"kind": "BILLING"}]},
        ),
        ({"currency": "USD"}, {"currency": "USD", "creditLimit": {"amount": "1000.51", "currency": "USD"}}),
        ({"currency": "JPY"}, {"currency": "JPY", "creditLimit": {"amount": "1001", "currency": "JPY"}}),
    ],
)
async def test_what_is_given_changes_and_the_rest_stays(
    given: dict[str, Any], changed: dict[str, Any], olga: Client
) -> None:
    await taken(olga, FULL)
    assert await taken(olga, {"code": "N", "version": 1, **given}) == [KEPT | changed | {"version": 2}]
    assert (await kept(olga, "N") or {}) | {"id": ""} == KEPT | changed | {"version": 2, "id": ""}


async def test_new_and_old_customers_come_back_in_the_order_of_their_rows(olga: Client) -> None:
    await taken(olga, FULL)
    rows = [{"code": code, "name": f"Name of {code}"} for code in ("Z", "N", "C1", "A")]
    answer = await taken(olga, *rows)
    assert [(each["code"], each["name"], each["version"]) for each in answer] == [
        ("Z", "Name of Z", 1),
        ("N", "Name of N", 2),
        ("C1", "Name of C1", 2),
        ("A", "Name of A", 1),
    ]


async def test_a_repeat_changes_nothing(portal: Portal, olga: Client) -> None:
    rows: list[dict[str, Any]] = [
        FULL,
        {"code": "C1", "phone": "7", "contacts": [LEE]},
        {"code": "P", "name": "Plain"},
    ]
    first = await taken(olga, *rows)
    before = await written(portal)
    assert await taken(olga, *rows) == first
    assert await written(portal) == before


async def test_among_many_rows_only_what_differs_is_written(portal: Portal, olga: Client) -> None:
    rows = [FULL | {"code": f"N{number}"} for number in range(5)]
    await taken(olga, *rows)
    rows[3] = rows[3] | {"contacts": [LEE]}
    assert [each["version"] for each in await taken(olga, *rows)] == [1, 1, 1, 2, 1]
    log = (await olga.ask(LOG))["auditLog"]["nodes"]
    assert [each["action"] for each in log].count("customersUpsert") == 6
    assert log[0]["onBehalfOf"] == {"code": "N3"}
    assert [each["field"] for each in log[0]["changes"]] == ["version", "contacts"]


BAD: dict[str, tuple[dict[str, Any], list[str]]] = {
    "TEXT_MISSING name": ({"code": "X"}, ["name"]),
    "TEXT_MISSING code": ({"code": " ", "name": "X"}, ["code"]),
    "TEXT_MISSING blank": ({"code": "C1", "name": " "}, ["name"]),
    "TEXT_TOO_LONG code": ({"code": "x" * 201, "name": "X"}, ["code"]),
    "TEXT_TOO_LONG name": ({"code": "C1", "name": "x" * 201}, ["name"]),
    "TEXT_TOO_LONG country": ({"code": "C1", "country": "x" * 201}, ["country"]),
    "TEXT_TOO_LONG phone": ({"code": "C1", "phone": "1" * 201}, ["phone"]),
    "CURRENCY_INVALID": ({"code": "C1", "currency": "eur"}, ["currency"]),
    "INVALID_EMAIL": ({"code": "C1", "email": "nobody"}, ["email"]),
    "NOT_FOUND": ({"code": "C1", "priceList": "platinum"}, ["priceList"]),
    "CREDIT_LIMIT_INVALID negative": ({"code": "C1", "creditLimit": "-0.01"}, ["creditLimit"]),
    "CREDIT_LIMIT_INVALID huge": ({"code": "C1", "creditLimit": "1" + "0" * 15}, ["creditLimit"]),
    "CREDIT_LIMIT_INVALID huger": ({"code": "C1", "creditLimit": "9" * 25}, ["creditLimit"]),
    "VERSION_CONFLICT old": ({"code": "C1", "version": 7}, ["version"]),
    "VERSION_CONFLICT new": ({"code": "X", "name": "X", "version": 1}, ["version"]),
    "INVALID_EMAIL contact": (
        {"code": "C1", "contacts": [LEE, LEE | {"email": "x"}]},
        ["contacts", "1", "email"],
    ),
    "TEXT_MISSING contact": ({"code": "C1", "contacts": [{"name": ""}]}, ["contacts", "0", "name"]),
    "TEXT_TOO_LONG address": (
        {"code": "C1", "addresses": [HULL | {"street": "x" * 501}]},
        ["addresses", "0", "street"],
    ),
    "LIST_TOO_LONG": ({"code": "C1", "contacts": [LEE] * 51}, ["contacts"]),
}


@pytest.mark.parametrize("case", BAD)
async def test_what_makes_no_sense_is_refused_with_its_row_and_place(
    case: str, portal: Portal, olga: Client
) -> None:
    row, path = BAD[case]
    before = await written(portal)
    answer = await upsert(olga, {"code": "good", "name": "Good"}, row)
    assert told(answer) == [(case.split()[0], ["rows", "1", *path])]
    assert answer["customers"] is None
    assert await written(portal) == before
    if case.startswith("VERSION_CONFLICT"):
        assert answer["errors"][0]["current"] == (1 if row["code"] == "C1" else 0)


SEVERAL: list[dict[str, Any]] = [
    {"code": "A", "name": "A", "email": "x", "currency": "?", "creditLimit": "-1"},
    {"code": "B", "name": "B"},
    {"code": "B", "name": "B again"},
    {"code": "C1", "version": 4},
    {"code": "D", "contacts": [{"name": ""}]},
    {"code": "E", "name": "E"},
]
ERRORS = [
    ("INVALID_EMAIL", ["rows", "0", "email"]),
    ("CURRENCY_INVALID", ["rows", "0", "currency"]),
    ("CREDIT_LIMIT_INVALID", ["rows", "0", "creditLimit"]),
    ("CODE_TWICE", ["rows", "2", "code"]),
    ("VERSION_CONFLICT", ["rows", "3", "version"]),
    ("TEXT_MISSING", ["rows", "4", "contacts", "0", "name"]),
    ("TEXT_MISSING", ["rows", "4", "name"]),
]


@pytest.mark.parametrize("more", [{}, {"policy": "ALL_OR_NOTHING"}])
async def test_all_or_nothing_takes_no_row_when_one_is_bad(
    more: dict[str, str], portal: Portal, olga: Client
) -> None:
    before = await written(portal)
    answer = await upsert(olga, *SEVERAL, **more)
    assert (answer["customers"], told(answer)) == (None, ERRORS)
    assert await written(portal) == before


async def test_good_rows_are_taken_and_the_others_told_in_the_order_of_the_input(olga: Client) -> None:
    answer = await upsert(olga, *SEVERAL, policy="GOOD_ROWS")
    assert [(each["code"], each["name"]) for each in answer["customers"]] == [("B", "B"), ("E", "E")]
    assert told(answer) == ERRORS
    assert answer["errors"][3]["message"] == "B stands in an earlier row already."
    assert answer["errors"][4]["current"] == 1
    assert [await kept(olga, code) is not None for code in "ABDE"] == [False, True, False, True]


async def test_a_code_stands_twice_even_where_its_first_row_is_bad(olga: Client) -> None:
    answer = await upsert(
        olga, {"code": "A", "currency": "?"}, {"code": "A", "name": "A"}, policy="GOOD_ROWS"
    )
    assert ("CODE_TWICE", ["rows", "1", "code"]) in told(answer)
    assert answer["customers"] == []


@pytest.mark.parametrize("policy", ["ALL_OR_NOTHING", "GOOD_ROWS"])
async def test_a_thousand_rows_are_taken_and_not_one_more(policy: str, olga: Client) -> None:
    rows = [{"code": f"N{number}", "name": "New"} for number in range(1_001)]
    refused = (await olga.ask(CODES, input={"rows": rows, "policy": policy}))["customersUpsert"]
    assert refused == {"customers": None, "errors": [{"code": "LIST_TOO_LONG", "path": ["rows"]}]}
    answer = (await olga.ask(CODES, input={"rows": rows[:1_000], "policy": policy}))["customersUpsert"]
    assert answer["errors"] == []
    assert [each["code"] for each in answer["customers"]] == [each["code"] for each in rows[:1_000]]
    assert (await olga.ask("{ customers { totalCount } }"))["customers"]["totalCount"] == 1_001


async def statements(client: Client, how_many: int, **more: Any) -> int:
    """How many statements it takes to keep that many customers."""
    rows = [FULL | {"code": f"N{number}", **more} for number in range(how_many)]
    with capture_logs() as logs:
        await taken(client, *rows, idempotencyKey=f"{how_many} {more}")
    count: int = logs[-1]["statements"]
    return count


async def test_many_rows_cost_as_many_statements_as_a_few(olga: Client) -> None:
    for more in ({}, {"contacts": [LEE], "addresses": []}, {"phone": "7"}):
        few = await statements(olga, 3, **more)
        assert few > 3
        assert await statements(olga, 300, **more) == few, more


async def test_the_repeat_of_many_rows_costs_as_many_statements_as_that_of_a_few(olga: Client) -> None:
    for how_many in (3, 300):
        await statements(olga, how_many)
    assert await statements(olga, 300) == await statements(olga, 3)


async def test_the_same_key_takes_good_rows_once_and_tells_the_same_errors(
    portal: Portal, olga: Client
) -> None:
    first = await upsert(olga, *SEVERAL, policy="GOOD_ROWS", idempotencyKey="nightly")
    assert len(first["customers"]) == 2
    before = await written(portal)
    assert await upsert(olga, *SEVERAL, policy="GOOD_ROWS", idempotencyKey="nightly") == first
    assert await written(portal) == before
    other = await upsert(olga, *SEVERAL[:3], policy="GOOD_ROWS", idempotencyKey="nightly")
    assert (other["customers"], told(other)) == (None, [("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"])])


async def test_a_repeat_under_the_same_key_tells_errors_in_the_language_of_the_repeat(olga: Client) -> None:
    await upsert(olga, *SEVERAL, policy="GOOD_ROWS", idempotencyKey="k")
    olga.headers["accept-language"] = "de"
    again = await upsert(olga, *SEVERAL, policy="GOOD_ROWS", idempotencyKey="k")
    assert again["errors"][3]["message"] == "B steht schon in einer früheren Zeile."
    assert again["errors"][4]["current"] == 1


async def test_a_key_whose_call_took_nothing_is_free_again(olga: Client) -> None:
    refused = await upsert(olga, *SEVERAL, idempotencyKey="k")
    assert refused["customers"] is None
    assert [each["code"] for each in await taken(olga, SEVERAL[1], idempotencyKey="k")] == ["B"]


async def test_who_waits_for_another_to_keep_the_same_new_code_loses_nothing(
    portal: Portal, olga: Client
) -> None:
    async with portal.writing() as connection:
        their_id = await put(
            connection,
            customers,
            code="N",
            name="First",
            country="Deutschland",
            currency="EUR",
            email="first@new.example",
        )
        waiting = asyncio.create_task(
            upsert(olga, {"code": "N", "name": "Second", "contacts": [KIM]}, {"code": "M", "name": "M"})
        )
        await asyncio.sleep(0.2)
        assert not waiting.done()
    answer = await waiting
    assert answer["errors"] == []
    assert answer["customers"][0] == await kept(olga, "N")
    assert answer["customers"][0] | {"id": ""} == {
        "id": "",
        "code": "N",
        "name": "Second",
        "country": "Deutschland",
        "currency": "EUR",
        "email": "first@new.example",
        "phone": "",
        "version": 2,
        "priceList": {"code": "wholesale"},
        "creditLimit": None,
        "contacts": [KIM],
        "addresses": [],
    }
    log = "query($id: ID) { auditLog(filter: {node: $id}) { nodes { node { id } } } }"
    entries = await olga.ask(log, id=answer["customers"][0]["id"])
    assert entries["auditLog"]["nodes"] == [{"node": {"id": answer["customers"][0]["id"]}}]
    async with portal.writing() as connection:
        found = await connection.fetch_text("select id from customers where code = 'N'")
    assert [row[0] for row in found] == [their_id]


async def test_calls_that_keep_the_same_new_codes_at_once_all_succeed(olga: Client) -> None:
    codes = [f"N{number}" for number in range(20)]
    answers = await asyncio.gather(
        *(
            upsert(olga, *({"code": code, "name": f"Name {turn}", "contacts": [LEE]} for code in order))
            for turn, order in enumerate((codes, codes[::-1], codes, codes[::-1]))
        )
    )
    assert [told(each) for each in answers] == [[]] * 4
    page = await olga.ask("{ customers(first: 100) { nodes { code version contacts { name } } } }")
    page["customers"]["nodes"] = [each for each in page["customers"]["nodes"] if each["code"] in codes]
    assert len(page["customers"]["nodes"]) == 20
    assert all(each["contacts"] == [{"name": "Lee"}] for each in page["customers"]["nodes"])
    assert {each["version"] for each in page["customers"]["nodes"]} == {4}


async def test_a_key_of_another_mutation_is_no_repeat_though_the_input_is_the_same(olga: Client) -> None:
    for key in (None, "k", "k"):
        assert await upsert(olga, idempotencyKey=key) == {"customers": [], "errors": []}
    for other in ("products", "prices", "stock", "categories", "warehouses", "attributes"):
        asked = f'mutation {{ {other}Upsert(input: {{rows: [], idempotencyKey: "k"}}) {{ errors {{ code path }} }} }}'
        answer = (await olga.ask(asked))[f"{other}Upsert"]
        assert told(answer) == [("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"])], other
