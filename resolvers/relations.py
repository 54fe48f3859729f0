"""Relations: fields that are answered by a batched read, for all objects of a level at once."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from operator import attrgetter
from typing import Any, TypeAlias

from execution.levels import level
from resolvers.context import BatchedRead, Context
from resolvers.loaders import MissingKey

# A resolver, to be declared with schema.fields.field().
Relation: TypeAlias = Callable[..., Awaitable[Any]]
Then: TypeAlias = Callable[..., Any]


def relation(
    read: BatchedRead[Any, Any], key: str | Callable[[Any], Any], *, then: Then | None = None
) -> Relation:
    """The one row that an object leads to, by the key in its attribute `key` or worked out from it.

    None where there is no key, and where the viewer may not see the row: such a read leaves it out. `then` makes
    the answer of object and row, and takes the field's arguments.
    """
    return _answered(read, key, then, of_many=False)


def relations(
    read: BatchedRead[Any, list[Any]], key: str | Callable[[Any], Any], *, then: Then | None = None
) -> Relation:
    """The rows that belong to an object, like `relation`; the read answers for every key, if only with no row.

    Raises MissingKey for one that it leaves out.
    """
    return _answered(read, key, then, of_many=True)


def _answered(
    read: BatchedRead[Any, Any], key: str | Callable[[Any], Any], then: Then | None, *, of_many: bool
) -> Relation:
    key_of = attrgetter(key) if isinstance(key, str) else key

    def answer(root: Any, key: Any, row: Any, arguments: dict[str, Any]) -> Any:
        if of_many and row is None:
            if key is not None:
                raise MissingKey(read, key)
            row = []
        return row if then is None else then(root, row, **arguments)

    async def answers(roots: Sequence[Any], context: Context, **arguments: Any) -> Sequence[Any]:
        keys = [key_of(root) for root in roots]
        rows = await context.load_level(read, keys)
        if then is None and not (of_many and any(row is None for row in rows)):
            return rows
        asked = list(zip(roots, keys, rows, strict=True))
        with suppress(Exception):  # then it is found out whose it is
            return [answer(root, key, row, arguments) for root, key, row in asked]
        return [_or_error(answer, *each, arguments) for each in asked]

    parameters = inspect.signature(answers).parameters.values()
    given = [] if then is None else [*inspect.signature(then).parameters.values()][2:]
    answers.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [*(each for each in parameters if each.kind is not inspect.Parameter.VAR_KEYWORD), *given]
    )
    answers.__name__ = answers.__qualname__ = getattr(then or read, "__name__", "relation")
    return level(answers)


def _or_error(answer: Callable[..., Any], *given: Any) -> Any:
    """An answer, or what is wrong with this one object."""
    try:
        return answer(*given)
    except Exception as error:
        return error
