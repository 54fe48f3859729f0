"""Quotations: goods, services and prices offered to a customer until a date, and what may be done with them."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from rules.broken import BrokenRule

MOST_LINES = 1_000
LONGEST_COMMENT = 2_000
LONGEST_DESCRIPTION = 2_000
LONGEST_REASON = 2_000
# numeric(18, 6) in the database.
_LARGEST_UNIT_PRICE = Decimal(10) ** 12
_PRICE_PLACES = Decimal("0.000001")


class QuotationState(StrEnum):
    """Where a quotation stands. EXPIRED is never written down: it is ISSUED, and its last day has gone by."""

    DRAFT = "DRAFT"
    ISSUED = "ISSUED"
    DECLINED = "DECLINED"
    ORDERED = "ORDERED"
    EXPIRED = "EXPIRED"


class QuotationAct(StrEnum):
    """What people do with a quotation."""

    ISSUE = "ISSUE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    ORDER = "ORDER"
    DECLINE = "DECLINE"


class QuotationNotIssued(BrokenRule):
    """A quotation is a draft; only what is issued can be ordered from or declined."""

    english = "This quotation has not been issued yet."
    german = "Dieses Angebot wurde noch nicht abgegeben."


class QuotationIssued(BrokenRule):
    """A quotation that was issued stays as it is."""

    english = "This quotation has been issued; it can no longer be changed."
    german = "Dieses Angebot wurde abgegeben und kann nicht mehr geändert werden."


class QuotationExpired(BrokenRule):
    """A quotation's last day has gone by; its prices no longer hold."""

    english = "This quotation is no longer valid."
    german = "Dieses Angebot ist nicht mehr gültig."


class QuotationClosed(BrokenRule):
    """A quotation was ordered from or declined; its prices no longer hold."""

    english = "This quotation has been ordered from or declined already."
    german = "Aus diesem Angebot wurde bereits bestellt, oder es wurde abgelehnt."


class QuotationUnusable(BrokenRule):
    """A quotation cannot be held to: the account may not see it, or buys in another currency, or the
    product is sold in another unit by now."""

    english = "The prices of this quotation do not hold here any more."
    german = "Die Preise dieses Angebots gelten hier nicht mehr."


@dataclass(eq=False, kw_only=True)
class QuotationQuantityExceeded(BrokenRule):
    """More is wanted than was offered at the quotation's price."""

    english = "The quotation's price holds for at most {quoted}."
    german = "Der Angebotspreis gilt für höchstens {quoted}."

    quoted: Decimal


class QuotationDatePast(BrokenRule):
    """A quotation cannot be valid until a day that has gone by."""

    english = "A quotation is valid until today or later."
    german = "Ein Angebot gilt bis heute oder länger."


class QuotationEmpty(BrokenRule):
    """A quotation has to offer something."""

    english = "A quotation needs at least one line."
    german = "Ein Angebot braucht mindestens eine Zeile."


@dataclass(eq=False, kw_only=True)
class QuotationFull(BrokenRule):
    """A quotation holds only so many lines: as many as a cart."""

    english = "A quotation holds at most {most} lines."
    german = "Ein Angebot fasst höchstens {most} Zeilen."

    most: int = MOST_LINES


@dataclass(eq=False, kw_only=True)
class QuotationCurrencyChanged(BrokenRule):
    """The customer of a draft buys in another currency by now; its prices mean nothing in that."""

    english = "This draft is in {quoted}, but the customer buys in {current} now. Give its lines anew."
    german = "Dieser Entwurf ist in {quoted}, der Kunde kauft jetzt aber in {current}. Geben Sie die Zeilen neu an."

    quoted: str
    current: str


class QuotationTaxChanged(BrokenRule):
    """The prices at which the customer of a draft buys include the tax by now, or no longer do, unlike the draft's."""

    english = "The customer's prices are now with tax instead of without, or the reverse. Give the draft's lines anew."
    german = "Die Preise des Kunden verstehen sich jetzt mit statt ohne Steuer oder umgekehrt. Geben Sie die Zeilen neu an."


@dataclass(eq=False, kw_only=True)
class QuotationUnitChanged(BrokenRule):
    """A product is sold in another unit than the line of a draft says; its price is for that one."""

    english = "{sku} is offered in {quoted}, but sold in {current} now."
    german = "{sku} wird in {quoted} angeboten, jetzt aber in {current} verkauft."

    sku: str
    quoted: str
    current: str


@dataclass(eq=False, kw_only=True)
class ProductTwice(BrokenRule):
    """A product stands in two lines; a cart has one line for each product."""

    english = "{sku} stands in another line already."
    german = "{sku} steht schon in einer anderen Zeile."

    sku: str


class UnitPriceInvalid(BrokenRule):
    """A unit price is negative, too large, or has more than six decimal places."""

    english = "A unit price is zero or more, with at most six decimal places."
    german = "Ein Einzelpreis ist null oder mehr, mit höchstens sechs Nachkommastellen."


class Gone:
    """What becomes of a draft that is deleted."""


# What follows from an act: the next state, Gone, or the rule that forbids it.
Outcome: TypeAlias = QuotationState | type[Gone] | type[BrokenRule]

_S = QuotationState
TRANSITIONS: dict[QuotationState, dict[QuotationAct, Outcome]] = {
    _S.DRAFT: {
        QuotationAct.ISSUE: _S.ISSUED,
        QuotationAct.UPDATE: _S.DRAFT,
        QuotationAct.DELETE: Gone,
        QuotationAct.ORDER: QuotationNotIssued,
        QuotationAct.DECLINE: QuotationNotIssued,
    },
    _S.ISSUED: {
        QuotationAct.ISSUE: QuotationIssued,
        QuotationAct.UPDATE: QuotationIssued,
        QuotationAct.DELETE: QuotationIssued,
        QuotationAct.ORDER: _S.ORDERED,
        QuotationAct.DECLINE: _S.DECLINED,
    },
    _S.DECLINED: {
        QuotationAct.ISSUE: QuotationIssued,
        QuotationAct.UPDATE: QuotationIssued,
        QuotationAct.DELETE: QuotationIssued,
        QuotationAct.ORDER: QuotationClosed,
        QuotationAct.DECLINE: QuotationClosed,
    },
    _S.ORDERED: {
        QuotationAct.ISSUE: QuotationIssued,
        QuotationAct.UPDATE: QuotationIssued,
        QuotationAct.DELETE: QuotationIssued,
        QuotationAct.ORDER: QuotationClosed,
        QuotationAct.DECLINE: QuotationClosed,
    },
    _S.EXPIRED: {
        QuotationAct.ISSUE: QuotationIssued,
        QuotationAct.UPDATE: QuotationIssued,
        QuotationAct.DELETE: QuotationIssued,
        QuotationAct.ORDER: QuotationExpired,
        QuotationAct.DECLINE: QuotationExpired,
    },
}


def refusal(state: str, act: QuotationAct, *, is_past: bool = False) -> BrokenRule | None:
    """Why something cannot be done with a quotation in this state, or None. `is_past`: its last day has gone by,
    so it cannot be issued as it is."""
    outcome = TRANSITIONS[QuotationState(state)][act]
    if isinstance(outcome, QuotationState) or outcome is Gone:
        return QuotationDatePast() if act is QuotationAct.ISSUE and is_past else None
    assert issubclass(outcome, BrokenRule)
    return outcome()


def check(state: str, act: QuotationAct, *path: str, is_past: bool = False) -> None:
    """Refuse what cannot be done with a quotation in this state. Raises the rule of the table."""
    broken = refusal(state, act, is_past=is_past)
    if broken is not None:
        raise broken.at(*path)


def check_unit_price(price: Decimal) -> None:
    """Refuse what is no price of one unit. Raises UnitPriceInvalid."""
    if not 0 <= price < _LARGEST_UNIT_PRICE or price != price.quantize(_PRICE_PLACES):
        raise UnitPriceInvalid(path=("unitPrice",))


@dataclass(frozen=True, slots=True)
class Quote:
    """The line of a quotation from which a cart's line came, as the quotation is now.

    `usable`: the account may see it, still buys in its currency and with or without tax as it says, and the product
    is still sold in the unit of the line.
    """

    unit_price: Decimal
    quantity: Decimal
    currency: str
    tax_included: bool
    state: str
    usable: bool

    def refusal(self, quantity: Decimal) -> BrokenRule | None:
        """Why the price of the quotation does not hold for this quantity, or None when it does."""
        if not self.usable:
            return QuotationUnusable()
        broken = refusal(self.state, QuotationAct.ORDER)
        if broken is None and quantity > self.quantity:
            return QuotationQuantityExceeded(quoted=self.quantity)
        return broken
