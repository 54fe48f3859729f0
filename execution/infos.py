"""What a resolver is told: graphql-core's resolve info, its path worked out only when somebody asks."""

from typing import TYPE_CHECKING, Any

from graphql.pyutils import Path

if TYPE_CHECKING:
    from execution.fields import Field
    from execution.frames import Frame


class ResolveInfo:
    """The attributes of strawberry's and graphql-core's GraphQLResolveInfo, for one field of one object."""

    __slots__ = ("_execution", "_field", "_frame", "_index")

    def __init__(self, execution: Any, frame: "Frame", field: "Field", index: int) -> None:
        self._execution = execution
        self._frame = frame
        self._field = field
        self._index = index

    @property
    def path(self) -> Path:
        """The path to the field in the answer."""
        return self._frame.path_of(self._field, self._index)

    @property
    def field_name(self) -> str:
        """The field's name in the schema."""
        return self._field.definition_name

    @property
    def field_nodes(self) -> list[Any]:
        """Where the operation selects it."""
        return self._field.nodes

    @property
    def return_type(self) -> Any:
        """The field's type."""
        return self._field.definition.type

    @property
    def parent_type(self) -> Any:
        """The type of the object."""
        return self._field.parent_type

    @property
    def variable_values(self) -> dict[str, Any]:
        """The coerced variables, as Strawberry hands them to resolvers."""
        coerced: dict[str, Any] = self._execution.variable_values.coerced
        return coerced

    @property
    def fragments(self) -> Any:
        """The document's fragments by name."""
        return self._execution.fragment_definitions

    @property
    def context(self) -> Any:
        """The operation's context."""
        return self._execution.context_value

    @property
    def schema(self) -> Any:
        """The schema."""
        return self._execution.schema

    @property
    def root_value(self) -> Any:
        """The root value."""
        return self._execution.root_value

    @property
    def operation(self) -> Any:
        """The operation."""
        return self._execution.operation

    @property
    def is_awaitable(self) -> Any:
        """What tells whether a value has to be awaited."""
        return self._execution.is_awaitable

    @property
    def abort_signal(self) -> Any:
        """Always None: an execution that can be aborted is not compiled."""
        return self._execution.abort_signal

    @property
    def async_helpers(self) -> Any:
        """What graphql-core offers for asynchronous work."""
        return self._execution.async_helpers

    @property
    def operation_extensions(self) -> Any:
        """What the client sent as extensions."""
        return self._execution.operation_extensions
