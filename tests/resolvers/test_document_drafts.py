"""Drafts of invoices and credit notes, over HTTP: seen by the staff who could issue them, posted by the same rules, once."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

import db
from rules.permissions import StaffRole
from tests.client import Client
from tests.conftest import At
from tests.postings import ERRORS, INVOICE, ledger, posted, ship
from tests.resolvers.test_carts import add
from tests.resolvers.test_orders import place
from tests.world import Portal, World

DRAFT = """id kind customer { code } madeAt madeBy { userName } version order { number } goodsIssues { number } dueOn
  invoice { number } operation goodsReturn { number } comment
  askedLines { goodsIssue { number } position quantity unitPrice }
  lines { position sku name unit quantity unitPrice { amount } taxRate amount { amount } product { sku } }
  totals { net { amount } tax { amount } total { amount } } problems { code message path }
  actions { name allowed reason { code path } missingPermission }"""
LIST = f"""query($filter: DocumentDraftFilter, $first: Int, $after: String) {{
  documentDrafts(filter: $filter, first: $first, after: $after) {{ totalCount nodes {{ {DRAFT} }}
  edges {{ cursor node {{ id }} }} pageInfo {{ hasNextPage endCursor }} }} }}"""
NODE = f"query($id: ID!) {{ node(id: $id) {{ ... on DocumentDraft {{ {DRAFT} }} }} }}"
RESULTS = {
    "invoiceIssue": f"invoice {{ {INVOICE} }} draft {{ {DRAFT} }}",
    "creditNoteIssue": f"creditNote {{ number totals {{ total {{ amount }} }} }} draft {{ {DRAFT} }}",
    "invoiceDraftUpdate": f"draft {{ {DRAFT} }}",
    "creditNoteDraftUpdate": f"draft {{ {DRAFT} }}",
    "documentDraftDelete": "deletedId",
}
CHARGE, CREDIT, DELETE = "invoiceIssue", "creditNoteIssue", "documentDraftDelete"
CHANGE, CHANGE_CREDIT = "invoiceDraftUpdate", "creditNoteDraftUpdate"


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A", stock_at={"W1": "100"})
    await portal.product("B", stock_at={"W1": "50"}, unit="kg", price="3.33", tax_rate="7")
    await portal.account("bea")
    await portal.staff_member("ada", role=StaffRole.ACCOUNTANT)
    await portal.staff_member("mo", role=StaffRole.MANAGER)
    await portal.staff_member("stan", role=StaffRole.AGENT)
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


@pytest.fixture
async def ada(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("ada")


@pytest.fixture
async def mo(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("mo")


@pytest.fixture
async def stan(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("stan")


@pytest.fixture
async def order(bea: Client) -> str:
    """Three of A and 2.5 kg of B, placed."""
    for sku, quantity in (("A", "3"), ("B", "2.5")):
        await add(bea, {"sku": sku, "quantity": quantity})
    return str((await place(bea))["orders"][0]["id"])


@pytest.fixture
async def issue(stan: Client, order: str) -> str:
    """All of it, shipped."""
    return await ship(stan, order)


async def send(client: Client, mutation: str, **given: Any) -> dict[str, Any]:
    """The payload of a mutation."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input!"
    document = f"mutation($input: {kind}) {{ {mutation}(input: $input) {{ {RESULTS[mutation]} {ERRORS} }} }}"
    answer: dict[str, Any] = (await client.ask(document, input=given))[mutation]
    return answer


async def kept(client: Client, mutation: str, **given: Any) -> dict[str, Any]:
    """The draft that a mutation which has to work leaves; nothing is posted."""
    answer = await send(client, mutation, **given)
    assert answer.pop("errors") == [], answer
    draft: dict[str, Any] = answer.pop("draft")
    assert set(answer.values()) <= {None}
    return draft


async def codes(client: Client, mutation: str, **given: Any) -> list[tuple[str, list[str]]]:
    """The codes and paths of a mutation that must not work."""
    answer = await send(client, mutation, **given)
    errors = answer.pop("errors")
    assert errors != []
    assert set(answer.values()) == {None}
    return [(each["code"], each["path"]) for each in errors]


async def drafts(client: Client, **filter: Any) -> list[dict[str, Any]]:
    page = (await client.ask(LIST, filter=filter))["documentDrafts"]
    assert page["totalCount"] == len(page["nodes"]) == len(page["edges"])
    found: list[dict[str, Any]] = page["nodes"]
    return found


def reasons(draft: dict[str, Any]) -> dict[str, tuple[str, list[str]] | None]:
    """Why each action is not allowed, or None."""
    return {
        each["name"]: each["reason"] and (each["reason"]["code"], each["reason"]["path"])
        for each in draft["actions"]
    }


async def test_an_outsider_a_customer_and_an_agent_keep_see_and_issue_no_drafts(
    portal: Portal, ada: Client, bea: Client, stan: Client, order: str, issue: str, at: At
) -> None:
    draft = await kept(ada, CHARGE, order=order, draft=True)
    this = {"documentDraft": draft["id"]}
    for somebody, code in (
        (at(portal), "UNAUTHENTICATED"),
        (bea, "MISSING_PERMISSION"),
        (stan, "MISSING_PERMISSION"),
    ):
        assert (await somebody.refusal(LIST))["extensions"]["code"] == code
        assert await codes(somebody, CHARGE, order=order, draft=True) == [(code, [])]
        for mutation in (CHARGE, CREDIT, CHANGE, CHANGE_CREDIT, DELETE):
            assert await codes(somebody, mutation, **this) == [(code, [])]
    for somebody in (bea, stan):
        assert await somebody.ask(NODE, id=draft["id"]) == {"node": None}
    assert await drafts(ada) == [draft]


async def test_a_customer_hears_nothing_of_a_draft_until_it_is_issued(
    portal: Portal, ada: Client, bea: Client, order: str, issue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    async def hear(_connection: object, type_name: str, ids: Sequence[object]) -> None:
        told.extend([type_name] * len(ids))

    monkeypatch.setattr(db.events, "notify", hear)
    asked = """query($order: ID!) { supplierDocuments { totalCount nodes { id number related { id } } }
      order(id: $order) { related { id } payment { state open { amount } } goodsIssues { related { id } } } }"""
    before = [await each.ask(asked, order=order) for each in (bea, ada)]
    draft = await kept(ada, CHARGE, order=order, draft=True)
    assert [await each.ask(asked, order=order) for each in (bea, ada)] == before
    assert (told, await ledger(portal)) == ([], {})
    await send(ada, CHARGE, documentDraft=draft["id"])
    assert told == ["SupplierDocument"]
    assert [await each.ask(asked, order=order) for each in (bea, ada)] != before


async def test_another_tenants_drafts_are_never_there(
    world: World, ada: Client, order: str, issue: str, at: At
) -> None:
    draft = await kept(ada, CHARGE, order=order, draft=True)
    other = await world.portal()
    await other.staff_member("olga")
    olga = await at(other).sign_in("olga")
    gone = [("NOT_FOUND", ["documentDraft"])]
    for mutation in (CHARGE, CREDIT, CHANGE, CHANGE_CREDIT, DELETE):
        assert await codes(olga, mutation, documentDraft=draft["id"]) == gone
    assert await olga.ask(NODE, id=draft["id"]) == {"node": None}
    assert await drafts(olga) == []
    assert await codes(olga, CHARGE, order=order, draft=True) == [("NOT_FOUND", ["order"])]


async def test_a_draft_shows_what_it_would_be_and_issuing_it_posts_that(
    portal: Portal, ada: Client, mo: Client, order: str, issue: str
) -> None:
    draft = await kept(ada, CHARGE, order=order, comment="Thank you", draft=True)
    assert (draft["kind"], draft["version"], draft["comment"]) == ("INVOICE", 1, "Thank you")
    assert (draft["customer"], draft["madeBy"]) == ({"code": "C1"}, {"userName": "ada"})
    assert draft["order"]["number"].startswith("SO-")
    assert (draft["askedLines"], draft["goodsIssues"], draft["dueOn"]) == (None, [], None)
    assert draft["totals"] == {
        "net": {"amount": "38.33"},
        "tax": {"amount": "6.58"},
        "total": {"amount": "44.91"},
    }
    assert draft["problems"] == []
    assert reasons(draft) == {"ISSUE": None, "UPDATE": None, "DELETE": None}
    assert (await mo.ask(NODE, id=draft["id"]))["node"] == draft
    assert await ledger(portal) == {}
    answer = await send(mo, CHARGE, documentDraft=draft["id"], version=1)
    found = answer["invoice"]
    assert (answer["draft"], answer["errors"]) == (None, [])
    assert (found["number"], found["comment"], found["totals"]) == (
        "IN-000001",
        "Thank you",
        draft["totals"],
    )
    assert found["lines"] == draft["lines"]
    assert await ledger(portal) == {"IN-000001": 4491}
    assert await drafts(ada) == []
    assert await codes(ada, CHARGE, documentDraft=draft["id"]) == [("NOT_FOUND", ["documentDraft"])]


async def test_a_draft_that_is_deleted_leaves_no_gap_in_the_numbers(
    portal: Portal, ada: Client, order: str, issue: str
) -> None:
    draft = await kept(ada, CHARGE, order=order, draft=True)
    assert await codes(ada, DELETE, documentDraft=draft["id"], version=2) == [
        ("VERSION_CONFLICT", ["version"])
    ]
    answer = await send(ada, DELETE, documentDraft=draft["id"], version=1)
    assert answer == {"deletedId": draft["id"], "errors": []}
    assert await drafts(ada) == []
    assert (await posted(ada, CHARGE, order=order))["number"] == "IN-000001"


async def test_what_cannot_be_issued_is_not_kept(portal: Portal, ada: Client, order: str, issue: str) -> None:
    too_much = [{"goodsIssue": issue, "position": 1, "quantity": "4"}]
    for mutation, given, errors in (
        (CHARGE, {}, [("INVALID_INPUT", ["order"])]),
        (CHARGE, {"order": "x"}, [("NOT_FOUND", ["order"])]),
        (CHARGE, {"order": order, "dueOn": "2020-01-01"}, [("DUE_DATE_PAST", ["dueOn"])]),
        (CHARGE, {"order": order, "comment": "x" * 2001}, [("TEXT_TOO_LONG", ["comment"])]),
        (CHARGE, {"order": order, "lines": []}, [("LINES_MISSING", ["lines"])]),
        (
            CHARGE,
            {"order": order, "lines": too_much},
            [("MORE_THAN_SHIPPED", ["lines", "0", "quantity"])],
        ),
        (CREDIT, {}, [("VALUE_MISSING", ["invoice"]), ("VALUE_MISSING", ["operation"])]),
        (CREDIT, {"invoice": "x", "operation": "DISCOUNT"}, [("NOT_FOUND", ["invoice"])]),
    ):
        assert await codes(ada, mutation, draft=True, **given) == errors, given
    assert await drafts(ada) == []


async def test_a_draft_is_issued_as_it_is_and_nothing_else_is_said(
    portal: Portal, ada: Client, order: str, issue: str
) -> None:
    draft = await kept(ada, CHARGE, order=order, draft=True)
    this, wrong = {"documentDraft": draft["id"]}, [("INVALID_INPUT", ["documentDraft"])]
    more: list[dict[str, Any]] = [{"order": order}, {"draft": True}, {"comment": "More"}, {"lines": []}]
    for given in more:
        assert await codes(ada, CHARGE, **this, **given) == wrong
    assert await codes(ada, CREDIT, **this, operation="DISCOUNT") == wrong
    gone = [("NOT_FOUND", ["documentDraft"])]
    assert await codes(ada, CREDIT, **this) == gone  # it is no credit note
    assert await codes(ada, CHANGE_CREDIT, **this, comment="x") == gone
    assert await codes(ada, CHARGE, **this, version=2) == [("VERSION_CONFLICT", ["version"])]
    assert await drafts(ada) == [draft]


async def test_what_is_left_out_of_a_change_stays_and_null_takes_it_away(
    portal: Portal, ada: Client, mo: Client, order: str, issue: str
) -> None:
    line = {"goodsIssue": issue, "position": 1, "quantity": "2"}
    new = {"goodsIssues": [issue], "lines": [line], "dueOn": "2999-12-31", "comment": "Part"}
    draft = await kept(ada, CHARGE, draft=True, **new)
    this = {"documentDraft": draft["id"]}
    number = draft["goodsIssues"][0]["number"]
    assert draft["askedLines"] == [
        {"goodsIssue": {"number": number}, "position": 1, "quantity": "2", "unitPrice": None}
    ]
    assert [(each["sku"], each["quantity"]) for each in draft["lines"]] == [("A", "2")]
    same = await kept(ada, CHANGE, **this, comment="Part")
    assert same == draft
    changed = await kept(mo, CHANGE, **this, version=1, comment="")
    assert (changed["version"], changed["comment"], changed["dueOn"]) == (2, None, "2999-12-31")
    assert changed["askedLines"] == draft["askedLines"]
    assert await codes(ada, CHANGE, **this, version=1, comment="Late") == [("VERSION_CONFLICT", ["version"])]
    too_much = [line | {"quantity": "4"}]
    wrong = [("MORE_THAN_SHIPPED", ["lines", "0", "quantity"])]
    assert await codes(ada, CHANGE, **this, lines=too_much) == wrong
    whole = await kept(ada, CHANGE, **this, lines=None, dueOn=None)
    assert (whole["askedLines"], whole["dueOn"], whole["version"]) == (None, None, 3)
    assert [(each["sku"], each["quantity"]) for each in whole["lines"]] == [("A", "3"), ("B", "2.5")]


async def test_a_draft_whose_goods_were_invoiced_meanwhile_is_refused_and_stays_a_draft(
    portal: Portal, ada: Client, order: str, issue: str
) -> None:
    line = {"goodsIssue": issue, "position": 1, "quantity": "2"}
    some = await kept(ada, CHARGE, order=order, lines=[line], draft=True)
    every = await kept(ada, CHARGE, order=order, draft=True)
    await posted(ada, CHARGE, order=order)
    shown = {each["id"]: each for each in await drafts(ada)}
    for draft, code, path in (
        (some, "MORE_THAN_SHIPPED", ["lines", "0", "quantity"]),
        (every, "NOTHING_TO_INVOICE", ["order"]),
    ):
        found = shown[draft["id"]]
        assert [(each["code"], each["path"]) for each in found["problems"]] == [(code, path)]
        assert (found["lines"], found["totals"]) == ([], None)
        reason = (code, ["documentDraft", *path])
        assert reasons(found) == {"ISSUE": reason, "UPDATE": None, "DELETE": None}
        assert await codes(ada, CHARGE, documentDraft=draft["id"]) == [reason]
        assert await codes(ada, CHANGE, documentDraft=draft["id"], comment="x") == [reason]
    assert {each["id"]: each for each in await drafts(ada)} == shown
    assert await ledger(portal) == {"IN-000001": 4491}


async def test_of_two_who_issue_a_draft_at_once_one_does(
    portal: Portal, ada: Client, mo: Client, order: str, issue: str
) -> None:
    line = {"goodsIssue": issue, "position": 1, "quantity": "1"}  # there would be enough for all
    draft = await kept(ada, CHARGE, order=order, lines=[line], draft=True)
    answers = await asyncio.gather(
        *(send(each, CHARGE, documentDraft=draft["id"]) for each in (ada, mo, ada))
    )
    assert [each["invoice"]["number"] for each in answers if each["invoice"]] == ["IN-000001"]
    told = [(each["code"], each["path"]) for answer in answers for each in answer["errors"]]
    assert told == [("NOT_FOUND", ["documentDraft"])] * 2
    assert await ledger(portal) == {"IN-000001": 1200}
    assert await drafts(ada) == []


async def test_a_draft_and_an_invoice_of_the_same_goods_at_once_charge_them_once(
    portal: Portal, ada: Client, mo: Client, order: str, issue: str
) -> None:
    draft = await kept(ada, CHARGE, order=order, draft=True)
    answers = await asyncio.gather(
        send(ada, CHARGE, documentDraft=draft["id"]), send(mo, CHARGE, order=order)
    )
    assert len([each for each in answers if each["invoice"]]) == 1
    assert [each["code"] for answer in answers for each in answer["errors"]] == ["NOTHING_TO_INVOICE"]
    assert await ledger(portal) == {"IN-000001": 4491}
    assert len(await drafts(ada)) == (0 if answers[0]["invoice"] else 1)


async def test_the_same_key_keeps_and_issues_once(
    portal: Portal, ada: Client, order: str, issue: str
) -> None:
    new = {"order": order, "draft": True, "idempotencyKey": "kept"}
    draft = await kept(ada, CHARGE, **new)
    assert await kept(ada, CHARGE, **new) == draft
    assert len(await drafts(ada)) == 1
    given = {"documentDraft": draft["id"], "idempotencyKey": "issued"}
    answers = [await send(ada, CHARGE, **given) for _ in range(2)]
    assert answers[0] == answers[1]
    assert await codes(ada, CHARGE, **new) == [("NOT_FOUND", ["idempotencyKey"])]
    assert await ledger(portal) == {"IN-000001": 4491}


async def test_a_credit_note_is_drafted_changed_and_issued(
    portal: Portal, ada: Client, mo: Client, stan: Client, order: str, issue: str
) -> None:
    bill = await posted(ada, CHARGE, order=order)
    back = await posted(
        stan, "goodsReturnReceive", invoice=bill["id"], lines=[{"position": 1, "quantity": "1"}]
    )
    line = {"position": 1, "quantity": "2", "unitPrice": "1.50"}
    draft = await kept(ada, CREDIT, invoice=bill["id"], operation="DISCOUNT", lines=[line], draft=True)
    this = {"documentDraft": draft["id"]}
    assert (draft["kind"], draft["operation"], draft["order"]) == ("CREDIT_NOTE", "DISCOUNT", None)
    assert (draft["invoice"], draft["goodsIssues"]) == ({"number": "IN-000001"}, [])
    assert draft["askedLines"] == [{"goodsIssue": None, **line}]
    assert draft["totals"]["total"] == {"amount": "3.60"}
    dear = [line | {"unitPrice": "11"}]
    assert await codes(ada, CHANGE_CREDIT, **this, lines=dear) == [
        ("CREDIT_PRICE_INVALID", ["lines", "0", "unitPrice"])
    ]
    no_goods = [("GOODS_RETURN_NOT_FOR_OPERATION", ["goodsReturn"])]
    assert await codes(ada, CHANGE_CREDIT, **this, goodsReturn=back["id"]) == no_goods
    changed = await kept(
        mo,
        CHANGE_CREDIT,
        **this,
        operation="SALES_RETURN",
        goodsReturn=back["id"],
        lines=None,
        comment="Sorry",
    )
    assert (changed["goodsReturn"], changed["comment"]) == ({"number": "GR-000001"}, "Sorry")
    assert [(each["sku"], each["quantity"]) for each in changed["lines"]] == [("A", "1")]
    assert await ledger(portal) == {"IN-000001": 4491}
    answer = await send(ada, CREDIT, **this, version=2)
    assert (answer["creditNote"]["number"], answer["errors"]) == ("CN-000001", [])
    assert answer["creditNote"]["totals"]["total"] == changed["totals"]["total"] == {"amount": "12.00"}
    assert await ledger(portal) == {"IN-000001": 3291}
    assert await drafts(ada) == []


async def test_a_draft_of_a_credit_note_waits_in_vain_when_its_invoice_is_reversed(
    portal: Portal, ada: Client, order: str, issue: str
) -> None:
    bill = await posted(ada, CHARGE, order=order)
    draft = await kept(ada, CREDIT, invoice=bill["id"], operation="ADJUSTMENT", draft=True)
    await posted(ada, "supplierDocumentReverse", document=bill["id"], reason="Wrong")
    (found,) = await drafts(ada)
    assert [(each["code"], each["path"]) for each in found["problems"]] == [("INVOICE_REVERSED", ["invoice"])]
    refusal = [("INVOICE_REVERSED", ["documentDraft", "invoice"])]
    assert await codes(ada, CREDIT, documentDraft=draft["id"]) == refusal
    assert (await send(ada, DELETE, documentDraft=draft["id"]))["errors"] == []


async def test_drafts_are_found_by_kind_and_customer_newest_first(
    portal: Portal, ada: Client, stan: Client, order: str, issue: str
) -> None:
    line = {"goodsIssue": issue, "position": 1}
    bill = await posted(ada, CHARGE, order=order, lines=[line])
    first = await kept(ada, CHARGE, order=order, draft=True)
    second = await kept(ada, CREDIT, invoice=bill["id"], operation="ADJUSTMENT", draft=True)
    ids = [second["id"], first["id"]]
    customers = await ada.ask("{ customers { nodes { id code } } }")
    customer = next(each["id"] for each in customers["customers"]["nodes"] if each["code"] == "C1")
    for given, wanted in (
        ({}, ids),
        ({"kind": "INVOICE"}, ids[1:]),
        ({"kind": "CREDIT_NOTE", "customer": customer}, ids[:1]),
        ({"customer": order}, []),
    ):
        assert [each["id"] for each in await drafts(ada, **given)] == wanted, given
    page = (await ada.ask(LIST, first=1))["documentDrafts"]
    rest = (await ada.ask(LIST, first=1, after=page["pageInfo"]["endCursor"]))["documentDrafts"]
    assert [each["nodes"][0]["id"] for each in (page, rest)] == ids
    error = await ada.refusal(LIST, filter={"kind": "QUOTATION"})
    assert error["extensions"] == {"code": "INVALID_INPUT", "argument": ["filter", "kind"]}


async def test_a_draft_and_its_invoice_are_written_down(
    portal: Portal, mo: Client, order: str, issue: str
) -> None:
    draft = await kept(mo, CHARGE, order=order, draft=True)
    await kept(mo, CHANGE, documentDraft=draft["id"], comment="Soon")
    await send(mo, CHARGE, documentDraft=draft["id"])
    log = """query($node: ID) { auditLog(filter: {node: $node}, orderBy: [AT_ASC]) { nodes { action onBehalfOf { code }
      changes { field before after } } } }"""
    entries = (await mo.ask(log, node=draft["id"]))["auditLog"]["nodes"]
    assert [each["action"] for each in entries] == [CHARGE, CHANGE, CHARGE]
    assert {each["onBehalfOf"]["code"] for each in entries} == {"C1"}
    assert entries[1]["changes"] == [
        {"field": "version", "before": "1", "after": "2"},
        {"field": "comment", "before": "null", "after": '"Soon"'},
    ]
    assert {each["after"] for each in entries[2]["changes"]} == {None}


async def test_a_customers_look_through_the_staffs_eyes_shows_no_draft(
    portal: Portal, mo: Client, bea: Client, order: str, issue: str
) -> None:
    draft = await kept(mo, CHARGE, order=order, draft=True)
    account = (await bea.ask("{ viewer { account { id } } }"))["viewer"]["account"]["id"]
    eyes = await mo.view_as(account)
    assert await eyes.ask(NODE, id=draft["id"]) == {"node": None}
    assert (await eyes.refusal(LIST))["extensions"]["code"] == "MISSING_PERMISSION"
