"""Letterheads: what a company says of itself on its documents, and whether its numbers have the right form."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from rules.access_groups import check_length
from rules.broken import BrokenRule, Language, broken_by
from rules.texts import LONGEST_NAME, check_email, check_text

MOST_ADDRESS_LINES = 6
LONGEST_WORD = 1_000

# The forms of VAT ids in the EU (Commission's VIES) with the United Kingdom, Northern Ireland, Norway and Switzerland.
_VAT_FORMS = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CH": r"E\d{9}(MWST|TVA|IVA)?",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "EL": r"\d{9}",
    "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}",
    "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}",
    "GB": r"(\d{9}|\d{12}|(GD|HA)\d{3})",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"(\d{7}[A-W][A-I]?|\d[A-Z+*]\d{5}[A-W])",
    "IT": r"\d{11}",
    "LT": r"(\d{9}|\d{12})",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"[A-Z0-9+*]{12}",
    "NO": r"\d{9}(MVA)?",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{12}",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
    "XI": r"(\d{9}|\d{12}|(GD|HA)\d{3})",
}
_ELSEWHERE = r"[A-Z0-9]{2,15}"
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")
_SPACES = re.compile(r"[\s.-]+")


class IbanInvalid(BrokenRule):
    """An account number is no IBAN: its form or its check digits are wrong."""

    english = "This is not an IBAN; compare it digit by digit."
    german = "Dies ist keine IBAN; vergleichen Sie sie Zeichen für Zeichen."


class BicInvalid(BrokenRule):
    """A bank's code has not the form of a BIC."""

    english = "A BIC has 8 or 11 letters and digits."
    german = "Eine BIC hat 8 oder 11 Buchstaben und Ziffern."


class VatIdInvalid(BrokenRule):
    """A VAT id has not the form that its country gives them."""

    english = "This is not a VAT id: it begins with the country's two letters, e.g. DE123456789."
    german = "Dies ist keine USt-IdNr.: Sie beginnt mit den zwei Buchstaben des Landes, z. B. DE123456789."


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """What a company's documents say of it. The address has its name first; empty texts are not printed."""

    address: tuple[str, ...] = ()
    vat_id: str = ""
    registration: str = ""
    phone: str = ""
    email: str = ""
    web: str = ""
    account_holder: str = ""
    iban: str = ""
    bic: str = ""
    bank: str = ""
    payment_terms_en: str = ""
    payment_terms_de: str = ""
    footer_en: str = ""
    footer_de: str = ""

    def payment_terms(self, language: Language) -> str:
        """How the company wants to be paid, in a language; where it says nothing in it, in the other."""
        return _either(self.payment_terms_en, self.payment_terms_de, language)

    def footer(self, language: Language) -> str:
        """What stands at the foot of each page."""
        return _either(self.footer_en, self.footer_de, language)


def _either(english: str, german: str, language: Language) -> str:
    return (german or english) if language is Language.GERMAN else (english or german)


def compact(code: str) -> str:
    """A code as it is kept and compared: capitals without spaces, dots and hyphens."""
    return _SPACES.sub("", code).upper()


def grouped(iban: str) -> str:
    """An IBAN as people read it, in groups of four (ISO 13616)."""
    return " ".join(iban[place : place + 4] for place in range(0, len(iban), 4))


def is_iban(iban: str) -> bool:
    """Whether a compact text has the form and the check digits of an IBAN (ISO 7064, MOD 97-10)."""
    if not _IBAN.fullmatch(iban) or not iban.isascii():
        return False
    turned = iban[4:] + iban[:4]
    return int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1


def is_vat_id(vat_id: str) -> bool:
    """Whether a compact text has the form of its country's VAT ids."""
    country, number = vat_id[:2], vat_id[2:]
    known_form = re.fullmatch(_VAT_FORMS.get(country, _ELSEWHERE), number, re.ASCII)
    return country.isascii() and country.isalpha() and known_form is not None


def check(given: Letterhead) -> Iterator[BrokenRule]:
    """Whatever is wrong with a letterhead, each with its path."""
    checks: list[Callable[[], None]] = [
        lambda: check_length(given.address, MOST_ADDRESS_LINES, "address"),
        lambda: check_email(given.email or None, "email"),
        lambda: _check_form(given.iban, is_iban, IbanInvalid, "iban"),
        lambda: _check_form(given.bic, _is_bic, BicInvalid, "bic"),
        lambda: _check_form(given.vat_id, is_vat_id, VatIdInvalid, "vatId"),
    ]
    texts = {
        "registration": (given.registration, LONGEST_NAME),
        "phone": (given.phone, LONGEST_NAME),
        "web": (given.web, LONGEST_NAME),
        "accountHolder": (given.account_holder, LONGEST_NAME),
        "bank": (given.bank, LONGEST_NAME),
        "paymentTermsEn": (given.payment_terms_en, LONGEST_WORD),
        "paymentTermsDe": (given.payment_terms_de, LONGEST_WORD),
        "footerEn": (given.footer_en, LONGEST_WORD),
        "footerDe": (given.footer_de, LONGEST_WORD),
    }
    lines = [
        partial(check_text, line, LONGEST_NAME, "address", str(i)) for i, line in enumerate(given.address)
    ]
    others = [partial(check_text, text, most, name) for name, (text, most) in texts.items()]
    yield from broken_by([*checks, *lines, *others])


def _is_bic(bic: str) -> bool:
    return _BIC.fullmatch(bic) is not None


def _check_form(code: str, has_form: Callable[[str], bool], rule: type[BrokenRule], *path: str) -> None:
    if code and not has_form(code):
        raise rule(path=path)
