"""Fulfilments: what becomes of an order that was placed."""

from typing import Annotated

import strawberry

import resolvers.fulfilments
import resolvers.shipments
from rules.fulfilments import NEEDS, OrderAct
from schema.errors import UserError
from schema.fields import field, mutation
from schema.goods_issues import GoodsIssue
from schema.orders import Order


@strawberry.type(description="What orderUpdate, orderClose and orderCancel answer.")
class OrderPayload:
    """resolvers.fulfilments.OrderPayload."""

    order: Annotated[Order | None, field(description="The order as it is now.")]
    errors: Annotated[list[UserError], field(description="Why nothing was changed.", size=2)]


@strawberry.type(description="What orderShip answers.")
class OrderShipPayload:
    """resolvers.shipments.OrderShipPayload."""

    order: Annotated[Order | None, field(description="The order as it is now.")]
    goods_issues: Annotated[
        list[GoodsIssue] | None, field(description="What was posted, one a warehouse.", size=1)
    ]
    errors: Annotated[list[UserError], field(description="Why nothing was shipped.", size=2)]


@strawberry.type
class FulfilmentMutations:
    """Mutation fields on orders that were placed."""

    order_update: Annotated[
        OrderPayload,
        mutation(
            resolvers.fulfilments.update,
            needs=NEEDS[OrderAct.UPDATE],
            description="Give an order another status, another promised day, or a word to the customer.",
        ),
    ]
    order_ship: Annotated[
        OrderShipPayload,
        mutation(
            resolvers.shipments.ship,
            needs=NEEDS[OrderAct.SHIP],
            description="Ship what is outstanding of an order, or a part of it: posts a goods issue and takes the "
            "goods from stock.",
        ),
    ]
    order_close: Annotated[
        OrderPayload,
        mutation(
            resolvers.fulfilments.close,
            needs=NEEDS[OrderAct.CLOSE],
            description="Cancel what is outstanding of an order in progress, and free its stock.",
        ),
    ]
    order_cancel: Annotated[
        OrderPayload,
        mutation(
            resolvers.fulfilments.cancel,
            needs=NEEDS[OrderAct.CANCEL],
            description="Call off an order of which nothing is shipped; whether customers may, the company says.",
        ),
    ]
