"""Deciding about requests to return goods and closing them, over HTTP: who may what, when, and what follows."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from db.invoices import Invoice
from resolvers.nodes import global_id
from rules.permissions import StaffRole
from rules.rma_requests import Resolution, RMAStage
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.documents import Sold
from tests.postings import allowed, post, posted, refused, request_of
from tests.rma_requests import Asked, rma_request
from tests.world import Portal, World

DECIDE, CLOSE, REPLACE = "rmaRequestDecide", "rmaRequestClose", "rmaRequestReplace"
RECEIVE, CREDIT, PAY, REVERSE = (
    "goodsReturnReceive",
    "creditNoteIssue",
    "paymentRecord",
    "supplierDocumentReverse",
)
AT = datetime(2026, 3, 9, 12, tzinfo=UTC)


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A", stock_at={"W1": "10"})
    await portal.product("B", stock_at={"W1": "5"})
    await portal.account("bea")
    await portal.staff_member("mia", role=StaffRole.MANAGER)
    return portal


@pytest.fixture
async def mia(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("mia")


@pytest.fixture
async def bill(portal: Portal) -> Invoice:
    """Ten of A and five of B."""
    return await documents.invoice(portal, "IN-1", (Sold("A", "10"), Sold("B", "5")))


def request_id(request: Any) -> str:
    return global_id("RMARequest", request.id)


async def asked(portal: Portal, bill: Invoice, *lines: Asked, number: str = "RM-1", **more: Any) -> str:
    """A request's global id: for five of A and two of B when nothing is said."""
    lines = lines or (Asked(1, "5"), Asked(2, "2"))
    decided = [each.resolution for each in lines]
    at = RMAStage.AUTHORISED if all(decided) else RMAStage.IN_REVIEW if any(decided) else RMAStage.SUBMITTED
    more.setdefault("stage", at)
    return request_id(await rma_request(portal, number, bill, lines, **more))


def line(position: int, resolution: str, quantity: str | None = None, reason: str | None = None) -> Any:
    return {
        "position": position,
        "resolution": resolution,
        "authorisedQuantity": quantity,
        "reason": reason,
    }


def stands(request: dict[str, Any]) -> tuple[str, str, str]:
    """The stage, the status and its processing state."""
    return request["stage"], request["status"]["code"], request["status"]["processingState"]


async def test_an_outsider_and_a_customer_decide_nothing(portal: Portal, bill: Invoice, at: At) -> None:
    this = {"rmaRequest": await asked(portal, bill)}
    bea = await at(portal).sign_in("bea")
    for mutation, more in ((DECIDE, {}), (CLOSE, {"outcome": "COMPLETED"}), (REPLACE, {})):
        assert await refused(at(portal), mutation, **this, **more) == [("UNAUTHENTICATED", [])]
        assert await refused(bea, mutation, **this, **more) == [("MISSING_PERMISSION", [])]
    seen = await request_of(bea, this["rmaRequest"])
    assert (seen["stage"], allowed(seen)["UPDATE"]) == ("SUBMITTED", "RMA_REQUEST_SUBMITTED")


async def test_what_is_another_companys_or_still_a_draft_is_not_there(
    world: World, portal: Portal, bill: Invoice, mia: Client, at: At
) -> None:
    other = await world.portal()
    await other.staff_member("olga")
    olga = await at(other).sign_in("olga")
    draft = request_id(await rma_request(portal, None, bill))
    gone = [("NOT_FOUND", ["rmaRequest"])]
    for who, this in ((olga, await asked(portal, bill)), (mia, draft), (mia, "x")):
        for mutation, more in (
            (DECIDE, {"lines": [line(1, "REFUND")]}),
            (CLOSE, {"outcome": "COMPLETED"}),
            (REPLACE, {}),
            (RECEIVE, {}),
            (CREDIT, {}),
        ):
            assert await refused(who, mutation, rmaRequest=this, **more) == gone, mutation
    status = (await mia.ask("{ lifecycleStatuses(subject: RMA_REQUEST) { id } }"))["lifecycleStatuses"][0]
    theirs = request_id(await rma_request(other, "RM-9", await at_other(other)))
    foreign = [("NOT_FOUND", ["status"])]
    assert await refused(olga, DECIDE, rmaRequest=theirs, status=status["id"]) == foreign


async def at_other(other: Portal) -> Invoice:
    await other.account("bea")
    return await documents.invoice(other, "IN-1")


@pytest.mark.parametrize("role", StaffRole)
async def test_accountants_decide_nothing(role: StaffRole, portal: Portal, bill: Invoice, at: At) -> None:
    await portal.staff_member("sam", role=role)
    sam = await at(portal).sign_in("sam")
    answer = await post(sam, DECIDE, rmaRequest=await asked(portal, bill), lines=[line(1, "REFUND")])
    missing = role is StaffRole.ACCOUNTANT
    assert [each["code"] for each in answer["errors"]] == ["MISSING_PERMISSION"] * missing


async def test_the_stage_and_the_status_follow_from_the_decisions(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    this = {"rmaRequest": await asked(portal, bill)}
    assert stands(await request_of(mia, this["rmaRequest"])) == ("SUBMITTED", "not-started", "NOT_STARTED")
    begun = await posted(mia, DECIDE, **this, lines=[line(1, "DIAGNOSE")], note="We look at it", version=1)
    assert stands(begun) == ("IN_REVIEW", "in-progress", "IN_PROGRESS")
    assert (begun["note"], begun["version"], begun["decidedAt"] is not None) == ("We look at it", 2, True)
    assert begun["lines"][0] | {"receivedQuantity": "0"} == {
        "position": 1,
        "sku": "A",
        "state": "IN_DIAGNOSIS",
        "resolution": "DIAGNOSE",
        "authorisedQuantity": "5",
        "reason": None,
        "receivedQuantity": "0",
        "creditedQuantity": "0",
        "replacedQuantity": "0",
    }
    given = [line(1, "REFUND", "3", "Two are worn"), line(2, "DECLINED", None, "Too late")]
    decided = await posted(mia, DECIDE, **this, lines=given, expectedOn="2999-12-31", note=None)
    assert stands(decided) == ("AUTHORISED", "in-progress", "IN_PROGRESS")
    assert (decided["note"], decided["expectedOn"]) == (None, "2999-12-31")
    assert [(each["state"], each["authorisedQuantity"], each["reason"]) for each in decided["lines"]] == [
        ("AUTHORISED", "3", "Two are worn"),
        ("DECLINED", None, "Too late"),
    ]
    gone = await posted(mia, DECIDE, **this, lines=[line(1, "DECLINED", None, "Worn too")])
    assert stands(gone) == ("DECLINED", "completed", "COMPLETED")
    again = await posted(mia, DECIDE, **this, lines=[line(1, "REPAIR")])
    assert stands(again) == ("AUTHORISED", "in-progress", "IN_PROGRESS")
    assert again["lines"][0]["authorisedQuantity"] == "5"


async def test_a_decision_that_is_the_same_changes_nothing(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    this = {"rmaRequest": await asked(portal, bill)}
    first = await posted(mia, DECIDE, **this, lines=[line(1, "REFUND", "3")])
    same = await posted(mia, DECIDE, **this, lines=[line(1, "REFUND", "3")])
    assert same == first
    assert await posted(mia, DECIDE, **this) == first


async def test_what_cannot_be_decided_is_told_line_by_line_and_nothing_is(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    this = {"rmaRequest": await asked(portal, bill)}
    quantity, reason = ["lines", "0", "authorisedQuantity"], ["lines", "0", "reason"]
    for lines, errors in (
        ([line(1, "REFUND", "6")], [("MORE_THAN_ASKED", quantity)]),
        ([line(1, "REFUND", "0")], [("QUANTITY_NOT_POSITIVE", quantity)]),
        ([line(1, "REFUND", "0.5")], [("QUANTITY_NOT_DIVISIBLE", quantity)]),
        ([line(1, "DECLINED")], [("TEXT_MISSING", reason)]),
        ([line(1, "DECLINED", None, " ")], [("TEXT_MISSING", reason)]),
        ([line(1, "DECLINED", "1", "No")], [("INVALID_INPUT", quantity)]),
        ([line(1, "REFUND", None, "x" * 2_001)], [("TEXT_TOO_LONG", reason)]),
        (
            [line(3, "REFUND"), line(1, "REFUND"), line(1, "REPAIR"), line(2, "RETURN", "9")],
            [
                ("NOT_FOUND", ["lines", "0", "position"]),
                ("LINE_TWICE", ["lines", "2", "position"]),
                ("MORE_THAN_ASKED", ["lines", "3", "authorisedQuantity"]),
            ],
        ),
        ([line(1, "REFUND")] * 1_001, [("LIST_TOO_LONG", ["lines"])]),
    ):
        assert await refused(mia, DECIDE, **this, lines=lines) == errors, lines
    assert await refused(mia, DECIDE, **this, version=7) == [("VERSION_CONFLICT", ["version"])]
    assert await refused(mia, DECIDE, **this, note="x" * 2_001) == [("TEXT_TOO_LONG", ["note"])]
    assert stands(await request_of(mia, this["rmaRequest"])) == ("SUBMITTED", "not-started", "NOT_STARTED")


async def test_what_others_hold_or_have_returned_is_not_granted(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    first = {"rmaRequest": await asked(portal, bill, Asked(1, "6"))}
    await posted(mia, DECIDE, **first, lines=[line(1, "REFUND", "2")])
    second = {"rmaRequest": await asked(portal, bill, Asked(1, "8"), number="RM-2")}
    await posted(mia, DECIDE, **second, lines=[line(1, "REFUND", "8")])
    place = ["lines", "0", "authorisedQuantity"]
    too_much = [("MORE_THAN_RETURNABLE", place)]
    assert await refused(mia, DECIDE, **first, lines=[line(1, "REFUND", "3")]) == too_much
    await posted(
        mia, RECEIVE, invoice=global_id("Invoice", bill.id), lines=[{"position": 1, "quantity": "9"}]
    )
    assert await refused(mia, DECIDE, **second, lines=[line(1, "REFUND", "7")]) == too_much
    await posted(mia, CLOSE, **first, outcome="COMPLETED")
    await posted(mia, DECIDE, **second, lines=[line(1, "RETURN", "1")])


async def test_of_two_who_grant_the_same_at_once_one_does(portal: Portal, bill: Invoice, mia: Client) -> None:
    both = [await asked(portal, bill, Asked(1, "7"), number=number) for number in ("RM-1", "RM-2")]
    for this in both:
        await posted(mia, DECIDE, rmaRequest=this, lines=[line(1, "DECLINED", None, "No")])
    answers = await asyncio.gather(
        *(post(mia, DECIDE, rmaRequest=this, lines=[line(1, "REFUND")]) for this in both)
    )
    codes = [each["code"] for answer in answers for each in answer["errors"]]
    assert codes == ["MORE_THAN_RETURNABLE"]


async def test_nothing_of_a_reversed_invoice_is_granted(portal: Portal, bill: Invoice, mia: Client) -> None:
    this = {"rmaRequest": await asked(portal, bill)}
    await posted(mia, REVERSE, document=global_id("Invoice", bill.id), reason="Wrong")
    gone = [("INVOICE_REVERSED", ["rmaRequest"])]
    assert await refused(mia, DECIDE, **this, lines=[line(1, "REFUND")]) == gone
    no = [line(each, "DECLINED", None, "Reversed") for each in (1, 2)]
    assert stands(await posted(mia, DECIDE, **this, lines=no))[0] == "DECLINED"


async def test_a_status_is_one_of_the_stage(portal: Portal, bill: Invoice, mia: Client) -> None:
    new = """mutation($input: LifecycleStatusCreateInput!) { lifecycleStatusCreate(input: $input) {
      lifecycleStatus { id } errors { code } } }"""
    ids = {}
    for subject, code, state in (
        ("RMA_REQUEST", "workshop", "IN_PROGRESS"),
        ("RMA_REQUEST", "refused", "COMPLETED"),
        ("ORDER", "packing", "IN_PROGRESS"),
    ):
        given = {"subject": subject, "code": code, "nameEn": code, "nameDe": code, "processingState": state}
        ids[code] = (await mia.ask(new, input=given))["lifecycleStatusCreate"]["lifecycleStatus"]["id"]
    this = {"rmaRequest": await asked(portal, bill)}
    early = [("TRANSITION_NOT_ALLOWED", ["status"])]
    assert await refused(mia, DECIDE, **this, status=ids["workshop"]) == early
    repaired = {"lines": [line(1, "REPAIR"), line(2, "REPAIR")]}
    assert await refused(mia, DECIDE, **this, **repaired, status=ids["refused"]) == early
    unknown = [("NOT_FOUND", ["status"])]
    assert await refused(mia, DECIDE, **this, **repaired, status=ids["packing"]) == unknown
    begun = await posted(mia, DECIDE, **this, **repaired, status=ids["workshop"])
    assert stands(begun) == ("AUTHORISED", "workshop", "IN_PROGRESS")
    kept = await posted(mia, DECIDE, **this, lines=[line(1, "REFUND")])
    assert stands(kept) == ("AUTHORISED", "workshop", "IN_PROGRESS")
    no = [line(each, "DECLINED", None, "No") for each in (1, 2)]
    gone = await posted(mia, DECIDE, **this, lines=no, status=ids["refused"])
    assert stands(gone) == ("DECLINED", "refused", "COMPLETED")


async def test_a_repair_is_done_when_the_request_is_closed(
    portal: Portal, bill: Invoice, mia: Client
) -> None:
    this = {"rmaRequest": await asked(portal, bill)}
    await posted(mia, DECIDE, **this, lines=[line(1, "REPAIR"), line(2, "DECLINED", None, "No")])
    assert await refused(mia, RECEIVE, **this) == [("NOTHING_AUTHORISED", ["rmaRequest"])]
    done = await posted(mia, CLOSE, **this, outcome="COMPLETED", reason="Repaired and sent back")
    assert stands(done) == ("CLOSED", "completed", "COMPLETED")
    assert (done["note"], done["closedAt"] is not None) == ("Repaired and sent back", True)
    assert [each["state"] for each in done["lines"]] == ["CLOSED", "DECLINED"]
    assert set(allowed(done).values()) == {"RMA_REQUEST_ENDED", "NOTHING_TO_REFUND"}  # nothing to refund


async def test_what_is_closed_is_free_again(portal: Portal, bill: Invoice, mia: Client, at: At) -> None:
    returnable = """query($id: ID!) { returnableLines(invoice: $id) { position returnableQuantity } }"""
    bea, of_bill = await at(portal).sign_in("bea"), global_id("Invoice", bill.id)

    async def left() -> list[str]:
        found = (await bea.ask(returnable, id=of_bill))["returnableLines"]
        return [each["returnableQuantity"] for each in found]

    free = await left()
    this = {"rmaRequest": await asked(portal, bill)}
    held = await left()
    assert await refused(mia, CLOSE, **this, outcome="CANCELLED") == [("TEXT_MISSING", ["reason"])]
    too_long = [("TEXT_TOO_LONG", ["reason"])]
    assert await refused(mia, CLOSE, **this, outcome="COMPLETED", reason="x" * 2_001) == too_long
    gone = await posted(mia, CLOSE, **this, outcome="CANCELLED", reason="A mistake", version=1)
    assert stands(gone) == ("CLOSED", "cancelled", "CANCELLED")
    assert await left() == free != held
    again = [("RMA_REQUEST_ENDED", ["rmaRequest"])]
    assert await refused(mia, CLOSE, **this, outcome="COMPLETED") == again


# What is refused of a request at each stage, and by which rule; what is not named may be done.
STAGES: dict[RMAStage, tuple[tuple[Asked, ...], dict[str, str]]] = {
    RMAStage.SUBMITTED: (
        (Asked(1, "2"),),
        dict.fromkeys(("RECEIVE", "CREDIT", "REPLACE", "REFUND"), "RMA_REQUEST_UNDECIDED"),
    ),
    RMAStage.IN_REVIEW: (
        (Asked(1, "2", Resolution.REFUND, "2"), Asked(2, "2")),
        {"REPLACE": "NOTHING_AUTHORISED"},
    ),
    RMAStage.AUTHORISED: ((Asked(1, "2", Resolution.REPLACE, "2"),), {"REFUND": "NOTHING_TO_REFUND"}),
    RMAStage.RECEIVED: ((Asked(1, "2", Resolution.REFUND, "2"),), {"REPLACE": "NOTHING_AUTHORISED"}),
    RMAStage.COMPLETED: (
        (Asked(1, "2", Resolution.REFUND, "1"),),
        dict.fromkeys(("DECIDE", "CREDIT", "REPLACE", "CLOSE"), "RMA_REQUEST_ENDED")
        | {"RECEIVE": "NOTHING_AUTHORISED"},
    ),
    RMAStage.DECLINED: (
        (Asked(1, "2", Resolution.DECLINED),),
        dict.fromkeys(("RECEIVE", "CREDIT", "REPLACE", "REFUND", "CLOSE"), "RMA_REQUEST_ENDED"),
    ),
    RMAStage.CLOSED: (
        (Asked(1, "2", Resolution.REFUND, "2"),),
        dict.fromkeys(("DECIDE", "RECEIVE", "CREDIT", "REPLACE", "CLOSE"), "RMA_REQUEST_ENDED")
        | {"REFUND": "NOTHING_TO_REFUND"},
    ),
}
ACTS: dict[str, tuple[str, dict[str, Any]]] = {
    "DECIDE": (DECIDE, {"note": "Hello"}),
    "RECEIVE": (RECEIVE, {}),
    "CREDIT": (CREDIT, {"lines": [{"position": 1, "quantity": "1"}]}),
    "REPLACE": (REPLACE, {}),
    "REFUND": (PAY, {"kind": "REFUND", "amount": "1"}),
    "CLOSE": (CLOSE, {"outcome": "COMPLETED"}),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("stage", STAGES)
async def test_every_act_at_every_stage_is_as_the_table_says(
    stage: RMAStage, act: str, portal: Portal, bill: Invoice, mia: Client
) -> None:
    lines, refusals = STAGES[stage]
    closed_at = AT if stage is RMAStage.CLOSED else None
    request = await rma_request(portal, "RM-1", bill, lines, stage=stage, closed_at=closed_at)
    if stage in (RMAStage.IN_REVIEW, RMAStage.RECEIVED, RMAStage.COMPLETED):  # the first is credited in part
        await documents.goods_return(portal, "GR-1", bill, rma_request_id=request.id)
        await documents.credit_note(portal, "CN-1", bill, (Sold("A"),), rma_request_id=request.id)
    await documents.payment(portal, "PA-1", bill.total, settles=bill)
    mutation, given = ACTS[act]
    if act == "REFUND":
        given = {**given, "customer": global_id("Customer", bill.customer_id)}
        if stage in (RMAStage.IN_REVIEW, RMAStage.RECEIVED, RMAStage.COMPLETED):
            given["allocations"] = [{"invoice": global_id("Invoice", bill.id), "amount": "1"}]
    weighed = allowed(await request_of(mia, request_id(request)))
    assert list(weighed) == list(ACTS)
    answer = await post(mia, mutation, rmaRequest=request_id(request), **given)
    told = [(each["code"], each["path"]) for each in answer["errors"]]
    expected = refusals.get(act)
    assert weighed[act] == expected
    assert told == ([(expected, ["rmaRequest"])] if expected else [])
