"""Leaves and inputs that random schemas are made of."""

import datetime
import decimal
from enum import Enum
from typing import Any

import strawberry


@strawberry.enum
class Kind(Enum):
    SMALL = "s"
    LARGE = "l"
    ODD = 3


def _serialized(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{type(value).__name__} is no code")
    return f"#{value}"


Code = strawberry.scalar(
    name="Code", serialize=_serialized, parse_value=lambda given: given.removeprefix("#")
)


class CodeValue(str):
    """What Python has for a Code."""

    __slots__ = ()


@strawberry.input
class Range:
    low: int = 1
    high: decimal.Decimal | None = None

    def __hash__(self) -> int:
        """A default has to be hashable."""
        return hash((self.low, self.high))


@strawberry.input
class Filter:
    kind: Kind
    words: list[str] = strawberry.field(default_factory=lambda: ["all"])
    range: Range | None = strawberry.UNSET
    also: list["Filter"] | None = None
    maybe: strawberry.Maybe[int | None]


@strawberry.input(one_of=True)
class Key:
    id: strawberry.ID | None = strawberry.UNSET
    code: str | None = strawberry.UNSET


# The leaf types of a schema, by their names in GraphQL.
LEAVES: dict[str, Any] = {
    "String": str,
    "Int": int,
    "Boolean": bool,
    "Float": float,
    "ID": strawberry.ID,
    "Kind": Kind,
    "Decimal": decimal.Decimal,
    "Date": datetime.date,
    "Code": CodeValue,
}
INPUTS: dict[str, Any] = {"Range": Range, "Filter": Filter, "Key": Key}

REQUIRED: Any = object()
# Arguments of a schema: their type in GraphQL, and the default in Python.
ARGUMENTS: dict[str, tuple[str, Any]] = {
    "count": ("Int", None),
    "size": ("Int!", 3),
    "word": ("String!", REQUIRED),
    "words": ("[String!]!", ("a",)),
    "kind": ("Kind", None),
    "flag": ("Boolean!", False),
    "ref": ("ID", strawberry.UNSET),
    "amount": ("Decimal", None),
    "day": ("Date", None),
    "ratio": ("Float", 0.5),
    "matrix": ("[[Int]]", None),
    "filter": ("Filter", None),
    "filters": ("[Filter!]", None),
    "key": ("Key", None),
    "range": ("Range!", Range(low=7)),
}
# The fields of the inputs, as a document may write them; True: must be there.
INPUT_FIELDS: dict[str, dict[str, tuple[str, bool]]] = {
    "Range": {"low": ("Int!", False), "high": ("Decimal", False)},
    "Filter": {
        "kind": ("Kind!", True),
        "words": ("[String!]!", False),
        "range": ("Range", False),
        "also": ("[Filter!]", False),
        "maybe": ("Int", False),
    },
}
