"""The demo's suppliers and their portals."""

from dataclasses import dataclass

from rules.stock import StockPolicy


@dataclass(frozen=True, slots=True)
class DemoPortal:
    """A company with its portal, and whose it is."""

    supplier_code: str
    supplier_name: str
    slug: str
    name: str
    legal_name: str
    currency: str
    locale: str
    stock_policy: StockPolicy = StockPolicy.REQUIRE_STOCK


MADE_UP = (
    DemoPortal("hansa", "Hansa Handelsgruppe", "nord", "Nordlicht Großhandel", "Nordlicht Großhandel GmbH", "EUR", "de"),
    DemoPortal("hansa", "Hansa Handelsgruppe", "harbour", "Harbour Trading", "Harbour Trading Ltd", "GBP", "en"),
    DemoPortal(
        "alpina", "Alpina Vertrieb", "alpen", "Alpenblick Handel", "Alpenblick Handel GmbH & Co. KG", "EUR", "de",
        StockPolicy.ALLOW_BACKORDER,
    ),
)  # fmt: skip

# Real trade in folders of the same names, where somebody has them.
REAL = (
    DemoPortal("online-retail", "Online Retail", "uk", "Online Retail UK", "Online Retail Ltd", "GBP", "en"),
    DemoPortal("online-retail", "Online Retail", "europe", "Online Retail Europe", "Online Retail Ltd", "GBP", "en"),
)  # fmt: skip
