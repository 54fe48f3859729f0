"""Previews: what somebody was shown of an order before placing it, and what is different by then."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum

from rules.broken import BrokenRule

PREVIEW_SECONDS = 900


class PreviewField(StrEnum):
    """What can change between a preview and the order."""

    CART = "CART"
    CURRENCY = "CURRENCY"
    SHIP_TO = "SHIP_TO"
    PROMISED_ON = "PROMISED_ON"
    NET = "NET"
    TAX = "TAX"
    TOTAL = "TOTAL"
    QUANTITY = "QUANTITY"
    UNIT_PRICE = "UNIT_PRICE"
    AMOUNT = "AMOUNT"
    TAX_RATE = "TAX_RATE"
    WAREHOUSE = "WAREHOUSE"
    IN_STOCK = "IN_STOCK"
    ORDERABLE = "ORDERABLE"


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line as it was shown, in words: that is how it is compared, and how a difference is told."""

    sku: str
    quantity: str
    unit_price: str | None
    amount: str | None
    tax_rate: str
    warehouse: str | None
    in_stock: str | None
    orderable: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What was shown as a whole, in words; `cart` is its version."""

    cart: str
    currency: str
    ship_to: str | None
    promised_on: str
    net: str
    tax: str
    total: str
    lines: tuple[ShownLine, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as it was shown; without `sku` it is of the whole. None is what was, or is, not."""

    field: PreviewField
    sku: str | None
    before: str | None
    after: str | None


class PreviewTokenInvalid(BrokenRule):
    """A preview token was changed, or is somebody else's."""

    english = "This preview token is not valid here. Ask for a new preview."
    german = "Dieses Vorschau-Token gilt hier nicht. Fordern Sie eine neue Vorschau an."


class PreviewTokenExpired(BrokenRule):
    """A preview token was good once; it holds for minutes."""

    english = "This preview has expired. Ask for a new one."
    german = "Diese Vorschau ist abgelaufen. Fordern Sie eine neue an."


@dataclass(eq=False, kw_only=True)
class PreviewChanged(BrokenRule):
    """Prices, stock, the split or the cart are no longer what the preview showed."""

    english = "Something is different from what the preview showed."
    german = "Etwas ist anders, als die Vorschau gezeigt hat."

    differences: tuple[Difference, ...]


def differences(before: Shown, after: Shown) -> list[Difference]:
    """What is different: of the whole first, then line by line. A line that came or went is told by its
    quantity."""
    return [*_between(before, after, None), *_of_lines(before, after)]


def _of_lines(before: Shown, after: Shown) -> Iterator[Difference]:
    was, now = ({line.sku: line for line in shown.lines} for shown in (before, after))
    for sku in dict.fromkeys([*was, *now]):
        old, new = was.get(sku), now.get(sku)
        if old is not None and new is not None:
            yield from _between(old, new, sku)
        else:
            yield Difference(
                PreviewField.QUANTITY, sku, old.quantity if old else None, new.quantity if new else None
            )


def _between(old: Shown | ShownLine, new: Shown | ShownLine, sku: str | None) -> Iterator[Difference]:
    for each in fields(old):
        if each.name not in ("sku", "lines"):
            before, after = getattr(old, each.name), getattr(new, each.name)
            if before != after:
                yield Difference(PreviewField(each.name.upper()), sku, before, after)
