"""What a document may ask for: depth, aliases, directives, fields and objects, measured in one memoised pass.

Nothing is executed and no resolver is known here. A fragment is measured once, however often it is
spread, so a document that would unfold into millions of fields is measured in time linear in its text.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

# The key in a Strawberry field's metadata that says how many objects a plain list gives on average.
LIST_SIZE = "list_size"

MOST_CHARACTERS = 100_000
MOST_TOKENS = 10_000
MOST_NESTING = 100
MOST_FRAGMENTS = 100
MOST_DEPTH = 20
MOST_ALIASES = 100
MOST_DIRECTIVES = 100
MOST_ROOT_FIELDS = 50
MOST_FIELDS = 5_000
MOST_REPEATS = 50
MOST_OBJECTS = 50_000
LARGEST_PAGE = 100
DEFAULT_PAGE = 20

_Composite = GraphQLObjectType | GraphQLInterfaceType
_BRACKETS = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|#[^\n]*|([\[({])|([\])}])', re.DOTALL
)


class DocumentRefused(GraphQLError):
    """A document asks for more than anybody may ask for at once."""

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": "OPERATION_TOO_COMPLEX"})


@dataclass(slots=True, frozen=True)
class Extent:
    """How much an operation, fragment or selection asks for once fragments are unfolded."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    objects: int = 0
    introspects: bool = False

    def plus(self, other: "Extent") -> "Extent":
        """Both, side by side."""
        return Extent(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.objects + other.objects,
            self.introspects or other.introspects,
        )


def check_text(text: str) -> None:
    """Refuse a text that is too long, or nested so deeply that parsing it would recurse too far."""
    if len(text) > MOST_CHARACTERS:
        raise DocumentRefused(f"A document has at most {MOST_CHARACTERS} characters; send data as variables.")
    nesting = 0
    for token in _BRACKETS.finditer(text):
        if token.group(1):
            nesting += 1
            if nesting > MOST_NESTING:
                raise DocumentRefused(f"A document nests at most {MOST_NESTING} brackets.")
        elif token.group(2):
            nesting -= 1


def check_document(document: DocumentNode) -> None:
    """Refuse a document with too many fragments, or with one field written too often in one place."""
    fragments = [each for each in document.definitions if isinstance(each, FragmentDefinitionNode)]
    if len(fragments) > MOST_FRAGMENTS:
        raise DocumentRefused(f"A document has at most {MOST_FRAGMENTS} fragments.")
    names: Counter[str] = Counter()
    for definition in document.definitions:
        if isinstance(definition, (FragmentDefinitionNode, OperationDefinitionNode)):
            _count_names(definition.selection_set, names)
    # The rule that checks overlapping fields compares each pair of fields with one response name.
    if names and (most := names.most_common(1)[0])[1] > MOST_REPEATS * max(1, len(fragments)):
        raise DocumentRefused(f"The field {most[0]} is repeated too often.")


def _count_names(selections: SelectionSetNode, names: Counter[str]) -> None:
    here: Counter[str] = Counter()
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            name = (selection.alias or selection.name).value
            here[name] += 1
            names[name] += 1
        if isinstance(selection, (FieldNode, InlineFragmentNode)) and selection.selection_set:
            _count_names(selection.selection_set, names)
    if here and (most := here.most_common(1)[0])[1] > MOST_REPEATS:
        raise DocumentRefused(f"The field {most[0]} is repeated too often.")


def check_operation(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
) -> Extent:
    """Measure an operation with its variables; refuse it when it asks for too much. Raises DocumentRefused."""
    extent = _Measure(schema, document, operation, variables).operation(operation)
    for what, asked, most in (
        ("levels", extent.depth, MOST_DEPTH),
        ("aliases", extent.aliases, MOST_ALIASES),
        ("directives", extent.directives, MOST_DIRECTIVES),
        ("fields", extent.fields, MOST_FIELDS),
        ("objects", extent.objects, MOST_OBJECTS),
    ):
        if asked > most:
            raise DocumentRefused(f"An operation has at most {most} {what}.")
    return extent


class _Measure:
    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> None:
        self._schema = schema
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        self._measured: dict[str, Extent | None] = {}
        self._variables = dict(variables)
        for definition in operation.variable_definitions or ():
            if isinstance(definition.default_value, IntValueNode):
                self._variables.setdefault(
                    definition.variable.name.value, int(definition.default_value.value)
                )

    def operation(self, operation: OperationDefinitionNode) -> Extent:
        extent = self._selections(operation.selection_set, self._schema.get_root_type(operation.operation))
        return extent.plus(Extent(directives=len(operation.directives or ())))

    def _selections(self, selections: SelectionSetNode, parent: _Composite | None) -> Extent:
        extent = Extent()
        for selection in selections.selections:
            extent = extent.plus(self._selection(selection, parent))
        return extent

    def _selection(self, selection: SelectionNode, parent: _Composite | None) -> Extent:
        own = Extent(directives=len(selection.directives or ()))
        if isinstance(selection, FragmentSpreadNode):
            return own.plus(self._fragment(selection.name.value))
        if isinstance(selection, InlineFragmentNode):
            condition = selection.type_condition
            inner = self._type(condition.name.value) if condition else parent
            return own.plus(self._selections(selection.selection_set, inner))
        assert isinstance(selection, FieldNode)
        return own.plus(self._field(selection, parent))

    def _fragment(self, name: str) -> Extent:
        if name not in self._fragments:
            return Extent()  # validation says that it is unknown
        if name in self._measured:
            known = self._measured[name]
            if known is None:
                raise GraphQLError(f"The fragment {name} contains itself.")
            return known
        self._measured[name] = None
        fragment = self._fragments[name]
        inner = self._selections(fragment.selection_set, self._type(fragment.type_condition.name.value))
        measured = self._measured[name] = inner.plus(Extent(directives=len(fragment.directives or ())))
        return measured

    def _field(self, node: FieldNode, parent: _Composite | None) -> Extent:
        name = node.name.value
        definition = parent.fields.get(name) if parent is not None else None
        type_ = get_named_type(definition.type) if definition else None
        composite = type_ if isinstance(type_, (GraphQLObjectType, GraphQLInterfaceType)) else None
        inner = self._selections(node.selection_set, composite) if node.selection_set else Extent()
        size = self._size(node, definition) if definition is not None else 1
        return Extent(
            depth=inner.depth + 1,
            fields=inner.fields + 1,
            aliases=inner.aliases + (node.alias is not None),
            directives=inner.directives,
            objects=size * (inner.objects + 1) if node.selection_set else 0,
            introspects=inner.introspects or name in ("__schema", "__type"),
        )

    def _size(self, node: FieldNode, definition: GraphQLField) -> int:
        """How many objects a field gives: a page's size, or what is said of a plain list."""
        if "first" in definition.args:
            sizes = [
                self._page_size(argument.value)
                for argument in node.arguments or ()
                if argument.name.value in ("first", "last")
            ]
            return max((each for each in sizes if each is not None), default=DEFAULT_PAGE)
        declared = definition.extensions.get("strawberry-definition")
        size: int = declared.metadata.get(LIST_SIZE, 1) if declared is not None else 1
        return size

    def _page_size(self, value: Any) -> int | None:
        size: Any
        if isinstance(value, VariableNode):
            size = self._variables.get(value.name.value)
        else:
            size = int(value.value) if isinstance(value, IntValueNode) else None
        if not isinstance(size, int):
            return None
        if not 1 <= size <= LARGEST_PAGE:
            raise DocumentRefused(f"Ask for 1 to {LARGEST_PAGE} at a time.")
        return size

    def _type(self, name: str) -> _Composite | None:
        found = self._schema.get_type(name)
        return found if isinstance(found, (GraphQLObjectType, GraphQLInterfaceType)) else None


def check_root_fields(operation: OperationDefinitionNode, document: DocumentNode) -> None:
    """Refuse an operation with too many fields at its root, fragments unfolded."""
    fragments = {
        each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
    }
    counted: dict[str, int] = {}

    def count(selections: SelectionSetNode) -> int:
        found = 0
        for selection in selections.selections:
            if isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name not in counted and name in fragments:
                    counted[name] = 0
                    counted[name] = count(fragments[name].selection_set)
                found += counted.get(name, 0)
            elif isinstance(selection, InlineFragmentNode):
                found += count(selection.selection_set)
            else:
                found += 1
        return found

    if count(operation.selection_set) > MOST_ROOT_FIELDS:
        raise DocumentRefused(f"An operation has at most {MOST_ROOT_FIELDS} root fields.")
