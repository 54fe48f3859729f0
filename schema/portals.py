"""The portal."""

from typing import Annotated

import strawberry

import resolvers.portals
from resolvers.permissions import PUBLIC
from schema.fields import field, query
from schema.scalars import CurrencyCode


@strawberry.type(description="A company's portal to its customers.")
class Portal:
    """What the portal tells everybody."""

    slug: Annotated[str, field(description="The short name in addresses.")]
    name: Annotated[str, field(description="The company's name as customers know it.")]
    legal_name: Annotated[str, field(description="The company's registered name.")]
    currency: Annotated[CurrencyCode, field(description="The company's own currency.")]
    locale: Annotated[str, field(description="The language of texts when a request names none: en or de.")]
    support_email: Annotated[str, field(description="Where people write when the portal does not help.")]
    open: Annotated[bool, field(description="Whether customers may sign in.")]


@strawberry.type
class PortalQueries:
    """Query fields on the portal."""

    portal: Annotated[
        Portal, query(resolvers.portals.portal, needs=PUBLIC, description="The portal that answers here.")
    ]
