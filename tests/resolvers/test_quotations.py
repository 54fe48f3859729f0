"""Quotations, over HTTP: staff offers, customers see what was issued, decline it or order from it."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from rules.documents import DocumentKind
from rules.permissions import BuiltInProfile, StaffRole
from rules.quotations import QuotationState
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from tests.client import Client
from tests.conftest import At
from tests.world import Portal, World

ACTIONS = "actions { name allowed missingPermission reason { code } }"
LINE = """position sku name description unit quantity unitPrice { amount currency } taxRate amount { amount }
  product { sku } warehouse { code }"""
QUOTATION = f"""id number state issuedAt validUntil customer {{ code }} taxIncluded comment declineReason version
  totals {{ net {{ amount }} tax {{ amount }} total {{ amount currency }} }} lines {{ {LINE} }}
  orders {{ number quotation {{ number }} }} {ACTIONS}"""
PAYLOAD = f"quotation {{ {QUOTATION} }} errors {{ code path ... on VersionConflictError {{ current }} }}"
LIST = f"""query($filter: QuotationFilter, $orderBy: [QuotationOrder!], $first: Int, $after: String) {{
  quotations(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {{
  totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ {QUOTATION} }} edges {{ cursor node {{ number }} }} }} }}"""
ONE = f"query($id: ID, $number: String) {{ quotation(id: $id, number: $number) {{ {QUOTATION} }} }}"
NODE = "query($id: ID!) { node(id: $id) { id ... on Quotation { number } } }"
FILL = """mutation($input: CartFillInput!) { cartFill(input: $input) {
  added { sku quantity } adjusted { sku code quantity } rejected { sku code } errors { code path } } }"""
PLACE = """mutation { orderPlace(input: {}) { orders { id number quotation { number state }
  lines { sku quantity unitPrice { amount } } totals { net { amount } } } errors { code path } } }"""
LATER = "2999-12-31"


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A", price="2.555", stock_at={"W1": "100", "W2": "100"})
    await portal.product("KG", price="3.10", unit="kg", tax_rate="7.00")
    await portal.account("bea")
    await portal.account("rita", customer="RIVAL")
    await portal.staff_member("stan")
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


@pytest.fixture
async def rita(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("rita")


@pytest.fixture
async def stan(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("stan")


async def do(client: Client, act: str, **given: Any) -> dict[str, Any]:
    """The payload of quotationIssue, quotationUpdate, quotationDelete or quotationDecline."""
    payload = "deletedId errors { code path }" if act == "Delete" else PAYLOAD
    document = f"mutation($input: Quotation{act}Input!) {{ quotation{act}(input: $input) {{ {payload} }} }}"
    answer: dict[str, Any] = (await client.ask(document, input=given))[f"quotation{act}"]
    return answer


async def done(client: Client, act: str, **given: Any) -> dict[str, Any]:
    answer = await do(client, act, **given)
    assert answer["errors"] == []
    quotation: dict[str, Any] = answer["quotation"]
    return quotation


async def refusal(client: Client, act: str, **given: Any) -> list[tuple[str, list[str]]]:
    return [(each["code"], each["path"]) for each in (await do(client, act, **given))["errors"]]


async def new(stan: Client, code: str = "C1", **more: Any) -> dict[str, Any]:
    """All that a quotation needs."""
    found = await stan.ask("query($code: String) { customer(code: $code) { id } }", code=code)
    lines = [{"sku": "A", "quantity": "10", "unitPrice": "1.50"}]
    return {"customer": found["customer"]["id"], "lines": lines, "validUntil": LATER} | more


async def seen(client: Client, id: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (await client.ask(ONE, id=id))["quotation"]
    return found


async def numbers(client: Client, **asked: Any) -> list[str]:
    page = (await client.ask(LIST, **asked))["quotations"]
    assert [each["node"]["number"] for each in page["edges"]] == [each["number"] for each in page["nodes"]]
    return [each["number"] for each in page["nodes"]]


async def test_an_outsider_offers_nothing_and_sees_nothing(portal: Portal, stan: Client, at: At) -> None:
    offer = await done(stan, "Issue", **await new(stan))
    outsider = at(portal)
    assert (await outsider.refusal(LIST))["extensions"]["code"] == "UNAUTHENTICATED"
    this = {"quotation": offer["id"]}
    for act, more in (("Issue", {}), ("Update", {}), ("Delete", {}), ("Decline", {"reason": "no"})):
        assert await refusal(outsider, act, **this, **more) == [("UNAUTHENTICATED", [])]


async def test_another_customers_and_another_tenants_quotations_do_not_exist(
    world: World, portal: Portal, stan: Client, rita: Client, at: At
) -> None:
    offer = await done(stan, "Issue", **await new(stan))
    elsewhere = await world.portal()
    await elsewhere.account("bea")
    for somebody in (rita, await at(elsewhere).sign_in("bea")):
        assert await numbers(somebody) == []
        assert await seen(somebody, offer["id"]) is None
        assert (await somebody.ask(ONE, number=offer["number"]))["quotation"] is None
        assert (await somebody.ask(NODE, id=offer["id"]))["node"] is None
        assert await refusal(somebody, "Decline", quotation=offer["id"], reason="no") == [
            ("NOT_FOUND", ["quotation"])
        ]
        fill = await somebody.ask(FILL, input={"from": {"quotation": offer["id"]}})
        assert fill["cartFill"]["errors"] == [{"code": "NOT_FOUND", "path": ["from", "quotation"]}]


@pytest.mark.parametrize("role", StaffRole)
async def test_owners_managers_and_agents_offer_and_accountants_do_not(
    role: StaffRole, portal: Portal, stan: Client, at: At
) -> None:
    await portal.staff_member("sam", role=role)
    sam = await at(portal).sign_in("sam")
    answer = await do(sam, "Issue", **await new(stan))
    expected = ["MISSING_PERMISSION"] if role is StaffRole.ACCOUNTANT else []
    assert [each["code"] for each in answer["errors"]] == expected
    assert await numbers(sam) == ([] if expected else ["QU-000001"])


async def test_customers_offer_nothing(bea: Client, stan: Client) -> None:
    assert [code for code, _ in await refusal(bea, "Issue", **await new(stan))] == ["MISSING_PERMISSION"]


async def test_an_issued_quotation_has_a_number_and_its_own_copy_of_everything(
    portal: Portal, stan: Client, bea: Client
) -> None:
    found = await stan.ask('{ product(sku: "KG") { id stock { warehouse { id } } } }')
    lines = [
        {"sku": "A", "quantity": "10", "unitPrice": "1.55555", "description": "As last year"},
        {
            "product": found["product"]["id"],
            "quantity": "1.255",
            "unitPrice": "3",
            "warehouse": found["product"]["stock"][0]["warehouse"]["id"],
        },
    ]
    offer = await done(stan, "Issue", **await new(stan, lines=lines, comment="Gladly"))
    assert (offer["number"], offer["state"], offer["validUntil"]) == ("QU-000001", "ISSUED", LATER)
    assert offer["issuedAt"] is not None
    assert offer["comment"] == "Gladly"
    assert [line["amount"]["amount"] for line in offer["lines"]] == ["15.56", "3.77"]
    assert {name: sums["amount"] for name, sums in offer["totals"].items()} == {
        "net": "19.33",
        "tax": "3.37",
        "total": "22.70",
    }
    assert offer["lines"][0] == {
        "position": 1,
        "sku": "A",
        "name": "Product A",
        "description": "As last year",
        "unit": "pcs",
        "quantity": "10",
        "unitPrice": {"amount": "1.55555", "currency": "GBP"},
        "taxRate": "20",
        "amount": {"amount": "15.56"},
        "product": {"sku": "A"},
        "warehouse": None,
    }
    assert offer["lines"][1]["warehouse"] == {"code": "W1"}
    await portal.withdraw("A")
    mine = await seen(bea, offer["id"])
    assert mine is not None
    assert mine["lines"] == [offer["lines"][0] | {"product": None}, offer["lines"][1]]


@pytest.mark.parametrize(
    ("changed", "broken"),
    [
        ({"customer": None}, ("VALUE_MISSING", ["customer"])),
        ({"lines": None}, ("VALUE_MISSING", ["lines"])),
        ({"validUntil": None}, ("VALUE_MISSING", ["validUntil"])),
        ({"customer": "x"}, ("NOT_FOUND", ["customer"])),
        ({"lines": []}, ("QUOTATION_EMPTY", ["lines"])),
        ({"validUntil": "2000-01-01"}, ("QUOTATION_DATE_PAST", ["validUntil"])),
        ({"comment": "x" * 2_001}, ("TEXT_TOO_LONG", ["comment"])),
    ],
)
async def test_what_makes_no_quotation_is_refused(
    stan: Client, changed: dict[str, Any], broken: tuple[str, list[str]]
) -> None:
    assert await refusal(stan, "Issue", **await new(stan, **changed)) == [broken]
    assert await numbers(stan) == []


async def test_all_that_is_missing_is_told_at_once(stan: Client) -> None:
    assert await refusal(stan, "Issue") == [
        ("VALUE_MISSING", ["customer"]),
        ("VALUE_MISSING", ["lines"]),
        ("VALUE_MISSING", ["validUntil"]),
    ]


async def test_every_line_that_cannot_be_offered_is_told(stan: Client) -> None:
    one = {"sku": "A", "quantity": "1", "unitPrice": "1"}
    lines = [
        one,
        one | {"sku": "NO"},
        {"quantity": "1", "unitPrice": "1"},
        one | {"sku": "KG", "quantity": "0"},
        one | {"sku": "KG", "unitPrice": "-1"},
        one | {"sku": "KG", "unitPrice": "0.0000001"},
        one | {"sku": "KG", "warehouse": "x"},
        one | {"sku": "KG", "description": "x" * 2_001},
        one | {"sku": "KG", "quantity": "999999999", "unitPrice": "999999999999"},
        one,
    ]
    assert await refusal(stan, "Issue", **await new(stan, lines=lines)) == [
        ("PRODUCT_NOT_FOUND", ["lines", "1", "sku"]),
        ("INVALID_INPUT", ["lines", "2", "product"]),
        ("QUANTITY_NOT_POSITIVE", ["lines", "3", "quantity"]),
        ("UNIT_PRICE_INVALID", ["lines", "4", "unitPrice"]),
        ("UNIT_PRICE_INVALID", ["lines", "5", "unitPrice"]),
        ("NOT_FOUND", ["lines", "6", "warehouse"]),
        ("TEXT_TOO_LONG", ["lines", "7", "description"]),
        ("AMOUNT_TOO_LARGE", ["lines", "8", "unitPrice"]),
        ("PRODUCT_TWICE", ["lines", "9", "product"]),
    ]
    assert await refusal(stan, "Issue", **await new(stan, lines=[one] * 1_001)) == [
        ("QUOTATION_FULL", ["lines"])
    ]


async def test_a_draft_is_changed_deleted_or_issued_and_its_customer_sees_it_only_then(
    stan: Client, bea: Client
) -> None:
    draft = await done(stan, "Issue", **await new(stan, draft=True))
    assert (draft["number"], draft["state"], draft["issuedAt"]) == ("", "DRAFT", None)
    assert await seen(bea, draft["id"]) is None
    assert await numbers(bea) == []
    assert await numbers(stan) == [""]
    lines = [{"sku": "KG", "quantity": "2", "unitPrice": "4"}]
    changed = await done(stan, "Update", quotation=draft["id"], lines=lines, comment="New", version=1)
    assert (changed["comment"], changed["version"]) == ("New", 2)
    assert [line["sku"] for line in changed["lines"]] == ["KG"]
    assert changed["totals"]["total"]["amount"] == "8.56"
    kept = await done(stan, "Update", quotation=draft["id"], validUntil="2998-01-01")
    assert (kept["validUntil"], kept["lines"], kept["comment"]) == ("2998-01-01", changed["lines"], "New")
    assert (await done(stan, "Update", quotation=draft["id"], comment=""))["comment"] is None
    assert await refusal(stan, "Issue", quotation=draft["id"], version=1) == [
        ("VERSION_CONFLICT", ["version"])
    ]
    issued = await done(stan, "Issue", quotation=draft["id"])
    assert (issued["number"], issued["state"]) == ("QU-000001", "ISSUED")
    assert await numbers(bea) == ["QU-000001"]
    doomed = await done(stan, "Issue", **await new(stan, draft=True))
    assert (await do(stan, "Delete", quotation=doomed["id"])) == {"deletedId": doomed["id"], "errors": []}
    assert await seen(stan, doomed["id"]) is None
    assert (await done(stan, "Issue", **await new(stan)))["number"] == "QU-000002"


async def test_issuing_a_draft_says_nothing_else(stan: Client) -> None:
    draft = await done(stan, "Issue", **await new(stan, draft=True))
    more: dict[str, Any]
    for more in ({"draft": True}, {"comment": "x"}, {"validUntil": LATER}, {"lines": []}, {"customer": "x"}):
        assert await refusal(stan, "Issue", quotation=draft["id"], **more) == [
            ("INVALID_INPUT", ["quotation"])
        ]


async def test_what_is_issued_stays_as_it_is(stan: Client) -> None:
    offer = await done(stan, "Issue", **await new(stan))
    for act in ("Issue", "Update", "Delete"):
        assert await refusal(stan, act, quotation=offer["id"]) == [("QUOTATION_ISSUED", ["quotation"])]
    assert await seen(stan, offer["id"]) == offer


async def test_a_draft_whose_day_has_gone_by_is_given_another_before_it_is_issued(
    portal: Portal, stan: Client
) -> None:
    await portal.quotation(None, valid_days=-1)
    (draft,) = (await stan.ask(LIST))["quotations"]["nodes"]
    assert draft["state"] == "DRAFT"
    this = {"quotation": draft["id"]}
    assert await refusal(stan, "Issue", **this) == [("QUOTATION_DATE_PAST", ["quotation"])]
    assert await refusal(stan, "Update", **this, validUntil="2000-01-01") == [
        ("QUOTATION_DATE_PAST", ["validUntil"])
    ]
    await done(stan, "Update", **this, validUntil=LATER)
    assert (await done(stan, "Issue", **this))["state"] == "ISSUED"


async def test_a_quotation_is_valid_to_the_end_of_its_last_day_by_the_databases_date(
    portal: Portal, bea: Client
) -> None:
    for number, days in (("QU-1", -1), ("QU-2", 0), ("QU-3", 1)):
        await portal.quotation(number, valid_days=days)
    assert await numbers(bea, filter={"states": ["EXPIRED"]}) == ["QU-1"]
    assert await numbers(bea, filter={"states": ["ISSUED"]}, orderBy=["VALID_UNTIL_ASC"]) == ["QU-2", "QU-3"]
    last = (await bea.ask(ONE, number="QU-2"))["quotation"]["validUntil"]
    assert await numbers(bea, filter={"validOn": last}, orderBy=["VALID_UNTIL_ASC"]) == ["QU-2", "QU-3"]
    assert await numbers(bea, filter={"validOn": "2000-01-01"}) == []
    assert await numbers(bea, filter={"validOn": "9999-12-31"}) == []


async def test_quotations_are_found_and_ordered_page_by_page(
    portal: Portal, stan: Client, bea: Client
) -> None:
    for number in range(1, 6):
        await portal.quotation(
            f"QU-{number}", customer="RIVAL" if number == 5 else "C1", valid_days=number % 3
        )
    await portal.quotation("QX-1", state=QuotationState.DECLINED)
    customer = (await stan.ask('{ customer(code: "RIVAL") { id } }'))["customer"]["id"]
    assert await numbers(stan, filter={"customer": customer}) == ["QU-5"]
    assert await numbers(bea, filter={"customer": customer}) == []
    assert await numbers(stan, filter={"customer": "x"}) == []
    assert await numbers(bea, filter={"number": "QX"}) == ["QX-1"]
    assert await numbers(bea, filter={"states": ["DECLINED", "DRAFT"]}) == ["QX-1"]
    assert await numbers(bea, filter={"states": []}) == []
    for order in ("ISSUED_AT_ASC", "ISSUED_AT_DESC", "VALID_UNTIL_ASC", "VALID_UNTIL_DESC"):
        whole = await numbers(stan, orderBy=[order], first=50)
        walked: list[str | None] = []
        page: dict[str, Any] = {"pageInfo": {"hasNextPage": True, "endCursor": None}}
        while page["pageInfo"]["hasNextPage"]:
            after = page["pageInfo"]["endCursor"]
            page = (await stan.ask(LIST, orderBy=[order], first=2, after=after))["quotations"]
            walked += [each["number"] for each in page["nodes"]]
        assert walked == whole
        assert page["totalCount"] == len(whole) == 6


@pytest.mark.parametrize("mode", RestrictionMode)
async def test_who_may_not_see_quotations_has_none(mode: RestrictionMode, portal: Portal, at: At) -> None:
    await portal.quotation("QU-1")
    await portal.enforce(RestrictionKind.DOCUMENT_KIND)
    listed = {
        RestrictionMode.ALLOW_EXCEPT: [DocumentKind.QUOTATION],
        RestrictionMode.DENY_EXCEPT: [DocumentKind.INVOICE],
    }
    account_id = await portal.account("mia", profile=None)
    lists: dict[RestrictionKind, list[Any]] = {RestrictionKind.DOCUMENT_KIND: listed[mode]}
    await portal.group("kept away", account_id, modes=Modes(document_kind=mode), lists=lists)
    mia = await at(portal).sign_in("mia")
    assert await numbers(mia) == []
    assert (await mia.ask(ONE, number="QU-1"))["quotation"] is None
    lists = {RestrictionKind.DOCUMENT_KIND: [DocumentKind.QUOTATION]}
    modes = Modes(document_kind=RestrictionMode.DENY_EXCEPT)
    await portal.group("let in", account_id, modes=modes, lists=lists)
    assert await numbers(mia) == ["QU-1"]


async def test_a_customer_declines_with_a_reason_and_once(stan: Client, bea: Client) -> None:
    offer = await done(stan, "Issue", **await new(stan))
    this = {"quotation": offer["id"]}
    assert await refusal(bea, "Decline", **this, reason=" ") == [("TEXT_MISSING", ["reason"])]
    assert await refusal(bea, "Decline", **this, reason="x" * 2_001) == [("TEXT_TOO_LONG", ["reason"])]
    assert await refusal(bea, "Decline", **this, reason="no", version=9) == [
        ("VERSION_CONFLICT", ["version"])
    ]
    assert [code for code, _ in await refusal(stan, "Decline", **this, reason="no")] == ["MISSING_PERMISSION"]
    declined = await done(bea, "Decline", **this, reason="Too dear", idempotencyKey="once")
    assert (declined["state"], declined["declineReason"], declined["version"]) == ("DECLINED", "Too dear", 2)
    assert await done(bea, "Decline", **this, reason="Too dear", idempotencyKey="once") == declined
    assert await refusal(bea, "Decline", **this, reason="no") == [("QUOTATION_CLOSED", ["quotation"])]


async def test_who_may_not_order_declines_nothing(portal: Portal, stan: Client, at: At) -> None:
    await portal.account("val", profile=BuiltInProfile.VIEWER)
    val = await at(portal).sign_in("val")
    offer = await done(stan, "Issue", **await new(stan))
    assert await refusal(val, "Decline", quotation=offer["id"], reason="no") == [("MISSING_PERMISSION", [])]
    found = await seen(val, offer["id"])
    assert found is not None
    assert [(each["name"], each["allowed"], each["missingPermission"]) for each in found["actions"]] == [
        ("ORDER", False, "ORDERS_PLACE"),
        ("DECLINE", False, "ORDERS_PLACE"),
    ]


async def test_ordering_from_a_quotation_is_at_its_prices_and_closes_it(
    portal: Portal, stan: Client, bea: Client
) -> None:
    offer = await done(stan, "Issue", **await new(stan))
    await bea.ask(FILL, input={"from": {"quotation": offer["id"]}})
    (order,) = (await bea.ask(PLACE))["orderPlace"]["orders"]
    assert order["lines"] == [{"sku": "A", "quantity": "10", "unitPrice": {"amount": "1.50"}}]
    assert order["quotation"] == {"number": "QU-000001", "state": "ORDERED"}
    after = await seen(stan, offer["id"])
    assert after is not None
    assert (after["state"], after["version"]) == ("ORDERED", 2)
    assert after["orders"] == [{"number": order["number"], "quotation": {"number": "QU-000001"}}]


async def test_of_two_colleagues_who_order_from_one_quotation_at_once_one_has_its_price(
    portal: Portal, stan: Client, bea: Client, at: At
) -> None:
    offer = await done(stan, "Issue", **await new(stan))
    await portal.account("ben")
    both = [bea, await at(portal).sign_in("ben")]
    for somebody in both:
        await somebody.ask(FILL, input={"from": {"quotation": offer["id"]}})
    answers = await asyncio.gather(*(each.ask(PLACE) for each in both))
    placed = [order for each in answers for order in each["orderPlace"]["orders"]]
    prices = sorted(order["lines"][0]["unitPrice"]["amount"] for order in placed)
    assert prices == ["1.50", "2.555"]
    after = await seen(stan, offer["id"])
    assert after is not None
    assert [each["number"] for each in after["orders"]] == [
        order["number"] for order in placed if order["lines"][0]["unitPrice"]["amount"] == "1.50"
    ]


async def test_an_order_of_several_warehouses_leads_to_one_quotation_and_back(
    portal: Portal, stan: Client, bea: Client
) -> None:
    await portal.product("B", stock_at={"W2": "10"})
    await portal.product("C", stock_at={"W1": "10"})
    lines = [{"sku": sku, "quantity": "2", "unitPrice": "1"} for sku in ("B", "C")]
    offer = await done(stan, "Issue", **await new(stan, lines=lines))
    await bea.ask(FILL, input={"from": {"quotation": offer["id"]}})
    orders = (await bea.ask(PLACE))["orderPlace"]["orders"]
    assert [order["quotation"]["number"] for order in orders] == [offer["number"]] * 2
    after = await seen(bea, offer["id"])
    assert after is not None
    assert [each["number"] for each in after["orders"]] == [order["number"] for order in orders]


async def test_20_quotations_at_once_have_20_numbers_without_a_gap(stan: Client) -> None:
    given = await new(stan)
    bad = given | {"validUntil": "2000-01-01"}
    answers = await asyncio.gather(*(do(stan, "Issue", **(bad if n % 4 == 0 else given)) for n in range(24)))
    issued = sorted(each["quotation"]["number"] for each in answers if not each["errors"])
    assert issued == [f"QU-{number:06d}" for number in range(1, 19)]


@pytest.mark.parametrize("state", QuotationState)
@pytest.mark.parametrize("who", ["stan", "accountant", "bea", "val"])
async def test_the_actions_say_what_the_mutations_do(
    state: QuotationState, who: str, portal: Portal, stan: Client, at: At
) -> None:
    await portal.account("val", profile=BuiltInProfile.VIEWER)
    await portal.staff_member("accountant", role=StaffRole.ACCOUNTANT)
    somebody = await at(portal).sign_in(who)
    expired = state is QuotationState.EXPIRED
    calls: dict[str, dict[str, Any]] = {
        "ISSUE": {},
        "UPDATE": {},
        "DELETE": {},
        "DECLINE": {"reason": "no"},
    }
    is_staff = who in ("stan", "accountant")
    if state is QuotationState.DRAFT and not is_staff:
        return  # it is not there
    kept = QuotationState.ISSUED if expired else state
    for name, more in calls.items():
        number = None if state is QuotationState.DRAFT else f"QU-{name}"
        await portal.quotation(number, state=kept, valid_days=-1 if expired else 1)
        (newest, *_) = (await somebody.ask(LIST))["quotations"]["nodes"]
        told = {each["name"]: each for each in newest["actions"]}
        assert set(told) == ({*calls, "ORDER"} if is_staff else {"ORDER", "DECLINE"})
        broken = [
            each["code"]
            for each in (await do(somebody, name.title(), quotation=newest["id"], **more))["errors"]
        ]
        if name in told:
            assert told[name]["allowed"] is (not broken)
            assert ((told[name]["reason"] and [told[name]["reason"]["code"]]) or []) == broken
    number = None if state is QuotationState.DRAFT else "QU-ORDER"
    await portal.quotation(number, state=kept, valid_days=-1 if expired else 1)
    (newest, *_) = (await somebody.ask(LIST))["quotations"]["nodes"]
    (order,) = [each for each in newest["actions"] if each["name"] == "ORDER"]
    fill = (await somebody.ask(FILL, input={"from": {"quotation": newest["id"]}}))["cartFill"]
    codes = [each["code"] for each in fill["errors"] or fill["adjusted"] or fill["rejected"]]
    assert order["allowed"] is (codes == [])
    assert ((order["reason"] and [order["reason"]["code"]]) or []) == codes


async def test_who_looks_on_can_do_nothing(portal: Portal, stan: Client, bea: Client) -> None:
    await portal.quotation("QU-1")
    account = (await bea.ask("{ viewer { account { id } } }"))["viewer"]["account"]["id"]
    onlooker = await stan.view_as(account)
    (offer,) = (await onlooker.ask(LIST))["quotations"]["nodes"]
    assert [each["allowed"] for each in offer["actions"]] == [True, True]  # it is what bea is told
    assert await refusal(onlooker, "Decline", quotation=offer["id"], reason="no") == [
        ("READ_ONLY_SESSION", [])
    ]


async def test_a_repeat_whose_draft_was_deleted_since_says_that_it_is_not_there(stan: Client) -> None:
    given = await new(stan, draft=True, idempotencyKey="once")
    draft = await done(stan, "Issue", **given)
    assert await done(stan, "Issue", **given) == draft
    await do(stan, "Delete", quotation=draft["id"])
    for _ in range(2):
        assert await do(stan, "Issue", **given) == {
            "quotation": None,
            "errors": [{"code": "NOT_FOUND", "path": ["idempotencyKey"]}],
        }
    assert await numbers(stan) == []


CHANGES = {
    "currency": ("update customers set currency = 'EUR'", "QUOTATION_CURRENCY_CHANGED", ["currency"]),
    "tax": ("update price_lists set tax_included = true", "QUOTATION_TAX_CHANGED", ["taxIncluded"]),
    "withdrawn": (
        "update products set active = false where sku = 'KG'",
        "PRODUCT_UNAVAILABLE",
        ["lines", "1"],
    ),
    "unit": (
        "update products set unit = 'box' where sku = 'KG'",
        "QUOTATION_UNIT_CHANGED",
        ["lines", "1", "unit"],
    ),
}


@pytest.mark.parametrize("role", [StaffRole.MANAGER, StaffRole.AGENT])
@pytest.mark.parametrize("change", CHANGES)
async def test_a_draft_that_something_has_changed_under_is_not_issued_as_it_is(
    change: str, role: StaffRole, portal: Portal, stan: Client, at: At
) -> None:
    await portal.staff_member("sam", role=role)
    sam = await at(portal).sign_in("sam")
    line = {"quantity": "10", "unitPrice": "1.50"}
    draft = await done(
        stan, "Issue", **await new(stan, lines=[line | {"sku": "A"}, line | {"sku": "KG"}], draft=True)
    )
    sql, code, path = CHANGES[change]
    async with portal.writing() as connection:
        await connection.fetch_text(sql)
    assert await refusal(sam, "Issue", quotation=draft["id"]) == [(code, ["quotation", *path])]
    after = await seen(sam, draft["id"])
    assert after is not None
    assert (after["state"], after["version"]) == ("DRAFT", 1)
    (issue,) = [each for each in after["actions"] if each["name"] == "ISSUE"]
    assert (issue["allowed"], issue["reason"]) == (False, {"code": code})
    # Given anew, its lines are meant as the customer buys today.
    await done(sam, "Update", quotation=draft["id"], lines=[line | {"sku": "A"}])
    issued = await done(sam, "Issue", quotation=draft["id"])
    assert (issued["number"], issued["state"]) == ("QU-000001", "ISSUED")
    assert issued["totals"]["total"]["currency"] == ("EUR" if change == "currency" else "GBP")
    assert issued["taxIncluded"] is (change == "tax")
    assert issued["totals"]["total"]["amount"] == ("15.00" if change == "tax" else "18.00")


async def test_all_that_has_changed_under_a_draft_is_told_at_once(portal: Portal, stan: Client) -> None:
    lines = [{"sku": sku, "quantity": "1", "unitPrice": "1"} for sku in ("A", "KG")]
    draft = await done(stan, "Issue", **await new(stan, lines=lines, draft=True))
    async with portal.writing() as connection:
        for sql, _, _ in CHANGES.values():
            await connection.fetch_text(sql)
        await connection.fetch_text("update products set unit = 'box'")
    assert await refusal(stan, "Issue", quotation=draft["id"]) == [
        ("QUOTATION_CURRENCY_CHANGED", ["quotation", "currency"]),
        ("QUOTATION_TAX_CHANGED", ["quotation", "taxIncluded"]),
        ("QUOTATION_UNIT_CHANGED", ["quotation", "lines", "0", "unit"]),
        ("PRODUCT_UNAVAILABLE", ["quotation", "lines", "1"]),
    ]


async def test_what_many_drafts_allow_costs_no_more_statements_than_what_a_few_do(
    portal: Portal, stan: Client
) -> None:
    await portal.product("B")
    costs = []
    for drafts in (2, 10):
        for _ in range(drafts):
            await portal.quotation(None, skus=("A", "B"))
        with capture_logs() as logs:
            nodes = (await stan.ask(f"{{ quotations(first: 50) {{ nodes {{ {ACTIONS} }} }} }}"))["quotations"]
        assert all(each["allowed"] for node in nodes["nodes"] for each in node["actions"][:1])
        costs += [each["statements"] for each in logs if each["event"] == "operation"]
    assert costs[0] == costs[1]


async def test_what_is_no_longer_sold_is_not_offered(portal: Portal, stan: Client) -> None:
    await portal.withdraw("A")
    assert await refusal(stan, "Issue", **await new(stan)) == [("PRODUCT_UNAVAILABLE", ["lines", "0", "sku"])]


async def test_bad_lines_a_long_comment_and_a_day_gone_by_are_told_at_once(stan: Client) -> None:
    wrong: dict[str, Any] = {
        "lines": [{"sku": "NO", "quantity": "1", "unitPrice": "1"}],
        "validUntil": "2000-01-01",
        "comment": "x" * 2_001,
    }
    told = [
        ("TEXT_TOO_LONG", ["comment"]),
        ("PRODUCT_NOT_FOUND", ["lines", "0", "sku"]),
        ("QUOTATION_DATE_PAST", ["validUntil"]),
    ]
    assert await refusal(stan, "Issue", **await new(stan, **wrong)) == told
