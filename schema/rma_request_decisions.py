"""RMA request decisions: what the staff does with requests, and what would be credited for them."""

from typing import Annotated

import strawberry

import resolvers.rma_request_decisions
import resolvers.rma_request_replacements
from rules.permissions import Permission
from schema.errors import UserError
from schema.fields import field, mutation
from schema.orders import Order
from schema.rma_requests import RMARequest, RMARequestPayload


@strawberry.type(description="What rmaRequestReplace answers.")
class RMARequestReplacePayload:
    """resolvers.rma_request_replacements.RMARequestReplacePayload."""

    orders: Annotated[list[Order] | None, field(description="The new orders, one a warehouse.", size=1)]
    rma_request: Annotated[RMARequest | None, field(description="The request as it is now.")]
    errors: Annotated[list[UserError], field(description="Why nothing was ordered.", size=2)]


@strawberry.type
class RMARequestDecisionMutations:
    """Mutation fields on requests, for the staff."""

    rma_request_decide: Annotated[
        RMARequestPayload,
        mutation(
            resolvers.rma_request_decisions.decide,
            needs=Permission.RMA_REQUESTS_DECIDE,
            description="Decide about lines of a request, all or some; a stage follows from the lines, and a status from the "
            "stage.",
        ),
    ]
    rma_request_close: Annotated[
        RMARequestPayload,
        mutation(
            resolvers.rma_request_decisions.close,
            needs=Permission.RMA_REQUESTS_DECIDE,
            description="End a request before all of it is done: what was granted and is not done can be asked for again. "
            "A repair ends like this.",
        ),
    ]
    rma_request_replace: Annotated[
        RMARequestReplacePayload,
        mutation(
            resolvers.rma_request_replacements.replace_lines,
            needs=Permission.RMA_REQUESTS_DECIDE,
            description="Order for the customer what is sent in place of what a request returns, at the price and the tax "
            "of its invoice, less what was discounted since. A credit limit is no obstacle.",
        ),
    ]
