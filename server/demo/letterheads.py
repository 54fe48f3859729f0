"""What the made-up companies say of themselves on their documents."""

import db
from db.connections import Connection
from rules.letterheads import Letterhead
from server.demo import logos
from server.demo.portals import DemoPortal

# Numbers that are nobody's: phones for films, IBANs from their registry's examples, VAT ids that were never given.
LETTERHEADS = {
    "harbour": Letterhead(
        address=("Harbour Trading Ltd", "14 Wharf Road", "London", "E16 1XL"),
        vat_id="GB999999973",
        registration="Registered in England and Wales, no. 00000000",
        phone="+44 20 7946 0900",
        email="accounts@harbour.example",
        web="harbour.example",
        account_holder="Harbour Trading Ltd",
        iban="GB29NWBK60161331926819",
        bic="NWBKGB2L",
        bank="Example Bank",
        payment_terms_en="Payable without deduction by the due date. Goods remain ours until they are paid for.",
        payment_terms_de="Zahlbar ohne Abzug bis zum Fälligkeitstag. Die Ware bleibt bis zur Bezahlung unser Eigentum.",
    ),
    "nord": Letterhead(
        address=("Nordlicht Großhandel GmbH", "Am Sandtorkai 20", "20457 Hamburg"),
        vat_id="DE999999999",
        registration="Amtsgericht Hamburg, HRB 000000",
        phone="+49 40 66969 100",
        email="buchhaltung@nord.example",
        web="nord.example",
        account_holder="Nordlicht Großhandel GmbH",
        iban="DE89370400440532013000",
        bic="COBADEFFXXX",
        bank="Beispielbank",
        payment_terms_en="Payable without deduction by the due date. Goods remain ours until they are paid for.",
        payment_terms_de="Zahlbar ohne Abzug bis zum Fälligkeitstag. Die Ware bleibt bis zur Bezahlung unser Eigentum.",
        footer_en="Managing directors: Wiebke Thomsen, Ole Brandt",
        footer_de="Geschäftsführung: Wiebke Thomsen, Ole Brandt",
    ),
    "alpen": Letterhead(
        address=("Alpenblick Handel GmbH & Co. KG", "Bahnhofplatz 3", "80335 München"),
        vat_id="DE999999998",
        registration="Amtsgericht München, HRA 00000",
        phone="+49 89 99998 100",
        email="buchhaltung@alpen.example",
        web="alpen.example",
        account_holder="Alpenblick Handel GmbH & Co. KG",
        iban="AT611904300234573201",
        bic="BKAUATWW",
        bank="Beispielbank",
        payment_terms_de="Zahlbar innerhalb von 30 Tagen ohne Abzug.",
        payment_terms_en="Payable within 30 days without deduction.",
    ),
}


async def add(connection: Connection, portal: DemoPortal) -> None:
    """A letterhead and a logo for a company that says nothing of itself yet."""
    if (await db.letterheads.of_tenant(connection)).address:
        return
    await db.letterheads.keep(connection, LETTERHEADS[portal.slug])
    await db.logos.keep(connection, logos.drawn(portal.slug))
