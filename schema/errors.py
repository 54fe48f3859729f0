"""User errors: what a mutation answers when a rule of the business is broken."""

from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

import resolvers.errors
from resolvers.enums import publish
from resolvers.errors import Broken
from rules.broken import all_rules
from rules.permissions import Permission
from rules.previews import PreviewField
from schema.fields import field
from schema.money import Money

if TYPE_CHECKING:  # a product leads to its tickets, and what is done with those to errors
    from schema.products import Product

_Product = Annotated["Product", strawberry.lazy("schema.products")]

# The members are the rules that exist, so a code cannot be forgotten here.
_RULES = {rule.code(): rule for rule in sorted(all_rules(), key=lambda rule: rule.code())}
ErrorCode: Any = Enum("ErrorCode", {code: code for code in _RULES})  # type: ignore[misc]
publish(
    ErrorCode,
    description="Which rule was broken. Codes never change; texts may.",
    value=lambda code: " ".join((_RULES[code.value].__doc__ or "").split("\n\n")[0].split()),
)


@strawberry.interface(description="A rule of the business that was broken; nothing was done.")
class UserError:
    """resolvers.errors.Broken."""

    code: Annotated[Any, field(resolvers.errors.code, description="Which rule.", type_=ErrorCode)]
    message: Annotated[
        str, field(resolvers.errors.message, description="A text for people, in the language of the request.")
    ]
    path: Annotated[
        list[str],
        field(resolvers.errors.path, description="Where in the input, e.g. items, 0, quantity.", size=5),
    ]

    @classmethod
    def resolve_type(cls, broken: Broken, _info: object, _type: object) -> str:
        """A rule with facts of its own has a type of its own."""
        return _TYPES.get(type(broken.rule).__name__, PlainUserError.__name__)

    @classmethod
    def is_type_of(cls, _broken: object, _info: object) -> bool:
        """Always: resolve_type has decided."""
        return True


@strawberry.type(description="A broken rule with nothing to add.")
class PlainUserError(UserError):
    """Most rules."""


@strawberry.type(description="There is less in stock than was asked for.")
class InsufficientStockError(UserError):
    """rules.stock.InsufficientStock."""

    product: Annotated[
        _Product | None, field(resolvers.errors.product, description="What there is too little of.")
    ]
    available: Annotated[
        Decimal,
        field(resolvers.errors.available, description="How much could be had, in the product's unit."),
    ]


@strawberry.type(description="The viewer may not do this.")
class MissingPermissionError(UserError):
    """rules.permissions.MissingPermission."""

    permissions: Annotated[
        list[Permission],
        field(resolvers.errors.permissions, description="What is missing.", size=2),
    ]


@strawberry.type(description="What was to be changed has changed since it was read.")
class VersionConflictError(UserError):
    """rules.broken.VersionConflict."""

    current: Annotated[int, field(resolvers.errors.current, description="The version now.")]


@strawberry.type(description="Too many tries were wrong; one has to wait.")
class ThrottledError(UserError):
    """rules.accounts.SignInThrottled."""

    retry_after: Annotated[
        int, field(resolvers.errors.retry_after, description="After how many seconds to try again.")
    ]


@strawberry.type(description="An access group still has members.")
class AccessGroupInUseError(UserError):
    """rules.access_groups.AccessGroupInUse."""

    members: Annotated[int, field(resolvers.errors.members, description="How many.")]


@strawberry.type(description="Something that is not as a preview showed it.")
class PreviewDifference:
    """rules.previews.Difference."""

    field: Annotated[PreviewField, field(description="What.")]
    sku: Annotated[str | None, field(description="Of which product's line; null: of the whole.")]
    before: Annotated[str | None, field(description="As it was shown; null: not there.")]
    after: Annotated[str | None, field(description="As it is now; null: not there.")]


@strawberry.type(description="Something is different from what the preview showed.")
class PreviewChangedError(UserError):
    """rules.previews.PreviewChanged."""

    differences: Annotated[
        list[PreviewDifference],
        field(
            resolvers.errors.differences, description="All that is: first of the whole, then by line.", size=5
        ),
    ]


@strawberry.type(description="An order takes what the customer owes over its credit limit.")
class CreditLimitExceededError(UserError):
    """rules.credit.CreditLimitExceeded."""

    limit: Annotated[
        Money | None,
        field(
            resolvers.errors.credit_limit, description="The limit; null for whoever may not read balances."
        ),
    ]
    would_be: Annotated[
        Money | None,
        field(
            resolvers.errors.would_be,
            description="What would be owed or ordered; null for whoever may not read balances.",
        ),
    ]


_TYPES = {
    "AccessGroupInUse": AccessGroupInUseError.__name__,
    "CreditLimitExceeded": CreditLimitExceededError.__name__,
    "InsufficientStock": InsufficientStockError.__name__,
    "MissingPermission": MissingPermissionError.__name__,
    "PreviewChanged": PreviewChangedError.__name__,
    "SignInThrottled": ThrottledError.__name__,
    "VersionConflict": VersionConflictError.__name__,
}
