"""Customers."""

from typing import Annotated

import strawberry

import resolvers.customers
from schema.fields import field
from schema.nodes import Node
from schema.scalars import CurrencyCode


@strawberry.type(description="A named set of prices.")
class PriceList:
    """Assigned to a customer."""

    code: Annotated[str, field(description="The company's own code.")]
    name: Annotated[str, field(description="Its name.")]
    tax_included: Annotated[bool, field(description="Whether the prices contain the tax.")]


@strawberry.type(description="The counterparty that buys; its people act through accounts.")
class Customer(Node):
    """db.customers.Customer."""

    code: Annotated[str, field(description="The company's own code.")]
    name: Annotated[str, field(description="Its name.")]
    country: Annotated[str, field(description="Its country.")]
    currency: Annotated[CurrencyCode, field(description="The currency in which it is billed.")]
    email: Annotated[str, field(description="Where the company writes to.")]
    price_list: Annotated[
        PriceList | None,
        field(resolvers.customers.price_list, description="The prices at which it buys."),
    ]
