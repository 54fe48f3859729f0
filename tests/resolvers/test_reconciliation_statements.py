"""Reconciliation statements over HTTP: staff issues them, the customer confirms or disputes."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

import rules.reconciliation_statements
from resolvers.nodes import global_id
from rules.permissions import BuiltInProfile, StaffRole
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_balance_reports import day, report, trade
from tests.world import Portal, World

SUMS = "opening { amount } debit { amount } credit { amount } closing { amount }"
STATEMENT = f"""id number status periodFrom periodTo issuedAt comment disputeReason answeredAt version {SUMS}
  total {{ amount currency }} customer {{ code }} actions {{ name allowed missingPermission reason {{ code message }} }}"""
ERRORS = "errors { code path message }"
ISSUE = f"""mutation($input: ReconciliationStatementIssueInput!) {{ reconciliationStatementIssue(input: $input) {{
  reconciliationStatement {{ {STATEMENT} }} {ERRORS} }} }}"""
CONFIRM = f"""mutation($input: ReconciliationStatementConfirmInput!) {{ reconciliationStatementConfirm(input: $input) {{
  reconciliationStatement {{ {STATEMENT} }} {ERRORS} }} }}"""
DISPUTE = f"""mutation($input: ReconciliationStatementDisputeInput!) {{ reconciliationStatementDispute(input: $input) {{
  reconciliationStatement {{ {STATEMENT} }} {ERRORS} }} }}"""
MOVEMENTS = """query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
  supplierDocument(id: $id) { ... on ReconciliationStatement {
    movements(first: $first, after: $after, last: $last, before: $before) { totalCount
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      nodes { movedAt kind number document { __typename id } debit { amount } credit { amount } balance { amount } } } } } }"""
MARCH = {"periodFrom": "2026-03-01", "periodTo": "2026-03-31"}


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.account("ada", profile=BuiltInProfile.ACCOUNTANT)
    await portal.staff_member("otto", role=StaffRole.ACCOUNTANT)
    return portal


@pytest.fixture
async def ada(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("ada")


@pytest.fixture
async def otto(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("otto")


async def do(somebody: Client, mutation: str, **given: Any) -> tuple[Any, list[tuple[str, list[str]]]]:
    (answer,) = (await somebody.ask(mutation, input=given)).values()
    return answer["reconciliationStatement"], [(each["code"], each["path"]) for each in answer["errors"]]


async def issued(portal: Portal, otto: Client, **given: Any) -> Any:
    asked = {"customer": global_id("Customer", portal.customers["C1"]), **MARCH, **given}
    made, errors = await do(otto, ISSUE, **asked)
    assert errors == []
    return made


async def test_an_outsider_does_nothing(portal: Portal, otto: Client, at: At) -> None:
    made = await issued(portal, otto)
    outsider = at(portal)
    customer = global_id("Customer", portal.customers["C1"])
    for mutation, given in (
        (ISSUE, {"customer": customer, **MARCH}),
        (CONFIRM, {"reconciliationStatement": made["id"]}),
        (DISPUTE, {"reconciliationStatement": made["id"], "reason": "no"}),
    ):
        assert (await do(outsider, mutation, **given)) == (None, [("UNAUTHENTICATED", [])])


async def test_who_lacks_the_permission_does_nothing(portal: Portal, otto: Client, at: At) -> None:
    made = await issued(portal, otto)
    await portal.account("bea")
    await portal.staff_member("hans", role=StaffRole.AGENT)
    customer = global_id("Customer", portal.customers["C1"])
    missing: Any = (None, [("MISSING_PERMISSION", [])])
    for name in ("bea", "ada", "hans"):
        assert await do(await at(portal).sign_in(name), ISSUE, customer=customer, **MARCH) == missing
    for name in ("bea", "otto", "hans"):  # the company's own people do not agree with themselves
        somebody = await at(portal).sign_in(name)
        assert await do(somebody, CONFIRM, reconciliationStatement=made["id"]) == missing
        assert await do(somebody, DISPUTE, reconciliationStatement=made["id"], reason="no") == missing


async def test_another_customer_and_another_company_find_nothing(
    portal: Portal, otto: Client, world: World, at: At
) -> None:
    made = await issued(portal, otto)
    await portal.account("cleo", customer="C2", profile=BuiltInProfile.ACCOUNTANT)
    elsewhere = await world.portal()
    await elsewhere.account("eve", profile=BuiltInProfile.ACCOUNTANT)
    await elsewhere.staff_member("stan")
    for client in (await at(portal).sign_in("cleo"), await at(elsewhere).sign_in("eve")):
        found = await do(client, CONFIRM, reconciliationStatement=made["id"])
        assert found == (None, [("NOT_FOUND", ["reconciliationStatement"])])
    stan = await at(elsewhere).sign_in("stan")
    customer = global_id("Customer", portal.customers["C1"])
    assert await do(stan, ISSUE, customer=customer, **MARCH) == (None, [("NOT_FOUND", ["customer"])])


async def test_a_statement_is_a_copy_of_the_report(portal: Portal, ada: Client, otto: Client) -> None:
    await trade(portal)
    period = {"periodFrom": "2026-03-02", "periodTo": "2026-03-07"}
    made = await issued(portal, otto, **period, comment="As agreed")
    found = await report(ada, "RECONCILIATION", **{"from": "2026-03-02", "to": "2026-03-07"})
    (expected,) = found["reconciled"]
    names = ("opening", "debit", "credit", "closing")
    assert [made[name]["amount"] for name in names] == [expected[name]["amount"] for name in names]
    assert (made["number"], made["status"], made["version"]) == ("RS-000001", "ISSUED", 1)
    assert made["total"] == expected["closing"]
    assert (made["comment"], made["customer"]) == ("As agreed", {"code": "C1"})
    moved = (await ada.ask(MOVEMENTS, id=made["id"]))["supplierDocument"]["movements"]
    lines = [
        {**each, "debit": bare(each["debit"]), "credit": bare(each["credit"])} for each in moved["nodes"]
    ]
    told = [
        {
            **each,
            "debit": bare(each["debit"]),
            "credit": bare(each["credit"]),
            "balance": bare(each["balance"]),
        }
        for each in expected["movements"]["nodes"]
    ]
    assert lines == told
    assert moved["totalCount"] == 4


def bare(amount: Any) -> Any:
    return amount and {"amount": amount["amount"]}


async def test_what_is_posted_later_changes_no_statement(portal: Portal, ada: Client, otto: Client) -> None:
    await documents.invoice(portal, "IN-1", issued_at=day(1))
    made = await issued(portal, otto)
    before = await ada.ask(MOVEMENTS, id=made["id"])
    await documents.invoice(portal, "IN-2", issued_at=day(1))
    assert await ada.ask(MOVEMENTS, id=made["id"]) == before
    again = await issued(portal, otto)
    assert (again["number"], again["closing"]["amount"]) == ("RS-000002", "24.00")


async def test_a_statement_of_a_quiet_period_says_that_nothing_moved(
    portal: Portal, ada: Client, otto: Client
) -> None:
    await documents.invoice(portal, "IN-1", issued_at=day(1))
    made = await issued(portal, otto, periodFrom="2026-05-01", periodTo="2026-05-31")
    assert (made["opening"]["amount"], made["closing"]["amount"]) == ("12.00", "12.00")
    never = await issued(portal, otto, currency="JPY")
    assert never["total"] == {"amount": "0", "currency": "JPY"}
    assert (await ada.ask(MOVEMENTS, id=never["id"]))["supplierDocument"]["movements"]["nodes"] == []


async def test_movements_come_page_by_page_both_ways(portal: Portal, ada: Client, otto: Client) -> None:
    for number in range(1, 8):
        await documents.invoice(portal, f"IN-{number}", issued_at=day(number))
    made = await issued(portal, otto)

    async def page(**given: Any) -> Any:
        found: Any = (await ada.ask(MOVEMENTS, id=made["id"], **given))["supplierDocument"]["movements"]
        return found

    whole = (await page())["nodes"]
    assert [each["balance"]["amount"] for each in whole] == [f"{12 * n}.00" for n in range(1, 8)]
    first = await page(first=3)
    assert first["nodes"] == whole[:3]
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    second = await page(first=4, after=first["pageInfo"]["endCursor"])
    assert second["nodes"] == whole[3:]
    assert not second["pageInfo"]["hasNextPage"]
    last = await page(last=2)
    assert last["nodes"] == whole[5:]
    assert (await page(last=5, before=last["pageInfo"]["startCursor"]))["nodes"] == whole[:5]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"periodFrom": "2026-04-01", "periodTo": "2026-03-31"}, ("PERIOD_REVERSED", ["periodTo"])),
        ({"periodTo": "2999-12-31"}, ("PERIOD_NOT_OVER", ["periodTo"])),
        ({"currency": "pounds"}, ("CURRENCY_INVALID", ["currency"])),
        ({"comment": "x" * 2_001}, ("TEXT_TOO_LONG", ["comment"])),
        ({"customer": "nobody"}, ("NOT_FOUND", ["customer"])),
    ],
)
async def test_bad_input_gets_a_typed_error_and_no_number(
    given: dict[str, str], expected: tuple[str, list[str]], portal: Portal, otto: Client
) -> None:
    asked = {"customer": global_id("Customer", portal.customers["C1"]), **MARCH, **given}
    assert await do(otto, ISSUE, **asked) == (None, [expected])
    assert (await issued(portal, otto))["number"] == "RS-000001"


async def test_a_period_with_too_many_movements_is_refused(
    portal: Portal, otto: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    await trade(portal)
    monkeypatch.setattr(rules.reconciliation_statements, "MOST_MOVEMENTS", 5)
    asked = {"customer": global_id("Customer", portal.customers["C1"]), **MARCH}
    assert await do(otto, ISSUE, **asked) == (None, [("STATEMENT_TOO_LONG", ["periodFrom"])])


async def test_a_customer_confirms_once(portal: Portal, ada: Client, otto: Client) -> None:
    made = await issued(portal, otto)
    assert (await do(ada, CONFIRM, reconciliationStatement=made["id"], version=9))[1] == [
        ("VERSION_CONFLICT", ["version"])
    ]
    confirmed, errors = await do(ada, CONFIRM, reconciliationStatement=made["id"], version=1)
    assert errors == []
    assert (confirmed["status"], confirmed["version"], confirmed["disputeReason"]) == ("CONFIRMED", 2, None)
    assert confirmed["answeredAt"]
    answered = [("STATEMENT_ANSWERED", ["reconciliationStatement"])]
    assert await do(ada, CONFIRM, reconciliationStatement=made["id"]) == (None, answered)
    assert await do(ada, DISPUTE, reconciliationStatement=made["id"], reason="no") == (None, answered)


async def test_a_customer_disputes_with_a_reason(portal: Portal, ada: Client, otto: Client) -> None:
    made = await issued(portal, otto)
    for reason, code in ((" ", "TEXT_MISSING"), ("x" * 2_001, "TEXT_TOO_LONG")):
        found = await do(ada, DISPUTE, reconciliationStatement=made["id"], reason=reason)
        assert found == (None, [(code, ["reason"])])
    disputed, errors = await do(ada, DISPUTE, reconciliationStatement=made["id"], reason="PA-9 is missing")
    assert errors == []
    assert (disputed["status"], disputed["disputeReason"]) == ("DISPUTED", "PA-9 is missing")


async def test_of_many_answers_at_once_one_counts(portal: Portal, ada: Client, otto: Client) -> None:
    made = await issued(portal, otto)
    answers = await asyncio.gather(
        *(do(ada, CONFIRM, reconciliationStatement=made["id"]) for _ in range(3)),
        *(do(ada, DISPUTE, reconciliationStatement=made["id"], reason="no") for _ in range(3)),
    )
    assert len([made for made, errors in answers if not errors]) == 1
    assert {errors[0][0] for _, errors in answers if errors} == {"STATEMENT_ANSWERED"}


async def test_a_repeat_under_the_same_key_issues_and_answers_once(
    portal: Portal, ada: Client, otto: Client
) -> None:
    made = await issued(portal, otto, idempotencyKey="k")
    assert await issued(portal, otto, idempotencyKey="k") == made
    asked = {"reconciliationStatement": made["id"], "idempotencyKey": "k"}
    assert await do(ada, CONFIRM, **asked) == await do(ada, CONFIRM, **asked)


async def test_actions_say_what_can_be_done_and_why_not(portal: Portal, ada: Client, otto: Client) -> None:
    made = await issued(portal, otto)
    assert [(each["name"], each["allowed"]) for each in made["actions"]] == [
        ("CONFIRM", False),
        ("DISPUTE", False),
    ]
    assert made["actions"][0]["missingPermission"] == "STATEMENTS_ANSWER"
    asked = f"query($id: ID!) {{ node(id: $id) {{ ... on ReconciliationStatement {{ {STATEMENT} }} }} }}"
    seen = (await ada.ask(asked, id=made["id"]))["node"]
    assert [each["allowed"] for each in seen["actions"]] == [True, True]
    confirmed, _ = await do(ada, CONFIRM, reconciliationStatement=made["id"])
    assert [each["reason"]["code"] for each in confirmed["actions"]] == ["STATEMENT_ANSWERED"] * 2


async def test_a_posting_in_line_is_in_the_statement_or_after_it(portal: Portal, otto: Client) -> None:
    """Whoever posts holds the customer's row: a statement waits for it and then has it."""
    await documents.invoice(portal, "IN-1", issued_at=day(1))
    customer_id = portal.customers["C1"]
    async with portal.writing() as connection:
        await connection.fetch_text("select from customers where id = $1 for no key update", customer_id)
        asking = asyncio.create_task(issued(portal, otto))
        await asyncio.sleep(0.2)
        assert not asking.done()
        await connection.fetch_text(
            """insert into movements (tenant_id, id, kind, customer_id, moved_at, currency, amount, invoice_id,
            settles_id) select tenant_id, gen_random_uuid(), kind, customer_id, $1, currency, 100, invoice_id,
            settles_id from movements""",
            datetime(2026, 3, 20, tzinfo=UTC),
        )
    assert (await asking)["closing"]["amount"] == "13.00"
