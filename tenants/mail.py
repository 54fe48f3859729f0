"""Mail: one message to one person, as bytes, and what takes it away."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from typing import Protocol

from rules.notices import deliverable, one_line


class MailRefused(Exception):
    """A mail cannot be delivered, and trying again would not help; the text says why."""


class MailDelayed(Exception):
    """A mail could not be delivered now; the text says why."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A message as it travels: the envelope and what is in it. `international`: an address is not ASCII, so servers
    need SMTPUTF8."""

    key: str  # names it among all others; the same each time it is sent
    sender: str
    recipient: str
    content: bytes
    international: bool


class Carrier(Protocol):
    """Takes mails away."""

    async def send(self, mail: Mail) -> None:
        """Returns when somebody else is responsible for it. Raises MailRefused or MailDelayed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a mail is made from; names and subject may be anything that people write."""

    key: str
    sender: str  # an address
    sender_name: str
    recipient: str
    reply_to: str
    at: datetime
    language: str
    subject: str
    body: str


def composed(draft: Draft) -> Mail:
    """The mail: plain text in UTF-8, whose bytes are the same each time. Raises MailRefused for an address that mail
    cannot be sent to."""
    recipient = _address(draft.recipient)
    sender = _address(draft.sender, draft.sender_name)
    message = EmailMessage(policy=SMTPUTF8 if not recipient.addr_spec.isascii() else SMTP)
    message["From"] = sender
    message["To"] = recipient
    if deliverable(draft.reply_to) and draft.reply_to.isascii():
        message["Reply-To"] = Address(addr_spec=draft.reply_to)
    message["Subject"] = one_line(draft.subject)
    message["Date"] = format_datetime(draft.at.astimezone(UTC))
    message["Message-ID"] = f"<{draft.key}@{sender.domain}>"
    # Nobody's out-of-office answers it (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = draft.language
    # Lines of any length, and nothing but ASCII on the way.
    message.set_content(draft.body, cte="quoted-printable")
    return Mail(
        key=draft.key,
        sender=sender.addr_spec,
        recipient=recipient.addr_spec,
        content=message.as_bytes(),
        international=not recipient.addr_spec.isascii(),
    )


def _address(address: str, name: str = "") -> Address:
    """An address with whose it is; a domain in other letters is written as servers look it up."""
    if not deliverable(address):
        raise MailRefused("this is no address that mail can be sent to")
    local, _, domain = address.rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode() if not domain.isascii() else domain
        return Address(one_line(name), username=local, domain=ascii_domain)
    except ValueError:  # a UnicodeError is one
        raise MailRefused("this is no address that mail can be sent to") from None
