"""How fields are declared: what answers them, what they need, how many they give."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from types import MappingProxyType
from typing import Any, get_type_hints

import strawberry
from strawberry.permission import PermissionExtension
from strawberry.types.field import StrawberryField

from execution.limits import AS_GIVEN, LIST_SIZE
from resolvers.mutations import Audited, InTransaction, OncePerKey, Payload
from resolvers.permissions import Needs, NeedsPermission, Public
from rules.permissions import Permission

# The key in a field's metadata under which a law finds what a root field needs.
NEEDS = "needs"


def field(
    resolver: Callable[..., Any] | None = None,
    *,
    description: str,
    size: int | None = None,
    as_given: bool = False,
    type_: Any = None,
) -> Any:
    """A field of an object: read from the row, or answered by a resolver.

    `type_` is the GraphQL type where the annotation cannot say it. `size` is how many a plain list gives on
    average; it is what the list counts for in an operation's cost. `as_given`: it gives one for each thing that the
    operation brings along, and counts for as many when those are more.
    """
    metadata: dict[object, Any] = {} if size is None else {LIST_SIZE: size, AS_GIVEN: as_given}
    declared: StrawberryField = strawberry.field(
        resolver=resolver,  # type: ignore[arg-type]  # None: the field reads the row's attribute
        description=description,
        metadata=metadata,
        graphql_type=type_,
    )
    return declared


def query(resolver: Callable[..., Any], *, needs: Needs, description: str, size: int | None = None) -> Any:
    """A field of Query. `needs` is the permission it takes, or the word SIGNED_IN or PUBLIC."""
    return _with_needs(field(resolver, description=_telling(description, needs), size=size), needs)


def subscription(
    resolver: Callable[..., Awaitable[AsyncGenerator[Any, None]]], *, needs: Needs, description: str
) -> Any:
    """A field of Subscription. `needs` is asked when it begins; resolvers/subscriptions.py asks at every event."""
    declared: StrawberryField = strawberry.subscription(
        resolver=resolver, description=_telling(description, needs)
    )
    return _with_needs(declared, needs)


def mutation(
    resolver: Callable[..., Awaitable[Payload]],
    *,
    needs: Needs,
    description: str,
    for_onlookers: bool = False,
) -> Any:
    """A field of Mutation: in a transaction of its own, once per idempotency key, broken rules as errors.

    The last extension is the outermost: transaction, then permission, then key, then audit, then resolver.
    `for_onlookers`: also for staff who look at the portal as somebody else.
    """
    payload: type[Payload] = get_type_hints(resolver)["return"]
    declared: StrawberryField = field(resolver, description=_telling(description, needs))
    declared.extensions.append(Audited())
    declared.extensions.append(OncePerKey(payload))
    _with_needs(declared, needs)
    declared.extensions.append(InTransaction(payload, for_onlookers=for_onlookers))
    return declared


def _telling(description: str, needs: Needs) -> str:
    """The description with what the field needs: GraphiQL shows no directives."""
    if isinstance(needs, Permission):
        return f"{description} Needs `{needs.value}`."
    return f"{description} {'For everybody.' if isinstance(needs, Public) else 'For everybody who is signed in.'}"


def _with_needs(declared: StrawberryField, needs: Needs) -> StrawberryField:
    declared.metadata = MappingProxyType({**declared.metadata, NEEDS: needs})
    if not isinstance(needs, Public):
        declared.extensions.append(PermissionExtension([NeedsPermission(needs)]))
    return declared
