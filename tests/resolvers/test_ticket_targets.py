"""The times that a company sets itself for its tickets, over HTTP."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from db.isolation import Mode
from resolvers.nodes import global_id
from tests.client import Client
from tests.conftest import At
from tests.tickets import asked, done, found, said, subjects
from tests.world import Portal, World

UPDATE = """mutation($input: PortalUpdateInput!) { portalUpdate(input: $input) {
  portal { firstAnswerHours resolutionHours version } errors { code path } } }"""
HOURS = "{ portal { firstAnswerHours resolutionHours version } }"


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.account("bea")
    await portal.staff_member("stan")
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


@pytest.fixture
async def stan(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("stan")


async def aim(client: Client, **given: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.ask(UPDATE, input=given))["portalUpdate"]
    return answer


async def let_pass(portal: Portal, ticket: dict[str, Any], hours: int) -> None:
    """Let time go by for a ticket; the server itself cannot change when it was opened."""
    done = ["opened_at", "last_message_at", "first_answered_at", "resolved_at"]
    moments = [*done, "first_answer_due_at", "resolution_due_at"]
    earlier = ", ".join(f"{name} = {name} - make_interval(hours => $2)" for name in moments)
    sql = f"update support_tickets set {earlier} where tenant_id = $3 and number = $1"
    async with portal.world.registry.transaction(Mode.WRITE, portal.tenant_id) as connection:
        await connection.fetch_text(sql, ticket["number"], hours, portal.tenant_id)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_only_who_keeps_the_portal_sets_times(bea: Client) -> None:
    answer = await aim(bea, firstAnswerHours=1)
    assert answer["errors"] == [{"code": "MISSING_PERMISSION", "path": []}]
    assert (await bea.ask(HOURS))["portal"] == {
        "firstAnswerHours": None,
        "resolutionHours": None,
        "version": 1,
    }


async def test_times_are_set_changed_and_taken_away(bea: Client, stan: Client) -> None:
    set_ = await aim(stan, firstAnswerHours=4, resolutionHours=48)
    wanted = {"firstAnswerHours": 4, "resolutionHours": 48, "version": 2}
    assert set_ == {"portal": wanted, "errors": []}
    assert (await bea.ask(HOURS))["portal"] == wanted
    assert (await aim(stan, firstAnswerHours=4))["portal"] == wanted  # nothing changed
    taken = await aim(stan, firstAnswerHours=None)
    assert taken["portal"] == {"firstAnswerHours": None, "resolutionHours": 48, "version": 3}
    named = await aim(stan, name="Other")
    assert named["portal"] == {"firstAnswerHours": None, "resolutionHours": 48, "version": 4}


@pytest.mark.parametrize("name", ["firstAnswerHours", "resolutionHours"])
async def test_times_are_an_hour_to_a_year(name: str, stan: Client) -> None:
    for hours in (0, -1, 8_761):
        answer = await aim(stan, **{name: hours})
        assert answer["errors"] == [{"code": "SUPPORT_HOURS_INVALID", "path": [name]}]
    for hours in (1, 8_760):
        assert (await aim(stan, **{name: hours}))["portal"][name] == hours


async def test_without_times_nothing_is_ever_due(bea: Client, stan: Client) -> None:
    ticket = await asked(bea)
    assert (ticket["firstAnswerDueAt"], ticket["resolutionDueAt"]) == (None, None)
    assert (ticket["firstAnswer"], ticket["resolution"], ticket["overdue"]) == ("NONE", "NONE", False)
    assert await subjects(stan, overdue=True) == []


async def test_due_times_are_those_of_the_day_of_opening(bea: Client, stan: Client) -> None:
    await aim(stan, firstAnswerHours=4, resolutionHours=48)
    ticket = await asked(bea)
    assert moment(ticket["firstAnswerDueAt"]) - moment(ticket["openedAt"]) == timedelta(hours=4)
    assert moment(ticket["resolutionDueAt"]) - moment(ticket["openedAt"]) == timedelta(hours=48)
    assert (ticket["firstAnswer"], ticket["resolution"], ticket["overdue"]) == ("PENDING", "PENDING", False)
    await aim(stan, firstAnswerHours=None, resolutionHours=1)
    assert await found(bea, ticket) == ticket
    later = await asked(bea)
    assert (later["firstAnswerDueAt"], later["firstAnswer"]) == (None, "NONE")


async def test_what_is_late_is_overdue_until_it_is_done_and_stays_missed(
    portal: Portal, bea: Client, stan: Client
) -> None:
    await aim(stan, firstAnswerHours=4, resolutionHours=48)
    ticket = await asked(bea, "Late")
    await let_pass(portal, ticket, 5)
    await asked(bea, "Fresh")

    async def stood(first: str, last: str, *, late: bool) -> None:
        for client in (bea, stan):
            now = await found(client, ticket)
            assert now is not None
            assert (now["firstAnswer"], now["resolution"], now["overdue"]) == (first, last, late)
            assert await subjects(client, overdue=True) == (["Late"] if late else [])
            assert sorted(await subjects(client, overdue=False)) == (["Fresh"] if late else ["Fresh", "Late"])

    await stood("MISSED", "PENDING", late=True)
    await said(stan, ticket, "Sorry")
    await stood("MISSED", "PENDING", late=False)
    await let_pass(portal, ticket, 44)
    await stood("MISSED", "MISSED", late=True)
    await done(bea, "Close", ticket=ticket["id"])
    await stood("MISSED", "MISSED", late=False)
    await done(stan, "Reopen", ticket=ticket["id"])
    await stood("MISSED", "MISSED", late=True)


async def test_what_is_closed_in_time_needs_no_answer_any_more(
    portal: Portal, bea: Client, stan: Client
) -> None:
    await aim(stan, firstAnswerHours=4, resolutionHours=48)
    ticket = await asked(bea)
    closed = await done(bea, "Close", ticket=ticket["id"])
    assert (closed["firstAnswer"], closed["resolution"]) == ("MET", "MET")
    await let_pass(portal, ticket, 100)
    assert await subjects(stan, overdue=True) == []


async def test_a_ticket_that_the_company_opens_waits_for_no_answer_of_its_own(
    portal: Portal, stan: Client
) -> None:
    await aim(stan, firstAnswerHours=4, resolutionHours=48)
    customer = global_id("Customer", portal.customers["C1"])
    ticket = await done(stan, "Open", subject="Hello", text="Hello", customer=customer)
    assert (ticket["firstAnswerDueAt"], ticket["firstAnswer"]) == (None, "NONE")
    assert ticket["resolution"] == "PENDING"
