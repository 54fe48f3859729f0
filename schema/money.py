"""Money and totals."""

from decimal import Decimal
from typing import Annotated

import strawberry

from schema.fields import field
from schema.scalars import CurrencyCode


@strawberry.type(description="An amount of money.")
class Money:
    """Shown in major units."""

    amount: Annotated[Decimal, field(description="The amount in major units, e.g. 12.50 of EUR.")]
    currency: Annotated[CurrencyCode, field(description="The currency.")]


@strawberry.type(description="What a document's lines of one tax rate add up to.")
class RateTotal:
    """resolvers.money.RateTotal."""

    rate: Annotated[Decimal, field(description="The tax rate in percent.")]
    net: Annotated[Money, field(description="Without tax.")]
    tax: Annotated[Money, field(description="The tax on that, rounded half up.")]


@strawberry.type(description="What a document adds up to; total = net + tax.")
class Totals:
    """Tax is worked out once a tax rate, on the sum of that rate's lines."""

    net: Annotated[Money, field(description="Without tax.")]
    tax: Annotated[Money, field(description="The tax.")]
    total: Annotated[Money, field(description="With tax: what is to be paid.")]
