"""Classes: what can be told of a value by its class alone is asked once a class."""

from collections.abc import Callable
from types import CoroutineType, GeneratorType
from typing import Any, TypeVar

from graphql import Undefined

Asked = TypeVar("Asked", bound=Callable[..., Any])

_BY_CLASS = "__by_class__"
_MOST_CLASSES = 10_000


def by_class(function: Asked) -> Asked:
    """Mark an `is_type_of` or a `resolve_type` that looks at nothing but its value's class."""
    setattr(function, _BY_CLASS, True)
    return function


def is_by_class(function: object) -> bool:
    """Whether it is marked; what is not there asks nothing at all."""
    return function is None or getattr(function, _BY_CLASS, False) is True


class _PlainClasses(dict[type, bool]):
    """Of which classes the values are neither awaitable nor exceptions nor Undefined; looked at once a class."""

    def __missing__(self, class_: type) -> bool:
        if len(self) > _MOST_CLASSES:
            self.clear()
        plain = self[class_] = not (
            issubclass(class_, (Exception, CoroutineType, GeneratorType, type(Undefined)))
            or hasattr(class_, "__await__")
            or hasattr(class_, "__getattr__")
        )
        return plain


PLAIN = _PlainClasses()
