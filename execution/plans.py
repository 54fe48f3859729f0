"""Plans: an operation's fields collected and their resolvers bound once, to be run many times.

A plan belongs to one schema, one operation of one document, and one outcome of its `@skip` and `@include`. What is
selected of an object is compiled when the first object of its type turns up, so a plan is never larger than what
its document was used for.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
)
from graphql.execution.collect_fields import GroupedFieldSet, collect_fields, collect_subfields
from graphql.execution.executor import Executor

from execution.documents import may_be_kept
from execution.fallbacks import Reason
from execution.fields import Field, bind

MOST_OPERATIONS = 1_000
MOST_BYTES = 64_000_000
# Of one operation: with n conditions there are 2^n outcomes. What comes later is compiled anew each time.
MOST_OUTCOMES = 16
MOST_FIELDS = 20_000
BYTES_PER_OPERATION = 2_000
BYTES_PER_FIELD = 1_500
# Of an operation and of its document's fragments, whose syntax trees are kept with it: 50 to 280.
BYTES_PER_CHARACTER = 120

_CONDITIONS = ("skip", "include")
_INCREMENTAL = ("defer", "stream")


class Selection:
    """What is selected of the objects of one type: the fields to resolve, and the answer before they are."""

    __slots__ = ("fields", "only_leaves", "template", "type")

    def __init__(self, type_: GraphQLObjectType, fields: list[Field], template: dict[str, Any]) -> None:
        self.type = type_
        self.fields = fields
        self.template = template
        # Whether the answer depends on nothing but the object itself.
        self.only_leaves = all(
            each.of_object_alone and each.shape.depths[-1].kind == "leaf" for each in fields
        )


class Plan:
    """One operation with one outcome of its conditions."""

    __slots__ = ("_operation", "_selections", "fields", "root")

    def __init__(
        self, operation: "_Operation", executor: Executor[Any], root_type: GraphQLObjectType
    ) -> None:
        self._operation = operation
        self._selections: dict[tuple[Any, ...], Selection] = {}
        self.fields = 0  # compiled so far
        collected = collect_fields(
            executor.schema,
            executor.fragments,
            executor.variable_values,
            root_type,
            executor.operation,
            executor.hide_suggestions,
        )
        self.root = self._compiled(executor, root_type, collected.grouped_field_set)

    def selection(self, executor: Executor[Any], of: Field, type_: GraphQLObjectType) -> Selection:
        """What the operation selects of an object of this type that a field gives.

        Fragments that are spread in many places are compiled once.
        """
        key = (type_, *(id(each.node) for each in of.details))
        found = self._selections.get(key)
        if found is None:
            collected = collect_subfields(
                executor.schema,
                executor.fragments,
                executor.variable_values,
                executor.operation,
                type_,
                of.details,
                executor.hide_suggestions,
            )
            found = self._compiled(executor, type_, collected.grouped_field_set)
            if self.fields <= MOST_FIELDS:
                self._selections[key] = found
        if self.fields <= MOST_FIELDS:
            of.selections[type_] = found
        return found

    def _compiled(
        self, executor: Executor[Any], type_: GraphQLObjectType, collected: GroupedFieldSet
    ) -> Selection:
        fields: list[Field] = []
        template: dict[str, Any] = {}
        for name, details in collected.items():
            field_name = details[0].node.name.value
            definition = executor.schema.get_field(type_, field_name)
            if field_name == "__typename":
                template[name] = type_.name
            elif definition is not None:
                compiled = bind(executor, type_, name, definition, details)
                compiled.position = len(template)
                template[name] = None
                fields.append(compiled)
        self.fields += len(collected)
        self._operation.grow(len(collected) * BYTES_PER_FIELD)
        return Selection(type_, fields, template)


@dataclass(slots=True, eq=False)
class _Operation:
    """What is known of an operation: why it cannot be compiled, or which variables its conditions ask, and its plans.

    It keeps the syntax tree and the schema alive, so that their ids cannot become those of others.
    """

    schema: GraphQLSchema
    node: OperationDefinitionNode
    fragments: tuple[Node, ...]
    plans: "Plans"
    reason: Reason | None
    conditions: tuple[str, ...]
    bytes: int
    outcomes: dict[tuple[Any, ...], Plan] = field(default_factory=dict)
    kept: bool = True

    def grow(self, more: int) -> None:
        """Its plans take more memory."""
        self.bytes += more
        if self.kept:
            self.plans.bytes += more
            self.plans.trim()


class Plans:
    """The plans of the operations used last, bounded in number and in memory."""

    def __init__(self, *, most: int = MOST_OPERATIONS, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._operations: OrderedDict[tuple[int, int], _Operation] = OrderedDict()
        self.bytes = 0  # an estimate

    def __len__(self) -> int:
        return sum(len(each.outcomes) for each in self._operations.values())

    def get(self, executor: Executor[Any]) -> Plan | Reason:
        """The plan for what an executor is to run, or why there is none. Raises GraphQLError."""
        operation = self._operation(executor)
        if operation.reason is not None:
            return operation.reason
        coerced = executor.variable_values.coerced
        outcome = tuple(coerced.get(name) for name in operation.conditions)
        plan = operation.outcomes.get(outcome)
        if plan is None:
            root_type = executor.schema.get_root_type(executor.operation.operation)
            if root_type is None:
                return Reason.NO_ROOT_TYPE
            plan = Plan(operation, executor, root_type)
            if operation.kept and len(operation.outcomes) < MOST_OUTCOMES:
                operation.outcomes[outcome] = plan
        return plan

    def _operation(self, executor: Executor[Any]) -> _Operation:
        key = (id(executor.schema), id(executor.operation))
        known = self._operations.get(key)
        fragments = tuple(executor.fragment_definitions.values())
        if known is not None and _same(known.fragments, fragments):
            self._operations.move_to_end(key)
            return known
        if known is not None:
            self._drop(key)
        known = _known(self, executor, fragments)
        if known.kept:
            self._operations[key] = known
            self.bytes += known.bytes
            self.trim()
        return known

    def trim(self) -> None:
        """Let go of the operations that were used longest ago, if need be of the newest: plans grow as they are used."""
        while self._operations and (len(self._operations) > self._most or self.bytes > self._most_bytes):
            self._drop(next(iter(self._operations)))

    def _drop(self, key: tuple[int, int]) -> None:
        dropped = self._operations.pop(key)
        dropped.kept = False
        dropped.outcomes.clear()  # what points at itself would wait for the garbage collector
        self.bytes -= dropped.bytes


def _same(some: tuple[Node, ...], others: tuple[Node, ...]) -> bool:
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))


def _known(plans: Plans, executor: Executor[Any], fragments: tuple[Node, ...]) -> _Operation:
    """Look through an operation and its document's fragments, once."""
    conditions: dict[str, None] = {}
    reason: Reason | None = None
    if executor.operation.operation is OperationType.SUBSCRIPTION:
        reason = Reason.SUBSCRIPTION
    for node in _selected(executor.operation, *fragments):
        if isinstance(node, FieldNode) and node.name.value in ("__schema", "__type"):
            reason = Reason.INTROSPECTION
        for directive in node.directives or ():
            if directive.name.value in _INCREMENTAL:
                reason = Reason.INCREMENTAL
            if directive.name.value in _CONDITIONS:
                conditions.update(
                    (each.value.name.value, None)
                    for each in directive.arguments or ()
                    if isinstance(each.value, VariableNode)
                )
    if any(getattr(each, "variable_definitions", None) for each in fragments):
        reason = Reason.FRAGMENT_VARIABLES
    written = [each.loc for each in (executor.operation, *fragments) if each.loc]
    return _Operation(
        executor.schema,
        executor.operation,
        fragments,
        plans,
        reason,
        tuple(conditions),
        bytes=BYTES_PER_OPERATION
        + BYTES_PER_CHARACTER * sum(each.end - each.start for each in written)
        + sum(len(each.source.body) for each in written[:1]),
        kept=may_be_kept(executor.operation),
    )


def _selected(*definitions: Node) -> Iterator[FieldNode | InlineFragmentNode | FragmentSpreadNode]:
    """Every selection that is written in these definitions."""
    open_: list[Any] = [each.selection_set for each in definitions]  # type: ignore[attr-defined]
    while open_:
        for selection in open_.pop().selections:
            yield selection
            nested = getattr(selection, "selection_set", None)
            if nested is not None:
                open_.append(nested)
