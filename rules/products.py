"""Products: their kinds, and when one cannot be bought."""

from dataclasses import dataclass
from enum import StrEnum

from rules.broken import BrokenRule

LONGEST_DESCRIPTION = 10_000
TAX_RATE_PLACES = 2


class ProductKind(StrEnum):
    """Goods have stock, services have none."""

    GOODS = "GOODS"
    SERVICE = "SERVICE"


@dataclass(eq=False, kw_only=True)
class ProductNotFound(BrokenRule):
    """No product with this id or SKU is sold to the viewer."""

    english = "There is no product {asked}."
    german = "Es gibt keine Ware {asked}."

    asked: str


class ProductInUse(BrokenRule):
    """A product that is in stock or still to be shipped keeps its kind."""

    english = "There is stock of this product, or it is still to be shipped; its kind stays as it is."
    german = "Von dieser Ware gibt es Bestand, oder sie ist noch zu liefern; ihre Art bleibt, wie sie ist."


@dataclass(eq=False, kw_only=True)
class ProductUnavailable(BrokenRule):
    """A product is not, or no longer, sold to this customer."""

    english = "{sku} cannot be ordered."
    german = "{sku} kann nicht bestellt werden."

    sku: str
