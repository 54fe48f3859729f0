"""Faults: what went wrong where; which errors the answer gets for it, and what becomes null.

An error makes null the nearest nullable place at or above its own. Several errors may do so to one place; as when fields
are resolved one after the other in the order of the document, the first one counts, and what comes later below a
place that is null already is not told.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from graphql import GraphQLError, located_error

if TYPE_CHECKING:
    from execution.fields import Field
    from execution.frames import Frame, Origin


class Fault:
    """An exception at a field of one of a frame's objects, or at an item in it.

    `after` is how many items a list gave before it failed: their own faults come first.
    """

    __slots__ = ("after", "error", "field", "frame", "origin")

    def __init__(
        self, frame: "Frame", field: "Field", origin: "Origin", error: Exception, after: int | None = None
    ) -> None:
        self.frame = frame
        self.field = field
        self.origin = origin
        self.error = error
        self.after = after

    def everywhere(self) -> "Iterator[Fault]":
        """This fault, and the same at all other places of its object."""
        yield self
        index, *items = self.origin if isinstance(self.origin, tuple) else (self.origin,)
        for frame in self.frame.elsewhere(index):
            yield Fault(frame, self.field, (0, *items), self.error, self.after)

    def order(self) -> list[int]:
        """Its place among all faults."""
        order = self.frame.order_of(self.field, self.origin)
        return order if self.after is None else [*order, self.after]

    def located(self) -> GraphQLError:
        """The error with its path and its locations in the document."""
        path = self.frame.path_of(self.field, self.origin).as_list()
        return located_error(self.error, self.field.nodes, path)

    def nulled(self) -> "tuple[Frame, Field, tuple[int, ...]] | None":
        """The nearest nullable place: of a frame's field the object's index and those of items. None: the root."""
        frame: Frame = self.frame
        field: Field = self.field
        origin = self.origin
        place = origin if isinstance(origin, tuple) else (origin,)
        while True:
            while len(place) > 1 and field.shape.depths[len(place) - 1].non_null:
                place = place[:-1]
            if len(place) > 1 or not field.shape.non_null:
                return frame, field, place
            if frame.parent is None or frame.field is None:
                return None
            above = frame.origins[place[0]]
            field, frame = frame.field, frame.parent
            place = above if isinstance(above, tuple) else (above,)


def settle(faults: Sequence[Fault]) -> tuple[list[GraphQLError], bool]:
    """The errors to tell, in the order of the document; nulls are put where they belong. True: the root is null."""
    errors: list[GraphQLError] = []
    nulled: set[tuple[str | int, ...]] = set()
    every = [each for fault in faults for each in fault.everywhere()]
    for fault in sorted(every, key=Fault.order):
        place = fault.nulled()
        path = () if place is None else tuple(place[0].path_of(place[1], place[2]).as_list())
        if any(path[:length] in nulled for length in range(len(path) + 1)):
            continue
        nulled.add(path)
        errors.append(fault.located())
        if place is not None:
            _make_null(*place)
    return errors, () in nulled


def reaches_root(faults: Sequence[Fault]) -> bool:
    """Whether one of them makes the whole answer null."""
    return any(fault.nulled() is None for fault in faults)


def _make_null(frame: "Frame", field: "Field", place: tuple[int, ...]) -> None:
    holder: Any = frame.objects[place[0]]
    keys: list[Any] = [field.name, *place[1:]]
    for key in keys[:-1]:
        holder = holder[key]
        if holder is None:
            return
    holder[keys[-1]] = None
