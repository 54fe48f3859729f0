"""Documents: parsed, measured and validated, in that order; each remembered by its text."""

import gc
import re
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    ValidationContext,
    parse,
    specified_rules,
    validate,
)
from graphql.validation import ASTValidationRule, validation_context
from graphql.validation.rules import overlapping_fields_can_be_merged
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from execution.limits import DocumentRefused, Extent, check_operation
from execution.pace import Pace

MOST_CHARACTERS = 50_000
MOST_TOKENS = 3_000

# Two rules compare or follow fragments more often than a document has tokens; graphql-core bounds their work
# and lets us say how much it may be.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 20_000
validation_context.MAX_FRAGMENT_WORK = 10_000

_RULES = (*specified_rules, OneOfInputValidationRule)
_ABORTED = "Validation aborted."
# The escape of a NUL, which no text can hold where we keep it; not a backslash that is itself escaped.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u(?:0000|\{0+\})")

# What is new has to be paid, whatever is in it: by its length, in the units of `execution.limits.ROOT_FIELD`, at what
# a character takes that is no filling (up to 10 µs; four units are one).
CHARACTER = 40

_REMEMBERED_MOST = 1_000
_REMEMBERED_BYTES = 64_000_000
_BYTES_PER_TOKEN = 600


@dataclass(slots=True)
class Known:
    """A document with what is known of it already; `extents` are those that no variable can change."""

    document: DocumentNode
    operations: dict[str | None, OperationDefinitionNode]
    bytes: int
    extents: dict[str | None, Extent] = field(default_factory=dict)
    errors: list[GraphQLError] | None = None

    def measured(self, schema: GraphQLSchema, name: str | None, variables: dict[str, Any]) -> Extent:
        """How much an operation asks for. Raises GraphQLError."""
        extent = self.extents.get(name)
        if extent is None:
            extent = check_operation(schema, self.document, self.operations[name], variables)
            if not extent.varies:
                self.extents[name] = extent
        return extent

    def checked(self, schema: GraphQLSchema) -> list[GraphQLError]:
        """What is not valid in the document."""
        if self.errors is None:
            self.errors = _errors(schema, self.document)
        return self.errors


class _Remembered:
    """The documents used last, bounded in number and in memory; keyed by schema and text."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[GraphQLSchema, str], Known] = OrderedDict()
        self._bytes = 0

    def find(self, schema: GraphQLSchema, text: str) -> Known | None:
        """The document, unless it is new or was forgotten."""
        known = self.seen(schema, text)
        if known is not None:
            self._known.move_to_end((schema, text))
        return known

    def seen(self, schema: GraphQLSchema, text: str) -> Known | None:
        """The same for any thread: nothing changes by it."""
        return self._known.get((schema, text))

    def keep(self, schema: GraphQLSchema, text: str, known: Known) -> None:
        """Remember a document, if it is one to be kept; what was used longest ago makes room."""
        if known.errors is None or not all(map(may_be_kept, known.operations.values())):
            return
        if (former := self._known.pop((schema, text), None)) is not None:  # two looked at it at once
            self._bytes -= former.bytes
        self._known[schema, text] = known
        self._bytes += known.bytes
        while len(self._known) > _REMEMBERED_MOST or self._bytes > _REMEMBERED_BYTES:
            _, dropped = self._known.popitem(last=False)
            self._bytes -= dropped.bytes


remembered = _Remembered()


def may_be_kept(operation: OperationDefinitionNode) -> bool:
    """Whether what is known of an operation may be kept for the next who asks it. Not of mutations with texts written into
    their document: that may be a password, and what somebody else pays for the same text would tell that it was right."""
    written = operation.loc.source.body if operation.loc else ""
    return operation.operation is not OperationType.MUTATION or '"' not in written


def price(text: str) -> int:
    """What it costs to look at a document that is new, in units of a budget."""
    return CHARACTER * min(len(text), MOST_CHARACTERS)


def look(schema: GraphQLSchema, text: str, name: str | None, variables: dict[str, Any]) -> Known:
    """Look at a document that is new, as far as nothing is wrong with it: what is known then costs next to nothing.

    It changes nothing that anybody else sees, so that it may be called in any thread. Raises GraphQLError when the text
    is no document.
    """
    known = remembered.seen(schema, text)  # by now: several may wait to look at it
    if known is not None:
        return known
    known = _parsed(text)
    if name is None and len(known.operations) == 1:
        (name,) = known.operations
    if name in known.operations:
        with suppress(GraphQLError):
            known.measured(schema, name, variables)
            known.checked(schema)
    return known


def check(schema: GraphQLSchema, text: str) -> OperationDefinitionNode:
    """The one operation of a document that is kept for later, after the checks that it will have to pass then.

    It is not remembered: many are checked at once, and would push out what is used now. Raises GraphQLError, the first
    one, also for several operations and for introspection.
    """
    known = _parsed(text)
    if len(known.operations) != 1:
        raise GraphQLError("There has to be one operation.")
    (operation,) = known.operations.values()
    extent = check_operation(schema, known.document, operation, {})
    if extent.introspects:
        raise GraphQLError("It cannot ask for the schema.")
    if errors := known.checked(schema):
        raise errors[0]
    return operation


def _parsed(text: str) -> Known:
    if len(text) > MOST_CHARACTERS:
        raise DocumentRefused(f"A document has at most {MOST_CHARACTERS} characters; send data as variables.")
    if "\\u" in text and _NUL.search(text):
        raise GraphQLError("A text cannot contain a NUL character.", extensions={"code": "BAD_USER_INPUT"})
    pace = Pace()
    try:
        document = parse(text, max_tokens=MOST_TOKENS, allow_empty_selection_sets=False)
    except GraphQLSyntaxError as error:
        if "Parsing aborted" in error.message:
            raise DocumentRefused(
                f"A document has at most {MOST_TOKENS} tokens and does not nest deeply."
            ) from None
        raise
    finally:
        pace.rest()
    _let_go_of_tokens(document)
    operations = {
        definition.name.value if definition.name else None: definition
        for definition in document.definitions
        if isinstance(definition, OperationDefinitionNode)
    }
    return Known(document, operations, len(text) + _BYTES_PER_TOKEN * document.token_count)


class _GivesWay(ASTValidationRule):
    """Finds nothing wrong, and rests now and then."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self._pace = Pace()

    def enter(self, *_: object) -> None:
        """Called at each node."""
        self._pace.step()


def _let_go_of_tokens(document: DocumentNode) -> None:
    """Tokens point at each other, so that a document that is forgotten would wait for a pass over all that there is,
    during which everything stands still. Nobody goes from one to the next any more."""
    token = document.loc.start_token if document.loc else None
    while token is not None:
        following = token.next
        token.prev = token.next = None
        token = following


def _errors(schema: GraphQLSchema, document: DocumentNode) -> list[GraphQLError]:
    """What is not valid, without guesses at what was meant.

    An error may print a good part of the document, so long documents get fewer of them.
    """
    most = max(2, min(20, 10_000 // (document.token_count + 1)))
    errors = validate(schema, document, (*_RULES, _GivesWay), max_errors=most, hide_suggestions=True)
    gc.collect(0)  # it leaves what points at itself: a little each time, not much at some time
    if errors and errors[-1].message == _ABORTED:
        return [DocumentRefused("The document repeats fields or fragments too often to be checked.")]
    return errors
