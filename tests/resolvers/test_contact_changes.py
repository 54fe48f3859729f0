"""Contact changes, over HTTP: customers ask, the staff accepts or refuses."""

import asyncio
from typing import Any

import pytest

from rules.lifecycle import ProcessingState
from rules.permissions import BuiltInProfile, StaffRole
from tests.client import Client
from tests.conftest import At
from tests.world import Portal, World

ADDRESS = "kind name street postalCode city region country"
CHANGE = f"""id state comment answer version askedAt decidedAt customer {{ code }} account {{ userName }}
  decidedBy {{ userName }}
  asked {{ email phone contacts {{ name jobTitle email phone }} addresses {{ {ADDRESS} }} }}"""
PAYLOAD = f"""contactChange {{ {CHANGE} }} errors {{ code path
  ... on VersionConflictError {{ current }} ... on MissingPermissionError {{ permissions }} }}"""
LIST = f"""query($filter: ContactChangeFilter, $orderBy: [ContactChangeOrder!], $first: Int, $after: String) {{
  contactChanges(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {{
  totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ {CHANGE} }} edges {{ cursor node {{ comment }} }} }} }}"""
NODE = f"query($id: ID!) {{ node(id: $id) {{ ... on ContactChange {{ {CHANGE} }} }} }}"
CUSTOMER = f"""query($code: String) {{ customer(code: $code) {{ id email phone version contacts {{ name }}
  addresses {{ {ADDRESS} }} }} }}"""
WAITING = "{ portal { waiting { contactChanges newOrders } } }"

HULL = {"kind": "SHIPPING", "city": "Hull", "street": "1 Quay"}
ASKED: dict[str, Any] = {
    "email": "new@customers.example",
    "phone": "+44 7",
    "contacts": [{"name": "Kim", "jobTitle": "Buyer", "email": "kim@x.example", "phone": "1"}],
    "addresses": [dict.fromkeys(ADDRESS.split(), "") | HULL],
}
NOTHING: dict[str, None] = dict.fromkeys(ASKED)


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.account("bea", profile=BuiltInProfile.ACCOUNTANT)
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
    """The payload of contactChangeRequest, contactChangeDecide or contactChangeWithdraw."""
    document = (
        f"mutation($input: ContactChange{act}Input!) {{ contactChange{act}(input: $input) {{ {PAYLOAD} }} }}"
    )
    answer: dict[str, Any] = (await client.ask(document, input=given))[f"contactChange{act}"]
    return answer


async def done(client: Client, act: str, **given: Any) -> dict[str, Any]:
    """The request after a mutation that has to work."""
    answer = await do(client, act, **given)
    assert answer["errors"] == []
    change: dict[str, Any] = answer["contactChange"]
    return change


async def refusal(client: Client, act: str, **given: Any) -> list[tuple[str, list[str]]]:
    """The codes and paths with which a mutation is refused."""
    answer = await do(client, act, **given)
    assert answer["contactChange"] is None
    return [(each["code"], each["path"]) for each in answer["errors"]]


async def seen(client: Client, id: str) -> dict[str, Any] | None:
    """A request as somebody sees it."""
    change: dict[str, Any] | None = (await client.ask(NODE, id=id))["node"]
    return change


async def customer(stan: Client, code: str = "C1") -> dict[str, Any]:
    found: dict[str, Any] = (await stan.ask(CUSTOMER, code=code))["customer"]
    return found


async def comments(client: Client, **asked: Any) -> list[str]:
    """The comments of the requests on a page, by which these tests know them."""
    page = (await client.ask(LIST, **asked))["contactChanges"]
    assert [each["node"]["comment"] for each in page["edges"]] == [each["comment"] for each in page["nodes"]]
    return [each["comment"] for each in page["nodes"]]


async def test_an_outsider_asks_for_nothing_and_sees_nothing(portal: Portal, bea: Client, at: At) -> None:
    assert await refusal(at(portal), "Request", phone="1") == [("UNAUTHENTICATED", [])]
    change = await done(bea, "Request", phone="2")
    for act, more in (("Decide", {"accept": True}), ("Withdraw", {})):
        assert await refusal(at(portal), act, contactChange=change["id"], **more) == [("UNAUTHENTICATED", [])]
    assert (await at(portal).refusal(LIST))["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("stranger", ["rita", "elsewhere"])
async def test_another_customers_and_another_tenants_requests_do_not_exist(
    stranger: str, world: World, portal: Portal, bea: Client, rita: Client, stan: Client, at: At
) -> None:
    change = await done(bea, "Request", **ASKED)
    somebody = rita
    if stranger == "elsewhere":
        other = await world.portal()
        await other.account("bea")
        await other.staff_member("olga", role=StaffRole.OWNER)
        somebody, olga = await at(other).sign_in("bea"), await at(other).sign_in("olga")
        missing = await refusal(olga, "Decide", contactChange=change["id"], accept=True)
        assert missing == [("NOT_FOUND", ["contactChange"])]
        assert (await olga.ask(WAITING))["portal"]["waiting"]["contactChanges"] == 0
    assert await seen(somebody, change["id"]) is None
    assert await comments(somebody) == []
    missing = await refusal(somebody, "Withdraw", contactChange=change["id"])
    assert missing == [("NOT_FOUND", ["contactChange"])]
    assert await seen(bea, change["id"]) == change


async def test_who_only_watches_asks_for_nothing_but_sees_what_was_asked(
    portal: Portal, bea: Client, at: At
) -> None:
    await portal.account("val", profile=BuiltInProfile.VIEWER)
    val = await at(portal).sign_in("val")
    answer = await do(val, "Request", phone="1")
    assert answer["contactChange"] is None
    assert answer["errors"] == [
        {"code": "MISSING_PERMISSION", "path": [], "permissions": ["CONTACTS_REQUEST"]}
    ]
    change = await done(bea, "Request", comment="one", phone="1")
    assert await comments(val) == ["one"]
    assert await refusal(val, "Withdraw", contactChange=change["id"]) == [("MISSING_PERMISSION", [])]


@pytest.mark.parametrize("role", StaffRole)
async def test_the_staff_asks_for_nothing_and_decides_if_it_keeps_customers(
    role: StaffRole, portal: Portal, bea: Client, at: At
) -> None:
    await portal.staff_member("sam", role=role)
    sam = await at(portal).sign_in("sam")
    change = await done(bea, "Request", phone="1")
    knows_accounts = role is not StaffRole.ACCOUNTANT
    assert await seen(sam, change["id"]) == (change if knows_accounts else change | {"account": None})
    assert await refusal(sam, "Request", phone="1") == [("MISSING_PERMISSION", [])]
    assert await refusal(sam, "Withdraw", contactChange=change["id"]) == [("MISSING_PERMISSION", [])]
    answer = await do(sam, "Decide", contactChange=change["id"], accept=True)
    may = role in (StaffRole.OWNER, StaffRole.MANAGER)
    assert [each["code"] for each in answer["errors"]] == ([] if may else ["MISSING_PERMISSION"])
    assert (answer["contactChange"] is not None) is may


async def test_a_customer_decides_nothing_itself(bea: Client, stan: Client) -> None:
    change = await done(bea, "Request", phone="1")
    refused = await refusal(bea, "Decide", contactChange=change["id"], accept=True)
    assert refused == [("MISSING_PERMISSION", [])]
    assert (await customer(stan))["phone"] == ""


async def test_a_request_changes_nothing_until_it_is_decided(bea: Client, stan: Client) -> None:
    before = await customer(stan)
    change = await done(bea, "Request", **ASKED, comment="We have moved.")
    assert change == {
        "id": change["id"],
        "state": "OPEN",
        "comment": "We have moved.",
        "answer": None,
        "version": 1,
        "askedAt": change["askedAt"],
        "decidedAt": None,
        "customer": {"code": "C1"},
        "account": {"userName": "bea"},
        "decidedBy": None,
        "asked": ASKED,
    }
    assert await customer(stan) == before
    assert await seen(bea, change["id"]) == change
    assert await seen(stan, change["id"]) == change


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({}, "CONTACT_CHANGE_EMPTY", []),
        (NOTHING, "CONTACT_CHANGE_EMPTY", []),
        ({"comment": "Please."}, "CONTACT_CHANGE_EMPTY", []),
        ({"email": "nobody"}, "INVALID_EMAIL", ["email"]),
        ({"phone": "1" * 201}, "TEXT_TOO_LONG", ["phone"]),
        ({"phone": "1", "comment": "x" * 2_001}, "TEXT_TOO_LONG", ["comment"]),
        (
            {"contacts": [{"name": "A"}, {"name": "B", "email": "b"}]},
            "INVALID_EMAIL",
            ["contacts", "1", "email"],
        ),
        ({"contacts": [{"name": " "}]}, "TEXT_MISSING", ["contacts", "0", "name"]),
        ({"contacts": [{"name": "A"}] * 51}, "LIST_TOO_LONG", ["contacts"]),
        ({"addresses": [HULL | {"city": "x" * 201}]}, "TEXT_TOO_LONG", ["addresses", "0", "city"]),
        ({"phone": "1", "idempotencyKey": ""}, "INVALID_IDEMPOTENCY_KEY", ["idempotencyKey"]),
    ],
)
async def test_what_makes_no_sense_is_not_asked(
    given: dict[str, Any], code: str, path: list[str], bea: Client
) -> None:
    assert await refusal(bea, "Request", **given) == [(code, path)]
    assert await comments(bea) == []


async def test_what_is_accepted_is_so_at_once(bea: Client, stan: Client) -> None:
    change = await done(bea, "Request", **ASKED)
    before = await customer(stan)
    closed = await done(stan, "Decide", contactChange=change["id"], accept=True, answer="Welcome.", version=1)
    assert closed == change | {
        "state": "ACCEPTED",
        "answer": "Welcome.",
        "version": 2,
        "decidedAt": closed["decidedAt"],
        "decidedBy": {"userName": "stan"},
    }
    assert closed["decidedAt"] > closed["askedAt"]
    assert await customer(stan) == before | {
        "email": ASKED["email"],
        "phone": ASKED["phone"],
        "version": before["version"] + 1,
        "contacts": [{"name": "Kim"}],
        "addresses": ASKED["addresses"],
    }
    assert (await customer(stan, "RIVAL"))["contacts"] == []


@pytest.mark.parametrize(
    "part", [{"email": ""}, {"phone": "9"}, {"contacts": []}, {"addresses": ASKED["addresses"] * 2}]
)
async def test_what_was_not_asked_for_stays(part: dict[str, Any], bea: Client, stan: Client) -> None:
    first = await done(bea, "Request", **ASKED)
    await done(stan, "Decide", contactChange=first["id"], accept=True)
    before = await customer(stan)
    change = await done(bea, "Request", **part)
    assert change["asked"] == NOTHING | part
    await done(stan, "Decide", contactChange=change["id"], accept=True)
    assert await customer(stan) == before | {"version": before["version"] + 1} | part


async def test_what_cannot_be_closed_changes_nothing_of_the_customer(
    bea: Client, stan: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = await done(bea, "Request", **ASKED)
    before = await customer(stan)

    async def failing(*_given: Any, **_more: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("db.contact_changes.close", failing)
        document = "mutation($input: ContactChangeDecideInput!) { contactChangeDecide(input: $input) { errors { code } } }"
        error = await stan.refusal(document, input={"contactChange": change["id"], "accept": True})
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert await customer(stan) == before
    assert await seen(stan, change["id"]) == change


async def test_a_refusal_needs_a_word_and_changes_nothing(bea: Client, stan: Client) -> None:
    change = await done(bea, "Request", **ASKED)
    before = await customer(stan)
    deciding: dict[str, Any] = {"contactChange": change["id"], "accept": False}
    for answer, code in ((None, "TEXT_MISSING"), ("  ", "TEXT_MISSING"), ("x" * 2_001, "TEXT_TOO_LONG")):
        assert await refusal(stan, "Decide", **deciding, answer=answer) == [(code, ["answer"])]
    assert await seen(stan, change["id"]) == change
    closed = await done(stan, "Decide", **deciding, answer="Send us the form, please.")
    assert (closed["state"], closed["answer"]) == ("REFUSED", "Send us the form, please.")
    assert await customer(stan) == before


async def test_who_decided_is_known_to_the_staff_alone(bea: Client, stan: Client) -> None:
    change = await done(bea, "Request", phone="1")
    closed = await done(stan, "Decide", contactChange=change["id"], accept=True, answer="Done.")
    assert closed["decidedBy"] == {"userName": "stan"}
    assert await seen(bea, change["id"]) == closed | {"decidedBy": None}


async def test_any_account_of_the_customer_that_may_ask_takes_a_request_back(
    portal: Portal, bea: Client, stan: Client, at: At
) -> None:
    await portal.account("ben")
    change = await done(bea, "Request", **ASKED)
    ben = await at(portal).sign_in("ben")
    closed = await done(ben, "Withdraw", contactChange=change["id"], version=1)
    assert closed == change | {"state": "WITHDRAWN", "version": 2, "decidedAt": closed["decidedAt"]}
    assert closed["decidedAt"] is not None
    assert await seen(stan, change["id"]) == closed
    assert (await customer(stan))["version"] == 1


@pytest.mark.parametrize("end", ["accepted", "refused", "withdrawn"])
async def test_what_is_closed_stays_closed(end: str, bea: Client, stan: Client) -> None:
    change = await done(bea, "Request", phone="1")
    this = {"contactChange": change["id"]}
    if end == "withdrawn":
        closed = await done(bea, "Withdraw", **this)
    else:
        closed = await done(stan, "Decide", **this, accept=end == "accepted", answer="So be it.")
    again = [("CONTACT_CHANGE_CLOSED", ["contactChange"])]
    assert await refusal(bea, "Withdraw", **this) == again
    for accept in (True, False):
        assert await refusal(stan, "Decide", **this, accept=accept, answer="No.") == again
    assert await seen(stan, change["id"]) == closed


async def test_a_request_that_has_changed_since_it_was_read_is_a_conflict(bea: Client, stan: Client) -> None:
    change = await done(bea, "Request", phone="1")
    for client, act, more in ((stan, "Decide", {"accept": True}), (bea, "Withdraw", {})):
        answer = await do(client, act, contactChange=change["id"], version=2, **more)
        assert answer["errors"] == [{"code": "VERSION_CONFLICT", "path": ["version"], "current": 1}]
    assert await seen(stan, change["id"]) == change


@pytest.mark.parametrize("id", ["x", "", "Q3VzdG9tZXI6eA=="])
async def test_an_id_that_names_no_request_is_not_found(id: str, bea: Client, stan: Client) -> None:
    missing = [("NOT_FOUND", ["contactChange"])]
    assert await refusal(stan, "Decide", contactChange=id, accept=True) == missing
    own = (await customer(stan))["id"]
    assert await refusal(bea, "Withdraw", contactChange=own) == missing


async def test_of_those_who_decide_at_once_one_wins(bea: Client, stan: Client) -> None:
    change = await done(bea, "Request", phone="7")
    deciding: dict[str, Any] = {"contactChange": change["id"], "answer": "Decided."}
    answers = await asyncio.gather(
        *(do(stan, "Decide", **deciding, accept=turn % 2 == 0) for turn in range(4)),
        do(bea, "Withdraw", contactChange=change["id"]),
    )
    (winner,) = [each["contactChange"] for each in answers if each["contactChange"]]
    losers = [each["errors"] for each in answers if each["contactChange"] is None]
    assert losers == [[{"code": "CONTACT_CHANGE_CLOSED", "path": ["contactChange"]}]] * 4
    assert winner["version"] == 2
    found = await seen(stan, change["id"])
    assert found is not None
    assert found["state"] == winner["state"]
    accepted = winner["state"] == "ACCEPTED"
    assert ((await customer(stan))["phone"], (await customer(stan))["version"]) == (
        ("7", 2) if accepted else ("", 1)
    )


async def test_who_waits_for_another_decision_is_told_that_it_was_made(
    portal: Portal, bea: Client, stan: Client
) -> None:
    change = await done(bea, "Request", phone="7")
    async with portal.writing() as connection:
        await connection.fetch_text("update contact_changes set state = 'REFUSED', version = 2")
        waiting = asyncio.create_task(refusal(stan, "Decide", contactChange=change["id"], accept=True))
        await asyncio.sleep(0.2)
        assert not waiting.done()
    assert await waiting == [("CONTACT_CHANGE_CLOSED", ["contactChange"])]
    assert (await customer(stan))["phone"] == ""


async def test_the_same_key_asks_and_decides_once(bea: Client, stan: Client) -> None:
    change = await done(bea, "Request", **ASKED, idempotencyKey="ask")
    assert await done(bea, "Request", **ASKED, idempotencyKey="ask") == change
    assert len(await comments(bea)) == 1
    reused = await refusal(bea, "Request", phone="1", idempotencyKey="ask")
    assert reused == [("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"])]
    deciding = {"contactChange": change["id"], "accept": True, "idempotencyKey": "decide"}
    closed = await done(stan, "Decide", **deciding)
    assert await done(stan, "Decide", **deciding) == closed
    assert (await customer(stan))["version"] == 2


async def test_requests_come_newest_first_and_by_state_customer_and_page(
    bea: Client, rita: Client, stan: Client
) -> None:
    ids = {}
    for client, comment in ((bea, "one"), (rita, "two"), (bea, "three"), (bea, "four")):
        ids[comment] = (await done(client, "Request", phone="1", comment=comment))["id"]
    await done(stan, "Decide", contactChange=ids["one"], accept=True)
    await done(bea, "Withdraw", contactChange=ids["three"])
    assert await comments(stan) == ["four", "three", "two", "one"]
    assert await comments(stan, orderBy=["ASKED_AT_ASC"]) == ["one", "two", "three", "four"]
    assert await comments(bea) == ["four", "three", "one"]
    rival = (await customer(stan, "RIVAL"))["id"]
    portal_id = (await stan.ask("{ portal { id } }"))["portal"]["id"]
    for given, wanted in (
        ({"states": ["OPEN"]}, ["four", "two"]),
        ({"states": ["ACCEPTED", "WITHDRAWN"]}, ["three", "one"]),
        ({"states": ["REFUSED"]}, []),
        ({"states": []}, []),
        ({"customer": rival}, ["two"]),
        ({"customer": rival, "states": ["ACCEPTED"]}, []),
        ({"customer": portal_id}, []),
    ):
        assert await comments(stan, filter=given) == wanted
        assert (await stan.ask(LIST, filter=given))["contactChanges"]["totalCount"] == len(wanted)
    assert await comments(bea, filter={"customer": rival}) == []
    page = (await stan.ask(LIST, first=3))["contactChanges"]
    assert page["pageInfo"]["hasNextPage"] is True
    assert await comments(stan, first=3, after=page["pageInfo"]["endCursor"]) == ["one"]


async def test_open_requests_and_new_orders_wait_for_the_staff(
    portal: Portal, bea: Client, rita: Client, stan: Client
) -> None:
    await portal.product("A")
    await portal.order("SO-1", state=ProcessingState.NOT_STARTED)
    await portal.order("SO-2", state=ProcessingState.IN_PROGRESS)
    await portal.order("SO-3", state=ProcessingState.CANCELLED)
    assert (await stan.ask(WAITING))["portal"]["waiting"] == {"contactChanges": 0, "newOrders": 1}
    change = await done(bea, "Request", phone="1")
    await done(rita, "Request", phone="1")
    assert (await stan.ask(WAITING))["portal"]["waiting"] == {"contactChanges": 2, "newOrders": 1}
    await done(stan, "Decide", contactChange=change["id"], accept=True)
    assert (await stan.ask(WAITING))["portal"]["waiting"] == {"contactChanges": 1, "newOrders": 1}
    assert (await bea.ask(WAITING))["portal"]["waiting"] is None
