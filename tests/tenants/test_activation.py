"""Activation: a one-time code opens the door once, in time, and is told and kept nowhere else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uuid_utils.compat as uuid

import db
from rules.accounts import CODE_ALPHABET, code_normalized
from rules.permissions import StaffRole
from tenants import activation
from tests.client import Client, answered
from tests.conftest import At
from tests.resolvers.test_accounts import ACCOUNT, Office, refused, settle
from tests.tenants.test_sessions import name, refusal, sql
from tests.tenants.test_walkthrough import do
from tests.world import PASSWORD, World

ACTIVATE = """mutation($input: AccountActivateInput!) { accountActivate(input: $input) {
  token expiresAt viewer { account { userName } staffMember { userName } } errors { code message path } } }"""
FIRST = "a quiet harbour"


@pytest.fixture
async def office(world: World, at: At) -> Office:
    return await settle(world, at)


async def new_code(office: Office, user_name: str = "mia", **given: Any) -> str:
    """The code of an account that is new."""
    code: str = (await office.provision(userName=user_name, **given))["activationCode"]
    return code


def inputs(code: str, user_name: str = "mia", password: str = FIRST) -> dict[str, str]:
    return {"userName": user_name, "code": code, "password": password}


async def activated(client: Client, code: str, user_name: str = "mia") -> Client:
    """Whoever has set a first password."""
    answer = (await client.ask(ACTIVATE, input=inputs(code, user_name)))["accountActivate"]
    assert answer["errors"] == []
    return Client(client.http, client.slug, answer["token"])


async def outcome(client: Client, code: str, user_name: str = "mia") -> str | None:
    """The code with which an activation is refused, None if it is not."""
    errors = await refused(client, "accountActivate", **inputs(code, user_name))
    assert [path for _, path in errors] == [[]] * len(errors)
    return errors[0][0] if errors else None


async def test_the_code_of_one_portal_opens_nothing_at_another(world: World, office: Office, at: At) -> None:
    sister = await settle(world, at, supplier=office.portal.slug)
    code, others = await new_code(office), await new_code(sister)
    before = await sister.rows()
    assert await outcome(at(sister.portal), code) == "ACTIVATION_REFUSED"
    assert await sister.rows() == before
    assert await name(await activated(at(office.portal), code)) == "mia"
    assert await name(await activated(at(sister.portal), others)) == "mia"


async def test_whoever_has_only_a_code_comes_in_with_no_password(office: Office, at: At) -> None:
    code = await new_code(office)
    for password in (code, code.replace("-", ""), PASSWORD, "", "None"):
        assert await refusal(at(office.portal), "mia", password) == "SIGN_IN_REFUSED"


async def test_a_code_sets_the_first_password_and_signs_in_once(office: Office, at: At) -> None:
    code = await new_code(office)
    client = at(office.portal)
    answer = (await client.ask(ACTIVATE, input=inputs(code)))["accountActivate"]
    assert answer["viewer"] == {"account": {"userName": "mia"}, "staffMember": None}
    assert (answer["errors"], answer["expiresAt"] is None) == ([], False)
    client.token = answer["token"]
    assert await name(client) == "mia"
    account = await office.mona.ask('{ accounts(filter: {search: "mia"}) { nodes { activated version } } }')
    assert account["accounts"]["nodes"] == [{"activated": True, "version": 2}]
    assert await outcome(at(office.portal), code) == "ACTIVATION_CODE_USED"
    assert await name(await at(office.portal).sign_in("mia", FIRST)) == "mia"


async def test_a_code_is_good_for_14_days(office: Office, at: At) -> None:
    code = await new_code(office)
    left = "select activation_expires_at - now() between '13 days 23 hours' and '14 days' from accounts"
    assert await sql(office.portal, f"{left} where user_name = 'mia'") == [(True,)]
    expire = "update accounts set activation_expires_at = now() + $1::text::interval"
    await sql(office.portal, expire, "0 seconds")
    assert await outcome(at(office.portal), code) == "ACTIVATION_CODE_EXPIRED"
    assert await refusal(at(office.portal), "mia", FIRST) == "SIGN_IN_REFUSED"
    await sql(office.portal, expire, "1 minute")
    assert await outcome(at(office.portal), code) is None


async def test_wrong_unknown_and_deactivated_are_told_the_same(office: Office, at: At) -> None:
    await new_code(office)
    codes = {each: await new_code(office, each) for each in ("gone", "late", "done")}
    await office.portal.staff_member("sam")
    assert await outcome(at(office.portal), codes["done"], "done") is None
    await sql(office.portal, "update accounts set active = false where user_name in ('gone', 'done')")
    await sql(office.portal, "update accounts set activation_expires_at = now() where user_name = 'late'")
    told = set()
    for user_name, code in [
        ("mia", "0000-0000-0000-0000"),
        ("mia", ""),
        ("mia", codes["gone"]),
        ("mia", "ü"),
        ("nobody", codes["gone"]),
        ("", codes["gone"]),
        ("m" * 300, codes["gone"]),
        ("gone", codes["gone"]),
        ("gone", "wrong"),
        ("late", "wrong"),
        ("done", codes["done"]),
        ("bea", ""),
        ("sam", ""),
    ]:
        response = await at(office.portal).post(ACTIVATE, {"input": inputs(code, user_name)})
        headers = {
            (key, value)
            for key, value in response.headers.items()
            if key not in ("x-request-id", "content-length")
        }
        told.add((response.status_code, frozenset(headers), answered(response)))
        answer = response.json()["data"]["accountActivate"]
        assert (user_name, answer["errors"][0]["code"]) == (user_name, "ACTIVATION_REFUSED")
        assert answer["token"] is answer["expiresAt"] is answer["viewer"] is None
    assert len(told) == 1


async def test_that_the_portal_is_closed_is_told_only_to_whoever_has_the_code(office: Office, at: At) -> None:
    code = await new_code(office)
    await office.portal.switch(is_open=False)
    assert await outcome(at(office.portal), code) == "PORTAL_CLOSED"
    assert await outcome(at(office.portal), code[::-1]) == "ACTIVATION_REFUSED"
    await office.portal.switch(is_open=True)
    assert await outcome(at(office.portal), code) is None


@pytest.mark.parametrize(
    ("password", "refusal"),
    [
        ("7 chars", "PASSWORD_LENGTH_INVALID"),
        ("x" * 1_001, "PASSWORD_LENGTH_INVALID"),
        ("Football", "PASSWORD_TOO_COMMON"),
        ("mia.of.c1", "PASSWORD_TOO_COMMON"),
    ],
)
async def test_a_weak_password_is_refused_and_costs_neither_the_code_nor_a_try(
    office: Office, at: At, password: str, refusal: str
) -> None:
    code = await new_code(office, "mia.of.c1")
    given = inputs(code, "Mia.of.C1", password)
    for _ in range(11):
        assert await refused(at(office.portal), "accountActivate", **given) == [(refusal, ["password"])]
    assert await outcome(at(office.portal), code, "mia.of.c1") is None


@pytest.mark.parametrize(
    "spelled",
    [
        "01HJ-KMNP-QRST-VWXZ",
        "01hj-kmnp-qrst-vwxz",
        "01HJKMNPQRSTVWXZ",
        " 01hj kmnp\tqrst\u2013vwxz ",
        "OIHJ-KMNP-QRST-VWXZ",
        "oLhj-kmnp-qrst-vwxz",
        "\uff10\uff11\uff28\uff2a-KMNP-QRST-VWXZ",
    ],
)
async def test_a_code_may_be_read_aloud_and_typed_again(office: Office, at: At, spelled: str) -> None:
    await new_code(office)
    await sql(
        office.portal,
        "update accounts set activation_code_hash = $1 where user_name = 'mia'",
        activation.code_hash("01HJ-KMNP-QRST-VWXZ"),
    )
    assert await outcome(at(office.portal), spelled[:-2]) == "ACTIVATION_REFUSED"
    assert await outcome(at(office.portal), spelled) is None


def test_codes_are_80_random_bits_in_letters_that_cannot_be_mixed_up() -> None:
    codes = [activation.new_code() for _ in range(300)]
    assert len({each.text for each in codes}) == 300
    for each in codes:
        assert [len(group) for group in each.text.split("-")] == [4, 4, 4, 4]
        assert code_normalized(each.text) == each.text.replace("-", "")
        assert each.hash == activation.code_hash(each.text.lower())
    assert {letter for each in codes for letter in each.text} == {*CODE_ALPHABET, "-"}


def test_a_code_that_is_mailed_comes_from_the_servers_key_and_both_ids_and_from_nothing_less() -> None:
    key, account, notice = b"k" * 32, uuid.uuid7(), uuid.uuid7()
    code = activation.mailed_code(key, account, notice)
    assert code == activation.mailed_code(key, account, notice)
    assert code.hash == activation.code_hash(code.text)
    others = [
        activation.mailed_code(b"l" * 32, account, notice),
        activation.mailed_code(key, uuid.uuid7(), notice),
        activation.mailed_code(key, account, uuid.uuid7()),
        activation.mailed_code(key, notice, account),
    ]
    assert len({code.text, *(each.text for each in others)}) == 5
    many = [activation.mailed_code(key, account, uuid.uuid7()).text for _ in range(300)]
    assert {letter for each in many for letter in each} == {*CODE_ALPHABET, "-"}
    for each in many:
        assert [len(group) for group in each.split("-")] == [4, 4, 4, 4]


Hash = Callable[[str], Awaitable[str]]


@asynccontextmanager
async def while_hashing(
    world: World, monkeypatch: pytest.MonkeyPatch, *hashing: Awaitable[Any]
) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """Calls that have all come as far as hashing a password; they go on when the block ends."""
    really: Hash = world.passwords.hash
    here, may_go_on = asyncio.Semaphore(0), asyncio.Event()

    async def slowly(password: str) -> str:
        here.release()
        await may_go_on.wait()
        return await really(password)

    monkeypatch.setattr(world.passwords, "hash", slowly)
    tasks = [asyncio.ensure_future(each) for each in hashing]
    for _ in tasks:
        await here.acquire()
    try:
        yield tasks
    finally:
        may_go_on.set()
        await asyncio.gather(*tasks)
        monkeypatch.undo()


async def test_of_two_activations_at_once_exactly_one_wins(
    world: World, office: Office, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = await new_code(office)
    passwords = [f"{FIRST} {number}" for number in range(2)]
    both = [
        refused(at(office.portal), "accountActivate", **inputs(code, password=each)) for each in passwords
    ]
    async with while_hashing(world, monkeypatch, *both) as tasks:
        pass
    answers = [each.result() for each in tasks]
    assert sorted(answers) == [[], [("ACTIVATION_CODE_USED", [])]]
    for password, answer in zip(passwords, answers, strict=True):
        if answer == []:
            await at(office.portal).sign_in("mia", password)
        else:
            assert await refusal(at(office.portal), "mia", password) == "SIGN_IN_REFUSED"


@pytest.mark.parametrize("meanwhile", ["accountDeactivate", "accountResetAccess"])
async def test_a_code_that_is_taken_back_while_the_password_is_hashed_opens_nothing(
    world: World, office: Office, at: At, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    made = await office.provision()
    late = outcome(at(office.portal), made["activationCode"])
    async with while_hashing(world, monkeypatch, late) as (task,):
        await do(office.mona, meanwhile, "account { id }", account=made["account"]["id"])
    assert task.result() == "ACTIVATION_CODE_USED"
    assert await sql(office.portal, "select from sessions where account_id is not null") == []
    assert await refusal(at(office.portal), "mia", FIRST) == "SIGN_IN_REFUSED"


async def test_the_staff_activates_with_codes_too_also_where_the_portal_is_closed(
    world: World, office: Office, at: At
) -> None:
    portal = office.portal
    sister, elsewhere = await world.portal(supplier=portal.slug), await world.portal()
    await portal.staff_member("olga", role=StaffRole.OWNER)
    olga = await at(portal).sign_in("olga")
    new = {"userName": "Stan", "name": "Stan", "email": "stan@staff.example", "roles": [{"role": "AGENT"}]}
    code = (await do(olga, "staffMemberProvision", "staffMember { id } activationCode", **new))[
        "activationCode"
    ]
    await portal.switch(is_open=False)
    assert await refusal(at(portal), "stan", code) == "SIGN_IN_REFUSED"
    assert await outcome(at(elsewhere), code, "stan") == "ACTIVATION_REFUSED"
    assert await name(await activated(at(portal), code, "stan")) == "stan"
    assert await outcome(at(sister), code, "stan") == "ACTIVATION_CODE_USED"
    assert await name(await at(sister).sign_in("stan", FIRST)) == "stan"


async def test_codes_tokens_and_passwords_are_kept_nowhere_in_clear(office: Office, at: At) -> None:
    code = await new_code(office, idempotencyKey="once")
    await office.provision(userName="max", password="the password of max", idempotencyKey="twice")
    mia = await activated(at(office.portal), code)
    assert await refused(at(office.portal), "accountActivate", **inputs("wrong code", "max")) != []
    mias = {"oldPassword": FIRST, "newPassword": "a noisy harbour"}
    assert await refused(mia, "passwordChange", **mias) == []
    node = (await office.mona.ask('{ accounts(filter: {search: "max"}) { nodes { id } } }'))["accounts"][
        "nodes"
    ]
    viewed = await do(office.mona, "accountViewAs", "token", account=node[0]["id"])
    reset = await do(
        office.mona, "accountResetAccess", "activationCode", account=node[0]["id"], idempotencyKey="third"
    )
    secrets = [FIRST, "a noisy harbour", "the password of max", mia.token, office.mona.token, viewed["token"]]
    for each in (code, reset["activationCode"]):
        secrets += [each, code_normalized(each), each.lower()]
    kept = []
    for table in db.metadata.tables:
        if table not in ("suppliers", "portals", "portal_hosts"):
            kept += [row[0] for row in await sql(office.portal, f"select t::text from {table} t")]
    assert len(kept) > 20
    for secret in secrets:
        assert secret
        for spelled in (secret, secret.encode().hex()):
            assert not [row for row in kept if spelled in row]


async def test_the_same_key_provisions_once_and_tells_the_code_once(office: Office, at: At) -> None:
    first = await office.provision(idempotencyKey="once")
    again = await office.provision(idempotencyKey="once")
    assert again == {"account": first["account"], "activationCode": None, "errors": []}
    reused = office.new(name="Another", idempotencyKey="once")
    assert await refused(office.mona, "accountProvision", **reused) == [
        ("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"])
    ]
    assert await sql(office.portal, "select count(*) from accounts where user_name = 'mia'") == [(1,)]
    assert await outcome(at(office.portal), first["activationCode"]) is None


async def test_the_same_key_resets_once_and_tells_the_code_once(office: Office, at: At) -> None:
    given = {"account": office.bea, "idempotencyKey": "once"}
    payload = f"account {{ {ACCOUNT} }} activationCode"
    first = await do(office.mona, "accountResetAccess", payload, **given)
    again = await do(office.mona, "accountResetAccess", payload, **given)
    assert again == {"account": first["account"], "activationCode": None, "errors": []}
    assert await outcome(at(office.portal), first["activationCode"], "bea") is None


@pytest.mark.parametrize("was_active", [True, False])
async def test_whose_access_is_reset_has_no_password_and_no_session_and_comes_back_by_the_code(
    office: Office, at: At, was_active: bool
) -> None:
    portal = office.portal
    bea = await at(portal).sign_in("bea")
    if not was_active:
        await do(office.mona, "accountDeactivate", "account { id }", account=office.bea)
    done = await do(
        office.mona, "accountResetAccess", f"account {{ {ACCOUNT} }} activationCode", account=office.bea
    )
    assert (done["account"]["active"], done["account"]["activated"]) == (True, False)
    assert await name(bea) is None
    assert await refusal(at(portal), "bea") == "SIGN_IN_REFUSED"
    second = await do(office.mona, "accountResetAccess", "activationCode", account=office.bea)
    assert await outcome(at(portal), done["activationCode"], "bea") == "ACTIVATION_REFUSED"
    assert await outcome(at(portal), second["activationCode"], "bea") is None
    assert await name(await at(portal).sign_in("bea", FIRST)) == "bea"
    assert await refusal(at(portal), "bea") == "SIGN_IN_REFUSED"
