"""Notices: sending what was written down to be told by mail. At least once; a repeat has the same Message-ID."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog

import db
from db.connections import Connection, Database
from db.isolation import Mode
from db.jobs import Job
from db.notices import Notice
from db.portals import Portal
from rules.notices import MOST_TRIES, NoticeKind, pause, reason_kept, with_code
from tenants.activation import mailed_code
from tenants.mail import Carrier, Draft, MailDelayed, MailRefused, composed

_log = structlog.get_logger("kontor.notices")

OFF = "This server sends no mail: neither KONTOR_SMTP_HOST nor KONTOR_MAIL_FOLDER is set."
REPLACED = "The code is no longer good: it was used or replaced, has expired, or the account may not come in."
# Whoever tried the last time did not live to say what came of it.
GIVEN_UP = "This was tried too often."


@dataclass(frozen=True, slots=True)
class Sender:
    """What sending takes. `address` is the one that mails come from; without a carrier none are sent. `key` makes
    activation codes anew."""

    database: Database
    carrier: Carrier | None
    address: str
    key: bytes

    async def send(self, tenant_id: UUID, notice_id: UUID) -> None:
        """Try to send a notice; when it is to be tried again, a job is there for that.

        No connection is held while it is on its way. Whoever is killed before it is marked as sent has it sent
        again: a mail that comes twice does less harm than one that never comes.
        """
        async with self.database.transaction(Mode.WRITE, tenant_id) as connection:
            notice = await db.notices.begin(connection, notice_id)
            if notice is None:
                return
            draft = await self._draft(connection, notice)
        reason, again = await self._carried(draft, notice)
        async with self.database.transaction(Mode.WRITE, tenant_id) as connection:
            if reason is None:
                await db.notices.sent(connection, notice_id)
            elif again is not None:
                await db.notices.delay(connection, notice_id, reason_kept(reason), again)
                await db.jobs.enqueue(connection, Job.NOTICE_SEND, [notice_id], after=again)
            else:
                await db.notices.fail(connection, notice_id, reason_kept(reason))
        _log.info(
            "notice", tenant_id=str(tenant_id), notice_id=str(notice_id), kind=notice.kind, reason=reason
        )

    async def _carried(self, draft: Draft | None, notice: Notice) -> tuple[str | None, timedelta | None]:
        """Why it was not sent, if so, and after which time to try again, if that makes sense."""
        if self.carrier is None:
            return OFF, None
        if draft is None:
            return REPLACED, None
        if notice.tries > MOST_TRIES:
            return GIVEN_UP, None
        try:
            await self.carrier.send(composed(draft))
        except MailRefused as refused:
            return str(refused), None
        except MailDelayed as delayed:
            return str(delayed), pause(notice.tries)
        except Exception as fault:  # ours: it must not keep the notice waiting for ever
            _log.error("notice not sent", notice_id=str(notice.id), exc_info=fault)
            return f"a fault of this server: {type(fault).__name__}", pause(notice.tries)
        return None, None

    async def _draft(self, connection: Connection, notice: Notice) -> Draft | None:
        """What is to be sent; None where a code would open nothing any more."""
        portal = await db.portals.by_tenant(connection)
        login = await db.accounts.login_of(connection, notice.account_id)
        assert portal is not None
        assert login is not None, "accounts are never removed"
        body = notice.body
        if notice.kind == NoticeKind.ACTIVATION:
            code = mailed_code(self.key, notice.account_id, notice.id)
            good = login.activation_code_hash == code.hash and login.activation_used_at is None
            if not good or login.activation_expired or not login.active:
                return None
            body = with_code(body, code.text)
        return self._written(portal, notice, body)

    def _written(self, portal: Portal, notice: Notice, body: str) -> Draft:
        return Draft(
            key=str(notice.id),
            sender=self.address,
            sender_name=portal.name,
            recipient=notice.address,
            reply_to=portal.support_email,
            at=notice.at,
            language=notice.language,
            subject=notice.subject,
            body=body,
        )


async def look_after(connection: Connection) -> None:
    """Forget what was written long ago, and have what no job is there for any more tried again."""
    await db.notices.forget(connection)
    late = await db.notices.late(connection)
    if late:
        queued = await db.jobs.queued(connection, Job.NOTICE_SEND, late)
        await db.jobs.enqueue(connection, Job.NOTICE_SEND, [each for each in late if each not in queued])
