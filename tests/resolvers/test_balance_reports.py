"""Balance reports over HTTP: debt, prepayments and every movement, as of any day, for whom they are."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from resolvers.nodes import global_id
from rules.balances import PaymentKind
from rules.permissions import BuiltInProfile, StaffRole
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.documents import Sold
from tests.world import Portal, World

MONEY = "{ amount currency }"
COMMON = "__typename kind asOf currency generatedAt customer { code }"
OPEN = f"number issuedAt dueOn daysOverdue bucket total {MONEY} open {MONEY} invoice {{ number status }}"
ASKED = f"""
query($kind: BalanceReportKind!, $customer: ID, $from: Date, $to: Date, $currency: String, $asOf: Date,
  $first: Int, $after: String, $last: Int, $before: String) {{
  balanceReport(kind: $kind, customer: $customer, from: $from, to: $to, currency: $currency, asOf: $asOf) {{
    {COMMON}
    ... on CustomerBalance {{
      balances {{ currency debt {MONEY} prepayments {MONEY} overdue {MONEY}
        ageing {{ bucket amount {MONEY} count invoices {{ {OPEN} }} }}
        credit {{ limit {MONEY} used {MONEY} left {MONEY} }} }}
      openInvoices(first: $first, after: $after) {{ totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ {OPEN} }} }}
      ahead: prepayments(first: $first) {{ totalCount nodes {{ number since amount {MONEY} invoice {{ number }}
        sources {{ documentNumber amount {MONEY} document {{ __typename id }} }} }} }}
    }}
    ... on CustomerBalanceByOrder {{
      totals {{ currency debt {MONEY} prepayments {MONEY} invoiced {MONEY} credited {MONEY} paid {MONEY} }}
      orders(first: $first, after: $after) {{ totalCount pageInfo {{ hasNextPage endCursor }} nodes {{
        number placedAt currency order {{ number }} debt {MONEY} prepayments {MONEY} invoiced {MONEY}
        credited {MONEY} paid {MONEY} }} }}
    }}
    ... on ReconciliationReport {{
      periodFrom periodTo
      reconciled: balances {{ currency opening {MONEY} debit {MONEY} credit {MONEY} closing {MONEY}
        movements(first: $first, after: $after, last: $last, before: $before) {{
          totalCount pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
          nodes {{ movedAt kind number document {{ __typename id }} debit {MONEY} credit {MONEY} balance {MONEY} }} }} }}
    }}
  }} }}"""
KINDS = ["CUSTOMER", "BY_ORDER", "RECONCILIATION"]


def day(number: int, month: int = 3) -> datetime:
    return datetime(2026, month, number, 12, tzinfo=UTC)


async def report(somebody: Client, kind: str, **given: Any) -> Any:
    return (await somebody.ask(ASKED, kind=kind, **given))["balanceReport"]


async def code(somebody: Client, kind: str, **given: Any) -> tuple[str, list[str]]:
    error = await somebody.refusal(ASKED, kind=kind, **given)
    return error["extensions"]["code"], error["extensions"].get("argument", [])


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.account("ada", profile=BuiltInProfile.ACCOUNTANT)
    return portal


@pytest.fixture
async def ada(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("ada")


async def trade(portal: Portal) -> None:
    """March: an invoice of an order, half paid; one overpaid; a credit note; and something on account."""
    order_id = await portal.order("SO-1")
    first = await documents.invoice(
        portal, "IN-1", (Sold("A", "10"),), order_id=order_id, issued_at=day(1), due_on=date(2026, 3, 31)
    )
    second = await documents.invoice(portal, "IN-2", issued_at=day(2), due_on=date(2026, 4, 2))
    await documents.payment(portal, "PA-1", 5_000, settles=first, paid_at=day(5))
    await documents.payment(portal, "PA-2", 2_000, settles=second, paid_at=day(6))
    await documents.credit_note(portal, "CN-1", first, issued_at=day(7))
    await documents.payment(portal, "PA-3", 700, paid_at=day(8))


@pytest.mark.parametrize("kind", KINDS)
async def test_an_outsider_reads_no_balance(kind: str, portal: Portal, at: At) -> None:
    assert (await code(at(portal), kind))[0] == "UNAUTHENTICATED"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_reader_without_the_permission_reads_no_balance(kind: str, portal: Portal, at: At) -> None:
    await portal.account("vera", profile=BuiltInProfile.VIEWER)
    await portal.staff_member("hans", role=StaffRole.AGENT)
    for name in ("vera", "hans"):
        assert (await code(await at(portal).sign_in(name), kind))[0] == "MISSING_PERMISSION"


@pytest.mark.parametrize("kind", KINDS)
async def test_another_customer_answers_as_one_that_never_existed(
    kind: str, portal: Portal, world: World, ada: Client, at: At
) -> None:
    await trade(portal)
    await portal.account("cleo", customer="C2", profile=BuiltInProfile.ACCOUNTANT)
    elsewhere = await world.portal()
    await elsewhere.staff_member("eve")
    nobody = global_id("Customer", portal.tenant_id)
    for somebody, key in (
        (await at(portal).sign_in("cleo"), portal.customers["C1"]),
        (await at(elsewhere).sign_in("eve"), portal.customers["C1"]),
    ):
        foreign = await somebody.refusal(ASKED, kind=kind, customer=global_id("Customer", key))
        assert foreign["extensions"]["code"] == "NOT_FOUND"
        assert foreign == await somebody.refusal(ASKED, kind=kind, customer=nobody)


async def test_a_customer_sees_its_own_and_the_staff_each_ones(portal: Portal, ada: Client, at: At) -> None:
    await trade(portal)
    await portal.staff_member("otto", role=StaffRole.ACCOUNTANT)
    otto = await at(portal).sign_in("otto")
    own_id = global_id("Customer", portal.customers["C1"])
    for kind in KINDS:
        own = await report(ada, kind)
        seen = await report(otto, kind, customer=own_id)
        assert own | {"generatedAt": ""} == seen | {"generatedAt": ""}
        assert own == {**(await report(ada, kind, customer=own_id)), "generatedAt": own["generatedAt"]}
        assert await code(otto, kind) == ("CUSTOMER_MISSING", ["customer"])


async def test_debt_and_prepayments_stay_apart(portal: Portal, ada: Client) -> None:
    await trade(portal)
    found = await report(ada, "CUSTOMER", asOf="2026-03-31")
    (balance,) = found["balances"]
    # IN-1: 120.00 - 50.00 - 12.00 = 58.00 open; IN-2: 12.00 - 20.00 = 8.00 too much; 7.00 on account
    amounts = {name: balance[name]["amount"] for name in ("debt", "prepayments", "overdue")}
    assert amounts == {"debt": "58.00", "prepayments": "15.00", "overdue": "0.00"}
    assert [(each["number"], each["amount"]["amount"]) for each in found["ahead"]["nodes"]] == [
        ("IN-2", "8.00"),
        ("PA-3", "7.00"),
    ]
    over, account = found["ahead"]["nodes"]
    assert over["invoice"] == {"number": "IN-2"}
    assert [(each["documentNumber"], each["amount"]["amount"]) for each in over["sources"]] == [
        ("PA-2", "20.00")
    ]
    assert account["invoice"] is None
    (source,) = account["sources"]
    assert (source["document"]["__typename"], source["documentNumber"]) == ("Payment", "PA-3")


@pytest.mark.parametrize(
    ("as_of", "bucket", "days"),
    [
        ("2026-03-31", "NOT_DUE", 0),
        ("2026-04-01", "DAYS_1_TO_30", 1),
        ("2026-04-30", "DAYS_1_TO_30", 30),
        ("2026-05-01", "DAYS_31_TO_60", 31),
        ("2026-05-30", "DAYS_31_TO_60", 60),
        ("2026-05-31", "DAYS_61_TO_90", 61),
        ("2026-06-29", "DAYS_61_TO_90", 90),
        ("2026-06-30", "OVER_90_DAYS", 91),
    ],
)
async def test_debt_ages_by_the_day_asked_for(
    as_of: str, bucket: str, days: int, portal: Portal, ada: Client
) -> None:
    await trade(portal)
    found = await report(ada, "CUSTOMER", asOf=as_of)
    (balance,) = found["balances"]
    ageing = {each["bucket"]: each for each in balance["ageing"]}
    assert list(ageing) == ["NOT_DUE", "DAYS_1_TO_30", "DAYS_31_TO_60", "DAYS_61_TO_90", "OVER_90_DAYS"]
    aged = ageing.pop(bucket)
    assert (aged["amount"]["amount"], aged["count"]) == ("58.00", 1)
    assert aged["invoices"] == found["openInvoices"]["nodes"]
    assert (aged["invoices"][0]["number"], aged["invoices"][0]["daysOverdue"]) == ("IN-1", days)
    assert aged["invoices"][0]["invoice"]["number"] == "IN-1"
    assert all(each["count"] == 0 and each["invoices"] == [] for each in ageing.values())
    assert balance["overdue"]["amount"] == ("0.00" if bucket == "NOT_DUE" else "58.00")


async def test_movements_after_the_day_count_in_no_number(portal: Portal, ada: Client) -> None:
    await trade(portal)
    found = await report(ada, "CUSTOMER", asOf="2026-03-05")
    assert found["balances"][0]["debt"]["amount"] == "82.00"  # 120 - 50 + 12
    assert found["ahead"]["nodes"] == []
    orders = await report(ada, "BY_ORDER", asOf="2026-03-05")
    assert [each["debt"]["amount"] for each in orders["orders"]["nodes"]] == ["12.00", "70.00"]
    moved = await report(ada, "RECONCILIATION", asOf="2026-03-05", to="2026-03-31")
    assert moved["reconciled"][0]["closing"]["amount"] == "82.00"
    assert [each["number"] for each in moved["reconciled"][0]["movements"]["nodes"]] == [
        "IN-1",
        "IN-2",
        "PA-1",
    ]
    assert (await report(ada, "CUSTOMER", asOf="2026-02-28"))["balances"][0]["debt"]["amount"] == "0.00"


async def test_the_end_of_the_day_is_in_and_the_next_moment_is_not(portal: Portal, ada: Client) -> None:
    await documents.invoice(portal, "IN-1", issued_at=datetime(2026, 3, 1, 23, 59, 59, 999999, UTC))
    await documents.invoice(portal, "IN-2", issued_at=datetime(2026, 3, 2, tzinfo=UTC))
    debts = [
        (await report(ada, "CUSTOMER", asOf=each))["balances"][0]["debt"]["amount"]
        for each in ("2026-02-28", "2026-03-01", "2026-03-02")
    ]
    assert debts == ["0.00", "12.00", "24.00"]


async def test_orders_have_a_row_each_and_what_belongs_to_none_one_of_its_own(
    portal: Portal, ada: Client
) -> None:
    await trade(portal)
    found = await report(ada, "BY_ORDER", asOf="2026-03-31")
    names = ("debt", "prepayments", "invoiced", "credited", "paid")
    rows = [[each["number"], *(each[name]["amount"] for name in names)] for each in found["orders"]["nodes"]]
    assert rows == [
        [None, "0.00", "15.00", "12.00", "0.00", "27.00"],
        ["SO-1", "58.00", "0.00", "120.00", "12.00", "50.00"],
    ]
    assert [each["order"] for each in found["orders"]["nodes"]] == [None, {"number": "SO-1"}]
    assert found["orders"]["nodes"][0]["placedAt"] is None
    (total,) = found["totals"]
    assert [total[name]["amount"] for name in names] == ["58.00", "15.00", "132.00", "12.00", "77.00"]
    assert found["orders"]["totalCount"] == 2


async def test_a_reconciliation_shows_every_movement_with_the_balance_after_it(
    portal: Portal, ada: Client
) -> None:
    await trade(portal)
    found = await report(ada, "RECONCILIATION", **{"from": "2026-03-02", "to": "2026-03-07"})
    assert (found["periodFrom"], found["periodTo"]) == ("2026-03-02", "2026-03-07")
    (balance,) = found["reconciled"]
    sums = [balance[name]["amount"] for name in ("opening", "debit", "credit", "closing")]
    assert sums == ["120.00", "12.00", "82.00", "50.00"]
    moved = balance["movements"]
    lines = [(each["number"], each["kind"], each["balance"]["amount"]) for each in moved["nodes"]]
    assert lines == [
        ("IN-2", "INVOICE", "132.00"),
        ("PA-1", "PAYMENT", "82.00"),
        ("PA-2", "PAYMENT", "62.00"),
        ("CN-1", "CREDIT_NOTE", "50.00"),
    ]
    assert [each["document"]["__typename"] for each in moved["nodes"]] == [
        "Invoice",
        "Payment",
        "Payment",
        "CreditNote",
    ]
    assert (moved["nodes"][0]["debit"]["amount"], moved["nodes"][0]["credit"]) == ("12.00", None)
    assert (moved["nodes"][1]["debit"], moved["nodes"][1]["credit"]["amount"]) == (None, "50.00")
    assert moved["totalCount"] == 4


async def test_the_running_balance_is_right_on_every_page_and_backwards(portal: Portal, ada: Client) -> None:
    for number in range(1, 12):
        await documents.invoice(portal, f"IN-{number}", issued_at=day(number))
        await documents.payment(portal, f"PA-{number}", 100 * number, paid_at=day(number))
    whole = (await report(ada, "RECONCILIATION", first=100))["reconciled"][0]["movements"]["nodes"]
    assert len(whole) == 22
    for size in (1, 5, 22):
        forwards: list[Any] = []
        after = None
        while True:
            page = (await report(ada, "RECONCILIATION", first=size, after=after))["reconciled"][0][
                "movements"
            ]
            forwards += page["nodes"]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert forwards == whole
        backwards: list[Any] = []
        before = None
        while True:
            page = (await report(ada, "RECONCILIATION", last=size, before=before))["reconciled"][0][
                "movements"
            ]
            backwards = page["nodes"] + backwards
            before = page["pageInfo"]["startCursor"]
            if not page["pageInfo"]["hasPreviousPage"]:
                break
        assert backwards == whole


async def test_a_payment_for_two_invoices_is_one_line_and_a_later_allocation_none(
    portal: Portal, ada: Client
) -> None:
    first = await documents.invoice(portal, "IN-1", issued_at=day(1))
    paid = await documents.payment(portal, "PA-1", 2_000, paid_at=day(2))
    await documents.allocate(portal, paid, first, 1_200, day(3))
    (balance,) = (await report(ada, "RECONCILIATION"))["reconciled"]
    assert [each["number"] for each in balance["movements"]["nodes"]] == ["IN-1", "PA-1"]
    assert (balance["debit"]["amount"], balance["credit"]["amount"]) == ("12.00", "20.00")
    (now,) = (await report(ada, "CUSTOMER"))["balances"]
    assert (now["debt"]["amount"], now["prepayments"]["amount"]) == ("0.00", "8.00")
    (then,) = (await report(ada, "CUSTOMER", asOf="2026-03-02"))["balances"]
    assert (then["debt"]["amount"], then["prepayments"]["amount"]) == ("12.00", "20.00")


async def test_what_was_reversed_is_a_line_of_the_other_side(portal: Portal, ada: Client) -> None:
    bill = await documents.invoice(portal, "IN-1", issued_at=day(1))
    await documents.reverse(portal, bill, day(4))
    (balance,) = (await report(ada, "RECONCILIATION"))["reconciled"]
    lines = [
        (each["number"], each["credit"] and each["credit"]["amount"])
        for each in balance["movements"]["nodes"]
    ]
    assert lines == [("IN-1", None), ("IN-1", "12.00")]
    assert balance["closing"]["amount"] == "0.00"


async def test_what_is_paid_back_from_the_account_lowers_the_prepayments(portal: Portal, ada: Client) -> None:
    await documents.payment(portal, "PA-1", 1_000, paid_at=day(1))
    await documents.payment(portal, "PA-2", 400, paid_at=day(2), kind=PaymentKind.REFUND)
    found = await report(ada, "CUSTOMER")
    assert found["balances"][0]["prepayments"]["amount"] == "6.00"
    assert [each["amount"]["amount"] for each in found["ahead"]["nodes"]] == ["10.00", "-4.00"]
    await documents.payment(portal, "PA-3", 1_000, paid_at=day(3), kind=PaymentKind.REFUND)
    (balance,) = (await report(ada, "CUSTOMER"))["balances"]
    assert (balance["debt"]["amount"], balance["prepayments"]["amount"]) == ("4.00", "0.00")


async def test_currencies_are_never_added(portal: Portal, ada: Client) -> None:
    await documents.invoice(portal, "IN-1")
    await documents.invoice(portal, "IN-2", currency="JPY", lines=(Sold("A", "1", "1000"),))
    await documents.payment(portal, "PA-1", 500, currency="EUR")
    found = await report(ada, "CUSTOMER")
    assert [
        (each["currency"], each["debt"]["amount"], each["prepayments"]["amount"])
        for each in found["balances"]
    ] == [
        ("EUR", "0.00", "5.00"),
        ("GBP", "12.00", "0.00"),
        ("JPY", "1200", "0"),
    ]
    assert [each["currency"] for each in (await report(ada, "BY_ORDER"))["orders"]["nodes"]] == [
        "EUR",
        "GBP",
        "JPY",
    ]
    for kind, name in (("CUSTOMER", "balances"), ("BY_ORDER", "totals"), ("RECONCILIATION", "reconciled")):
        assert [each["currency"] for each in (await report(ada, kind))[name]] == ["EUR", "GBP", "JPY"]
        assert [each["currency"] for each in (await report(ada, kind, currency="JPY"))[name]] == ["JPY"]
        assert [each["currency"] for each in (await report(ada, kind, currency="USD"))[name]] == ["USD"]


async def test_open_invoices_can_be_asked_for_by_currency_and_bucket(portal: Portal, ada: Client) -> None:
    await documents.invoice(portal, "IN-1")
    await documents.invoice(portal, "IN-2", currency="EUR")
    asked = """query($in: String, $currency: String, $bucket: AgeingBucket) {
      balanceReport(kind: CUSTOMER, currency: $in, asOf: "2026-04-03") { ... on CustomerBalance {
      openInvoices(currency: $currency, bucket: $bucket) { nodes { number } } } } }"""

    async def numbers(**given: Any) -> list[str]:
        found = await ada.ask(asked, **given)
        return [each["number"] for each in found["balanceReport"]["openInvoices"]["nodes"]]

    assert await numbers() == ["IN-1", "IN-2"]
    assert await numbers(currency="EUR") == ["IN-2"]
    assert await numbers(bucket="DAYS_1_TO_30") == ["IN-1", "IN-2"]
    assert await numbers(bucket="NOT_DUE") == []
    assert await numbers(**{"in": "GBP", "currency": "EUR"}) == []
    assert await numbers(**{"in": "EUR", "currency": "EUR"}) == ["IN-2"]


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("RECONCILIATION", {"from": "2026-03-02", "to": "2026-03-01"}, ("PERIOD_REVERSED", ["to"])),
        ("RECONCILIATION", {"from": "2026-03-02", "asOf": "2026-03-01"}, ("PERIOD_REVERSED", ["asOf"])),
        ("CUSTOMER", {"from": "2026-03-02"}, ("PERIOD_NOT_USED", ["from"])),
        ("BY_ORDER", {"to": "2026-03-02"}, ("PERIOD_NOT_USED", ["to"])),
        ("CUSTOMER", {"currency": "pounds"}, ("CURRENCY_INVALID", ["currency"])),
        ("CUSTOMER", {"customer": "nonsense"}, ("NOT_FOUND", ["customer"])),
    ],
)
async def test_bad_input_gets_a_typed_error(
    kind: str, given: dict[str, str], expected: tuple[str, list[str]], ada: Client
) -> None:
    assert await code(ada, kind, **given) == expected


async def test_the_first_and_the_last_of_all_days_are_days(portal: Portal, ada: Client) -> None:
    await trade(portal)
    found = await report(
        ada, "RECONCILIATION", asOf="9999-12-31", **{"from": "0001-01-01", "to": "9999-12-31"}
    )
    assert found["reconciled"][0]["closing"]["amount"] == "43.00"
    assert (await report(ada, "CUSTOMER", asOf="0001-01-01"))["balances"][0]["debt"]["amount"] == "0.00"


async def test_credit_is_what_the_preview_of_an_order_says(portal: Portal, ada: Client, at: At) -> None:
    await trade(portal)
    assert (await report(ada, "CUSTOMER"))["balances"][0]["credit"] is None
    async with portal.writing() as connection:
        await connection.fetch_text("update customers set credit_limit = 10000 where code = 'C1'")
    await portal.account("carl", profile=BuiltInProfile.CUSTOMER)
    carl = await at(portal).sign_in("carl")
    asked = "{ orderPreview { credit { limit { amount } used { amount } after { amount } } } }"
    previewed = (await carl.ask(asked))["orderPreview"]["credit"]
    credit = (await report(ada, "CUSTOMER"))["balances"][0]["credit"]
    assert credit["limit"]["amount"] == previewed["limit"]["amount"] == "100.00"
    assert credit["used"]["amount"] == previewed["used"]["amount"] == "43.00"
    assert credit["left"]["amount"] == "57.00"
    assert (await report(ada, "CUSTOMER", asOf="2026-03-31"))["balances"][0]["credit"] is None


async def test_a_kind_that_is_not_to_be_seen_keeps_its_number_and_has_no_node(portal: Portal, at: At) -> None:
    await trade(portal)
    account_id = await portal.account("mia", profile=None)
    await portal.enforce(RestrictionKind.DOCUMENT_KIND)
    modes = Modes(document_kind=RestrictionMode.ALLOW_EXCEPT)
    lists: dict[RestrictionKind, list[Any]] = {RestrictionKind.DOCUMENT_KIND: ["INVOICE"]}
    await portal.group("none", account_id, modes=modes, lists=lists, profile=BuiltInProfile.ACCOUNTANT)
    mia = await at(portal).sign_in("mia")
    nodes = (await report(mia, "RECONCILIATION"))["reconciled"][0]["movements"]["nodes"]
    assert [(each["number"], each["document"] is None) for each in nodes[:3]] == [
        ("IN-1", True),
        ("IN-2", True),
        ("PA-1", False),
    ]
    found = await report(mia, "CUSTOMER")
    assert found["openInvoices"]["nodes"][0]["number"] == "IN-1"
    assert found["openInvoices"]["nodes"][0]["invoice"] is None
    assert found["ahead"]["nodes"][0]["invoice"] is None


async def test_open_invoices_and_orders_come_page_by_page(portal: Portal, ada: Client) -> None:
    for number in range(7):
        order_id = await portal.order(f"SO-{number}", placed_at=day(1 + number % 3))
        await documents.invoice(
            portal, f"IN-{number}", order_id=order_id, due_on=date(2026, 4, 1 + number % 2)
        )
    for kind, name in (("CUSTOMER", "openInvoices"), ("BY_ORDER", "orders")):
        whole = (await report(ada, kind, first=100))[name]["nodes"]
        assert len(whole) == 7
        paged: list[Any] = []
        after, page = None, None
        for _ in range(3):
            page = (await report(ada, kind, first=3, after=after))[name]
            paged += page["nodes"]
            after = page["pageInfo"]["endCursor"]
        assert paged == whole
        assert page is not None
        assert not page["pageInfo"]["hasNextPage"]


CONNECTION = "totalCount pageInfo { startCursor endCursor } edges { cursor node { number } } nodes { number }"


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("CUSTOMER", "... on CustomerBalance { it: openInvoices"),
        ("CUSTOMER", "... on CustomerBalance { it: prepayments"),
        ("BY_ORDER", "... on CustomerBalanceByOrder { it: orders"),
        ("RECONCILIATION", "... on ReconciliationReport { balances { it: movements"),
    ],
)
async def test_the_cursors_of_edges_are_those_of_the_page(
    kind: str, path: str, portal: Portal, ada: Client
) -> None:
    await trade(portal)
    braces = "}" * path.count("{")
    asked = f"{{ balanceReport(kind: {kind}) {{ {path} {{ {CONNECTION} }} {braces} }} }}"
    found = (await ada.ask(asked))["balanceReport"]
    page = found["it"] if "it" in found else found["balances"][0]["it"]
    assert page["nodes"] == [each["node"] for each in page["edges"]]
    assert page["totalCount"] == len(page["nodes"]) > 0
    cursors = [each["cursor"] for each in page["edges"]]
    assert page["pageInfo"] == {"startCursor": cursors[0], "endCursor": cursors[-1]}
