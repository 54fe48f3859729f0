"""Contacts: how a customer is reached, and asking the company to change that."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from rules.access_groups import check_length
from rules.broken import BrokenRule, broken_by
from rules.texts import LONGEST_NAME, check_email, check_name, check_text

Given = TypeVar("Given")

MOST_CONTACTS = 50
LONGEST_STREET = 500
LONGEST_COMMENT = 2_000


class AddressKind(StrEnum):
    """What an address is for."""

    BILLING = "BILLING"
    SHIPPING = "SHIPPING"


class ContactChangeState(StrEnum):
    """What became of a request to change contact data."""

    OPEN = "OPEN"
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"


class ContactChangeClosed(BrokenRule):
    """A request was decided or withdrawn already."""

    english = "This request was decided or withdrawn already."
    german = "Über diese Anfrage wurde schon entschieden, oder sie wurde zurückgezogen."


class ContactChangeEmpty(BrokenRule):
    """A request asks for no change at all."""

    english = "Say what is to be changed."
    german = "Geben Sie an, was geändert werden soll."


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person at a customer."""

    name: str
    job_title: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a customer is billed or goods are shipped to."""

    kind: AddressKind
    name: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country: str = ""

    @property
    def key(self) -> UUID:
        """Follows from what it says: an address that is changed has another, so nothing goes where it was not
        meant to."""
        return UUID(bytes=hashlib.blake2b(self.as_json().encode(), digest_size=16).digest())

    @property
    def line(self) -> str:
        """All of it in one line."""
        parts = (self.name, self.street, self.postal_code, self.city, self.region, self.country)
        return ", ".join(" ".join(part.split()) for part in parts if part)

    def label(self, customer: str) -> tuple[str, ...]:
        """As it stands on a letter, to a customer of this name; the postal code is before the town but in Britain,
        where it has its own line (UPU S42)."""
        named = [customer] if self.name in ("", customer) else [customer, self.name]
        town = (self.city, self.region, self.postal_code) if self._is_british else (self._town, self.region)
        return tuple(
            line for line in (*named, *self.street.splitlines(), *town, self.country) if line.strip()
        )

    @property
    def _is_british(self) -> bool:
        return self.country.strip().casefold() in ("gb", "uk", "united kingdom", "great britain")

    @property
    def _town(self) -> str:
        return f"{self.postal_code} {self.city}".strip()

    def as_json(self) -> str:
        """As documents keep a copy of it."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def of_json(cls, text: str) -> "Address":
        """The address that was kept as JSON."""
        kept: dict[str, str] = json.loads(text)
        return cls(kind=AddressKind(kept.pop("kind")), **kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactData:
    """How a customer is reached; None stays as it is, and a list replaces the one before."""

    email: str | None = None
    phone: str | None = None
    contacts: tuple[Contact, ...] | None = field(default=None)
    addresses: tuple[Address, ...] | None = field(default=None)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to change."""
        return all(part is None for part in (self.email, self.phone, self.contacts, self.addresses))


def check(data: ContactData) -> Iterator[BrokenRule]:
    """Whatever is wrong with contact data, each with its path."""
    checks: list[Callable[[], None]] = [
        lambda: check_email(data.email or None, "email"),
        lambda: check_text(data.phone, LONGEST_NAME, "phone"),
        lambda: check_length(data.contacts, MOST_CONTACTS, "contacts"),
        lambda: check_length(data.addresses, MOST_CONTACTS, "addresses"),
    ]
    yield from broken_by(checks)
    for index, contact in enumerate(data.contacts or ()):
        yield from _at("contacts", index, _check_contact, contact)
    for index, address in enumerate(data.addresses or ()):
        yield from _at("addresses", index, _check_address, address)


def _at(part: str, index: int, check_one: Callable[[Given], None], given: Given) -> Iterator[BrokenRule]:
    try:
        check_one(given)
    except BrokenRule as broken:
        yield broken.at(part, str(index))


def _check_contact(contact: Contact) -> None:
    check_name(contact.name, "name")
    check_text(contact.job_title, LONGEST_NAME, "jobTitle")
    if contact.email:
        check_email(contact.email, "email")
    check_text(contact.phone, LONGEST_NAME, "phone")


def _check_address(address: Address) -> None:
    check_text(address.street, LONGEST_STREET, "street")
    for name, text in (
        ("name", address.name),
        ("postalCode", address.postal_code),
        ("city", address.city),
        ("region", address.region),
        ("country", address.country),
    ):
        check_text(text, LONGEST_NAME, name)
