"""User errors: how a broken rule reads."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import strawberry

import db
from resolvers import money
from resolvers.context import Info
from resolvers.relations import relation
from rules.access_groups import AccessGroupInUse
from rules.accounts import SignInThrottled
from rules.broken import BrokenRule, VersionConflict
from rules.credit import CreditLimitExceeded
from rules.money import plain
from rules.permissions import MissingPermission, Permission
from rules.previews import Difference, PreviewChanged
from rules.stock import InsufficientStock


@dataclass(slots=True)
class Broken:
    """A broken rule as a value: GraphQL would raise an exception that stands among the results."""

    rule: BrokenRule


def code(root: strawberry.Parent[Broken]) -> Any:
    """UserError.code."""
    return root.rule.code()


def message(root: strawberry.Parent[Broken], info: Info) -> str:
    """UserError.message."""
    return root.rule.message(info.context.language)


def path(root: strawberry.Parent[Broken]) -> list[str]:
    """UserError.path."""
    return list(root.rule.path)


def _product_id(root: Broken) -> UUID:
    assert isinstance(root.rule, InsufficientStock)
    return root.rule.product_id


# InsufficientStockError.product.
product = relation(db.products.by_ids, _product_id)


def available(root: strawberry.Parent[Broken]) -> Decimal:
    """InsufficientStockError.available."""
    assert isinstance(root.rule, InsufficientStock)
    return plain(root.rule.available)


def permissions(root: strawberry.Parent[Broken]) -> list[Permission]:
    """MissingPermissionError.permissions."""
    assert isinstance(root.rule, MissingPermission)
    return list(root.rule.permissions)


def current(root: strawberry.Parent[Broken]) -> int:
    """VersionConflictError.current."""
    assert isinstance(root.rule, VersionConflict)
    return root.rule.current


def retry_after(root: strawberry.Parent[Broken]) -> int:
    """ThrottledError.retryAfter, in seconds."""
    assert isinstance(root.rule, SignInThrottled)
    return root.rule.retry_after


def members(root: strawberry.Parent[Broken]) -> int:
    """AccessGroupInUseError.members."""
    assert isinstance(root.rule, AccessGroupInUse)
    return root.rule.members


def differences(root: strawberry.Parent[Broken]) -> list[Difference]:
    """PreviewChangedError.differences."""
    assert isinstance(root.rule, PreviewChanged)
    return list(root.rule.differences)


def credit_limit(root: strawberry.Parent[Broken], info: Info) -> money.Money | None:
    """CreditLimitExceededError.limit."""
    assert isinstance(root.rule, CreditLimitExceeded)
    return _told(info, root.rule.limit, root.rule.currency)


def would_be(root: strawberry.Parent[Broken], info: Info) -> money.Money | None:
    """CreditLimitExceededError.wouldBe."""
    assert isinstance(root.rule, CreditLimitExceeded)
    return _told(info, root.rule.would_be, root.rule.currency)


def _told(info: Info, amount: int, currency: str) -> money.Money | None:
    """An amount that tells what is owed: None for whoever may not read balances."""
    if not info.context.signed_in.may(Permission.BALANCES_READ):
        return None
    return money.of_minor(amount, currency)
