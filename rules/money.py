"""Money: amounts are whole minor units of a currency; rounding is half up."""

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import lru_cache

# ISO 4217: currencies whose minor unit is not a hundredth.
MINOR_DIGITS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
}


def minor_digits(currency: str) -> int:
    """Decimal places of the currency's minor unit (ISO 4217), e.g. 2 for EUR."""
    return MINOR_DIGITS.get(currency, 2)


def to_minor(amount: Decimal, currency: str) -> int:
    """An amount in major units as minor units, rounded half up: 1.005 EUR is 101."""
    return int(amount.scaleb(minor_digits(currency)).quantize(Decimal(1), rounding=ROUND_HALF_UP))


# Amounts are kept in 64 bits; what is beyond that is beyond every amount.
_FARTHEST = 2**63 - 1


def least_minor(amount: Decimal, currency: str) -> int:
    """The least whole minor units that are not below an amount: 1.001 EUR is 101."""
    return _whole(amount, currency, ROUND_CEILING)


def most_minor(amount: Decimal, currency: str) -> int:
    """The most whole minor units that are not above an amount: 1.009 EUR is 100."""
    return _whole(amount, currency, ROUND_FLOOR)


def _whole(amount: Decimal, currency: str, rounding: str) -> int:
    whole = int(amount.scaleb(minor_digits(currency)).to_integral_value(rounding=rounding))
    return max(-_FARTHEST, min(_FARTHEST, whole))


@lru_cache(maxsize=10_000)
def to_major(minor: int, currency: str) -> Decimal:
    """Minor units as an amount with all its decimal places: 1250 EUR is 12.50."""
    return Decimal(minor).scaleb(-minor_digits(currency))


@lru_cache(maxsize=10_000)
def plain(value: Decimal, places: int = 0) -> Decimal:
    """The same value without trailing zeros, but with at least `places` decimal places."""
    exponent = -value.normalize().as_tuple().exponent  # type: ignore[operator]
    return value.quantize(Decimal(1).scaleb(-max(exponent, places)))
