"""Enums of the rules as clients see them: the same names, with a description for each value."""

from collections.abc import Callable
from enum import Enum
from typing import Any

import strawberry

from rules.broken import Language
from rules.lifecycle import ProcessingState
from rules.permissions import PROFILES, Permission, Profile
from rules.products import ProductKind
from rules.stock import StockPolicy


def publish(kind: type[Enum], *, description: str, value: Callable[[Any], str]) -> None:
    """Make an enum usable in the schema. `value` says what each of its members means."""
    strawberry.enum(kind, description=description)
    for each in kind.__strawberry_definition__.values:  # type: ignore[attr-defined]
        each.description = value(kind[each.name])


publish(
    Permission,
    description="What somebody may do. People read the words.",
    value=lambda permission: f"`{permission.value}`",
)
publish(
    Profile,
    description="A named set of permissions for the people of a customer.",
    value=lambda profile: "May: " + ", ".join(sorted(each.value for each in PROFILES[profile])) + ".",
)
publish(
    ProductKind,
    description="What a product is.",
    value={
        ProductKind.GOODS: "Has stock and ships from a warehouse.",
        ProductKind.SERVICE: "Has no stock and ships from nowhere.",
    }.__getitem__,
)
publish(
    StockPolicy,
    description="Whether a company sells what it does not have.",
    value={
        StockPolicy.REQUIRE_STOCK: "Only what some warehouse has is sold.",
        StockPolicy.ALLOW_BACKORDER: "What is missing is sold too, and follows later.",
    }.__getitem__,
)
publish(
    Language,
    description="The languages of texts.",
    value={Language.ENGLISH: "English.", Language.GERMAN: "German."}.__getitem__,
)
publish(
    ProcessingState,
    description="Where an order or a request stands, in the same words at every company.",
    value={
        ProcessingState.NOT_STARTED: "Received; nobody has begun to work on it.",
        ProcessingState.IN_PROGRESS: "Being worked on.",
        ProcessingState.COMPLETED: "All done.",
        ProcessingState.CANCELLED: "Called off.",
    }.__getitem__,
)
