"""Mailing: what takes mails away, as the settings say: a mail server, a folder, or nothing."""

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import aiosmtplib
from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from server.jobs import Tools
from server.settings import Settings
from tenants.mail import Carrier, Mail, MailDelayed, MailRefused
from tenants.notices import Sender

# From here on a server's answer is final (RFC 5321, 4.2.1).
_FINAL = 500


def open_carrier(settings: Settings) -> Carrier | None:
    """The mail server that is named, or else the folder; None: no mails are sent."""
    if settings.smtp_host:
        return Server(settings)
    folder = settings.mails_folder
    return Folder(folder) if folder is not None else None


@dataclass(frozen=True, slots=True)
class Folder:
    """Each mail becomes a file that mail programs open; one that is sent again replaces itself."""

    folder: Path

    async def send(self, mail: Mail) -> None:
        """Raises MailDelayed when it cannot be written."""
        try:
            await asyncio.to_thread(self._write, mail)
        except OSError as failed:
            raise MailDelayed(f"the folder cannot be written to: {failed.strerror}") from None

    def _write(self, mail: Mail) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".", delete=False) as file:
            written = Path(file.name)
            try:
                file.write(mail.content)
                file.flush()
                written.replace(self.folder / f"{mail.key}.eml")
            except OSError:
                written.unlink(missing_ok=True)
                raise


class Server:
    """A mail server, to which each mail takes a connection of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def send(self, mail: Mail) -> None:
        """Refused is what the server refuses for good of whom it goes to and what it says. What else goes wrong, also
        that the server takes nothing from us, is put right there or here, and tried again."""
        try:
            async with asyncio.timeout(self._settings.smtp_timeout_seconds * 2), self._client() as client:
                options = ["SMTPUTF8", "BODY=8BITMIME"] if mail.international else []
                await client.sendmail(mail.sender, [mail.recipient], mail.content, mail_options=options)
        except SMTPNotSupported:
            if mail.international:
                raise MailRefused("the mail server takes no addresses in these letters") from None
            raise MailDelayed("the mail server does not encrypt") from None
        except SMTPRecipientsRefused as refused:
            raise _told(refused.recipients[0]) from None
        except SMTPDataError as refused:
            raise _told(refused) from None
        except SMTPResponseException as answered:
            raise MailDelayed(f"the mail server said {answered.code} {answered.message}") from None
        except (SMTPException, OSError, TimeoutError) as failed:
            raise MailDelayed(f"the mail server cannot be reached: {type(failed).__name__}") from None
        except ValueError:  # after OSError: a certificate that is not believed is both
            raise MailRefused("this is no address that mail can be sent to") from None

    def _client(self) -> SMTP:
        said = self._settings
        password = said.smtp_password
        return aiosmtplib.SMTP(
            hostname=said.smtp_host,
            port=said.smtp_port,
            username=said.smtp_user or None,
            password=password.get_secret_value() if password else None,
            timeout=said.smtp_timeout_seconds,
            use_tls=said.smtp_security == "tls",
            start_tls=said.smtp_security == "starttls",
        )


def _told(answered: SMTPResponseException) -> MailRefused | MailDelayed:
    reason = f"the mail server said {answered.code} {answered.message}"
    return MailRefused(reason) if answered.code >= _FINAL else MailDelayed(reason)


async def send_notice(tools: Tools, tenant_id: UUID, notice_id: UUID) -> None:
    """The job of sending a notice."""
    sender = Sender(
        tools.facilities.database,
        open_carrier(tools.settings),
        tools.settings.mail_from,
        tools.facilities.cursor_key,
    )
    await sender.send(tenant_id, notice_id)
