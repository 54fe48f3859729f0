"""Webhooks: where the company's own systems are told, what, with which rights; and how often it is tried."""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

from rules.access_groups import check_length
from rules.broken import BrokenRule, InvalidInput
from rules.events import Event
from rules.permissions import Permission
from rules.texts import check_text

MOST_WEBHOOKS = 50
LONGEST_URL = 2_000
LONGEST_QUERY = 20_000
# So many messages are on their way to one webhook at once, from one process.
MOST_AT_ONCE = 8
# So many dead deliveries are taken up again at once.
MOST_RETRIED = 1_000
# Deliveries that have ended, and those of webhooks that are switched off, are kept so long.
KEPT_DAYS = 30
# With the secret before it, what was sent is signed so long after a new one was made.
OLD_SECRET_HOURS = 24

# Between one attempt and the next: two days and a half in all, after which a delivery is dead.
PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 30, 120, 600, 3_600, 10_800, 28_800, 28_800, 43_200, 43_200, 43_200)
)
MOST_ATTEMPTS = len(PAUSES) + 1

STANDARD_PORTS = {"https": 443, "http": 80}
_FREE_PORTS = range(1_024, 65_536)
_GONE = 410
_GIVEN_OUT = ipaddress.IPv6Network("2000::/3")
_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)
_INNER_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home.arpa", "onion")


class WebhookDeliveryState(StrEnum):
    """What has become of a delivery."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    DEAD = "DEAD"


class WebhookSwitchedOff(StrEnum):
    """Why a webhook was switched off, when it was not the company's staff that did it."""

    GONE = "GONE"
    FAILING = "FAILING"


class WebhookAct(StrEnum):
    """What can be done with a webhook."""

    UPDATE = "UPDATE"
    TEST = "TEST"
    RETRY = "RETRY"
    DELETE = "DELETE"


@dataclass(eq=False, kw_only=True)
class WebhookUrlInvalid(BrokenRule):
    """Nothing can be sent to this address: by default it has to be https and public."""

    english = (
        "Nothing can be sent there ({what}): the address has to be https at a public name, on port 443 or from 1024 on, "
        "without user name and fragment."
    )
    german = (
        "Dorthin kann nichts gesendet werden ({what}): Die Adresse muss mit https zu einem öffentlichen Namen führen, an "
        "Port 443 oder ab 1024, ohne Benutzernamen und Fragment."
    )

    what: str


@dataclass(eq=False, kw_only=True)
class WebhookQueryInvalid(BrokenRule):
    """The query of a webhook could not be run for an event."""

    english = "This query cannot be used: {reason}."
    german = "Diese Abfrage kann nicht verwendet werden: {reason}."

    reason: str


class WebhookEventsMissing(BrokenRule):
    """A webhook was to be told of nothing."""

    english = "Name at least one event."
    german = "Nennen Sie mindestens ein Ereignis."


@dataclass(eq=False, kw_only=True)
class PermissionNotHeld(BrokenRule):
    """A webhook was to have, or has, a right that whoever makes or changes it does not have."""

    english = "You do not hold the permission {word} yourself."
    german = "Die Berechtigung {word} haben Sie selbst nicht."

    word: str


@dataclass(eq=False, kw_only=True)
class TooManyWebhooks(BrokenRule):
    """A company has as many webhooks as it may have."""

    english = "There can be at most {most} webhooks."
    german = "Es kann höchstens {most} Webhooks geben."

    most: int = MOST_WEBHOOKS


class WebhookNothingDead(BrokenRule):
    """Only deliveries that are dead are taken up again, and there is none."""

    english = "No delivery is dead here, so there is nothing to take up again."
    german = "Hier ist keine Zustellung aufgegeben, also gibt es nichts zu wiederholen."


@dataclass(frozen=True, slots=True)
class Target:
    """Where a webhook sends to: the parts of its address. `host` is in ASCII."""

    scheme: str
    host: str
    port: int
    path: str


def target(url: str, *, private: bool) -> Target:
    """The parts of an address to which may be sent, as far as that can be told without asking for its name.

    `private` also lets pass http, and what is not public. Raises WebhookUrlInvalid.
    """
    if len(url) > LONGEST_URL or not url.isprintable() or " " in url or "\\" in url:
        raise WebhookUrlInvalid(what="URL")
    try:
        parts = urlsplit(url)
        name = parts.hostname or ""
        host = str(ipaddress.IPv6Address(name)) if "[" in parts.netloc else name.encode("idna").decode()
        port = parts.port or STANDARD_PORTS.get(parts.scheme, 0)
    except ValueError:  # UnicodeError and AddressValueError too
        raise WebhookUrlInvalid(what="URL") from None
    if not host or "%" in host:
        raise WebhookUrlInvalid(what="URL")
    _check_form(parts, port, private=private)
    if not private:
        _check_host(host)
    query = f"?{parts.query}" if parts.query else ""
    return Target(parts.scheme, host, port, _ascii(f"{parts.path or '/'}{query}"))


def _check_form(parts: SplitResult, port: int, *, private: bool) -> None:
    if parts.scheme not in (("https", "http") if private else ("https",)):
        raise WebhookUrlInvalid(what="https")
    if "@" in parts.netloc or parts.fragment:
        raise WebhookUrlInvalid(what="@, #")
    if port != STANDARD_PORTS["https"] and port not in _FREE_PORTS and not private:
        raise WebhookUrlInvalid(what=f"port {port}")


def _check_host(host: str) -> None:
    """Names of machines near by, and numbers that are addresses in whatever spelling, but the public ones' plain one."""
    name = host.rstrip(".")
    try:
        if not is_public(name):
            raise WebhookUrlInvalid(what=host)
        return
    except ValueError:
        pass  # a name
    labels = name.split(".")
    inner = any(name == each or name.endswith(f".{each}") for each in _INNER_NAMES)
    if len(labels) < 2 or inner or _NUMERIC.fullmatch(labels[-1]):
        raise WebhookUrlInvalid(what=host)


def _ascii(path: str) -> str:
    try:
        path.encode("ascii")
    except UnicodeEncodeError:
        raise WebhookUrlInvalid(what="ASCII") from None
    return path


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, and none that stands for another one. Raises ValueError
    for what is no address.

    IPv6 has several ways to write an IPv4 address: mapped, compatible, 6to4, Teredo and NAT64 (RFC 4291, 3056, 4380,
    6052); of those only the mapped one is looked into. Else only what is given out as global unicast is public.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip not in _GIVEN_OUT or ip.sixtofour or ip.teredo:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_link_local)


def check_events(events: Collection[Event] | None, *path: str) -> None:
    """None is no list yet. Raises WebhookEventsMissing, or InvalidInput: tests come without being asked for."""
    if events is None:
        return
    if not events:
        raise WebhookEventsMissing(path=path)
    check_length(events, len(Event), *path)
    for index, event in enumerate(events):
        if event is Event.WEBHOOK_TEST:
            raise InvalidInput(path=(*path, str(index)))


def check_held(wanted: Collection[Permission], held: Collection[Permission], *path: str) -> None:
    """A webhook may do nothing that whoever makes or changes it may not. Raises PermissionNotHeld."""
    for permission in Permission:
        if permission in wanted and permission not in held:
            raise PermissionNotHeld(word=permission.value, path=path)


def check_query(query: str | None, *path: str) -> None:
    """Raises TextTooLong."""
    check_text(query, LONGEST_QUERY, *path)


def pause_after(tries: int, *, factor: float, chance: float) -> timedelta | None:
    """How long to wait after so many failed attempts; None: that was the last one. `chance`, 0 to 1, adds up to a
    fifth, so that what failed together does not come again together."""
    if tries >= MOST_ATTEMPTS:
        return None
    return PAUSES[tries - 1] * factor * (1 + chance / 5)


def delivered(status: int | None) -> bool:
    """Whether the receiver's answer says that it has taken the delivery."""
    return status is not None and 200 <= status < 300


def wants_no_more(status: int | None) -> bool:
    """Whether the receiver says that nothing more is to be sent there."""
    return status == _GONE


def is_failing(failing_for: timedelta | None, *, patience: timedelta) -> bool:
    """Whether a webhook has only failed for so long that it is switched off."""
    return failing_for is not None and failing_for >= patience
