"""How the made-up customers are reached, how much they may owe, and what one of them asks to change."""

from dataclasses import replace

import uuid_utils.compat as uuid

import db
from db.connections import Connection
from rules.contacts import Address, AddressKind, Contact, ContactData
from server.demo import personas
from server.demo.portals import DemoPortal

# The customers in the order of their codes, from C-1001 on: who runs it, street, postal code, city.
_CUSTOMERS = {
    "harbour": [
        ("Ruth Hughes", "12 Dock Street", "E1 8JN", "London"),
        ("Ingrid Lund", "3 Mill Lane", "YO1 9QL", "York"),
        ("Tom Ashby", "48 Marine Parade", "BN2 1TL", "Brighton"),
        ("Clara Bennett", "7 Weir Road", "BA2 6QP", "Bath"),
        ("Samuel Okoro", "90 Market Street", "M1 1PW", "Manchester"),
        ("Harriet Vane", "1 The Esplanade", "YO11 2AF", "Scarborough"),
    ],
    "nord": [
        ("Frauke Janssen", "Speicherstraße 4", "20457", "Hamburg"),
        ("Jens Petersen", "Fischmarkt 11", "24103", "Kiel"),
        ("Meike Claussen", "Am Strom 62", "18119", "Rostock"),
        ("Dirk Hansen", "Deichgasse 5", "25813", "Husum"),
        ("Amalie Sieveking", "Lange Reihe 30", "20099", "Hamburg"),
        ("Boy Lorenzen", "Hafenstraße 1", "25999", "Kampen"),
    ],
    "alpen": [
        ("Josef Huber", "Getreidegasse 40", "5020", "Salzburg"),
        ("Anna Wieser", "Dorfstraße 2", "5441", "Abtenau"),
        ("Toni Reiter", "Almweg 9", "6370", "Kitzbühel"),
        ("Eva Moser", "Hauptplatz 17", "4020", "Linz"),
        ("Paul Steiner", "Gipfelstraße 1", "6020", "Innsbruck"),
    ],
}
# Numbers that are nobody's; the customer's own follow.
_PHONES = {"harbour": "+44 20 7946 0{}", "nord": "+49 40 66969 {}", "alpen": "+43 662 000 {}"}
_COUNTRIES = {"harbour": "United Kingdom", "nord": "Deutschland", "alpen": "Österreich"}
_CREDIT_LIMITS = (500_000, 1_000_000, None, 250_000)  # minor units; None: no limit
_JOBS = {
    "en": {"head": "Managing director", "buyer": "Purchasing", "accountant": "Accounts"},
    "de": {"head": "Geschäftsführung", "buyer": "Einkauf", "accountant": "Buchhaltung"},
}
_MOVES = {
    "en": ("Our stockroom has moved; the office stays.", "Unit 4, Quayside Park"),
    "de": ("Unser Lager ist umgezogen, das Büro bleibt.", "Halle 4, Gewerbepark"),
}


async def add(connection: Connection, portal: DemoPortal) -> None:
    """Contact data and credit limits for customers that have none yet, and a request of the first of them."""
    rows = {f"C-{number}": row for number, row in enumerate(_CUSTOMERS[portal.slug], start=1_001)}
    kept = await db.customers.lock_by_codes(connection, list(rows))
    if any(customer.phone for customer in kept.values()):
        return
    phones = {code: _PHONES[portal.slug].format(code[-3:]) for code in rows}
    limits = {code: _CREDIT_LIMITS[number % len(_CREDIT_LIMITS)] for number, code in enumerate(rows)}
    await db.customers.upsert(
        connection,
        [
            replace(each, phone=phones[code], credit_limit=limits[code], version=each.version + 1)
            for code, each in kept.items()
        ],
    )
    await db.contacts.replace_contacts(
        connection,
        {kept[code].id: _contacts(portal, code, row[0], phones[code]) for code, row in rows.items()},
    )
    await db.contacts.replace_addresses(
        connection, {kept[code].id: _addresses(portal, *row[1:]) for code, row in rows.items()}
    )
    await _ask(connection, portal)


def _contacts(portal: DemoPortal, code: str, head: str, phone: str) -> list[Contact]:
    """Who runs the customer, and its people with an account."""
    jobs = _JOBS[portal.locale]
    people = [
        Contact(
            name=each.name,
            job_title=jobs[each.role],
            email=f"{each.user_name}@customers.example",
            phone=phone,
        )
        for each in personas.of_portal(portal.slug)
        if each.customer == code
    ]
    return [Contact(name=head, job_title=jobs["head"], phone=phone), *people]


def _addresses(portal: DemoPortal, street: str, postal_code: str, city: str) -> list[Address]:
    return [
        Address(kind=kind, street=street, postal_code=postal_code, city=city, country=_COUNTRIES[portal.slug])
        for kind in AddressKind
    ]


async def _ask(connection: Connection, portal: DemoPortal) -> None:
    """The first person asks the company to ship to another place from now on."""
    login = await db.accounts.login(connection, personas.of_portal(portal.slug)[0].user_name)
    assert login is not None, "people come before their contact data"
    assert login.account_id is not None
    assert login.customer_id is not None
    comment, street = _MOVES[portal.locale]
    billing, shipping = _addresses(portal, *_CUSTOMERS[portal.slug][0][1:])
    moved = replace(shipping, street=street)
    await db.contact_changes.add(
        connection,
        id=uuid.uuid7(),
        customer_id=login.customer_id,
        account_id=login.account_id,
        asked=ContactData(addresses=(billing, moved)),
        comment=comment,
    )
