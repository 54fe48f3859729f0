"""Fallbacks: how many operations of this process ran from a plan, and why the others were left to graphql-core."""

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

Reason: TypeAlias = Literal[
    "introspection",  # the operation asks for the schema
    "subscription",
    "incremental",  # @defer or @stream
    "middleware",  # something stands between the fields and their resolvers
    "abort_signal",  # the caller wants to be able to end it
    "error_propagation",  # errors are not to null what lies around them
    "field_resolver",  # what resolves a field cannot be known ahead of time
    "too_large",  # the plan would be larger than is worth remembering
]
REASONS: tuple[Reason, ...] = get_args(Reason)

_compiled = 0
_fallen_back: dict[Reason, int] = dict.fromkeys(REASONS, 0)


def count_compiled() -> None:
    """An operation is run from its plan."""
    global _compiled
    _compiled += 1


def count(reason: Reason) -> None:
    """An operation is left to graphql-core."""
    _fallen_back[reason] += 1


def compiled() -> int:
    """How many operations were run from a plan since the process began."""
    return _compiled


def by_reason() -> Mapping[Reason, int]:
    """How many were left to graphql-core since then, for every reason that there is."""
    return dict(_fallen_back)
