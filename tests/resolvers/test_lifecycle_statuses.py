"""Lifecycle statuses, over HTTP: a company names the stations of its orders."""

import asyncio
from typing import Any

import pytest

from rules.permissions import StaffRole
from tests.client import Client
from tests.conftest import At
from tests.resolvers.test_carts import add
from tests.resolvers.test_orders import place
from tests.world import Portal, World

STATUS = "id subject code name nameEn nameDe processingState predefined position version"
LIST = f"query($subject: Subject!) {{ lifecycleStatuses(subject: $subject) {{ {STATUS} }} }}"
CREATE = f"""mutation($input: LifecycleStatusCreateInput!) {{ lifecycleStatusCreate(input: $input) {{
  lifecycleStatus {{ {STATUS} }} errors {{ code path }} }} }}"""
UPDATE = f"""mutation($input: LifecycleStatusUpdateInput!) {{ lifecycleStatusUpdate(input: $input) {{
  lifecycleStatus {{ {STATUS} }} errors {{ code path }} }} }}"""
NODE = f"query($id: ID!) {{ node(id: $id) {{ id ... on LifecycleStatus {{ {STATUS} }} }} }}"


async def create(client: Client, code: str = "packing", **given: Any) -> dict[str, Any]:
    new = {"subject": "ORDER", "code": code, "nameEn": "Packing", "nameDe": "Wird gepackt"}
    new |= {"processingState": "IN_PROGRESS"} | given
    answer: dict[str, Any] = (await client.ask(CREATE, input=new))["lifecycleStatusCreate"]
    return answer


async def update(client: Client, status: str, **given: Any) -> dict[str, Any]:
    found = await client.ask(UPDATE, input={"lifecycleStatus": status, **given})
    answer: dict[str, Any] = found["lifecycleStatusUpdate"]
    return answer


async def listed(client: Client, subject: str = "ORDER") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await client.ask(LIST, subject=subject))["lifecycleStatuses"]
    return found


def codes(answer: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(each["code"], each["path"]) for each in answer["errors"]]


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.account("bea")
    await portal.staff_member("stan")
    return portal


@pytest.fixture
async def stan(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("stan")


async def test_an_outsider_sees_none_and_a_customer_changes_none(
    portal: Portal, stan: Client, at: At
) -> None:
    assert (await at(portal).refusal(LIST, subject="ORDER"))["extensions"]["code"] == "UNAUTHENTICATED"
    bea = await at(portal).sign_in("bea")
    assert len(await listed(bea)) == 4
    await portal.staff_member("ann", role=StaffRole.AGENT)
    status = (await listed(stan))[0]["id"]
    for somebody in (bea, await at(portal).sign_in("ann")):
        assert codes(await create(somebody)) == [("MISSING_PERMISSION", [])]
        assert codes(await update(somebody, status, nameEn="Mine")) == [("MISSING_PERMISSION", [])]


async def test_another_companys_status_is_not_there(world: World, stan: Client, at: At) -> None:
    status = (await create(stan))["lifecycleStatus"]
    other = await world.portal()
    await other.staff_member("oscar")
    oscar = await at(other).sign_in("oscar")
    assert codes(await update(oscar, status["id"], nameEn="Mine")) == [("NOT_FOUND", ["lifecycleStatus"])]
    assert (await oscar.ask(NODE, id=status["id"]))["node"] is None
    assert (await stan.ask(NODE, id=status["id"]))["node"] == status
    assert "packing" not in [each["code"] for each in await listed(oscar)]


async def test_a_company_adds_a_status_in_a_processing_state(stan: Client) -> None:
    made = await create(stan, position=1)
    assert made["errors"] == []
    assert made["lifecycleStatus"] | {"id": ""} == {
        "id": "",
        "subject": "ORDER",
        "code": "packing",
        "name": "Packing",
        "nameEn": "Packing",
        "nameDe": "Wird gepackt",
        "processingState": "IN_PROGRESS",
        "predefined": False,
        "position": 1,
        "version": 1,
    }
    assert [each["code"] for each in await listed(stan)] == [
        "not-started",
        "in-progress",
        "packing",
        "completed",
        "cancelled",
    ]
    assert len(await listed(stan, "RMA_REQUEST")) == 4
    assert (await create(stan, subject="RMA_REQUEST"))["errors"] == []


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"code": "in-progress"}, ("CODE_TAKEN", ["code"])),
        ({"code": " "}, ("TEXT_MISSING", ["code"])),
        ({"nameEn": ""}, ("TEXT_MISSING", ["nameEn"])),
        ({"nameDe": "x" * 201}, ("TEXT_TOO_LONG", ["nameDe"])),
        ({"position": -1}, ("POSITION_INVALID", ["position"])),
    ],
)
async def test_a_status_that_makes_no_sense_is_refused(
    given: dict[str, Any], error: Any, stan: Client
) -> None:
    assert codes(await create(stan, **given)) == [error]
    assert len(await listed(stan)) == 4


async def test_a_status_is_renamed_and_moved(portal: Portal, stan: Client) -> None:
    status = (await create(stan))["lifecycleStatus"]
    changed = await update(stan, status["id"], nameEn="Being packed", position=7, version=1)
    assert changed["lifecycleStatus"] == status | {
        "name": "Being packed",
        "nameEn": "Being packed",
        "position": 7,
        "version": 2,
    }
    assert codes(await update(stan, status["id"], version=1)) == [("VERSION_CONFLICT", ["version"])]
    assert codes(await update(stan, status["id"], nameDe="")) == [("TEXT_MISSING", ["nameDe"])]
    assert codes(await update(stan, "x")) == [("NOT_FOUND", ["lifecycleStatus"])]


async def test_one_status_stands_for_each_state_whatever_happens(
    portal: Portal, stan: Client, at: At
) -> None:
    first = next(each for each in await listed(stan) if each["code"] == "not-started")
    answer = await update(stan, first["id"], predefined=False)
    assert codes(answer) == [("PREDEFINED_NEEDED", ["predefined"])]
    made = await create(stan, "new", processingState="NOT_STARTED", predefined=True)
    assert made["errors"] == []
    bea = await at(portal).sign_in("bea")
    await add(bea, {"sku": "A", "quantity": "1"})
    assert (await place(bea))["orders"][0]["status"]["code"] == "new"
    assert (await update(stan, first["id"], predefined=True))["errors"] == []
    standing = [each["code"] for each in await listed(stan) if each["predefined"]]
    assert standing == ["not-started", "in-progress", "completed", "cancelled"]


async def test_of_several_who_want_to_stand_for_a_state_at_once_one_does(stan: Client) -> None:
    made = [(await create(stan, f"s{number}"))["lifecycleStatus"]["id"] for number in range(4)]
    await asyncio.gather(*(update(stan, each, predefined=True) for each in made))
    standing = [each for each in await listed(stan) if each["predefined"]]
    assert len(standing) == 4
    assert len({each["processingState"] for each in standing}) == 4
