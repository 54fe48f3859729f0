"""The words of each notice, in both languages."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from rules.broken import Language
from rules.letters import Decided, DecidedLine, Letter, Ordered, OrderedLine, Writer
from rules.rma_requests import Resolution

ENGLISH = Writer(
    "Harbour Trading", "http://harbour.localhost:8000/graphql", "help@harbour.example", Language.ENGLISH
)
GERMAN = replace(ENGLISH, portal="Nordlicht Großhandel", language=Language.GERMAN)
ORDER = Ordered(
    number="SO-000001",
    purchase_order_number="PO 7",
    currency="EUR",
    tax_included=False,
    net=123_450,
    tax=23_456,
    total=146_906,
    promised_on=date(2026, 11, 27),
    lines=[OrderedLine("A", "Mug", "pcs", Decimal("1234.5"), Decimal("1.00"), 123_450)],
)
REQUEST = Decided(
    number="RM-000001",
    note="Please send it to us.",
    expected_on=date(2026, 12, 3),
    lines=[
        DecidedLine("A", "Mug", "pcs", Decimal(3), Decimal(2), Resolution.REFUND, "One was used"),
        DecidedLine("B", "Cup", "pcs", Decimal(1), None, Resolution.DECLINED, "Too old"),
        DecidedLine("C", "Pot", "pcs", Decimal("1.5"), None, None, None),
    ],
)


def test_an_english_letter_about_an_order_says_all_of_it() -> None:
    letter = ENGLISH.orders_received("Bea", [ORDER])
    assert letter == Letter(
        "Your order SO-000001",
        """Dear Bea,

Harbour Trading has received your order SO-000001. Thank you.

Order SO-000001 (your number: PO 7)
  Mug (A)
    1,234.5 pcs \u00d7 1.00 EUR = 1,234.50 EUR
  Net: 1,234.50 EUR
  VAT: 234.56 EUR
  Total: 1,469.06 EUR
  Promised for 27 Nov 2026

You can watch what becomes of it at:
    http://harbour.localhost:8000/graphql

--\x20
Harbour Trading
http://harbour.localhost:8000/graphql
This is an automatic message. Questions: help@harbour.example
""",
    )


def test_a_german_letter_about_an_order_is_german_in_all_of_it() -> None:
    letter = GERMAN.orders_received("Greta", [replace(ORDER, tax_included=True)])
    assert letter.subject == "Ihr Auftrag SO-000001"
    assert letter.body.startswith(
        "Guten Tag Greta,\n\nNordlicht Großhandel hat Ihren Auftrag SO-000001 erhalten. Vielen Dank.\n"
    )
    for text in (
        "Auftrag SO-000001 (Ihre Nummer: PO 7)",
        "1.234,5 pcs \u00d7 1,00 EUR = 1.234,50 EUR",
        "  Netto: 1.234,50 EUR\n  USt.: 234,56 EUR\n  Gesamt: 1.469,06 EUR\n  Preise inkl. USt.\n",
        "Zugesagt für 27.11.2026",
    ):
        assert text in letter.body


@pytest.mark.parametrize(
    ("writer", "subject", "sum_"),
    [
        (ENGLISH, "Your orders SO-000001, SO-000002", "All together: 2,938.12 EUR"),
        (GERMAN, "Ihre Aufträge SO-000001, SO-000002", "Zusammen: 2.938,12 EUR"),
    ],
)
def test_orders_placed_together_are_one_letter(writer: Writer, subject: str, sum_: str) -> None:
    letter = writer.orders_received("Bea", [ORDER, replace(ORDER, number="SO-000002")])
    assert letter.subject == subject
    assert sum_ in letter.body
    assert letter.body.count("Mug (A)") == 2


def test_a_decision_is_told_line_by_line() -> None:
    letter = ENGLISH.rma_decided("Bea", REQUEST)
    assert letter.subject == "Your request RM-000001 to return goods"
    assert (
        """has decided about your request RM-000001 to return goods:

  Mug (A)
    return with refund, 2 pcs of 3 pcs
    One was used
  Cup (B)
    declined, 1 pcs
    Too old
  Pot (C)
    not decided yet, 1.5 pcs

Expected on 3 Dec 2026.

Please send it to us.

Your request:
    http://harbour.localhost:8000/graphql
"""
        in letter.body
    )
    german = GERMAN.rma_decided("Greta", replace(REQUEST, note=None, expected_on=None))
    assert german.subject == "Ihre RMA-Anfrage RM-000001"
    for text in ("Rückgabe mit Erstattung, 2 pcs von 3 pcs", "abgelehnt, 1 pcs", "noch nicht entschieden"):
        assert text in german.body
    assert "Voraussichtlich" not in german.body


def test_an_answer_is_quoted_whole_and_stays_a_quotation() -> None:
    message = "Hello,\r\nyes.\n\n-- \nSam\x00"
    letter = ENGLISH.ticket_answered("Bea", "ST-000001", "Where is\nmy order?", message)
    assert letter.subject == "[ST-000001] Where is my order?"
    assert "> Hello,\n> yes.\n>\n> --\n> Sam\n\nAnswer at the portal:" in letter.body
    german = GERMAN.ticket_answered("Greta", "ST-000001", "Wo?", "Hier.")
    assert "hat auf Ihre Support-Anfrage ST-000001, Wo?, geantwortet:\n\n> Hier.\n" in german.body


def test_whatever_people_write_is_one_line_of_a_letter() -> None:
    nasty = "x\r\nBcc: eve@evil.example\n\n-- \nSign here"
    line = OrderedLine(nasty, nasty, nasty, Decimal(1), Decimal(1), 100)
    letter = ENGLISH.orders_received(nasty, [replace(ORDER, purchase_order_number=nasty, lines=[line])])
    assert letter.body.count("\n-- \n") == 1
    assert not [each for each in letter.body.splitlines() if each.startswith(("Bcc", "Sign"))]
    assert letter.subject == "Your order SO-000001"
