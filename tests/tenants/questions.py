"""Every question that the schema lets one ask by an id or a text, made by walking it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_list_type,
    is_required_argument,
    is_required_input_field,
)

from schema.root import schema

# What else has to be said before these places are looked at.
COMPANIONS = {
    "CartLineInput.quantity": ["sku"],
    "CartLineInput.warehouse": ["sku"],
    "CreditNoteDraftUpdateInput.goodsReturn": ["operation"],
    "CreditNoteIssueInput.goodsReturn": ["invoice", "operation"],
    "CreditNoteIssueInput.invoice": ["operation"],
    "GoodsReturnReceiveInput.invoice": ["lines"],
    "GoodsReturnReceiveInput.warehouse": ["invoice", "lines"],
    "InvoiceIssueInput.lines": ["order"],
    "PaymentRecordInput.allocations": ["customer"],
    "CategoryRowInput.parent": ["name"],
    "ContactChangeDecideInput.contactChange": ["answer"],
    "FileShareInput.upload": ["audience"],
    "OrderCancelInput.order": ["reason"],
    "SupportTicketOpenInput.attachments": ["customer"],
    "QuotationIssueInput.customer": ["lines", "validUntil"],
    "QuotationIssueInput.lines": ["customer", "validUntil"],
    "QuotationLineInput.quantity": ["sku"],
    "QuotationLineInput.unitPrice": ["sku"],
    "QuotationLineInput.warehouse": ["sku"],
}
# And what has to be something in particular there.
FIXED: dict[str, dict[str, Any]] = {
    # Told from what is not there by its version, and left a draft for the questions after this one.
    "QuotationIssueInput.quotation": {"version": 99},
    "QuotationDeleteInput.quotation": {"version": 99},
    "WebhookDeleteInput.webhook": {"version": 99},
    "CreditNoteIssueInput.documentDraft": {"version": 99},
    "CreditNoteIssueInput.invoice": {"draft": True},  # something is left to be credited after this question
    "DocumentDraftDeleteInput.documentDraft": {"version": 99},
    "InvoiceIssueInput.documentDraft": {"version": 99},
    "RmaRequestCloseInput.rmaRequest": {"version": 99},
    "RmaRequestDeleteInput.rmaRequest": {"version": 99},
    "RmaRequestSubmitInput.rmaRequest": {"version": 99},
    "ReconciliationStatementConfirmInput.reconciliationStatement": {"version": 99},
    "ReconciliationStatementDisputeInput.reconciliationStatement": {"version": 99},
    "ReconciliationStatementIssueInput.customer": {"periodFrom": "2026-03-01", "periodTo": "2026-03-31"},
    "FileAudienceInput.accessGroups": {"kind": "ACCESS_GROUPS"},
    "FileAudienceInput.customers": {"kind": "CUSTOMERS"},
    "RestrictionInput.categories": {"kind": "PRODUCT_CATEGORY"},
    "RestrictionInput.products": {"kind": "PRODUCT"},
    "RestrictionInput.warehouses": {"kind": "WAREHOUSE"},
}
# Texts that name nothing: whatever stands there is kept as it is, or not looked at.
FREE_TEXTS = {
    "accountHolder",
    "actions",
    "address",
    "answer",
    "bank",
    "bic",
    "city",
    "comment",
    "country",
    "csv",
    "currency",
    "description",
    "email",
    "footerDe",
    "footerEn",
    "iban",
    "idempotencyKey",
    "image",
    "jobTitle",
    "legalName",
    "manifest",
    "mediaType",
    "name",
    "nameDe",
    "nameEn",
    "newPassword",
    "note",
    "oldPassword",
    "password",
    "paymentTermsDe",
    "paymentTermsEn",
    "phone",
    "postalCode",
    "previewToken",  # signed for one account: tests/resolvers/test_previews.py
    "problem",
    "purchaseOrderNumber",
    "query",
    "reason",
    "reference",
    "region",
    "registration",
    "requestId",
    "serialNumber",
    "sha256",
    "street",
    "subject",
    "supportEmail",
    "text",
    "title",
    "unit",
    "url",
    "value",
    "vatId",
    "web",
}
# Names that are given here, and become one's own; the registry's, which are everybody's to see; and a code,
# which is nobody's name.
GIVEN = {
    "accountActivate(input.code)",
    "accountProvision(input.userName)",
    "attributesUpsert(input.rows.choices.code)",
    "attributesUpsert(input.rows.code)",
    "categoriesUpsert(input.rows.code)",
    "customersUpsert(input.rows.code)",
    "lifecycleStatusCreate(input.code)",
    "portalCreate(input.hosts)",
    "portalCreate(input.slug)",
    "portalUpdate(input.hosts)",
    "portalUpdate(input.origins)",
    "pricesUpsert(input.rows.priceList)",
    "productsUpsert(input.rows.sku)",
    "staffMemberProvision(input.userName)",
    "warehousesUpsert(input.rows.code)",
}
# Lists that are looked at only when they hold two, and what of one's own stands beside.
BESIDE = {"compareProducts(ids)": "node", "compareProducts(skus)": "sku"}
# Inputs of which exactly one member is given, and the plainest one.
ONE_OF = {"CartFillSourceInput": "csv"}
CURSORS = {"after", "before", "since"}
# What says when it was asked: two answers to one question differ in it.
CLOCKS = {"expiresAt", "generatedAt", "previewToken"}

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """An operation with one place left open: an argument, or a field somewhere in an input."""

    operation: str
    field: str
    path: Path
    scalar: str  # ID or String

    def __str__(self) -> str:
        return f"{self.field}({'.'.join(self.path)})"

    def variables(self, value: Any, own: Mapping[str, Any]) -> dict[str, Any]:
        """The variables with `value` in the open place and, where something else is required, the asker's own."""
        given = _arguments(root(self.operation).fields[self.field], self.path, value, own)
        if str(self) in BESIDE:
            given[self.path[0]].append(own[BESIDE[str(self)]])
        return given

    @property
    def document(self) -> str:
        """The operation, which asks for all that lies near."""
        return document(self.operation, self.field)


def root(operation: str) -> GraphQLObjectType:
    """Query or Mutation."""
    found = schema._schema.type_map[operation.title()]
    assert isinstance(found, GraphQLObjectType)
    return found


@cache
def questions(scalar: str) -> list[Question]:
    """Every place of this scalar in every query field and mutation, cursors and free texts left out."""
    every = [
        Question(operation, field, path, scalar)
        for operation in ("query", "mutation")
        for field, declared in root(operation).fields.items()
        for argument, each in declared.args.items()
        for path in paths(each.type, (argument,), scalar)
        if path[-1] not in FREE_TEXTS | CURSORS
    ]
    return [each for each in every if str(each) not in GIVEN]


def paths(type_: Any, here: Path, scalar: str) -> Iterator[Path]:
    """The places of a scalar in what a root field takes."""
    named = get_named_type(type_)
    if named.name == scalar:
        yield here
    elif isinstance(named, GraphQLInputObjectType):
        for name, field in named.fields.items():
            yield from paths(field.type, (*here, name), scalar)


@cache
def document(operation: str, field: str) -> str:
    """An operation on one root field, its arguments as variables of the same names."""
    declared = root(operation).fields[field]
    variables = ", ".join(f"${name}: {_declared(each)}" for name, each in declared.args.items())
    arguments = ", ".join(f"{name}: ${name}" for name in declared.args)
    signature = f"({variables})" if variables else ""
    call = f"{field}({arguments})" if arguments else field
    return f"{operation}{signature} {{ {call} {_selection(declared.type, 3)} }}"


def _declared(argument: GraphQLArgument) -> str:
    """The type of a variable for an argument: one that has a default may be left out."""
    type_ = argument.type
    return str(
        type_ if is_required_argument(argument) or not isinstance(type_, GraphQLNonNull) else type_.of_type
    )


def _selection(type_: Any, levels: int) -> str:
    """All leaves of a type and, some levels down, of the objects that hang on it."""
    named = get_named_type(type_)
    if not isinstance(named, (GraphQLObjectType, GraphQLInterfaceType)):
        return ""
    inner = ["__typename"]
    for name, field in named.fields.items():
        if name in CLOCKS:
            continue
        is_leaf = not isinstance(get_named_type(field.type), (GraphQLObjectType, GraphQLInterfaceType))
        if (is_leaf or levels > 0) and not any(map(is_required_argument, field.args.values())):
            inner.append(f"{name} {_selection(field.type, levels - 1)}")
    return "{ " + " ".join(inner) + " }"


def anything(operation: str, field: str, own: Mapping[str, Any]) -> dict[str, Any]:
    """Variables for a root field with nothing in them but what is required."""
    return _arguments(root(operation).fields[field], (), "", own)


def _arguments(field: GraphQLField, path: Path, value: Any, own: Mapping[str, Any]) -> dict[str, Any]:
    given = {}
    for name, argument in field.args.items():
        if path[:1] == (name,):
            given[name] = _with(argument.type, path[1:], value, own)
        elif is_required_argument(argument):
            given[name] = _required(argument.type, name, own)
    return given


def _with(type_: Any, path: Path, value: Any, own: Mapping[str, Any]) -> Any:
    """An input value of the type with `value` at the path."""
    if isinstance(type_, GraphQLNonNull):
        return _with(type_.of_type, path, value, own)
    if is_list_type(type_):
        return [_with(type_.of_type, path, value, own)]
    return _object(type_, path, value, own) if path else value


def _object(type_: GraphQLInputObjectType, path: Path, value: Any, own: Mapping[str, Any]) -> dict[str, Any]:
    place = f"{type_.name}.{path[0]}" if path else ""
    companions, fixed = COMPANIONS.get(place, []), FIXED.get(place, {})
    given: dict[str, Any] = {}
    for name, field in type_.fields.items():
        if path[:1] == (name,):
            given[name] = _with(field.type, path[1:], value, own)
        elif name in fixed:
            given[name] = fixed[name]
        elif is_required_input_field(field) or name in companions:
            here = f"{type_.name}.{name}"  # where not every object of the type will do
            given[name] = _required(field.type, here if here in own else name, own)
    if not given and type_.name in ONE_OF:
        name = ONE_OF[type_.name]
        given[name] = _required(type_.fields[name].type, name, own)
    return given


def _required(type_: Any, name: str, own: Mapping[str, Any]) -> Any:
    """A value for something that has to be there: the asker's own, or the plainest of its type."""
    if isinstance(type_, GraphQLNonNull):
        return _required(type_.of_type, name, own)
    if is_list_type(type_):
        return [_required(type_.of_type, name, own)]
    if isinstance(type_, GraphQLInputObjectType):
        return _object(type_, (), "", own)
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    plain = {"Int": 1, "Decimal": "1", "Boolean": False, "Date": "2999-12-31"}
    if type_.name not in plain and name not in own:
        raise LookupError(f"tests have to say which {type_.name} of one's own goes to `{name}`")
    return own.get(name, plain.get(type_.name))
