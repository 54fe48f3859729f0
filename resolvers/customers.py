"""Customers: as the company's staff sees and keeps them, and what hangs on one."""

from collections.abc import Sequence
from enum import Enum
from typing import Annotated, Any

import strawberry

import db
from db.customers import Customer
from db.prices import PriceList
from execution.levels import level
from resolvers import money, nodes, pages
from resolvers.context import Context, Info
from resolvers.enums import publish
from resolvers.relations import relations
from rules.broken import InvalidInput
from rules.contacts import Address

MOST_CODES = 1_000


class CustomerOrder(Enum):
    """In what order customers come."""

    CODE_ASC = "CODE_ASC"
    CODE_DESC = "CODE_DESC"
    NAME_ASC = "NAME_ASC"
    NAME_DESC = "NAME_DESC"


publish(
    CustomerOrder,
    description="In what order customers come.",
    value={
        CustomerOrder.CODE_ASC: "By code, A to Z.",
        CustomerOrder.CODE_DESC: "By code, Z to A.",
        CustomerOrder.NAME_ASC: "By name, A to Z.",
        CustomerOrder.NAME_DESC: "By name, Z to A.",
    }.__getitem__,
)


@strawberry.input(description="Which customers; all that is given must hold.")
class CustomerFilter:
    """customers(filter:)."""

    search: str | None = strawberry.field(
        default=None, description="Whose code, or a word of whose name, begins like this."
    )
    codes: list[str] | None = strawberry.field(
        default=None, description="With one of these codes, at most 1,000."
    )
    country: str | None = strawberry.field(default=None, description="In this country, as it is written.")


_Filter = Annotated[CustomerFilter | None, strawberry.argument(description="Which customers.")]
_Order = Annotated[
    list[CustomerOrder] | None,
    strawberry.argument(description="In what order; by code when nothing is said."),
]


async def page(
    info: Info,
    filter: _Filter = None,
    order_by: _Order = None,
    first: pages.First = None,
    after: pages.After = None,
    last: pages.Last = None,
    before: pages.Before = None,
) -> pages.Connection:
    """Query.customers."""
    order = order_by or [CustomerOrder.CODE_ASC]
    asked = pages.Asked(first, after, last, before)
    filters = _filters(filter or CustomerFilter())
    return await pages.connection(info.context, db.customers, filters, order, asked)


def _filters(given: CustomerFilter) -> dict[str, Any]:
    if given.codes is not None and len(given.codes) > MOST_CODES:
        raise InvalidInput(path=("filter", "codes"))
    return {
        "search": (given.search or "").strip() or None,
        "codes": given.codes,
        "country": given.country,
    }


_Id = Annotated[strawberry.ID | None, strawberry.argument(description="The global id.")]
_Code = Annotated[str | None, strawberry.argument(description="The company's own code.")]


async def customer(info: Info, id: _Id = None, code: _Code = None) -> Customer | None:
    """Query.customer: by exactly one of id and code."""
    found: Customer | None = await nodes.by_one_of(info.context, "Customer", id, db.customers.by_codes, code)
    return found


@level
async def price_list(roots: Sequence[Customer], context: Context) -> list[PriceList | None]:
    """Customer.priceList: its own, or else the portal's."""
    keys = [root.price_list_id or context.portal.price_list_id for root in roots]
    return await context.load_level(db.prices.lists_by_ids, keys)


def credit_limit(root: strawberry.Parent[Customer]) -> money.Money | None:
    """Customer.creditLimit."""
    return None if root.credit_limit is None else money.of_minor(root.credit_limit, root.currency)


# Customer.contacts.
contacts = relations(db.contacts.contacts_of, "id")


# Customer.addresses.
addresses = relations(db.contacts.addresses_of, "id")


def address_id(root: strawberry.Parent[Address]) -> strawberry.ID:
    """Address.id."""
    return strawberry.ID(nodes.global_id("Address", root.key))


# Customer.accounts.
accounts = relations(db.accounts.of_customers, "id")
