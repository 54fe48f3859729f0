"""Mail: one message to one person, as bytes, and what takes it away."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, quote
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
    sender = _address(draft.sender)
    message = EmailMessage(policy=SMTPUTF8 if not recipient.addr_spec.isascii() else SMTP)
    _put(message, "From", draft.sender_name, f"<{sender.addr_spec}>")
    message["To"] = recipient
    if deliverable(draft.reply_to) and draft.reply_to.isascii():
        message["Reply-To"] = Address(addr_spec=draft.reply_to)
    _put(message, "Subject", draft.subject)
    message["Date"] = format_datetime(draft.at.astimezone(UTC))
    message["Message-ID"] = f"<{draft.key}@{sender.domain}>"
    # Nobody's out-of-office answers it (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    # Lines of any length, and nothing but ASCII on the way.
    message.set_content(draft.body, cte="quoted-printable")
    message["Content-Language"] = draft.language  # the content's setting would take it away
    return Mail(
        key=draft.key,
        sender=sender.addr_spec,
        recipient=recipient.addr_spec,
        content=message.as_bytes(),
        international=not recipient.addr_spec.isascii(),
    )


def _put(message: EmailMessage, name: str, text: str, rest: str = "") -> None:
    """A header with what people have written, and what follows it. The library would put spaces between the parts of a
    long text in other letters (Python 3.11); so those are taken apart here, and what looks like such parts is made some.
    """
    words = one_line(text)
    if words.isascii() and "=?" not in words:
        message[name] = f'"{quote(words)}" {rest}'.removeprefix('"" ') if rest else words
    else:
        encoded = Header(words, "utf-8", header_name=name).encode()
        message.set_raw(name, f"{encoded}\n {rest}" if rest else encoded)


def _address(address: str) -> Address:
    """An address; a domain in other letters is written as servers look it up."""
    if not deliverable(address):
        raise MailRefused("this is no address that mail can be sent to")
    local, _, domain = address.rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode() if not domain.isascii() else domain
        return Address(username=local, domain=ascii_domain)
    except ValueError:  # a UnicodeError is one
        raise MailRefused("this is no address that mail can be sent to") from None
