"""Values: what each kind of column may hold, and why a text is not one of these.

Every kind has a pattern of texts that need no closer look; whole blocks of a file are matched against it
at once. What does not match is read by `read`, which accepts all that the pattern accepts, and more.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial

from rules.attributes import AttributeKind
from rules.prices import LARGEST_PRICE
from rules.products import ProductKind
from rules.quantities import LARGEST

_LONGEST_CODE = 100
_LONGEST_NAME = 500
_LONGEST_DESCRIPTION = 10_000


class Rejected(Exception):
    """A row that cannot be taken; the text is a code and what it means here."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a column holds: its type in PostgreSQL, its plain texts, and how any text is read.

    `read` returns the text as PostgreSQL takes it, or raises Rejected.
    """

    sql: str
    plain: str
    read: Callable[[str], str]
    has_commas: bool = False

    def pattern(self, *, required: bool) -> bytes:
        """The plain texts as they stand in a file, quoted or not."""
        quoted = rf'"(?:[^"\r\n\0]{{1,{_LONGEST_CODE}}})"' if self.has_commas else rf'"(?:{self.plain})"'
        return f"(?:{self.plain}|{quoted}){'' if required else '?'}".encode()


def _text(longest: int) -> Kind:
    def read(text: str) -> str:
        if len(text) > longest:
            raise Rejected(f"TEXT_TOO_LONG: {len(text)} characters, at most {longest} are kept")
        return text

    # The pattern counts bytes, so it lets pass less than `read` does.
    return Kind("text", rf'[^,"\r\n\0]{{1,{min(longest, 1000)}}}', read, has_commas=True)


_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{0,30})?", re.ASCII)


def _number(sql: str, digits: int, places: int, least: Decimal, most: Decimal) -> Kind:
    """A decimal number from least to most with so many places. Plain ones have up to `digits` before them."""

    def read(text: str) -> str:
        if not _NUMBER.fullmatch(text):
            raise Rejected(f"BAD_NUMBER: {text!r} is not a decimal number")
        value = Decimal(text)
        if not least <= value <= most:
            raise Rejected(f"OUT_OF_RANGE: {text} is not between {least} and {most}")
        if -int(value.normalize().as_tuple().exponent) > places:
            raise Rejected(f"BAD_NUMBER: {text} has more than {places} decimal places")
        return f"{value.normalize():f}"

    fraction = rf"(?:\.[0-9]{{1,{places}}})?" if places else ""
    zero = f"0{fraction}" if least <= 0 else rf"0\.[0-9]{{0,{places - 1}}}[1-9]" if places else "(?!)"
    return Kind(sql, rf"(?:[1-9][0-9]{{0,{digits - 1}}}{fraction}|{zero})", read)


def _moment(text: str) -> str:
    """A date and time of day; one without an offset is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise Rejected(f"BAD_DATE: {text!r} is not a date and time (2026-01-31T12:00:00)") from None


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise Rejected(f"BAD_DATE: {text!r} is not a date (2026-01-31)") from None


def _word(text: str, *, pattern: str, code: str, wanted: str) -> str:
    if not re.fullmatch(pattern, text):
        raise Rejected(f"{code}: {text!r} is not {wanted}")
    return text


_PLAIN_DATE = r"[12][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
_KINDS = "|".join(ProductKind)
_ATTRIBUTE_KINDS = "|".join(AttributeKind)

CODE = _text(_LONGEST_CODE)
NAME = _text(_LONGEST_NAME)
DESCRIPTION = _text(_LONGEST_DESCRIPTION)
POSITION = _number("integer", 8, 0, Decimal(1), Decimal(999_999_999))
QUANTITY = _number("numeric(15,3)", 8, 3, Decimal("0.001"), LARGEST)
SHIPPED = _number("numeric(15,3)", 8, 3, Decimal(0), LARGEST)
ON_HAND = _number("numeric(15,3)", 8, 3, -LARGEST, LARGEST)
UNIT_PRICE = _number("numeric(18,6)", 8, 6, Decimal(0), LARGEST_PRICE)
AMOUNT = _number("numeric(18,6)", 8, 6, Decimal("0.000001"), LARGEST_PRICE)
TAX_RATE = _number("numeric(5,2)", 2, 2, Decimal(0), Decimal(100))
DATE = Kind("date", _PLAIN_DATE, _date)
MOMENT = Kind("timestamptz", _PLAIN_DATE + r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]", _moment)
CURRENCY = Kind(
    "text",
    "[A-Z]{3}",
    partial(
        _word, pattern="[A-Z]{3}", code="BAD_CURRENCY", wanted="a currency code (three upper-case letters)"
    ),
)
PRODUCT_KIND = Kind(
    "text",
    f"(?:{_KINDS})",
    partial(_word, pattern=_KINDS, code="UNKNOWN_KIND", wanted=f"one of {', '.join(ProductKind)}"),
)
ATTRIBUTE_KIND = Kind(
    "text",
    f"(?:{_ATTRIBUTE_KINDS})",
    partial(
        _word,
        pattern=_ATTRIBUTE_KINDS,
        code="UNKNOWN_KIND",
        wanted=f"one of {', '.join(AttributeKind)}",
    ),
)
