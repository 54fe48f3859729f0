"""Documents: parsed, measured and validated once, remembered by their text."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    specified_rules,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import validate_document

from execution.limits import (
    MOST_OBJECTS,
    MOST_TOKENS,
    Extent,
    check_document,
    check_operation,
    check_root_fields,
    check_text,
)

_REMEMBERED_MOST = 1_000
_REMEMBERED_CHARACTERS = 2_000_000


@dataclass(slots=True)
class Checked:
    """A document with what is known of it whatever its variables are."""

    document: DocumentNode
    operations: dict[str | None, OperationDefinitionNode]
    errors: list[GraphQLError]


class _Remembered:
    """The documents used last, bounded in number and in characters; keyed by schema and text."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, str], Checked] = OrderedDict()
        self._characters = 0

    def get(self, schema: GraphQLSchema, text: str) -> Checked | None:
        found = self._known.get((id(schema), text))
        if found is not None:
            self._known.move_to_end((id(schema), text))
        return found

    def put(self, schema: GraphQLSchema, text: str, checked: Checked) -> None:
        self._known[id(schema), text] = checked
        self._characters += len(text)
        while len(self._known) > _REMEMBERED_MOST or self._characters > _REMEMBERED_CHARACTERS:
            (_, dropped), _ = self._known.popitem(last=False)
            self._characters -= len(dropped)


_remembered = _Remembered()


class CheckedDocuments(SchemaExtension):
    """Parses, limits and validates, in that order; tells the cost of the operation in the answer.

    The context may have an attribute `introspection_allowed`; without it introspection is allowed.
    """

    extent: Extent | None = None

    def on_parse(self) -> Iterator[None]:
        """Give Strawberry the parsed document, from memory when it was here before."""
        execution = self.execution_context
        text = execution.query or ""
        schema = execution.schema._schema
        checked = _remembered.get(schema, text)
        if checked is None:
            checked = _checked(schema, text)
            _remembered.put(schema, text, checked)
        self._checked = checked
        if execution._provided_operation_name is None and len(checked.operations) > 1:
            raise GraphQLError("Several operations: name the one to run in operationName.")
        execution.graphql_document = checked.document
        yield

    def on_validate(self) -> Iterator[None]:
        """Measure the operation with its variables, then give Strawberry the errors of the document."""
        execution = self.execution_context
        errors = list(self._checked.errors)
        operation = self._checked.operations.get(execution.operation_name)
        if operation is not None and not errors:
            try:
                self.extent = self._measure(operation)
            except GraphQLError as refused:
                errors = [refused]
        execution.pre_execution_errors = errors
        yield

    def _measure(self, operation: OperationDefinitionNode) -> Extent:
        execution = self.execution_context
        extent = check_operation(
            execution.schema._schema, self._checked.document, operation, execution.variables or {}
        )
        if extent.introspects and not getattr(execution.context, "introspection_allowed", True):
            raise GraphQLError(
                "Introspection is switched off here.", extensions={"code": "INTROSPECTION_DISABLED"}
            )
        return extent

    def get_results(self) -> dict[str, Any]:
        """`extensions.cost`: objects asked for at most. Each operation has the whole limit to itself."""
        if self.extent is None:
            return {}
        requested = self.extent.objects
        return {
            "cost": {
                "requested": requested,
                "limit": MOST_OBJECTS,
                "remaining": MOST_OBJECTS - requested,
                "resetAt": None,
            }
        }


def _checked(schema: GraphQLSchema, text: str) -> Checked:
    check_text(text)
    try:
        document = parse(text, max_tokens=MOST_TOKENS)
    except RecursionError:
        raise GraphQLError("The document is nested too deeply.") from None
    check_document(document)
    operations = {
        definition.name.value if definition.name else None: definition
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
    }
    for operation in operations.values():
        check_root_fields(operation, document)
        check_operation(schema, document, operation, {})
    return Checked(document, operations, validate_document(schema, document, tuple(specified_rules)))
