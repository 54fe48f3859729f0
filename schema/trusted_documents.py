"""Trusted documents: the GraphQL documents that a portal has listed."""

from datetime import datetime
from typing import Annotated

import strawberry

import resolvers.trusted_documents
from rules.permissions import Permission
from rules.trusted_documents import OperationType
from schema.errors import UserError
from schema.fields import field, mutation, query
from schema.nodes import Node
from schema.pages import Connection
from schema.staff_members import StaffMember


@strawberry.type(
    description="A GraphQL document that a request may name by its hash, and that also runs where a portal runs no others."
)
class TrustedDocument(Node):
    """db.trusted_documents.TrustedDocument."""

    document_id: Annotated[
        str,
        field(
            resolvers.trusted_documents.named,
            description="What a request says for `documentId` instead of `query`: `sha256:` and the hash of the text.",
        ),
    ]
    text: Annotated[str, field(description="The document.")]
    name: Annotated[str | None, field(description="What its operation is called; null where it has no name.")]
    operation_type: Annotated[
        OperationType,
        field(resolvers.trusted_documents.operation_type, description="What its operation is."),
    ]
    uploaded_at: Annotated[datetime, field(description="When it was listed.")]
    uploaded_by: Annotated[
        StaffMember | None, field(resolvers.trusted_documents.uploaded_by, description="Who has listed it.")
    ]


@strawberry.type(description="What trustedDocumentsUpload answers.")
class TrustedDocumentsPayload:
    """resolvers.trusted_documents.TrustedDocumentsPayload."""

    documents: Annotated[
        list[TrustedDocument] | None,
        field(description="The documents of the manifest that are on the list now, in its order.", size=100),
    ]
    errors: Annotated[
        list[UserError],
        field(
            description="What is wrong with which document: the path is manifest, then its hash, or operations and its index.",
            size=2,
        ),
    ]


@strawberry.type(description="What trustedDocumentsRemove answers.")
class TrustedDocumentsRemovedPayload:
    """resolvers.trusted_documents.TrustedDocumentsRemovedPayload."""

    deleted_ids: Annotated[
        list[strawberry.ID] | None, field(description="The ids that name nothing any more.", size=20)
    ]
    errors: Annotated[list[UserError], field(description="Why nothing was removed.", size=2)]


@strawberry.type
class TrustedDocumentQueries:
    """Query fields on trusted documents."""

    trusted_documents: Annotated[
        Connection[TrustedDocument],
        query(
            resolvers.trusted_documents.page,
            needs=Permission.TRUSTED_DOCUMENTS_READ,
            description="The documents that requests may name by their hash.",
        ),
    ]


@strawberry.type
class TrustedDocumentMutations:
    """Mutation fields on trusted documents."""

    trusted_documents_upload: Annotated[
        TrustedDocumentsPayload,
        mutation(
            resolvers.trusted_documents.upload,
            needs=Permission.TRUSTED_DOCUMENTS_WRITE,
            description="List the documents of a manifest, each checked against the schema and its hash. They can be named "
            "at once; repeating it changes nothing.",
        ),
    ]
    trusted_documents_remove: Annotated[
        TrustedDocumentsRemovedPayload,
        mutation(
            resolvers.trusted_documents.remove,
            needs=Permission.TRUSTED_DOCUMENTS_WRITE,
            description="Take documents off the list; within ten seconds no request can name them any more.",
        ),
    ]
