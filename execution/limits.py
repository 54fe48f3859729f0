"""What a document may ask for: depth, aliases, directives, fields and values, measured in one memoised pass.

Nothing is executed and no resolver is known here. A fragment is measured once, however often it is
spread, so a document that would unfold into millions of fields is measured in time linear in its text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    VariableNode,
    Visitor,
    get_named_type,
    visit,
)

# The key in a Strawberry field's metadata that says how many objects a plain list gives on average.
LIST_SIZE = "list_size"
# The key that says of a list that it gives one object for each thing that the operation brings along, if those are
# more.
AS_GIVEN = "as_given"

MOST_NESTING = 60
MOST_DEPTH = 20
MOST_ALIASES = 100
MOST_DIRECTIVES = 100
MOST_ROOT_FIELDS = 50
MOST_FIELDS = 2_000
MOST_VALUES = 100_000
LARGEST_PAGE = 100
DEFAULT_PAGE = 20
# What a field of the topmost level costs whatever it gives: a statement at least, where a value is some bytes.
ROOT_FIELD = 1_000
MOST_GIVEN = 1_000  # what is longer than that is refused by the rules, with a code and a path

# How many each list of the introspection gives on average, in a schema somewhat larger than ours; `ofType`
# is a chain that is nearly always empty.
_INTROSPECTED = {"types": 200, "fields": 4, "enumValues": 3, "inputFields": 2, "directives": 8, "ofType": 0}

_Parent: TypeAlias = GraphQLObjectType | GraphQLInterfaceType | None


class DocumentRefused(GraphQLError):
    """A document asks for more than anybody may ask for at once."""

    def __init__(self, message: str) -> None:
        super().__init__(message, extensions={"code": "OPERATION_TOO_COMPLEX"})


@dataclass(slots=True)
class Extent:
    """How much an operation, fragment or selection asks for once fragments are unfolded.

    `width` counts the fields of the topmost level, `values` every object and leaf of the largest answer.
    `varies` says that a variable decided on the size of a page or list.
    """

    width: int = 0
    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    values: int = 0
    introspects: bool = False
    varies: bool = False

    @property
    def cost(self) -> int:
        """What it takes from a budget: a unit for each value asked for at most, and what its root fields cost."""
        return self.values + ROOT_FIELD * self.width

    def add(self, other: "Extent") -> None:
        """Have both, side by side."""
        self.width += other.width
        self.depth = max(self.depth, other.depth)
        self.fields += other.fields
        self.aliases += other.aliases
        self.directives += other.directives
        self.values += other.values
        self.introspects |= other.introspects
        self.varies |= other.varies


def check_operation(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
) -> Extent:
    """Measure an operation with its variables; refuse it when it asks for too much. Raises DocumentRefused."""
    extent = Measure(schema, document, operation, variables).operation()
    for what, asked, most in (
        ("root fields", extent.width, MOST_ROOT_FIELDS),
        ("levels", extent.depth, MOST_DEPTH),
        ("aliases", extent.aliases, MOST_ALIASES),
        ("directives", extent.directives, MOST_DIRECTIVES),
        ("fields", extent.fields, MOST_FIELDS),
        ("values", extent.values, MOST_VALUES),
    ):
        if asked > most:
            raise DocumentRefused(f"An operation has at most {most} {what}.")
    return extent


class Measure:
    """One walk over an operation; `steps` counts the selections it looked at."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> None:
        self.steps = 0
        self._schema = schema
        self._operation = operation
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        self._measured: dict[str, Extent | None] = {}
        self._document = document
        self._variables = variables
        self._longest: int | None = None
        self._defaults = {
            each.variable.name.value: each.default_value for each in operation.variable_definitions or ()
        }
        self._nesting = 0

    def operation(self) -> Extent:
        root = self._schema.get_root_type(self._operation.operation)
        extent = self._selections(self._operation.selection_set, root)
        extent.directives += len(self._operation.directives or ())
        return extent

    def _selections(self, selections: SelectionSetNode, parent: _Parent) -> Extent:
        self._nesting += 1
        if self._nesting > MOST_NESTING:
            raise DocumentRefused(f"An operation nests at most {MOST_NESTING} selections.")
        extent = Extent()
        for selection in selections.selections:
            self.steps += 1
            extent.directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                self._add_field(extent, selection, parent)
            elif isinstance(selection, FragmentSpreadNode):
                extent.add(self._fragment(selection.name.value))
            else:
                condition = selection.type_condition  # type: ignore[attr-defined]  # an inline fragment
                inner = self._type(condition.name.value) if condition else parent
                extent.add(self._selections(selection.selection_set, inner))  # type: ignore[attr-defined]
        self._nesting -= 1
        return extent

    def _fragment(self, name: str) -> Extent:
        if name not in self._fragments:
            return Extent()  # validation says that it is unknown
        if name not in self._measured:
            self._measured[name] = None
            fragment = self._fragments[name]
            extent = self._selections(fragment.selection_set, self._type(fragment.type_condition.name.value))
            extent.directives += len(fragment.directives or ())
            self._measured[name] = extent
        known = self._measured[name]
        if known is None:
            raise GraphQLError(f"The fragment {name} contains itself.")
        return known

    def _add_field(self, extent: Extent, node: FieldNode, parent: _Parent) -> None:
        name = node.name.value
        extent.width += 1
        extent.fields += 1
        extent.aliases += node.alias is not None
        extent.depth = max(extent.depth, 1)
        if node.selection_set is None:
            extent.values += 1
            return
        definition = self._schema.get_field(parent, name) if parent else None
        inner = self._selections(
            node.selection_set, _composite(get_named_type(definition.type) if definition else None)
        )
        inner.width = 0
        inner.depth += 1
        inner.values = (inner.values + 1) * self._size(extent, node, parent, definition)
        inner.introspects |= name in ("__schema", "__type")
        extent.add(inner)

    def _size(self, extent: Extent, node: FieldNode, parent: _Parent, definition: GraphQLField | None) -> int:
        """How many objects a field gives: a page's size, or what is said of a plain list."""
        if definition is None or parent is None:
            return 1
        if "first" in definition.args:
            values = [each.value for each in node.arguments or () if each.name.value in ("first", "last")]
            extent.varies |= any(isinstance(each, VariableNode) for each in values)
            sizes = [size for each in values if (size := self._page_size(each)) is not None]
            return max(sizes, default=DEFAULT_PAGE)
        if parent.name.startswith("__"):
            return _INTROSPECTED.get(node.name.value, 1)
        declared = definition.extensions.get("strawberry-definition")
        if declared is None:
            return 1
        size = int(declared.metadata.get(LIST_SIZE, 1))
        if declared.metadata.get(AS_GIVEN):
            extent.varies = True
            size = max(size, self._given())
        return size

    def _given(self) -> int:
        """How many things the operation brings along: the longest list or, by its lines, text in it. One number for
        all of it, as a fragment is measured once wherever it is spread."""
        if self._longest is None:
            literals = _Literals()
            visit(self._document, literals)
            self._longest = min(max(literals.longest, _longest(self._variables)), MOST_GIVEN)
        return self._longest

    def _page_size(self, node: ValueNode | None) -> int | None:
        """None when nothing is asked for; what is no whole number counts as much, and is refused later."""
        if isinstance(node, VariableNode):
            name = node.name.value
            if name not in self._variables:
                return self._page_size(self._defaults.get(name))
            given = self._variables[name]
            size = int(given) if isinstance(given, int | float) else None if given is None else LARGEST_PAGE
        else:
            size = int(node.value[:9]) if isinstance(node, IntValueNode) else None
        if size is not None and not 1 <= size <= LARGEST_PAGE:
            raise DocumentRefused(f"Ask for 1 to {LARGEST_PAGE} at a time.")
        return size

    def _type(self, name: str) -> _Parent:
        return _composite(self._schema.get_type(name))


class _Literals(Visitor):
    """Finds the longest list or text that is written into a document."""

    def __init__(self) -> None:
        super().__init__()
        self.longest = 0

    def enter_list_value(self, node: ListValueNode, *_: Any) -> None:
        self.longest = max(self.longest, len(node.values))

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        self.longest = max(self.longest, _lines(node.value))


def _longest(variables: Mapping[str, Any]) -> int:
    """The longest list or text in variables, however deep; without recursion, as they nest as deep as JSON may."""
    longest, left = 0, list(variables.values())
    while left:
        value = left.pop()
        if isinstance(value, str):
            longest = max(longest, _lines(value))
        elif isinstance(value, list):
            longest = max(longest, len(value))
            left += value
        elif isinstance(value, Mapping):
            left += value.values()
    return longest


def _lines(text: str) -> int:
    return max(text.count("\n"), text.count("\r")) + 1


def _composite(found: GraphQLNamedType | None) -> _Parent:
    return found if isinstance(found, GraphQLObjectType | GraphQLInterfaceType) else None
