"""The schema: every noun's queries and mutations put together."""

from functools import cache

import strawberry
from graphql import GraphQLError
from strawberry.types import ExecutionContext

from execution.documents import CheckedDocuments
from resolvers.operations import InContext
from schema.accounts import AccessGroup, AccountMutations, AccountQueries, StaffMember
from schema.carts import CartMutations, CartQueries
from schema.categories import CategoryQueries
from schema.errors import (
    InsufficientStockError,
    MissingPermissionError,
    PlainUserError,
    VersionConflictError,
)
from schema.nodes import NodeQueries
from schema.orders import OrderMutations, OrderQueries
from schema.portals import PortalMutations, PortalQueries
from schema.products import ProductQueries
from schema.scalars import CONFIG


@strawberry.type(description="What can be asked.")
class Query(
    PortalQueries, AccountQueries, NodeQueries, CategoryQueries, ProductQueries, CartQueries, OrderQueries
):
    """Every noun's queries."""


@strawberry.type(description="What can be done. The fields of one operation run one after the other.")
class Mutation(PortalMutations, AccountMutations, CartMutations, OrderMutations):
    """Every noun's mutations."""


class Schema(strawberry.Schema):
    """A Strawberry schema that leaves the logging of errors to the server."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Nothing: the server logs what it masks, once and without secrets."""


schema = Schema(
    query=Query,
    mutation=Mutation,
    types=[
        AccessGroup,
        StaffMember,
        PlainUserError,
        InsufficientStockError,
        MissingPermissionError,
        VersionConflictError,
    ],
    extensions=[CheckedDocuments, InContext],
    config=CONFIG,
)


@cache
def sdl() -> str:
    """The schema as text, with the directives that say what a field needs."""
    return schema.as_str() + "\n"
