"""Notices: what people are told by mail, when a mail is tried again, and what may stand in one."""

import re
import unicodedata
from datetime import timedelta
from enum import StrEnum

from rules.broken import BrokenRule


class NoticeKind(StrEnum):
    """What somebody is told."""

    ACTIVATION = "ACTIVATION"
    ORDER_RECEIVED = "ORDER_RECEIVED"
    RMA_DECIDED = "RMA_DECIDED"
    TICKET_ANSWERED = "TICKET_ANSWERED"


class NoticeState(StrEnum):
    """What has become of a notice."""

    WAITING = "WAITING"
    SENT = "SENT"
    FAILED = "FAILED"


class NoticeNotFailed(BrokenRule):
    """A notice that was sent, or is still being tried, was to be tried anew."""

    english = "Only a notice that could not be sent can be tried again."
    german = "Nur eine Benachrichtigung, die nicht gesendet werden konnte, kann erneut versucht werden."


# After each try that did not work, by how often it was tried; the last one is repeated. Twenty tries take more than
# four days, as long as mail servers keep what they cannot deliver (RFC 5321, 4.5.4.1).
_PAUSES = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
)
MOST_TRIES = 20
# What is older is forgotten: it has people's names and addresses, and what it tells of is kept elsewhere.
KEPT_DAYS = 400


def pause(tries: int) -> timedelta | None:
    """How long to wait after so many tries, at least one; None when it was tried often enough."""
    if tries >= MOST_TRIES:
        return None
    return _PAUSES[min(tries, len(_PAUSES)) - 1]


# Where an activation code stands in a kept text: it is put there when the mail is sent, and is kept nowhere.
CODE_MASK = "****-****-****-****"


def with_code(body: str, code: str) -> str:
    """A kept text with the code in the place that was left for it: the first line that is nothing else. Nobody's name
    is a line of its own before it."""
    return re.sub(
        rf"^( *){re.escape(CODE_MASK)}$",
        lambda found: found[1] + code,
        body,
        count=1,
        flags=re.MULTILINE,
    )


# Of what is kept of a server's refusal.
_LONGEST_REASON = 500


def one_line(text: str) -> str:
    """A text without anything that breaks a line or is no character to be read, and without outer space."""
    return " ".join("".join(map(_readable, text)).split())


def paragraphs(text: str) -> str:
    """A text in lines, each without what is no character to be read."""
    return "\n".join("".join(map(_readable, line)).rstrip() for line in text.splitlines()).strip()


def reason_kept(text: str) -> str:
    """Why something was not sent, as it is kept: one line, not too long."""
    return one_line(text)[:_LONGEST_REASON]


def _readable(letter: str) -> str:
    # Cc and Cs: controls and halves of characters; Zl and Zp break lines; bidirectional controls turn them around.
    kind = unicodedata.category(letter)
    turns = unicodedata.bidirectional(letter) in _TURNING
    return " " if kind in ("Cc", "Cs", "Zl", "Zp") or turns else letter


_TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}

# What stands in an address without quotes (RFC 5322, RFC 6531): anything but space, controls and specials.
_ATOMS = re.compile(r'[^\s\x00-\x1f\x7f-\x9f()<>\[\]:;@\\,"]+')
_LONGEST_LOCAL_PART = 64  # RFC 5321, 4.5.3.1.1


def deliverable(address: str) -> bool:
    """Whether an address can stand in a mail and its envelope as it is, alone: no quotes, no list, no comment."""
    local, at, domain = address.rpartition("@")
    if not at or not _ATOMS.fullmatch(local) or not _ATOMS.fullmatch(domain):
        return False
    if len(local.encode()) > _LONGEST_LOCAL_PART:
        return False
    return not any(not part for half in (local, domain) for part in half.split("."))
