"""Lifecycle statuses."""

from typing import Annotated

import strawberry

import resolvers.lifecycle_statuses
from rules.lifecycle import ProcessingState, Subject
from rules.permissions import Permission
from schema.errors import UserError
from schema.fields import field, mutation, query
from schema.nodes import Node


@strawberry.type(description="A station of an order or a request, in the company's own words.")
class LifecycleStatus(Node):
    """db.lifecycle_statuses.LifecycleStatus."""

    subject: Annotated[Subject, field(description="Of what.")]
    code: Annotated[str, field(description="The company's own code.")]
    name: Annotated[
        str, field(resolvers.lifecycle_statuses.name, description="Its name, in the language of the request.")
    ]
    name_en: Annotated[str, field(description="Its name in English.")]
    name_de: Annotated[str, field(description="Its name in German.")]
    processing_state: Annotated[
        ProcessingState, field(description="Where that is, in the same words at every company.")
    ]
    predefined: Annotated[
        bool, field(description="Whether it stands for its state when nobody chose another.")
    ]
    position: Annotated[int, field(description="Its place in lists.")]
    version: Annotated[int, field(description="Counts the changes.")]


@strawberry.type(description="What lifecycleStatusCreate and lifecycleStatusUpdate answer.")
class LifecycleStatusPayload:
    """resolvers.lifecycle_statuses.LifecycleStatusPayload."""

    lifecycle_status: Annotated[LifecycleStatus | None, field(description="The status as it is now.")]
    errors: Annotated[list[UserError], field(description="Why nothing was changed.", size=2)]


@strawberry.type
class LifecycleStatusQueries:
    """Query fields on lifecycle statuses."""

    lifecycle_statuses: Annotated[
        list[LifecycleStatus],
        query(
            resolvers.lifecycle_statuses.of_subject,
            needs=Permission.ORDERS_READ,
            description="The company's statuses for orders or requests, by position.",
            size=10,
        ),
    ]


@strawberry.type
class LifecycleStatusMutations:
    """Mutation fields on lifecycle statuses."""

    lifecycle_status_create: Annotated[
        LifecycleStatusPayload,
        mutation(
            resolvers.lifecycle_statuses.create,
            needs=Permission.PORTAL_WRITE,
            description="Add a status in one of the processing states.",
        ),
    ]
    lifecycle_status_update: Annotated[
        LifecycleStatusPayload,
        mutation(
            resolvers.lifecycle_statuses.update,
            needs=Permission.PORTAL_WRITE,
            description="Rename a status, move it in lists, or let it stand for its state.",
        ),
    ]
