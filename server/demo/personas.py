"""The demo's people: who signs in where, with which rights. Known to everybody, so never beside real data."""

from dataclasses import dataclass
from typing import Literal

from rules.permissions import BuiltInProfile, StaffRole

PASSWORD = "kontor-demo"  # noqa: S105  (printed by `make demo`)

Role = Literal["buyer", "accountant", "staff"]


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody of a customer (then with a customer's code) or of the supplier; `only` is the code of the one
    category that a restricted person sees."""

    user_name: str
    name: str
    role: Role
    customer: str | None = None
    only: str | None = None


PROFILES: dict[Role, BuiltInProfile] = {
    "buyer": BuiltInProfile.BUYER,
    "accountant": BuiltInProfile.ACCOUNTANT,
}
GROUP_NAMES: dict[str, dict[str, str]] = {
    "buyer": {"en": "Buyers", "de": "Einkauf"},
    "accountant": {"en": "Accountants", "de": "Buchhaltung"},
    "mugs": {"en": "Mugs only", "de": "Nur Becher"},
}
STAFF_ROLE = StaffRole.OWNER

_PEOPLE = {
    "harbour": [
        Persona("bella", "Bella Hughes", "buyer", "C-1001"),
        Persona("arthur", "Arthur Pym", "accountant", "C-1001"),
        Persona("oscar", "Oscar Lund", "buyer", "C-1002"),
        Persona("mia", "Mia Lund", "buyer", "C-1002", only="mugs"),
        Persona("simone", "Simone Brandt", "staff"),
    ],
    "nord": [
        Persona("greta", "Greta Janssen", "buyer", "C-1001"),
        Persona("anton", "Anton Vogt", "accountant", "C-1001"),
        Persona("hauke", "Hauke Petersen", "buyer", "C-1002"),
        Persona("mats", "Mats Petersen", "buyer", "C-1002", only="mugs"),
        Persona("simone", "Simone Brandt", "staff"),
    ],
    "alpen": [
        Persona("leni", "Leni Huber", "buyer", "C-1001"),
        Persona("alois", "Alois Moser", "accountant", "C-1001"),
        Persona("resi", "Therese Wieser", "buyer", "C-1002", only="mugs"),
        Persona("vroni", "Veronika Gruber", "staff"),
    ],
    "uk": [
        Persona("bruno", "Bruno Hart", "buyer", "C17841"),
        Persona("ada", "Ada Clarke", "accountant", "C17841"),
        Persona("rosa", "Rosa Field", "staff"),
    ],
    "europe": [
        Persona("noor", "Noor de Vries", "buyer", "C14646"),
        Persona("claire", "Claire Dubois", "accountant", "C14646"),
        Persona("rosa", "Rosa Field", "staff"),
    ],
}


def of_portal(slug: str) -> list[Persona]:
    """The people who can sign in at a demo portal; nobody at any other."""
    return _PEOPLE.get(slug, [])
