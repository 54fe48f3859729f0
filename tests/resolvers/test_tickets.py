"""Tickets, over HTTP: who asks what about what, and how both sides answer, close and reopen."""

import asyncio
from typing import Any

import pytest

from resolvers.nodes import global_id
from rules.permissions import BuiltInProfile, StaffRole
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from rules.tickets import ABOUT
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.rma_requests import rma_request
from tests.tickets import (
    ACTS,
    LIST,
    MESSAGES,
    act,
    asked,
    done,
    found,
    refused,
    said,
    stands,
    subjects,
    texts,
)
from tests.world import Portal, World

SEEN = """query($id: ID!) { node(id: $id) { id ... on Order { tickets { ...those } } ... on Product { tickets { ...those } }
  ... on SupplierDocument { tickets { ...those } } ... on Payment { tickets { ...those } }
  ... on SharedFile { tickets { ...those } } ... on RMARequest { tickets { ...those } } } }
  fragment those on SupportTicketConnection { totalCount nodes { subject } }"""


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.account("bea", profile=BuiltInProfile.CUSTOMER)
    await portal.account("cleo", customer="C2", profile=BuiltInProfile.CUSTOMER)
    await portal.staff_member("stan")
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


@pytest.fixture
async def cleo(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("cleo")


@pytest.fixture
async def stan(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("stan")


def customer_id(portal: Portal, code: str = "C1") -> str:
    return global_id("Customer", portal.customers[code])


async def about(client: Client, id: str) -> list[str] | None:
    """The subjects of the tickets about an object, as it tells them itself."""
    node = (await client.ask(SEEN, id=id))["node"]
    if node is None:
        return None
    assert node["tickets"]["totalCount"] == len(node["tickets"]["nodes"])
    return [each["subject"] for each in node["tickets"]["nodes"]]


async def things(portal: Portal, code: str = "C1", tag: str = "1") -> dict[str, str]:
    """One of everything of a customer's that can be asked about, by type, with its global id."""
    order_id = await portal.order(f"SO-{tag}", customer=code)
    made = await documents.one_of_each(portal, tag, code, order_id, "A")
    keys = {kind: key for kind, (key, _) in made.items()}
    keys["Order"] = order_id
    keys["GoodsIssue"] = await portal.goods_issue(f"GI-{tag}", order_id, customer=code)
    keys["Quotation"] = await portal.quotation(f"QU-{tag}", customer=code)
    return {kind: global_id(kind, key) for kind, key in keys.items()}


async def test_an_outsider_asks_nothing_and_sees_nothing(portal: Portal, bea: Client, at: At) -> None:
    ticket, outsider = await asked(bea), at(portal)
    assert (await outsider.refusal(LIST))["extensions"]["code"] == "UNAUTHENTICATED"
    for name in ACTS:
        given = {"subject": "x", "text": "x"} if name == "Open" else {"ticket": ticket["id"]}
        given |= {"text": "x"} if name == "Reply" else {}
        assert await refused(outsider, name, **given) == [("UNAUTHENTICATED", [])]


async def test_another_tenants_and_another_customers_ticket_is_not_there(
    world: World, portal: Portal, bea: Client, cleo: Client, at: At
) -> None:
    sister = await world.portal(supplier=portal.slug)
    ticket = await asked(bea)
    for stranger in (cleo, await at(sister).sign_in("stan")):
        assert await subjects(stranger) == []
        assert await found(stranger, ticket) is None
        message = ticket["messages"]["nodes"][0]["id"]
        assert await stranger.ask("query($id: ID!) { node(id: $id) { id } }", id=message) == {"node": None}
        for name in ("Reply", "Close", "Reopen"):
            given = {"text": "Mine"} if name == "Reply" else {}
            assert await refused(stranger, name, ticket=ticket["id"], **given) == [("NOT_FOUND", ["ticket"])]
    assert await found(bea, ticket) == ticket


@pytest.mark.parametrize("profile", BuiltInProfile)
async def test_what_each_profile_does_with_its_customers_tickets(
    profile: BuiltInProfile, portal: Portal, bea: Client, at: At
) -> None:
    ticket = await asked(bea)
    await portal.account("mia", profile=profile)
    mia = await at(portal).sign_in("mia")
    seen = await found(mia, ticket)
    assert seen is not None
    if profile is BuiltInProfile.VIEWER:
        assert set(stands(seen).values()) == {"MISSING_PERMISSION"}
        assert await refused(mia, "Open", subject="x", text="x") == [("MISSING_PERMISSION", [])]
    else:
        assert (await said(mia, ticket, "Me too"))["messages"]["totalCount"] == 2


@pytest.mark.parametrize("role", StaffRole)
async def test_what_each_role_of_the_staff_does(role: StaffRole, portal: Portal, bea: Client, at: At) -> None:
    ticket = await asked(bea)
    await portal.staff_member("sam", role=role)
    sam = await at(portal).sign_in("sam")
    handles = role is not StaffRole.ACCOUNTANT
    assert (await said(sam, ticket, "We look"))["state"] == "ANSWERED"
    seen = await found(sam, ticket)
    assert seen is not None
    assert (stands(seen)["NOTE"] is None) is (stands(seen)["ASSIGN"] is None) is handles
    answer = await act(sam, "Reply", ticket=ticket["id"], text="Hm", internal=True)
    if handles:
        assert answer["message"]["internal"] is True
    else:
        (error,) = answer["errors"]
        assert error == {
            "code": "MISSING_PERMISSION",
            "path": ["internal"],
            "permissions": ["TICKETS_HANDLE"],
        }
        assert await refused(sam, "Assign", ticket=ticket["id"]) == [("MISSING_PERMISSION", [])]


async def test_a_customer_asks_and_the_company_answers_until_it_is_done(
    portal: Portal, bea: Client, stan: Client
) -> None:
    ticket = await asked(bea, "Where is my order?")
    assert ticket["number"] == "ST-000001"
    assert ticket["customer"] == {"code": "C1"}
    assert (ticket["state"], ticket["version"], ticket["about"]) == ("OPEN", 1, None)
    by_bea = {"name": "Bea", "side": "CUSTOMER", "account": {"userName": "bea"}, "staffMember": None}
    assert ticket["openedBy"] == by_bea
    assert (ticket["firstAnsweredAt"], ticket["resolvedAt"]) == (None, None)
    assert ticket["lastMessageAt"] == ticket["openedAt"]
    assert stands(ticket) == {"REPLY": None, "CLOSE": None, "REOPEN": "TICKET_NOT_CLOSED"}

    answered = await said(stan, ticket, "On its way")
    assert (answered["state"], answered["version"]) == ("ANSWERED", 2)
    assert answered["firstAnsweredAt"] == answered["lastMessageAt"] > ticket["openedAt"]
    again = await said(bea, ticket, "And now?")
    assert (again["state"], again["firstAnsweredAt"]) == ("OPEN", answered["firstAnsweredAt"])
    assert again["lastMessageAt"] > answered["lastMessageAt"]
    assert texts(again) == ["Where is my order? Please.", "On its way", "And now?"]
    message = again["messages"]["nodes"][1]
    assert message["ticket"] == {"number": "ST-000001"}
    assert message["author"] == {"name": "Stan", "side": "COMPANY", "account": None, "staffMember": None}
    for_staff = await found(stan, ticket)
    assert for_staff is not None
    assert for_staff["messages"]["nodes"][1]["author"]["staffMember"] == {"userName": "stan"}

    closed = await done(stan, "Close", ticket=ticket["id"])
    assert (closed["state"], closed["resolvedAt"] is None, closed["version"]) == ("CLOSED", False, 4)
    assert await refused(bea, "Close", ticket=ticket["id"]) == [("TICKET_CLOSED", ["ticket"])]
    assert await refused(bea, "Reopen", ticket=ticket["id"]) == [("TICKET_REOPENED_BY_REPLY", ["ticket"])]
    reopened = await said(bea, ticket, "It is broken")
    assert (reopened["state"], reopened["resolvedAt"]) == ("OPEN", None)
    assert (await done(bea, "Close", ticket=ticket["id"]))["state"] == "CLOSED"


async def test_the_staff_reopens_and_has_a_last_word_that_leaves_a_ticket_closed(
    bea: Client, stan: Client
) -> None:
    ticket = await asked(bea)
    assert await refused(stan, "Reopen", ticket=ticket["id"]) == [("TICKET_NOT_CLOSED", ["ticket"])]
    closed = await done(stan, "Close", ticket=ticket["id"])
    word = await said(stan, ticket, "Thank you")
    assert (word["state"], word["resolvedAt"]) == ("CLOSED", closed["resolvedAt"])
    reopened = await done(stan, "Reopen", ticket=ticket["id"])
    assert (reopened["state"], reopened["resolvedAt"]) == ("OPEN", None)


async def test_everything_that_one_sees_can_be_asked_about_and_tells_of_it(
    portal: Portal, bea: Client, cleo: Client, stan: Client
) -> None:
    mine = await things(portal)
    mine["Product"] = global_id("Product", portal.products["A"])
    mine["SharedFile"] = global_id("SharedFile", await portal.file("Prices"))
    bill = await documents.invoice(portal, "IN-9")
    mine["RMARequest"] = global_id("RMARequest", (await rma_request(portal, "RM-9", bill)).id)
    assert set(mine) == set(ABOUT)
    for kind, key in mine.items():
        ticket = await asked(bea, kind, about=key)
        assert ticket["about"] == {"__typename": kind, "id": key}
        assert await about(bea, key) == await about(stan, key) == [kind]
        assert await subjects(bea, about=key) == [kind]
        shared = kind in ("Product", "SharedFile")
        assert await about(cleo, key) == ([] if shared else None)
        answer = await act(cleo, "Open", subject="x", text="x", about=key)
        assert [each["code"] for each in answer["errors"]] == ([] if shared else ["NOT_FOUND"])
    assert await about(bea, mine["Product"]) == ["Product"]
    assert await about(stan, mine["Product"]) == ["x", "Product"]


@pytest.mark.parametrize("kind", ["Customer", "Cart", "Upload", "Account", "SupportTicket"])
async def test_what_nobody_can_ask_about_is_not_found(kind: str, portal: Portal, bea: Client) -> None:
    ticket = await asked(bea)
    key = ticket["id"] if kind == "SupportTicket" else global_id(kind, portal.customers["C1"])
    assert await refused(bea, "Open", subject="x", text="x", about=key) == [("NOT_FOUND", ["about"])]


async def test_what_is_hidden_from_an_account_is_not_asked_about_and_not_shown_later(
    portal: Portal, bea: Client, stan: Client, at: At
) -> None:
    product = global_id("Product", portal.products["A"])
    ticket = await asked(bea, about=product)
    mia_id = await portal.account("mia", profile=None)
    await portal.enforce(RestrictionKind.PRODUCT)
    await portal.group(
        "without A",
        mia_id,
        modes=Modes(product=RestrictionMode.ALLOW_EXCEPT),
        lists={RestrictionKind.PRODUCT: [portal.products["A"]]},
    )
    mia = await at(portal).sign_in("mia")
    assert await refused(mia, "Open", subject="x", text="x", about=product) == [("NOT_FOUND", ["about"])]
    seen = await found(mia, ticket)
    assert seen is not None
    assert seen["about"] is None
    assert await subjects(bea, about=product) == await subjects(stan, about=product) == [ticket["subject"]]
    assert await subjects(mia, about=product) == []


async def test_who_may_not_read_tickets_is_told_of_none(
    portal: Portal, bea: Client, stan: Client, at: At
) -> None:
    product = global_id("Product", portal.products["A"])
    ticket = await asked(bea, about=product)
    made = await stan.ask(
        """mutation { profileCreate(input: {name: "Catalogue", permissions: [PRODUCTS_READ]}) {
        profile { id } errors { code } } }"""
    )
    nick_id = await portal.account("nick", profile=None)
    given = {
        "name": "Catalogue",
        "profile": made["profileCreate"]["profile"]["id"],
        "members": [{"account": global_id("Account", nick_id)}],
    }
    joined = await stan.ask(
        "mutation($input: AccessGroupCreateInput!) { accessGroupCreate(input: $input) { errors { code } } }",
        input=given,
    )
    assert joined["accessGroupCreate"]["errors"] == []
    nick = await at(portal).sign_in("nick")
    assert await about(nick, product) == []
    assert (await nick.refusal(LIST))["extensions"]["code"] == "MISSING_PERMISSION"
    assert await nick.ask("query($id: ID!) { node(id: $id) { id } }", id=ticket["id"]) == {"node": None}


async def test_the_staff_writes_to_a_customer(
    portal: Portal, bea: Client, cleo: Client, stan: Client
) -> None:
    given = {"subject": "Your address", "text": "Is it still right?"}
    assert await refused(stan, "Open", **given) == [("TICKET_CUSTOMER_MISSING", ["customer"])]
    ticket = await done(stan, "Open", **given, customer=customer_id(portal))
    assert (ticket["state"], ticket["customer"]) == ("ANSWERED", {"code": "C1"})
    assert ticket["firstAnsweredAt"] == ticket["openedAt"]
    assert ticket["openedBy"]["staffMember"] == {"userName": "stan"}
    assert await found(cleo, ticket) is None
    seen = await found(bea, ticket)
    assert seen is not None
    assert seen["openedBy"] == {"name": "Stan", "side": "COMPANY", "account": None, "staffMember": None}
    assert (await said(bea, ticket, "Yes"))["state"] == "OPEN"


async def test_what_is_a_customers_says_whose_ticket_it_is_and_cannot_be_anothers(
    portal: Portal, cleo: Client, stan: Client
) -> None:
    mine = await things(portal)
    given = {"subject": "x", "text": "x"}
    for key in mine.values():
        ticket = await done(stan, "Open", **given, about=key)
        assert ticket["customer"] == {"code": "C1"}
        other = await refused(stan, "Open", **given, about=key, customer=customer_id(portal, "C2"))
        assert other == [("NOT_FOUND", ["about"])]
    product = global_id("Product", portal.products["A"])
    assert await refused(stan, "Open", **given, about=product) == [("TICKET_CUSTOMER_MISSING", ["customer"])]
    assert await subjects(cleo) == []


async def test_a_customer_asks_for_itself_alone(portal: Portal, bea: Client, cleo: Client) -> None:
    given = {"subject": "x", "text": "x"}
    assert (await done(bea, "Open", **given, customer=customer_id(portal)))["customer"] == {"code": "C1"}
    other = await refused(bea, "Open", **given, customer=customer_id(portal, "C2"))
    assert other == [("NOT_FOUND", ["customer"])]
    assert await subjects(cleo) == []


@pytest.mark.parametrize(
    ("given", "code", "path"),
    [
        ({"subject": " "}, "TEXT_MISSING", ["subject"]),
        ({"subject": "x" * 201}, "TEXT_TOO_LONG", ["subject"]),
        ({"text": "\n"}, "TEXT_MISSING", ["text"]),
        ({"text": "x" * 20_001}, "TEXT_TOO_LONG", ["text"]),
        ({"about": "nothing"}, "NOT_FOUND", ["about"]),
        ({"customer": "nobody"}, "NOT_FOUND", ["customer"]),
        ({"attachments": ["nothing"]}, "NOT_FOUND", ["attachments", "0"]),
        ({"attachments": ["x"] * 21}, "LIST_TOO_LONG", ["attachments"]),
        ({"idempotencyKey": ""}, "INVALID_IDEMPOTENCY_KEY", ["idempotencyKey"]),
    ],
)
async def test_what_makes_no_sense_is_not_asked(
    given: dict[str, Any], code: str, path: list[str], bea: Client
) -> None:
    assert await refused(bea, "Open", **({"subject": "x", "text": "x"} | given)) == [(code, path)]
    assert await subjects(bea) == []
    assert (await asked(bea))["number"] == "ST-000001"  # no number was lost


async def test_a_reply_that_says_nothing_is_not_written(bea: Client) -> None:
    ticket = await asked(bea)
    for text, code in (("", "TEXT_MISSING"), ("x" * 20_001, "TEXT_TOO_LONG")):
        assert await refused(bea, "Reply", ticket=ticket["id"], text=text) == [(code, ["text"])]
    assert await found(bea, ticket) == ticket


async def test_a_ticket_that_has_changed_since_it_was_read_is_a_conflict(bea: Client, stan: Client) -> None:
    ticket = await asked(bea)
    for name in ("Reply", "Close", "Reopen", "Assign"):
        given = {"text": "x"} if name == "Reply" else {}
        answer = await act(stan, name, ticket=ticket["id"], version=9, **given)
        assert [(each["code"], each["current"]) for each in answer["errors"]] == [("VERSION_CONFLICT", 1)]
    assert await found(bea, ticket) == ticket


async def test_the_same_key_asks_and_answers_once(bea: Client, stan: Client) -> None:
    ticket = await asked(bea, idempotencyKey="ask")
    assert await asked(bea, idempotencyKey="ask") == ticket
    answer = {"ticket": ticket["id"], "text": "Soon", "idempotencyKey": "answer"}
    first = await act(stan, "Reply", **answer)
    assert await act(stan, "Reply", **answer) == first
    assert first["supportTicket"]["messages"]["totalCount"] == 2
    assert await refused(stan, "Reply", **(answer | {"text": "Late"})) == [
        ("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"])
    ]


async def test_who_takes_care_is_known_to_the_staff_alone(
    portal: Portal, bea: Client, stan: Client, at: At
) -> None:
    anna_id = await portal.staff_member("anna", role=StaffRole.ACCOUNTANT)
    sara_id = await portal.staff_member("sara", role=StaffRole.AGENT, here_only=True)
    ticket, sara = await asked(bea), global_id("StaffMember", sara_id)
    given = {"ticket": ticket["id"], "assignee": sara}
    assigned = await done(stan, "Assign", **given)
    assert (assigned["assignee"], assigned["version"]) == ({"userName": "sara"}, 2)
    assert await done(stan, "Assign", **given) == assigned  # nothing changed
    seen = await found(bea, ticket)
    assert seen == ticket  # not even that something has changed
    assert await refused(stan, "Close", ticket=ticket["id"], version=1) == [("VERSION_CONFLICT", ["version"])]
    for told in ({"assignee": sara}, {"assigned": True}):
        assert await subjects(stan, **told) == ["Where is it?"]
        assert await subjects(bea, **told) == []
    assert await subjects(stan, assigned=False) == await subjects(bea, assigned=False) == []
    assert await refused(bea, "Assign", **given) == [("MISSING_PERMISSION", [])]
    for assignee, code in (
        (global_id("StaffMember", anna_id), "NO_TICKET_HANDLER"),
        (global_id("StaffMember", portal.customers["C1"]), "NOT_FOUND"),
        (customer_id(portal), "NOT_FOUND"),
    ):
        assert await refused(stan, "Assign", ticket=ticket["id"], assignee=assignee) == [(code, ["assignee"])]
    assert (await done(stan, "Assign", ticket=ticket["id"]))["assignee"] is None
    assert await subjects(stan, assigned=False) == ["Where is it?"]


async def test_nobody_who_has_left_is_given_a_ticket(portal: Portal, bea: Client, stan: Client) -> None:
    sara_id = await portal.staff_member("sara")
    async with portal.writing() as connection:
        await connection.fetch_text("update staff_members set active = false where id = $1", sara_id)
    given = {"ticket": (await asked(bea))["id"], "assignee": global_id("StaffMember", sara_id)}
    assert await refused(stan, "Assign", **given) == [("NO_TICKET_HANDLER", ["assignee"])]


async def test_tickets_are_found_by_state_customer_number_words_and_day(
    portal: Portal, bea: Client, cleo: Client, stan: Client
) -> None:
    first = await asked(bea, "Where is my order?")
    await asked(bea, "A broken pump")
    await asked(cleo, "My order is LATE")
    await said(stan, first, "On its way")
    names = ["Where is my order?", "My order is LATE", "A broken pump"]
    today = first["openedAt"][:10]
    for given, wanted in (
        ({}, names),
        ({"states": ["OPEN"]}, names[1:]),
        ({"states": ["ANSWERED", "CLOSED"]}, names[:1]),
        ({"states": []}, []),
        ({"customer": customer_id(portal, "C2")}, names[1:2]),
        ({"customer": "nobody"}, []),
        ({"number": "ST-000002"}, names[2:]),
        ({"number": "ST-"}, names),
        ({"search": "order late"}, names[1:2]),
        ({"search": "ORDER"}, names[:2]),
        ({"search": "%"}, []),
        ({"about": "nothing"}, []),
        ({"openedFrom": today}, names),
        ({"openedTo": today}, names),
        ({"openedFrom": "2999-01-01"}, []),
        ({"openedTo": "2001-01-01"}, []),
    ):
        assert await subjects(stan, **given) == wanted, given
        assert await subjects(bea, **given) == [each for each in wanted if "LATE" not in each], given
    for order, wanted in (
        ("OPENED_AT_ASC", [names[0], names[2], names[1]]),
        ("OPENED_AT_DESC", [names[1], names[2], names[0]]),
        ("NUMBER_ASC", [names[0], names[2], names[1]]),
        ("NUMBER_DESC", [names[1], names[2], names[0]]),
        ("LAST_MESSAGE_AT_ASC", names[::-1]),
    ):
        assert await subjects(stan, orderBy=[order]) == wanted
    page = (await stan.ask(LIST, first=2))["supportTickets"]
    assert page["pageInfo"]["hasNextPage"] is True
    rest = (await stan.ask(LIST, first=2, after=page["pageInfo"]["endCursor"]))["supportTickets"]
    assert [each["subject"] for each in rest["nodes"]] == names[2:]
    for given, code in (
        ({"search": "x" * 201}, "TEXT_TOO_LONG"),
        ({"openedFrom": "2026-03-02", "openedTo": "2026-03-01"}, "PERIOD_REVERSED"),
    ):
        assert (await stan.refusal(LIST, filter=given))["extensions"]["code"] == code


async def test_a_ticket_is_asked_for_by_id_or_number_but_not_by_both_or_neither(bea: Client) -> None:
    ticket = await asked(bea)
    both = f'id: "{ticket["id"]}", number: "{ticket["number"]}"'
    for given in (both, "id: null"):
        error = await bea.refusal(f"{{ supportTicket({given}) {{ id }} }}")
        assert error["extensions"]["code"] == "INVALID_INPUT"
    assert await bea.ask('{ supportTicket(number: "ST-9") { id } }') == {"supportTicket": None}


async def test_messages_come_page_by_page_from_either_end(bea: Client, stan: Client) -> None:
    ticket = await asked(bea, "1", text="1")
    for number in range(2, 6):
        await said(bea if number % 2 else stan, ticket, str(number))

    async def page(**given: Any) -> tuple[list[str], dict[str, Any]]:
        found = (await bea.ask(MESSAGES, id=ticket["id"], **given))["supportTicket"]["messages"]
        assert found["totalCount"] == 5
        assert [each["node"]["text"] for each in found["edges"]] == [each["text"] for each in found["nodes"]]
        return [each["text"] for each in found["nodes"]], found["pageInfo"]

    first, info = await page(first=2)
    assert (first, info["hasNextPage"], info["hasPreviousPage"]) == (["1", "2"], True, False)
    then, info = await page(first=3, after=info["endCursor"])
    assert (then, info["hasNextPage"], info["hasPreviousPage"]) == (["3", "4", "5"], False, True)
    assert (await page(last=2))[0] == ["4", "5"]
    error = await bea.refusal(MESSAGES, id=ticket["id"], first=1, last=1)
    assert error["extensions"]["code"] == "INVALID_PAGE"


async def test_of_those_who_close_at_once_one_wins(bea: Client, stan: Client) -> None:
    ticket = await asked(bea)
    answers = await asyncio.gather(
        *(act(each, "Close", ticket=ticket["id"]) for each in (bea, stan, bea, stan))
    )
    losers = [each["errors"] for each in answers if each["supportTicket"] is None]
    assert len(losers) == 3
    assert {each[0]["code"] for each in losers} == {"TICKET_CLOSED"}


async def test_replies_at_once_are_all_kept_in_an_order(bea: Client, stan: Client) -> None:
    ticket = await asked(bea)
    await asyncio.gather(*(said(each, ticket, f"{n}") for n, each in enumerate([bea, stan] * 3)))
    now = await found(bea, ticket)
    assert now is not None
    assert (now["messages"]["totalCount"], now["version"]) == (7, 7)
    moments = [each["at"] for each in now["messages"]["nodes"]]
    assert moments == sorted(moments)
    assert now["lastMessageAt"] == moments[-1]
    last = now["messages"]["nodes"][-1]["author"]["side"]
    assert now["state"] == ("OPEN" if last == "CUSTOMER" else "ANSWERED")


async def test_who_looks_as_an_account_sees_what_it_sees_and_writes_nothing(
    bea: Client, stan: Client
) -> None:
    ticket = await asked(bea)
    await said(stan, ticket, "Never trust her", internal=True)
    account = (await bea.ask("{ viewer { account { id } } }"))["viewer"]["account"]["id"]
    through = await stan.view_as(account)
    assert await found(through, ticket) == await found(bea, ticket)
    for name, given in (("Reply", {"text": "x"}), ("Close", {})):
        assert await refused(through, name, ticket=ticket["id"], **given) == [("READ_ONLY_SESSION", [])]


async def test_tickets_that_are_open_wait_for_the_staff(bea: Client, cleo: Client, stan: Client) -> None:
    waiting = "{ portal { waiting { tickets } } }"
    assert (await stan.ask(waiting))["portal"]["waiting"] == {"tickets": 0}
    ticket = await asked(bea)
    await asked(cleo)
    assert (await stan.ask(waiting))["portal"]["waiting"] == {"tickets": 2}
    await said(stan, ticket, "Done")
    assert (await stan.ask(waiting))["portal"]["waiting"] == {"tickets": 1}
