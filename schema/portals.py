"""The portal."""

from typing import Annotated

import strawberry

import resolvers.letterheads
import resolvers.logos
import resolvers.portals
from resolvers.permissions import PUBLIC
from rules.permissions import Permission
from rules.portals import CancellationPolicy, CreditPolicy, OperationPolicy
from rules.restrictions import RestrictionKind
from rules.stock import StockPolicy
from schema.errors import UserError
from schema.fields import field, mutation, query
from schema.letterheads import Letterhead, PortalLogo
from schema.nodes import Node
from schema.scalars import CurrencyCode


@strawberry.type(description="How much waits for a company's staff.")
class Waiting:
    """db.suppliers.Waiting."""

    new_orders: Annotated[int, field(description="Orders that nobody has begun to work on.")]
    contact_changes: Annotated[int, field(description="Requests to change contact data that are open.")]
    tickets: Annotated[int, field(description="Tickets that wait for the company.")]
    rma_requests: Annotated[
        int, field(description="Requests to return goods of which something is to be decided.")
    ]


@strawberry.type(description="A company's portal to its customers.")
class Portal(Node):
    """db.portals.Portal."""

    slug: Annotated[str, field(description="The short name in addresses.")]
    name: Annotated[str, field(description="The company's name as customers know it.")]
    legal_name: Annotated[str, field(description="The company's registered name.")]
    currency: Annotated[CurrencyCode, field(description="The company's own currency.")]
    locale: Annotated[str, field(description="The language of texts when a request names none: en or de.")]
    support_email: Annotated[str, field(description="Where people write when the portal does not help.")]
    open: Annotated[bool, field(description="Whether customers may sign in.")]
    stock_policy: Annotated[
        StockPolicy, field(description="Whether the company sells what it does not have.")
    ]
    lead_days: Annotated[int, field(description="How many days after placing an order is promised.")]
    cancellation_policy: Annotated[
        CancellationPolicy, field(description="Whether customers may cancel what they have ordered.")
    ]
    credit_policy: Annotated[
        CreditPolicy,
        field(description="What happens to an order that takes a customer over its credit limit."),
    ]
    payment_days: Annotated[int, field(description="How many days after its issue an invoice is to be paid.")]
    first_answer_hours: Annotated[
        int | None,
        field(
            description="Within how many hours the company wants to answer tickets; null: within any time."
        ),
    ]
    resolution_hours: Annotated[
        int | None,
        field(description="Within how many hours it wants them to be closed; null: within any time."),
    ]
    return_days: Annotated[
        int | None,
        field(
            description="How many days after its issue goods of an invoice can be returned; null: for ever."
        ),
    ]
    restriction_kinds: Annotated[
        list[RestrictionKind],
        field(
            resolvers.portals.restriction_kinds,
            description="Which kinds of restrictions of access groups are in force.",
            size=4,
        ),
    ]
    operation_policy: Annotated[OperationPolicy, field(description="Which documents it runs.")]
    origins: Annotated[
        list[str], field(description="From which other hosts' pages browsers may ask it.", size=2)
    ]
    hosts: Annotated[
        list[str], field(resolvers.portals.hosts, description="The host names at which it answers.", size=2)
    ]
    waiting: Annotated[
        Waiting | None,
        field(resolvers.portals.waiting, description="What waits for its staff; null for customers."),
    ]
    letterhead: Annotated[
        Letterhead | None,
        field(
            resolvers.letterheads.of_portal,
            description="What the company's documents say of it; null for who is not signed in.",
        ),
    ]
    logo: Annotated[
        PortalLogo | None,
        field(
            resolvers.logos.of_portal,
            description="The picture on the company's documents; null where there is none, and for who is not signed in.",
        ),
    ]
    version: Annotated[int, field(description="Counts the changes.")]


@strawberry.type(description="What portalCreate and portalUpdate answer.")
class PortalPayload:
    """resolvers.portals.PortalPayload."""

    portal: Annotated[Portal | None, field(description="The portal after the change.")]
    errors: Annotated[list[UserError], field(description="Why nothing was changed.", size=2)]


@strawberry.type
class PortalQueries:
    """Query fields on the portal."""

    portal: Annotated[
        Portal, query(resolvers.portals.portal, needs=PUBLIC, description="The portal that answers here.")
    ]


@strawberry.type
class PortalMutations:
    """Mutation fields on the portal."""

    portal_update: Annotated[
        PortalPayload,
        mutation(
            resolvers.portals.update,
            needs=Permission.PORTAL_WRITE,
            description="Switch the portal on or off for customers, choose which restrictions are in force, and "
            "change what it says of the company.",
        ),
    ]
    portal_logo_update: Annotated[
        PortalPayload,
        mutation(
            resolvers.logos.update,
            needs=Permission.PORTAL_WRITE,
            description="Give the company's documents another logo, or none.",
        ),
    ]
    portal_create: Annotated[
        PortalPayload,
        mutation(
            resolvers.portals.create,
            needs=Permission.PORTALS_CREATE,
            description="Add another company of the same supplier, with its portal.",
        ),
    ]
