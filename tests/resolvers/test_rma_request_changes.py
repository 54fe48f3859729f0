"""Writing and submitting requests to return goods, over HTTP: the customer's alone until they are sent, then nobody's."""

import asyncio
from typing import Any

import pytest

from db.invoices import Invoice
from resolvers.nodes import global_id
from rules.permissions import BuiltInProfile, StaffRole
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from rules.rma_requests import Resolution, RMAStage
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.documents import Sold
from tests.rma_requests import Asked, asked, done, numbers, one, refused, returnable, rma_request, send
from tests.world import Portal, World

CREATE, UPDATE, DELETE, SUBMIT = (f"rmaRequest{act}" for act in ("Create", "Update", "Delete", "Submit"))
TEN = (Sold("A", "10"), Sold("B", "3"), Sold("S"), Sold("X", "3"))


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.product("B", unit="kg")
    await portal.product("S", kind="SERVICE")
    await portal.account("bea")
    await portal.account("carl", customer="C2")
    await portal.staff_member("olga", role=StaffRole.OWNER)
    return portal


@pytest.fixture
async def invoice(portal: Portal) -> Invoice:
    """Ten of A, three of B, a service, and three of something that nobody knows."""
    return await documents.invoice(portal, "IN-1", TEN)


@pytest.fixture
def bill(invoice: Invoice) -> str:
    return global_id("Invoice", invoice.id)


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


@pytest.fixture
async def olga(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("olga")


async def test_an_outsider_the_staff_and_who_only_reads_write_nothing(
    portal: Portal, bill: str, olga: Client, bea: Client, at: At
) -> None:
    await portal.account("vera", profile=BuiltInProfile.VIEWER)
    vera = await at(portal).sign_in("vera")
    draft = await done(bea, CREATE, invoice=bill, lines=asked((1, "1")))
    given: dict[str, dict[str, Any]] = {
        CREATE: {"invoice": bill, "lines": asked((1, "1", "broken"))},
        UPDATE: {"rmaRequest": draft["id"], "comment": "mine"},
        SUBMIT: {"rmaRequest": draft["id"]},
        DELETE: {"rmaRequest": draft["id"]},
    }
    for mutation, fields in given.items():
        assert await refused(at(portal), mutation, **fields) == [("UNAUTHENTICATED", [])]
        for somebody in (olga, vera):
            assert await refused(somebody, mutation, **fields) == [("MISSING_PERMISSION", [])]
    assert await one(bea, id=draft["id"]) == draft


async def test_what_is_another_customers_or_companys_is_not_there(
    world: World, portal: Portal, bill: str, bea: Client, at: At
) -> None:
    other = await world.portal()
    await other.account("bob")
    draft = await done(bea, CREATE, invoice=bill, lines=asked((1, "1")))
    gone = [("NOT_FOUND", ["rmaRequest"])]
    for stranger in (await at(portal).sign_in("carl"), await at(other).sign_in("bob")):
        assert await refused(stranger, CREATE, invoice=bill, lines=asked((1, "1"))) == [
            ("NOT_FOUND", ["invoice"])
        ]
        assert await refused(stranger, UPDATE, rmaRequest=draft["id"], comment="mine") == gone
        assert await refused(stranger, SUBMIT, rmaRequest=draft["id"]) == gone
        assert await refused(stranger, DELETE, rmaRequest=draft["id"]) == gone
    assert await one(bea, id=draft["id"]) == draft


async def test_a_draft_has_no_number_and_its_customer_alone_sees_it(
    portal: Portal, bill: str, bea: Client, olga: Client, at: At
) -> None:
    await portal.account("ben")
    draft = await done(
        bea,
        CREATE,
        invoice=bill,
        lines=asked((1, "2", "cracked", "SN-7", "REPLACE"), (4, "1")),
        comment="Both came like this",
    )
    assert (draft["number"], draft["stage"], draft["status"], draft["version"]) == ("", "DRAFT", None, 1)
    assert (draft["invoice"], draft["customer"]) == ({"number": "IN-1"}, {"code": "C1"})
    assert (draft["comment"], draft["submittedAt"]) == ("Both came like this", None)
    first, second = draft["lines"]
    assert (first["sku"], first["quantity"], first["problem"], first["serialNumber"], first["wish"]) == (
        "A",
        "2",
        "cracked",
        "SN-7",
        "REPLACE",
    )
    assert (first["state"], first["invoiceLine"], first["product"]) == (
        "DRAFT",
        {"sku": "A", "position": 1},
        {"sku": "A"},
    )
    assert (second["invoicePosition"], second["sku"], second["product"], second["problem"]) == (
        4,
        "X",
        None,
        "",
    )
    ben = await at(portal).sign_in("ben")
    assert (await one(ben, id=draft["id"]) or {})["lines"] == draft["lines"]
    assert await one(olga, id=draft["id"]) is None
    assert await numbers(olga) == []
    assert await numbers(bea) == [""]


async def test_drafts_hold_nothing_and_a_request_that_was_submitted_does(bill: str, bea: Client) -> None:
    first = await done(bea, CREATE, invoice=bill, lines=asked((1, "6", "broken")))
    second = await done(bea, CREATE, invoice=bill, lines=asked((1, "6", "broken"), (4, "2", "broken")))
    assert (await returnable(bea, bill) or [])[0] == ("10", {})
    sent = await done(bea, SUBMIT, rmaRequest=first["id"])
    assert (sent["number"], sent["stage"], sent["version"]) == ("RM-000001", "SUBMITTED", 2)
    assert sent["status"] == {"code": "not-started", "processingState": "NOT_STARTED"}
    assert sent["submittedAt"] is not None
    assert [each["state"] for each in sent["lines"]] == ["SUBMITTED"]
    assert (await returnable(bea, bill) or [])[0] == ("4", {"IN_ANOTHER_REQUEST": "6"})
    too_much = [("MORE_THAN_RETURNABLE", ["lines", "0", "quantity"])]
    assert await refused(bea, SUBMIT, rmaRequest=second["id"]) == too_much
    assert await refused(bea, CREATE, invoice=bill, lines=asked((1, "5"))) == too_much
    await done(bea, UPDATE, rmaRequest=second["id"], lines=asked((1, "4", "broken"), (4, "2", "broken")))
    assert (await done(bea, SUBMIT, rmaRequest=second["id"]))["number"] == "RM-000002"


async def test_all_that_no_longer_fits_is_told_at_once_each_at_its_line(
    portal: Portal, invoice: Invoice, bill: str, bea: Client
) -> None:
    lines = asked((1, "9", "broken"), (2, "3", "broken"), (4, "1"), (3, "1", "x"))
    assert await refused(bea, CREATE, invoice=bill, lines=lines) == [("SERVICE", ["lines", "3", "quantity"])]
    draft = await done(bea, CREATE, invoice=bill, lines=lines[:3])
    await documents.goods_return(portal, "GR-1", invoice, quantity="3")
    await rma_request(portal, "RM-9", invoice, (Asked(2, "1"), Asked(4, "3")))
    expected = [
        ("MORE_THAN_RETURNABLE", ["lines", "0", "quantity"]),
        ("MORE_THAN_RETURNABLE", ["lines", "1", "quantity"]),
        ("TEXT_MISSING", ["lines", "2", "problem"]),
        ("MORE_THAN_RETURNABLE", ["lines", "2", "quantity"]),
    ]
    assert await refused(bea, SUBMIT, rmaRequest=draft["id"]) == expected
    found = await one(bea, id=draft["id"])
    assert found is not None
    assert found["stage"] == "DRAFT"
    (submit,) = [each for each in found["actions"] if each["name"] == "SUBMIT"]
    assert submit["reason"] == {"code": expected[0][0], "path": expected[0][1]}


async def test_a_request_can_be_submitted_as_it_is_written(bill: str, bea: Client, olga: Client) -> None:
    missing = [("TEXT_MISSING", ["lines", "0", "problem"])]
    assert await refused(bea, CREATE, invoice=bill, lines=asked((1, "2", " ")), submit=True) == missing
    key = {"idempotencyKey": "one", "invoice": bill, "lines": asked((1, "2", "broken")), "submit": True}
    sent = await done(bea, CREATE, **key)
    assert (sent["number"], sent["stage"]) == ("RM-000001", "SUBMITTED")
    assert await done(bea, CREATE, **key) == sent
    assert await numbers(bea) == await numbers(olga) == ["RM-000001"]
    seen = await one(olga, number="RM-000001")
    assert seen is not None
    assert seen["id"] == sent["id"]
    assert seen["account"] == {"userName": "bea"}


async def test_what_was_not_written_rightly_is_told_and_nothing_is_kept(bill: str, bea: Client) -> None:
    async def told(*lines: tuple[Any, ...]) -> list[tuple[str, list[str]]]:
        return await refused(bea, CREATE, invoice=bill, lines=asked(*lines))

    assert await told() == [("LINES_MISSING", ["lines"])]
    assert await told((1, "1"), (9, "1"), (1, "2")) == [
        ("NOT_FOUND", ["lines", "1", "invoicePosition"]),
        ("LINE_TWICE", ["lines", "2", "invoicePosition"]),
    ]
    assert await told((1, "0"), (4, "1.5"), (2, "0.0001")) == [
        ("QUANTITY_NOT_POSITIVE", ["lines", "0", "quantity"]),
        ("QUANTITY_NOT_DIVISIBLE", ["lines", "1", "quantity"]),
        ("QUANTITY_NOT_DIVISIBLE", ["lines", "2", "quantity"]),
    ]
    assert await told((1, "1", "x" * 2_001, "y" * 201)) == [
        ("TEXT_TOO_LONG", ["lines", "0", "problem"]),
        ("TEXT_TOO_LONG", ["lines", "0", "serialNumber"]),
    ]
    long = await refused(bea, CREATE, invoice=bill, lines=asked((1, "1")), comment="x" * 2_001)
    assert long == [("TEXT_TOO_LONG", ["comment"])]
    assert await refused(bea, CREATE, invoice="x", lines=asked((1, "1"))) == [("NOT_FOUND", ["invoice"])]
    assert await told(*[(1, "1")] * 1_001) == [("LIST_TOO_LONG", ["lines"])]
    assert await numbers(bea) == []


async def test_a_draft_is_changed_in_part_and_an_update_that_changes_nothing_is_none(
    bill: str, bea: Client
) -> None:
    lines = asked((1, "2", "broken", None, "REFUND"))
    draft = await done(bea, CREATE, invoice=bill, lines=lines, comment="Hello")
    this = {"rmaRequest": draft["id"]}
    assert await done(bea, UPDATE, **this, lines=lines, comment="Hello") == draft
    changed = await done(bea, UPDATE, **this, comment="")
    assert (changed["comment"], changed["version"], changed["lines"]) == (None, 2, draft["lines"])
    other = asked((4, "1", "wrong"), (1, "3"))
    changed = await done(bea, UPDATE, **this, lines=other, version=2)
    assert [(each["position"], each["invoicePosition"]) for each in changed["lines"]] == [(1, 4), (2, 1)]
    assert await refused(bea, UPDATE, **this, comment="late", version=2) == [
        ("VERSION_CONFLICT", ["version"])
    ]
    for mutation in (SUBMIT, DELETE):
        assert await refused(bea, mutation, **this, version=1) == [("VERSION_CONFLICT", ["version"])]


async def test_a_draft_that_is_deleted_leaves_no_gap(bill: str, bea: Client) -> None:
    lines = asked((1, "1", "broken"))
    doomed, kept = [await done(bea, CREATE, invoice=bill, lines=lines) for _ in range(2)]
    assert await send(bea, DELETE, rmaRequest=doomed["id"]) == {"deletedId": doomed["id"], "errors": []}
    assert await one(bea, id=doomed["id"]) is None
    assert await refused(bea, DELETE, rmaRequest=doomed["id"]) == [("NOT_FOUND", ["rmaRequest"])]
    assert (await done(bea, SUBMIT, rmaRequest=kept["id"]))["number"] == "RM-000001"


@pytest.mark.parametrize("stage", [each for each in RMAStage if each is not RMAStage.DRAFT])
async def test_what_was_submitted_can_no_longer_be_changed_at_any_stage(
    stage: RMAStage, portal: Portal, invoice: Invoice, bea: Client
) -> None:
    made = await rma_request(portal, "RM-1", invoice, (Asked(1, "1", Resolution.RETURN, "1"),), stage=stage)
    this = {"rmaRequest": global_id("RMARequest", made.id)}
    before = await one(bea, id=this["rmaRequest"])
    assert before is not None
    submitted = [("RMA_REQUEST_SUBMITTED", ["rmaRequest"])]
    assert await refused(bea, UPDATE, **this, comment="more") == submitted
    assert await refused(bea, DELETE, **this) == submitted
    assert await refused(bea, SUBMIT, **this) == submitted
    assert await one(bea, id=this["rmaRequest"]) == before
    assert [(each["name"], each["reason"]["code"]) for each in before["actions"]] == [
        (act, "RMA_REQUEST_SUBMITTED") for act in ("UPDATE", "DELETE", "SUBMIT")
    ]


async def test_who_only_reads_is_told_what_is_missing_and_who_writes_what_can_be_done(
    portal: Portal, bill: str, bea: Client, at: At
) -> None:
    await portal.account("vera", profile=BuiltInProfile.VIEWER)
    draft = await done(bea, CREATE, invoice=bill, lines=asked((1, "1", "broken")))
    assert [(each["name"], each["allowed"]) for each in draft["actions"]] == [
        ("UPDATE", True),
        ("DELETE", True),
        ("SUBMIT", True),
    ]
    seen = await one(await at(portal).sign_in("vera"), id=draft["id"])
    assert seen is not None
    assert {each["missingPermission"] for each in seen["actions"]} == {"RMA_REQUESTS_WRITE"}


async def test_two_requests_at_once_never_ask_for_more_than_there_is(
    portal: Portal, bill: str, bea: Client
) -> None:
    drafts = [await done(bea, CREATE, invoice=bill, lines=asked((1, "4", "broken"))) for _ in range(5)]
    given: list[tuple[str, dict[str, Any]]] = [(SUBMIT, {"rmaRequest": each["id"]}) for each in drafts]
    at_once = {"invoice": bill, "lines": asked((1, "4", "broken")), "submit": True}
    given += [(CREATE, at_once)] * 3
    answers = await asyncio.gather(*(send(bea, mutation, **fields) for mutation, fields in given))
    worked = [each["rmaRequest"]["number"] for each in answers if not each["errors"]]
    assert sorted(worked) == ["RM-000001", "RM-000002"]
    codes = {error["code"] for each in answers for error in each["errors"]}
    assert codes == {"MORE_THAN_RETURNABLE"}
    assert (await returnable(bea, bill) or [])[0] == ("2", {"IN_ANOTHER_REQUEST": "8"})


async def test_a_request_and_a_goods_return_at_once_never_take_the_same(
    portal: Portal, bill: str, bea: Client, olga: Client
) -> None:
    receive = """mutation($input: GoodsReturnReceiveInput!) { goodsReturnReceive(input: $input) {
      goodsReturn { number } errors { code } } }"""
    draft = await done(bea, CREATE, invoice=bill, lines=asked((1, "10", "broken")))
    back = {"invoice": bill, "lines": [{"position": 1, "quantity": "10"}]}
    sent, received = await asyncio.gather(
        send(bea, SUBMIT, rmaRequest=draft["id"]), olga.ask(receive, input=back)
    )
    # The company may receive what is asked for; but what has come back is not asked for any more.
    assert received["goodsReturnReceive"]["errors"] == []
    if sent["errors"]:
        assert [each["code"] for each in sent["errors"]] == ["MORE_THAN_RETURNABLE"]
    assert (await returnable(bea, bill) or [])[0] == ("0", {"ALREADY_RETURNED": "10"})


async def test_a_reversed_invoice_and_one_that_may_no_longer_be_read_are_not_returned(
    portal: Portal, invoice: Invoice, bill: str, bea: Client, at: At
) -> None:
    mia_id = await portal.account("mia", profile=None)
    modes = Modes(document_kind=RestrictionMode.ALLOW_EXCEPT)
    await portal.group(
        "all but invoices", mia_id, modes=modes, lists={RestrictionKind.DOCUMENT_KIND: ["INVOICE"]}
    )
    mia = await at(portal).sign_in("mia")
    draft = await done(mia, CREATE, invoice=bill, lines=asked((1, "1", "broken")))
    await portal.enforce(RestrictionKind.DOCUMENT_KIND)
    assert await returnable(mia, bill) is None
    assert await refused(mia, CREATE, invoice=bill, lines=asked((1, "1"))) == [("NOT_FOUND", ["invoice"])]
    assert await refused(mia, SUBMIT, rmaRequest=draft["id"]) == [("NOT_FOUND", ["rmaRequest"])]
    found = await one(mia, id=draft["id"])
    assert found is not None
    assert found["invoice"] is None
    assert [each["invoiceLine"] for each in found["lines"]] == [None]
    assert found["actions"][2]["reason"]["code"] == "NOT_FOUND"
    await documents.reverse(portal, invoice)
    reversed_now = [("INVOICE_REVERSED", ["lines", "0", "quantity"])]
    assert await refused(bea, SUBMIT, rmaRequest=draft["id"]) == reversed_now
    assert await refused(bea, CREATE, invoice=bill, lines=asked((1, "1"))) == reversed_now


async def test_who_looks_on_sees_drafts_and_submits_nothing(
    portal: Portal, bill: str, bea: Client, olga: Client
) -> None:
    draft = await done(bea, CREATE, invoice=bill, lines=asked((1, "1", "broken")))
    account = (await bea.ask("{ viewer { account { id } } }"))["viewer"]["account"]["id"]
    onlooker = await olga.view_as(account)
    assert await one(onlooker, id=draft["id"]) is not None
    assert await refused(onlooker, SUBMIT, rmaRequest=draft["id"]) == [("READ_ONLY_SESSION", [])]


async def test_submitting_is_told_to_the_companys_systems_and_writing_only_to_the_feed(
    portal: Portal, bill: str, bea: Client
) -> None:
    draft = await done(bea, CREATE, invoice=bill, lines=asked((1, "1", "broken")))
    await done(bea, UPDATE, rmaRequest=draft["id"], comment="more")
    await done(bea, SUBMIT, rmaRequest=draft["id"])
    await done(bea, CREATE, invoice=bill, lines=asked((1, "1", "broken")), submit=True)
    async with portal.writing() as connection:
        told = await connection.fetch_text(
            "select operation, event from changes where node_type = 'RMARequest' order by position"
        )
    submitted = "rma_request.submitted"
    assert [tuple(each) for each in told] == [
        ("CREATED", None),
        ("UPDATED", None),
        ("UPDATED", submitted),
        ("CREATED", submitted),
    ]
