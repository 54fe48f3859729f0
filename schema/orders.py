"""Orders."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry

import resolvers.chains
import resolvers.deliveries
import resolvers.document_lines
import resolvers.fulfilments
import resolvers.orders
import resolvers.placements
import resolvers.quotations
import resolvers.rma_request_chains
import resolvers.tickets
from rules.balances import PaymentState
from rules.deliveries import DeliverySchedule, DeliveryState
from rules.permissions import Permission
from schema.actions import Action
from schema.customers import Address, Customer
from schema.document_lines import PricedLine
from schema.errors import UserError
from schema.fields import field, mutation, query, subscription
from schema.lifecycle_statuses import LifecycleStatus
from schema.money import Money, Totals
from schema.nodes import Node
from schema.pages import Connection
from schema.products import Warehouse
from schema.quotations import Quotation
from schema.tickets import ABOUT_THIS, SupportTicket

if TYPE_CHECKING:  # they know each other
    from schema.goods_issues import GoodsIssue
    from schema.rma_requests import RMARequest

_GoodsIssue = Annotated["GoodsIssue", strawberry.lazy("schema.goods_issues")]
_RMARequest = Annotated["RMARequest", strawberry.lazy("schema.rma_requests")]


@strawberry.type(description="A line of an order, with its own copy of what was ordered.")
class OrderLine(PricedLine):
    """db.orders.OrderLine."""

    quantity: Annotated[Decimal, field(description="What was ordered.")]
    shipped_quantity: Annotated[Decimal, field(description="What of it was shipped.")]
    cancelled_quantity: Annotated[
        Decimal, field(description="What of it was cancelled: it will not be shipped.")
    ]
    outstanding_quantity: Annotated[
        Decimal,
        field(
            resolvers.orders.outstanding,
            description="What is still to be shipped: quantity = shipped + cancelled + outstanding.",
        ),
    ]
    warehouse: Annotated[
        Warehouse | None,
        field(resolvers.document_lines.warehouse, description="Where it ships from; null for a service."),
    ]


@strawberry.type(description="How far an order is delivered, and whether the rest is on time.")
class OrderDelivery:
    """resolvers.deliveries.OrderDelivery."""

    state: Annotated[DeliveryState, field(description="How much of what was ordered was shipped.")]
    schedule: Annotated[
        DeliverySchedule | None,
        field(
            description="How what is outstanding stands to the promised day; null when nothing is to come or no day "
            "was promised."
        ),
    ]
    promised_on: Annotated[date | None, field(description="The day for which it is promised.")]


@strawberry.type(description="What was invoiced and paid in one currency.")
class OrderSettlement:
    """resolvers.deliveries.OrderSettlement."""

    invoiced: Annotated[Money, field(description="What invoices charge less what credit notes take back.")]
    paid: Annotated[Money, field(description="Payments less refunds.")]
    open: Annotated[Money, field(description="What is still to be paid of its invoices.")]
    prepaid: Annotated[
        Money,
        field(
            description="What was paid beyond one of its invoices, or ahead; never netted with what is open."
        ),
    ]


@strawberry.type(
    description="How far an order is paid, by the ledger. Amounts are in its own currency; no two currencies are "
    "ever netted."
)
class OrderPayment:
    """resolvers.deliveries.OrderPayment."""

    state: Annotated[
        PaymentState,
        field(
            description="Paid when something was invoiced and nothing is open in any currency; without an invoice "
            "unpaid."
        ),
    ]
    invoiced: Annotated[Money, field(description="What invoices charge less what credit notes take back.")]
    paid: Annotated[Money, field(description="Payments less refunds.")]
    open: Annotated[Money, field(description="What is still to be paid of its invoices.")]
    prepaid: Annotated[
        Money,
        field(
            description="What was paid beyond one of its invoices, or ahead; never netted with what is open."
        ),
    ]
    in_other_currencies: Annotated[
        list[OrderSettlement],
        field(description="The same in each other currency in which it was invoiced or paid.", size=1),
    ]


@strawberry.type(description="Goods and services that a customer has ordered.")
class Order(Node):
    """db.orders.Order."""

    number: Annotated[str, field(description="Its number, e.g. SO-000123.")]
    placed_at: Annotated[datetime, field(description="When it was placed.")]
    status: Annotated[LifecycleStatus | None, field(resolvers.orders.status, description="Where it stands.")]
    customer: Annotated[Customer | None, field(resolvers.orders.customer, description="Who ordered.")]
    warehouse: Annotated[
        Warehouse | None,
        field(
            resolvers.orders.warehouse,
            description="Where it ships from; null when its lines ship from several or from none.",
        ),
    ]
    placed_together: Annotated[
        list["Order"],
        field(
            resolvers.orders.placed_together,
            description="The other orders of the same cart, which ship from other warehouses.",
            size=2,
        ),
    ]
    quotation: Annotated[
        Quotation | None,
        field(
            resolvers.quotations.of_order,
            description="The quotation from which it was ordered; of several, that of the first such line.",
        ),
    ]
    rma_request: Annotated[
        _RMARequest | None,
        field(resolvers.rma_request_chains.rma_request, description="The request whose goods it replaces."),
    ]
    purchase_order_number: Annotated[str | None, field(description="The customer's own number.")]
    comment: Annotated[str | None, field(description="What the customer said to it.")]
    tax_included: Annotated[bool, field(description="Whether unit prices and amounts contain the tax.")]
    totals: Annotated[Totals, field(resolvers.orders.totals, description="What it adds up to.")]
    requested_on: Annotated[date | None, field(description="The day for which the customer asked.")]
    ship_to: Annotated[
        Address | None,
        field(resolvers.orders.ship_to, description="Where it goes: its own copy of the customer's address."),
    ]
    promised_on: Annotated[date | None, field(description="The day for which it is promised.")]
    note: Annotated[str | None, field(description="What the company says to it.")]
    cancellation_reason: Annotated[str | None, field(description="Why it, or the rest of it, was cancelled.")]
    delivery: Annotated[
        OrderDelivery, field(resolvers.deliveries.delivery, description="How far it is delivered.")
    ]
    payment: Annotated[OrderPayment, field(resolvers.deliveries.payment, description="How far it is paid.")]
    goods_issues: Annotated[
        list[_GoodsIssue],
        field(
            resolvers.deliveries.goods_issues,
            description="What was shipped of it, by number; none for whoever may not read these documents.",
            size=2,
        ),
    ]
    actions: Annotated[
        list[Action],
        field(
            resolvers.fulfilments.actions,
            description="What can be done with it: UPDATE, SHIP (some or all of what is outstanding), CLOSE (cancel "
            "what is outstanding of it) and CANCEL (call it off, of which nothing is shipped); for staff also INVOICE "
            "(charge what was shipped and is not invoiced yet).",
            size=5,
        ),
    ]
    related: Annotated[
        list[Node],
        field(
            resolvers.chains.related,
            description="What is next to it in the chain from quotation to payment, in both directions and as far as "
            "the viewer may see it, in the order of the chain and then by number.",
            size=5,
        ),
    ]
    tickets: Annotated[Connection[SupportTicket], field(resolvers.tickets.about_this, description=ABOUT_THIS)]
    version: Annotated[int, field(description="Counts the changes.")]
    lines: Annotated[
        list[OrderLine], field(resolvers.orders.lines, description="Its lines, by position.", size=20)
    ]


@strawberry.type(description="What orderPlace answers.")
class OrderPlacePayload:
    """resolvers.placements.OrderPlacePayload."""

    orders: Annotated[list[Order] | None, field(description="The new orders, one a warehouse.", size=2)]
    warnings: Annotated[
        list[UserError],
        field(
            description="What should be known of what was ordered: CREDIT_LIMIT_EXCEEDED where that is no obstacle.",
            size=1,
        ),
    ]
    errors: Annotated[list[UserError], field(description="Why nothing was ordered.", size=2)]


@strawberry.type
class OrderQueries:
    """Query fields on orders."""

    orders: Annotated[
        Connection[Order],
        query(
            resolvers.orders.page,
            needs=Permission.ORDERS_READ,
            description="The customer's orders, or for staff those of all customers.",
        ),
    ]
    order: Annotated[
        Order | None,
        query(
            resolvers.orders.order,
            needs=Permission.ORDERS_READ,
            description="One order, by exactly one of id and number.",
        ),
    ]


@strawberry.type
class OrderSubscriptions:
    """Subscription fields on orders."""

    order_changed: Annotated[
        Order | None,
        subscription(
            resolvers.orders.changed,
            needs=Permission.ORDERS_READ,
            description="An order as it is now, whenever one is placed or changes: the customer's, "
            "or for staff those of all customers.",
        ),
    ]


@strawberry.type
class OrderMutations:
    """Mutation fields on orders."""

    order_place: Annotated[
        OrderPlacePayload,
        mutation(
            resolvers.placements.place,
            needs=Permission.ORDERS_PLACE,
            description="Order what is in the cart: one order a warehouse, all of them or none.",
        ),
    ]
