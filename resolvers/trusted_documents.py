"""Trusted documents: the list as the company's staff sees it and keeps it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Annotated, Any
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid
from graphql import GraphQLError, GraphQLSchema, OperationDefinitionNode

import db
from db.trusted_documents import NewTrustedDocument, TrustedDocument
from execution import documents
from resolvers import nodes, pages
from resolvers.context import Context, Info
from resolvers.enums import publish
from resolvers.mutations import KEY_DESCRIPTION, Beforehand, Payload, facts_of
from resolvers.relations import relation
from resolvers.rows import POLICY_DESCRIPTION, read_rows
from rules.access_groups import check_length
from rules.broken import BrokenRule, BrokenRules, NotFound, broken_by, found_at
from rules.rows import MOST_ROWS, RowPolicy
from rules.trusted_documents import (
    MOST_TRUSTED_DOCUMENTS,
    ListedDocument,
    OperationType,
    TooManyTrustedDocuments,
    TrustedDocumentInvalid,
    check_hash,
    document_id,
    hash_of,
    read_manifest,
)

publish(
    OperationType,
    description="What an operation is.",
    value={
        OperationType.QUERY: "It reads.",
        OperationType.MUTATION: "It changes something.",
        OperationType.SUBSCRIPTION: "It watches.",
    }.__getitem__,
)


class TrustedDocumentOrder(Enum):
    """In what order trusted documents come."""

    UPLOADED_AT_ASC = "UPLOADED_AT_ASC"
    UPLOADED_AT_DESC = "UPLOADED_AT_DESC"


publish(
    TrustedDocumentOrder,
    description="In what order trusted documents come.",
    value={
        TrustedDocumentOrder.UPLOADED_AT_ASC: "What was listed first comes first.",
        TrustedDocumentOrder.UPLOADED_AT_DESC: "What was listed last comes first.",
    }.__getitem__,
)


@strawberry.input(description="Which trusted documents; all that is given must hold.")
class TrustedDocumentFilter:
    """trustedDocuments(filter:)."""

    name: str | None = strawberry.field(default=None, description="Whose operation has exactly this name.")
    operation_types: list[OperationType] | None = strawberry.field(
        default=None, description="Whose operation is one of these."
    )


_Filter = Annotated[TrustedDocumentFilter | None, strawberry.argument(description="Which documents.")]
_Order = Annotated[
    list[TrustedDocumentOrder] | None,
    strawberry.argument(description="In what order; the newest first when nothing is said."),
]


async def page(
    info: Info,
    filter: _Filter = None,
    order_by: _Order = None,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> pages.Connection:
    """Query.trustedDocuments."""
    given = filter or TrustedDocumentFilter()
    types = given.operation_types
    filters = {
        "name": given.name,
        "operation_types": None if types is None else [each.value for each in types],
    }
    order = order_by or [TrustedDocumentOrder.UPLOADED_AT_DESC]
    asked = pages.Asked(first, after, last, before)
    return await pages.connection(info.context, db.trusted_documents, filters, order, asked)


def named(root: strawberry.Parent[TrustedDocument]) -> str:
    """TrustedDocument.documentId."""
    return document_id(root.hash)


def operation_type(root: strawberry.Parent[TrustedDocument]) -> OperationType:
    """TrustedDocument.operationType."""
    return OperationType(root.operation_type)


# TrustedDocument.uploadedBy.
uploaded_by = relation(db.staff_members.by_ids, "uploaded_by_id")


@strawberry.input(description="A manifest of documents that are to be trusted.")
class TrustedDocumentsUploadInput:
    """trustedDocumentsUpload(input:)."""

    manifest: str = strawberry.field(
        description="What the file of up to 1,000 documents says: GraphQL Code Generator's persisted-documents.json and "
        "Relay's, which map hashes to texts, or Apollo's persisted query manifest. Hashes are SHA-256 (`hashAlgorithm: \"sha256\"`), "
        "with `sha256:` before them or not."
    )
    policy: RowPolicy = strawberry.field(default=RowPolicy.ALL_OR_NOTHING, description=POLICY_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="Documents that are not to be trusted any more.")
class TrustedDocumentsRemoveInput:
    """trustedDocumentsRemove(input:)."""

    documents: list[strawberry.ID] = strawberry.field(description="Up to 1,000 of them.")
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class TrustedDocumentsPayload(Payload):
    """The documents of a manifest that are on the list now, in its order."""

    documents: list[TrustedDocument] | None = None


@dataclass(slots=True)
class TrustedDocumentsRemovedPayload(Payload):
    """The ids of what was taken off the list."""

    deleted_ids: list[strawberry.ID] | None = None


_UploadInput = Annotated[TrustedDocumentsUploadInput, strawberry.argument(description="The manifest.")]
_RemoveInput = Annotated[TrustedDocumentsRemoveInput, strawberry.argument(description="Which documents.")]


async def upload(info: Info, input: _UploadInput) -> TrustedDocumentsPayload:
    """Mutation.trustedDocumentsUpload. What is listed already stays as it is; nothing is taken off the list."""
    context = info.context
    with found_at("manifest"):
        listed = read_manifest(input.manifest)
    check_length(listed, MOST_ROWS, "manifest")
    checked = context.looked_at
    if texts := {each.text: None for each in listed if each.text not in checked}:
        raise Beforehand(partial(_look_at, context, info.schema._schema, texts))
    rows = await read_rows(
        listed,
        key=lambda each: hash_of(each.text),
        read=lambda each: _read(each, checked[each.text], context.signed_in.actor_id),
        named="id",
        told=lambda each: each.id,
        place=lambda index: ("manifest", *listed[index].place),
    )
    errors = rows.settle(input.policy)
    kept = await _add(context, rows.good)
    return TrustedDocumentsPayload(errors=errors, documents=[kept[digest] for digest in rows.good])


async def _look_at(context: Context, schema: GraphQLSchema, texts: Collection[str]) -> None:
    """Find the operation of each text, or why it could not be run; it is paid as what clients send is."""
    await context.costs.spend(sum(map(documents.price, texts)), besides=True)
    for text in texts:
        context.looked_at[text] = await context.beside(partial(_operation, schema, text))


def _operation(schema: GraphQLSchema, text: str) -> OperationDefinitionNode | BrokenRule:
    try:
        return documents.check(schema, text)
    except GraphQLError as error:
        return TrustedDocumentInvalid(reason=error.message.rstrip("."))


def _read(
    each: ListedDocument, checked: OperationDefinitionNode | BrokenRule, staff_member_id: UUID
) -> NewTrustedDocument:
    """What a manifest asks for. Raises BrokenRules with all that is wrong with it."""
    wrong = list(broken_by([lambda: check_hash(each)]))
    if isinstance(checked, BrokenRule):
        raise BrokenRules([*wrong, checked])
    if wrong:
        raise BrokenRules(wrong)
    return NewTrustedDocument(
        id=uuid.uuid7(),
        hash=hash_of(each.text),
        text=each.text,
        name=checked.name.value if checked.name else None,
        operation_type=OperationType[checked.operation.name],
        uploaded_by_id=staff_member_id,
    )


async def _add(context: Context, wanted: Mapping[str, NewTrustedDocument]) -> Mapping[str, TrustedDocument]:
    """List what is not listed yet, with as many statements for a thousand documents as for one; by their hash. Raises
    TooManyTrustedDocuments."""
    connection = context.connection
    # Who lists documents at the same time waits here: then nothing is listed twice, and no more than there may be.
    await db.portals.lock(connection, context.tenant_id)
    kept = await db.trusted_documents.by_hashes(connection, list(wanted))
    new = [each for digest, each in wanted.items() if digest not in kept]
    if not new:
        context.record_nothing()
        return kept
    listed = await db.trusted_documents.count(connection, context.signed_in, {})
    if listed + len(new) > MOST_TRUSTED_DOCUMENTS:
        raise TooManyTrustedDocuments(path=("manifest",))
    added = await db.trusted_documents.add(connection, new)
    for each in new:
        context.record("TrustedDocument", each.id, before=None, after=_facts(added[each.hash]))
    return {**kept, **added}


async def remove(info: Info, input: _RemoveInput) -> TrustedDocumentsRemovedPayload:
    """Mutation.trustedDocumentsRemove."""
    context = info.context
    check_length(input.documents, MOST_ROWS, "documents")
    keys = [nodes.key_or_nothing(each, "TrustedDocument") for each in input.documents]
    removed = await db.trusted_documents.remove(context.connection, [key for key in keys if key is not None])
    missing = [
        NotFound(path=("documents", str(index))) for index, key in enumerate(keys) if key not in removed
    ]
    if missing:
        raise BrokenRules(missing)
    for each in removed.values():
        context.record("TrustedDocument", each.id, before=_facts(each), after=None)
    context.record_nothing()
    return TrustedDocumentsRemovedPayload(
        deleted_ids=[strawberry.ID(nodes.global_id("TrustedDocument", key)) for key in removed]
    )


def _facts(document: TrustedDocument) -> dict[str, Any]:
    """What the audit says of a document: what it is named by says which text it is."""
    facts = facts_of(document, document_id=document_id(document.hash))
    return {name: each for name, each in facts.items() if name not in ("text", "hash")}
