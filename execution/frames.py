"""Frames: the objects of one level of the answer, with the way back to the root."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from graphql.pyutils import Path

if TYPE_CHECKING:
    from execution.fields import Field
    from execution.plans import Selection

# Where in a frame's field an object or a value is: the index of the frame's object, and of list items below it.
Origin: TypeAlias = int | tuple[int, ...]


class Frame:
    """Objects of which the same is selected, at the same place of the plan.

    `sources` are what resolvers get, `objects` what is answered of them; `origins` say where in the field of the
    parent frame each of them is.
    """

    __slots__ = ("_known", "field", "objects", "origins", "parent", "repeats", "selection", "sources")

    def __init__(
        self, selection: "Selection", parent: "Frame | None" = None, field: "Field | None" = None
    ) -> None:
        self.selection = selection
        self.parent = parent
        self.field = field
        self.sources: list[Any] = []
        self.objects: list[dict[str, Any]] = []
        self.origins: list[Origin] = []
        # Where objects come again whose answer is there already, with that answer.
        self.repeats: list[tuple[dict[str, Any], Origin]] = []
        self._known: dict[int, dict[str, Any]] | None = {} if selection.only_leaves else None

    def add(self, source: Any, origin: Origin) -> dict[str, Any]:
        """Take in one more object; returns its answer, to be filled."""
        (answer,) = self.add_all([source], [origin])
        return answer

    def add_all(self, sources: Sequence[Any], origins: Sequence[Origin]) -> list[dict[str, Any]]:
        """Take in more objects; returns their answers, to be filled.

        Where only leaves are selected, and none of them asks where it is, an object that comes again has the answer
        that it has already.
        """
        copy = self.selection.template.copy
        if self._known is None:
            answers = [copy() for _ in sources]
            self.sources.extend(sources)
            self.objects.extend(answers)
            self.origins.extend(origins)
            return answers
        answers, known = [], self._known
        for source, origin in zip(sources, origins, strict=True):
            answer = known.get(id(source))  # the object lives: it is among the sources
            if answer is None:
                answer = known[id(source)] = copy()
                self.sources.append(source)
                self.objects.append(answer)
                self.origins.append(origin)
            else:
                self.repeats.append((answer, origin))
            answers.append(answer)
        return answers

    def elsewhere(self, index: int) -> "Iterator[Frame]":
        """The other places of an object, as frames that hold this object alone."""
        answer = self.objects[index]
        for repeated, origin in self.repeats:
            if repeated is answer:
                frame = Frame(self.selection, self.parent, self.field)
                frame.sources, frame.objects, frame.origins = [self.sources[index]], [answer], [origin]
                yield frame

    def path_of(self, field: "Field", origin: Origin) -> Path:
        """The path to a field of one of the objects, or to an item in it."""
        index, *items = origin if isinstance(origin, tuple) else (origin,)
        above: Path | None = None
        if self.parent is not None and self.field is not None:
            above = self.parent.path_of(self.field, self.origins[index])
        path = Path(above, field.name, self.selection.type.name)
        for item in items:
            path = path.add_key(item)
        return path

    def order_of(self, field: "Field", origin: Origin) -> list[int]:
        """What puts fields and items in the order in which the document has them: by depth first, left to right."""
        index, *items = origin if isinstance(origin, tuple) else (origin,)
        above: Sequence[int] = ()
        if self.parent is not None and self.field is not None:
            above = self.parent.order_of(self.field, self.origins[index])
        return [*above, field.position, *items]
