"""Sending: every notice reaches its mail server at least once, whoever fails meanwhile; what is refused for good is told."""

import asyncio
import os
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtpd.smtp
import pytest
from aiosmtpd.smtp import Envelope
from pydantic import SecretStr

from db.connections import Database
from db.isolation import Mode
from rules import notices as rules
from server import workers
from server.app import facilities_of
from server.mailing import Folder, open_carrier
from server.metrics import Metrics
from server.settings import ROOT, Settings
from tenants.mail import Mail, MailDelayed
from tenants.notices import GIVEN_UP, OFF, REPLACED, look_after
from tenants.storage import Storage
from tests.conftest import At
from tests.resolvers.test_accounts import Office, settle
from tests.resolvers.test_notices import listed, only, order, retry
from tests.server.test_outgoing import CERTIFICATE
from tests.tenants.test_activation import outcome
from tests.tenants.test_walkthrough import do
from tests.world import World

SOON = 20


class Box:
    """A mail server's handler: what it was given, and what it answers."""

    def __init__(self) -> None:
        self.got: list[Envelope] = []
        self.recipient = "250 OK"
        self.content = "250 OK"
        self.holding: asyncio.Event | None = None

    async def handle_RCPT(  # noqa: N802  (the library's name)
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if self.recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        if self.content.startswith("250"):
            self.got.append(envelope)
        if self.holding is not None:
            await self.holding.wait()
        return self.content

    @property
    def mails(self) -> list[EmailMessage]:
        """What it was given, read."""
        return [read(each.content) for each in self.got]

    async def becomes(self, count: int) -> None:
        await until(lambda: len(self.got) >= count)


def read(content: Any) -> EmailMessage:
    found = message_from_bytes(content, policy=policy.SMTP)
    assert isinstance(found, EmailMessage)
    return found


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(SOON):
        while True:
            found = holds()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def receiving(box: Box, port: int = 0) -> AsyncIterator[int]:
    """A mail server at a port of this machine."""
    server = await asyncio.get_running_loop().create_server(
        lambda: aiosmtpd.smtp.SMTP(box, hostname="mail.example", enable_SMTPUTF8=True), "127.0.0.1", port
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
async def office(world: World, at: At) -> Office:
    async with world.database.transaction(Mode.WRITE, None) as connection:
        await connection.fetch_text("delete from jobs.pgqueuer")  # what other tests have left
    return await settle(world, at)


def speaking(settings: Settings, port: int, **more: Any) -> Settings:
    """The settings of a worker that sends to that port."""
    given = {
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_security": "none",
        "smtp_timeout_seconds": 2,
        "worker_heartbeat_seconds": 1,
        "worker_poll_seconds": 0.2,
    }
    return settings.model_copy(update=given | more)


@asynccontextmanager
async def working(settings: Settings, world: World) -> AsyncIterator[None]:
    """A worker as the server has it."""
    facilities = facilities_of(settings, world.database, world.passwords, Storage.in_memory())
    async with workers.working(settings, facilities, Metrics(facilities)) as worker:
        await asyncio.wait_for(worker.working.wait(), SOON)
        yield


async def becomes(office: Office, state: str) -> dict[str, Any]:
    """The one notice of a portal, once it is in a state."""

    async def there() -> bool:
        return len(await listed(office.mona, states=[state])) == 1

    await until(there)
    return await only(office.mona)


async def test_the_code_in_the_mail_opens_the_door_and_stands_nowhere_else(
    world: World, office: Office, at: At, settings: Settings, box: Box
) -> None:
    async with receiving(box) as port, working(speaking(settings, port), world):
        made = await office.provision()
        told = await becomes(office, "SENT")
    (mail,) = box.mails
    (envelope,) = box.got
    assert envelope.rcpt_tos == ["mia@customers.example"]
    assert envelope.mail_from == "no-reply@localhost"
    assert mail["To"] == "mia@customers.example"
    assert mail["Reply-To"] == f"help@{office.portal.slug}.example"
    assert (mail["Auto-Submitted"], mail["Content-Language"]) == ("auto-generated", "en")
    code = mail.get_content().split("Activation code:")[1].split()[0]
    assert code == made["activationCode"]
    assert (told["tries"], told["lastError"], told["nextTryAt"]) == (1, None, None)
    assert told["sentAt"] is not None
    assert code not in str(told)
    assert await outcome(at(office.portal), code) is None


async def test_a_mail_is_told_to_whoever_placed_the_order_alone(
    world: World, office: Office, at: At, settings: Settings, box: Box
) -> None:
    portal = office.portal
    await portal.account("bert")
    await portal.product("A", name="Größe")
    bea = await at(portal).sign_in("bea")
    async with receiving(box) as port, working(speaking(settings, port), world):
        (placed,) = await order(bea, "A")
        told = await becomes(office, "SENT")
    assert [each.rcpt_tos for each in box.got] == [["bea@customers.example"]]
    assert box.mails[0]["Subject"] == f"Your order {placed['number']}"
    assert box.mails[0].get_content().replace("\r\n", "\n") == told["body"]


async def test_without_a_mail_server_mails_are_files_that_programs_open(
    world: World, office: Office, settings: Settings, tmp_path: Path
) -> None:
    told_to = settings.model_copy(update={"mail_folder": tmp_path / "mail"})
    async with working(told_to, world):
        made = await office.provision(email="jürgen@müller.example")
        await becomes(office, "SENT")
    (file,) = (tmp_path / "mail").iterdir()
    assert file.suffix == ".eml"
    assert file.stat().st_mode & 0o077 == 0
    assert made["activationCode"] in read(file.read_bytes()).get_content()
    assert "To: jürgen@xn--mller-kva.example\r\n".encode() in file.read_bytes()


async def test_a_folder_that_cannot_be_written_to_delays(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file")
    with pytest.raises(MailDelayed):
        await Folder(tmp_path / "mail").send(Mail("key", "a@b.de", "c@d.de", b"", international=False))


async def test_where_mail_is_off_that_is_told_and_can_be_made_up_for(
    world: World, office: Office, settings: Settings, box: Box
) -> None:
    off = settings.model_copy(update={"environment": "production"})
    assert open_carrier(off) is None
    async with working(off, world):
        await office.provision()
        told = await becomes(office, "FAILED")
    assert (told["lastError"], told["tries"]) == (OFF, 1)
    async with receiving(box) as port, working(speaking(settings, port), world):
        assert await retry(office.mona, told["id"]) == []
        await becomes(office, "SENT")


async def test_a_server_that_is_down_delays_and_loses_nothing(
    world: World, office: Office, settings: Settings, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "_PAUSES", (timedelta(seconds=0.3),))
    async with receiving(box) as port:
        pass
    async with working(speaking(settings, port), world):
        await office.provision()

        async def tried() -> bool:
            return bool((await only(office.mona))["tries"] >= 2)

        await until(tried)
        told = await only(office.mona)
        assert (told["state"], told["sentAt"]) == ("WAITING", None)
        assert told["lastError"].startswith("the mail server cannot be reached: SMTPConnect")
        async with receiving(box, port):
            told = await becomes(office, "SENT")
    assert len(box.got) == 1
    assert told["tries"] >= 3


@pytest.mark.parametrize("answers", ["recipient", "content"])
async def test_a_refusal_for_good_is_told_at_once_and_one_for_now_is_not(
    world: World,
    office: Office,
    settings: Settings,
    box: Box,
    monkeypatch: pytest.MonkeyPatch,
    answers: str,
) -> None:
    monkeypatch.setattr(rules, "_PAUSES", (timedelta(seconds=0.1),))
    setattr(box, answers, "451 come again")
    async with receiving(box) as port, working(speaking(settings, port), world):
        await office.provision()

        async def tried() -> bool:
            return bool((await only(office.mona))["tries"] >= 2)

        await until(tried)
        told = await only(office.mona)
        assert (told["state"], told["lastError"]) == ("WAITING", "the mail server said 451 come again")
        setattr(box, answers, "550 no such user")
        told = await becomes(office, "FAILED")
        assert told["lastError"] == "the mail server said 550 no such user"
        await asyncio.sleep(0.5)
        assert (await only(office.mona))["tries"] == told["tries"]
    assert box.got == []


async def test_it_is_given_up_after_the_last_try(
    world: World, office: Office, settings: Settings, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "_PAUSES", (timedelta(seconds=0.05),))
    monkeypatch.setattr(rules, "MOST_TRIES", 3)
    box.recipient = "451 come again"
    async with receiving(box) as port, working(speaking(settings, port), world):
        await office.provision()
        told = await becomes(office, "FAILED")
    assert (told["tries"], told["lastError"]) == (3, "the mail server said 451 come again")


async def test_what_kills_every_worker_is_given_up_too(
    world: World, office: Office, settings: Settings, box: Box
) -> None:
    await office.provision()
    async with office.portal.writing() as connection:
        await connection.fetch_text("update notices set tries = $1", rules.MOST_TRIES)
    async with receiving(box) as port, working(speaking(settings, port), world):
        told = await becomes(office, "FAILED")
    assert told["lastError"] == GIVEN_UP
    assert box.got == []


@pytest.mark.parametrize("how", ["used", "reset", "expired", "deactivated"])
async def test_a_code_that_opens_nothing_any_more_is_not_sent(
    world: World, office: Office, at: At, settings: Settings, box: Box, how: str
) -> None:
    made = await office.provision()
    account = made["account"]["id"]
    if how == "used":
        assert await outcome(at(office.portal), made["activationCode"]) is None
    elif how == "reset":
        await do(office.mona, "accountResetAccess", "activationCode", account=account)
    elif how == "expired":
        async with office.portal.writing() as connection:
            await connection.fetch_text("update accounts set activation_expires_at = now()")
    else:
        await do(office.mona, "accountDeactivate", "account { id }", account=account)
    async with receiving(box) as port, working(speaking(settings, port), world):
        await becomes_failed(office)
        await box.becomes(1 if how == "reset" else 0)
    failed = await only(office.mona, states=["FAILED"])
    assert failed["lastError"] == REPLACED
    assert len(box.got) == (1 if how == "reset" else 0)
    assert all(made["activationCode"] not in each.get_content() for each in box.mails)


async def becomes_failed(office: Office) -> None:
    async def there() -> bool:
        return len(await listed(office.mona, states=["FAILED"])) == 1

    await until(there)


async def test_another_servers_key_makes_no_code_that_is_sent(
    world: World, office: Office, settings: Settings, box: Box, tmp_path: Path
) -> None:
    await office.provision()
    async with receiving(box) as port, working(speaking(settings, port, home=tmp_path), world):
        assert (await becomes(office, "FAILED"))["lastError"] == REPLACED
    assert box.got == []


async def test_no_connection_is_held_while_a_mail_is_on_its_way(
    world: World, office: Office, settings: Settings, box: Box, database_url: str
) -> None:
    box.holding = asyncio.Event()
    small = await Database.open(database_url, size=1, wait_seconds=1)
    told_to = speaking(settings, 0)
    try:
        async with receiving(box) as port:
            told_to = speaking(settings, port)
            facilities = facilities_of(told_to, small, world.passwords, Storage.in_memory())
            async with workers.working(told_to, facilities, Metrics(facilities)):
                await office.provision()
                await box.becomes(1)
                async with small.transaction(Mode.SNAPSHOT, office.portal.tenant_id) as connection:
                    rows = await connection.fetch_text("select state, tries from notices")
                assert [tuple(each) for each in rows] == [("WAITING", 1)]
                box.holding.set()
                await becomes(office, "SENT")
    finally:
        await small.close()


async def test_a_fault_of_ours_delays_one_notice_and_no_other(
    world: World, office: Office, settings: Settings, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "_PAUSES", (timedelta(hours=1),))
    await office.provision()

    def broken(_draft: Any) -> Any:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr("tenants.notices.composed", broken)
    async with receiving(box) as port, working(speaking(settings, port), world):

        async def tried() -> bool:
            return (await only(office.mona))["lastError"] is not None

        await until(tried)
    told = await only(office.mona)
    assert (told["state"], told["lastError"]) == ("WAITING", "a fault of this server: RuntimeError")


async def test_nothing_is_said_in_clear_to_a_server_that_should_encrypt(settings: Settings, box: Box) -> None:
    async with receiving(box) as port:
        for security in ("starttls", "tls"):
            carrier = open_carrier(speaking(settings, port, smtp_security=security))
            assert carrier is not None
            with pytest.raises(MailDelayed):
                await carrier.send(
                    Mail("key", "a@b.de", "c@d.de", b"Subject: x\r\n\r\n", international=False)
                )
    assert box.got == []


async def test_nothing_is_said_to_a_server_that_is_not_who_it_says(settings: Settings, box: Box) -> None:
    """It encrypts, with a certificate that it has made itself."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(CERTIFICATE)
    mail = Mail("key", "a@b.de", "c@d.de", b"Subject: x\r\n\r\n", international=False)
    known = {"smtp_user": "kontor", "smtp_password": SecretStr("swordfish")}
    heard: list[object] = []

    def begin() -> aiosmtpd.smtp.SMTP:
        heard.append(None)
        return aiosmtpd.smtp.SMTP(box, hostname="mail.example", tls_context=tls)

    for security, at_once in (("starttls", None), ("tls", tls)):
        listening = await asyncio.get_running_loop().create_server(begin, "127.0.0.1", 0, ssl=at_once)
        carrier = open_carrier(
            speaking(settings, listening.sockets[0].getsockname()[1], smtp_security=security, **known)
        )
        assert carrier is not None
        with pytest.raises(MailDelayed):
            await carrier.send(mail)
        listening.close()
    assert heard
    assert box.got == []


async def test_a_server_that_does_not_know_us_delays(settings: Settings, box: Box) -> None:
    known = {"smtp_user": "kontor", "smtp_password": SecretStr("swordfish")}
    async with receiving(box) as port:
        carrier = open_carrier(speaking(settings, port, **known))
        assert carrier is not None
        with pytest.raises(MailDelayed) as delayed:
            await carrier.send(Mail("key", "a@b.de", "c@d.de", b"Subject: x\r\n\r\n", international=False))
    assert "swordfish" not in str(delayed.value)
    assert box.got == []


@asynccontextmanager
async def process(settings: Settings) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker in a process of its own."""
    said = {
        "DATABASE_URL": settings.database_url,
        "KONTOR_HOME": str(settings.home),
        "KONTOR_SMTP_HOST": settings.smtp_host,
        "KONTOR_SMTP_PORT": str(settings.smtp_port),
        "KONTOR_SMTP_SECURITY": settings.smtp_security,
        "KONTOR_WORKER_HEARTBEAT_SECONDS": "1",
        "KONTOR_WORKER_POLL_SECONDS": "0.2",
    }
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server", "worker", cwd=ROOT, env=os.environ | said
    )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.send_signal(signal.SIGKILL)
        await running.wait()


async def test_a_worker_that_is_killed_before_it_could_say_so_has_the_same_mail_sent_again(
    office: Office, settings: Settings, box: Box, world: World
) -> None:
    box.holding = asyncio.Event()
    async with receiving(box) as port:
        told_to = speaking(settings, port)
        made = await office.provision()
        async with process(told_to):
            await box.becomes(1)  # and it waits for the answer
        told = await only(office.mona)
        assert (told["state"], told["tries"]) == ("WAITING", 1)
        box.holding.set()
        async with working(told_to, world):
            told = await becomes(office, "SENT")
    assert told["tries"] == 2
    first, second = box.got
    assert first.content == second.content
    ids = {each["Message-ID"] for each in box.mails}
    assert len(ids) == 1
    assert all(made["activationCode"] in each.get_content() for each in box.mails)


async def test_what_no_job_is_there_for_is_tried_again_and_what_is_old_is_forgotten(
    office: Office, settings: Settings, box: Box, world: World
) -> None:
    async with receiving(box) as port:
        told_to = speaking(settings, port)
        await office.provision()
        async with working(told_to, world):
            await becomes(office, "SENT")
        await world_says(world, office, "update notices set at = now() - interval '401 days'")
        await office.provision(userName="nils", email="nils@customers.example")
        await world_says(
            world,
            office,
            "delete from jobs.pgqueuer",
            "update notices set next_try_at = now() - interval '1 hour' where state = 'WAITING'",
        )
        for _ in range(2):
            async with world.database.transaction(Mode.WRITE, office.portal.tenant_id) as connection:
                await look_after(connection)
                jobs = await connection.fetch_text("select entrypoint from jobs.pgqueuer")
            assert [tuple(each) for each in jobs] == [("notice.send",)]
        async with working(told_to, world):
            await box.becomes(2)
    told = await only(office.mona)
    assert told["address"] == "nils@customers.example"


async def world_says(world: World, office: Office, *said: str) -> None:
    async with world.database.transaction(Mode.WRITE, office.portal.tenant_id) as connection:
        for each in said:
            await connection.fetch_text(each)
