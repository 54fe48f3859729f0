"""Portals: the names under which one can be reached, and what a company promises its customers."""

import re
from dataclasses import dataclass
from enum import StrEnum

from rules.broken import BrokenRule

MOST_HOSTS = 20
MOST_LEAD_DAYS = 365
MOST_PAYMENT_DAYS = 365
MOST_SUPPORT_HOURS = 8_760  # a year

_SLUG = re.compile(r"[a-z][a-z0-9-]{0,62}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")  # RFC 1123
_LONGEST_HOST = 253


class CancellationPolicy(StrEnum):
    """Whether customers may cancel what they have ordered."""

    NOT_ALLOWED = "NOT_ALLOWED"
    UNTIL_SHIPPED = "UNTIL_SHIPPED"


class CreditPolicy(StrEnum):
    """What happens to an order that takes a customer over its credit limit."""

    WARN = "WARN"
    BLOCK = "BLOCK"


class OperationPolicy(StrEnum):
    """Which documents a portal runs."""

    ANY_DOCUMENT = "ANY_DOCUMENT"
    TRUSTED_DOCUMENTS = "TRUSTED_DOCUMENTS"


class SlugInvalid(BrokenRule):
    """A portal's short name has other characters than lower-case letters, digits and hyphens."""

    english = "A slug has up to 63 lower-case letters, digits and hyphens, and begins with a letter."
    german = "Ein Kurzname hat bis zu 63 Kleinbuchstaben, Ziffern und Bindestriche und beginnt mit einem Buchstaben."


@dataclass(eq=False, kw_only=True)
class SlugTaken(BrokenRule):
    """Another portal has this short name."""

    english = "The slug {slug} is taken."
    german = "Der Kurzname {slug} ist vergeben."

    slug: str


@dataclass(eq=False, kw_only=True)
class HostInvalid(BrokenRule):
    """A text is no host name."""

    english = "{host} is not a host name."
    german = "{host} ist kein Hostname."

    host: str


@dataclass(eq=False, kw_only=True)
class HostTaken(BrokenRule):
    """Another portal answers at this host name."""

    english = "The host name {host} is taken."
    german = "Der Hostname {host} ist vergeben."

    host: str


@dataclass(eq=False, kw_only=True)
class HostReserved(BrokenRule):
    """A host name below the service's own domain belongs to the portal with that slug."""

    english = "{host} is reserved: below {domain}, a portal has its own slug."
    german = "{host} ist reserviert: Unter {domain} hat ein Portal seinen eigenen Kurznamen."

    host: str
    domain: str


class CurrencyInvalid(BrokenRule):
    """A text is no currency code."""

    english = "A currency is an ISO 4217 code of three capital letters."
    german = "Eine Währung ist ein ISO-4217-Code aus drei Großbuchstaben."


@dataclass(eq=False, kw_only=True)
class LeadDaysInvalid(BrokenRule):
    """The days from placing to the promised day are fewer than none or more than a year."""

    english = "The lead time is 0 to {most} days."
    german = "Die Lieferzeit beträgt 0 bis {most} Tage."

    most: int = MOST_LEAD_DAYS


@dataclass(eq=False, kw_only=True)
class PaymentDaysInvalid(BrokenRule):
    """The days from issuing an invoice to its last day are fewer than none or more than a year."""

    english = "The time for payment is 0 to {most} days."
    german = "Das Zahlungsziel beträgt 0 bis {most} Tage."

    most: int = MOST_PAYMENT_DAYS


@dataclass(eq=False, kw_only=True)
class SupportHoursInvalid(BrokenRule):
    """The hours within which a ticket is to be answered or closed are fewer than one or more than a year's."""

    english = "The time to answer or close a ticket is 1 to {most} hours."
    german = "Die Zeit bis zur Antwort oder zum Abschluss einer Anfrage beträgt 1 bis {most} Stunden."

    most: int = MOST_SUPPORT_HOURS


def check_support_hours(hours: int | None, *path: str) -> None:
    """None is any time. Raises SupportHoursInvalid."""
    if hours is not None and not 1 <= hours <= MOST_SUPPORT_HOURS:
        raise SupportHoursInvalid(path=path)


def check_payment_days(days: int | None, *path: str) -> None:
    """None is no time for payment yet. Raises PaymentDaysInvalid."""
    if days is not None and not 0 <= days <= MOST_PAYMENT_DAYS:
        raise PaymentDaysInvalid(path=path)


def check_lead_days(days: int | None, *path: str) -> None:
    """None is no lead time yet. Raises LeadDaysInvalid."""
    if days is not None and not 0 <= days <= MOST_LEAD_DAYS:
        raise LeadDaysInvalid(path=path)


def check_slug(slug: str, *path: str) -> None:
    """Raises SlugInvalid."""
    if not _SLUG.fullmatch(slug):
        raise SlugInvalid(path=path)


def check_currency(currency: str | None, *path: str) -> None:
    """None is no currency yet. Raises CurrencyInvalid."""
    if currency is not None and not _CURRENCY.fullmatch(currency):
        raise CurrencyInvalid(path=path)


def host_name(host: str, *path: str) -> str:
    """A host name as it is compared and kept: lower case, without a port. Raises HostInvalid."""
    name = host.strip().lower().rstrip(".")
    is_address = name.replace(".", "").isdigit()
    if len(name) > _LONGEST_HOST or not _HOST.fullmatch(name) or is_address:
        raise HostInvalid(host=host[:_LONGEST_HOST], path=path)
    return name


def check_not_reserved(host: str, slug: str, domain: str, *path: str) -> None:
    """Keep a portal from the names of others below the service's own domain. Raises HostReserved."""
    below = host == domain or host.endswith(f".{domain}")
    if below and host != f"{slug}.{domain}":
        raise HostReserved(host=host, domain=domain, path=path)
