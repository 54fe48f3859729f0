"""Levels: a resolver that answers for all objects of a level of the answer in one call."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import strawberry

# What answers for many: ``await answers(roots, context, **arguments)`` gives one answer a root, in their order.
Answers: TypeAlias = Callable[..., Awaitable[Sequence[Any]]]

_ANSWERS = "__answers_for_many__"


class UnevenAnswers(Exception):
    """A level was not answered object by object: there are more answers or fewer than objects."""

    def __init__(self, name: str, roots: int, answers: int) -> None:
        super().__init__(f"{name} gave {answers} answers for {roots} objects")


def level(answers: Answers) -> Callable[..., Awaitable[Any]]:
    """The resolver of a field from a function that answers it for many objects.

    `answers` takes the objects and the operation's context, then the field's arguments, annotated as a
    resolver's are. Of its answers an exception is one object's error. The compiled executor calls it once a level;
    whoever resolves the field object by object, once each.
    """

    async def resolve(root: Any, info: strawberry.Info[Any, Any], **arguments: Any) -> Any:
        (answer,) = even(answers, [root], await answers([root], info.context, **arguments))
        if isinstance(answer, Exception):
            raise answer
        return answer

    _, _, *given = inspect.signature(answers).parameters.values()
    keywords = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in given]
    root, info, _ = inspect.signature(resolve).parameters.values()
    resolve.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [root.replace(annotation=strawberry.Parent[Any]), info, *keywords]  # type: ignore[misc]
    )
    resolve.__name__ = resolve.__qualname__ = getattr(answers, "__name__", "level")
    resolve.__module__, resolve.__doc__ = answers.__module__, answers.__doc__
    setattr(resolve, _ANSWERS, answers)
    return resolve


def answers_of(resolver: object) -> Answers | None:
    """What answers for many, if the resolver was made of that."""
    found: Answers | None = getattr(resolver, _ANSWERS, None)
    return found


def even(answers: Answers, roots: Sequence[Any], given: Sequence[Any]) -> Sequence[Any]:
    """The answers, one a root. Raises UnevenAnswers."""
    if len(given) != len(roots):
        raise UnevenAnswers(getattr(answers, "__qualname__", "a level"), len(roots), len(given))
    return given
