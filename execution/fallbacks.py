"""Fallbacks: what the compiled executor leaves to graphql-core, counted by reason."""

from collections import Counter
from enum import Enum


class Reason(Enum):
    """Why an operation is not compiled."""

    INTROSPECTION = "introspection"
    SUBSCRIPTION = "subscription"
    INCREMENTAL = "incremental"
    FRAGMENT_VARIABLES = "fragment_variables"
    NO_ROOT_TYPE = "no_root_type"
    MIDDLEWARE = "middleware"
    FIELD_RESOLVER = "field_resolver"
    ABORT_SIGNAL = "abort_signal"
    ERROR_PROPAGATION = "error_propagation"
    NOT_COLLECTED = "not_collected"


# How many operations of this process were compiled, and for which reasons others were not.
compiled = 0
fallbacks: Counter[Reason] = Counter()
