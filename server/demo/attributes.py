"""The made-up world's attributes: what is said of its goods beyond name and price."""

from collections.abc import Iterator

# code, English, German, kind, unit
DEFINITIONS = [
    ("colour", "Colour", "Farbe", "CHOICE", ""),
    ("material", "Material", "Material", "CHOICE", ""),
    ("height", "Height", "Höhe", "NUMBER", "cm"),
    ("capacity", "Capacity", "Fassungsvermögen", "NUMBER", "ml"),
    ("burning-time", "Burning time", "Brenndauer", "NUMBER", "h"),
    ("dishwasher", "Dishwasher-safe", "Spülmaschinenfest", "BOOLEAN", ""),
    ("care", "Care", "Pflege", "TEXT", ""),
]
# attribute, code, English, German
CHOICES = [
    ("colour", "blue", "Blue", "Blau"),
    ("colour", "ivory", "Ivory", "Elfenbein"),
    ("colour", "sage", "Sage", "Salbei"),
    ("colour", "copper", "Copper", "Kupfer"),
    ("colour", "mixed", "Mixed", "Bunt"),
    ("colour", "natural", "Natural", "Natur"),
    ("material", "stoneware", "Stoneware", "Steinzeug"),
    ("material", "porcelain", "Porcelain", "Porzellan"),
    ("material", "wax", "Wax", "Wachs"),
    ("material", "metal", "Metal", "Metall"),
    ("material", "linen", "Linen", "Leinen"),
]
# In the order of the world's styles.
_COLOURS = ["blue", "ivory", "sage", "copper", "mixed", "natural"]
# By category, for the goods of one in their order: material, height, and one more thing.
_MATERIALS = {
    "mugs": ("stoneware", "porcelain"),
    "bowls": ("stoneware", "porcelain"),
    "candles": ("wax", "wax"),
    "lanterns": ("metal", "metal"),
    "textiles": ("linen", "linen"),
}
_HEIGHTS = {"mugs": ("9.5", "6"), "bowls": ("7", "2.5"), "candles": ("12", "8.5"), "lanterns": ("32", "18")}
_CAPACITIES = {"mugs": ("350", "90"), "bowls": ("600",)}
_BURNING_TIMES = {"candles": ("40", "28")}
_CARE = {"textiles": ("Wash at 40 °C", "Bei 40 °C waschen"), "lanterns": ("Wipe dry", "Trocken abwischen")}


def said_of(category: str, number: int, style: int, *, german: bool) -> Iterator[tuple[str, str]]:
    """Attributes' codes and values of the goods with this number in a category, in one style."""
    if category in _MATERIALS:
        yield "colour", _COLOURS[style]
    for code, values in (
        ("material", _MATERIALS),
        ("height", _HEIGHTS),
        ("capacity", _CAPACITIES),
        ("burning-time", _BURNING_TIMES),
    ):
        if number < len(values.get(category, ())):
            yield code, values[category][number]
    if category in ("mugs", "bowls"):
        # Copper does not take the dishwasher well.
        yield "dishwasher", "false" if _COLOURS[style] == "copper" else "true"
    if category in _CARE:
        yield "care", _CARE[category][german]
