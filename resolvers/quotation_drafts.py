"""Quotation drafts: whether what staff has drafted can still be offered as it is."""

import asyncio

import db
from db.customers import Customer
from db.quotation_drafts import OutdatedLine
from db.quotations import Quotation
from resolvers.context import Context
from rules.broken import BrokenRule
from rules.products import ProductUnavailable
from rules.quotations import QuotationCurrencyChanged, QuotationTaxChanged, QuotationUnitChanged


async def buys_with_tax(context: Context, customer: Customer) -> bool | None:
    """Whether the prices at which a customer buys include the tax; a quotation's are meant alike. None: it has no
    price list."""
    price_list_id = customer.price_list_id or context.portal.price_list_id
    if price_list_id is None:
        return None
    found = await context.load(db.prices.lists_by_ids, price_list_id)
    return None if found is None else found.tax_included


async def outdated(context: Context, draft: Quotation) -> list[BrokenRule]:
    """All that has changed since a draft was made and that its prices would not survive: the customer's currency and
    tax, products that are no longer sold, or in another unit."""
    customer, lines = await asyncio.gather(
        context.load(db.customers.by_ids, draft.customer_id),
        context.load_list(db.quotation_drafts.outdated_lines_of, draft.id),
    )
    return [*await _of_customer(context, draft, customer), *map(_of_line, lines)]


async def _of_customer(context: Context, draft: Quotation, customer: Customer | None) -> list[BrokenRule]:
    if customer is None:
        return []
    broken: list[BrokenRule] = []
    if customer.currency != draft.currency:
        path = ("quotation", "currency")
        broken.append(QuotationCurrencyChanged(quoted=draft.currency, current=customer.currency, path=path))
    if await buys_with_tax(context, customer) not in (draft.tax_included, None):
        broken.append(QuotationTaxChanged(path=("quotation", "taxIncluded")))
    return broken


def _of_line(line: OutdatedLine) -> BrokenRule:
    path = ("quotation", "lines", str(line.position - 1))
    if line.current_unit is None:
        return ProductUnavailable(sku=line.sku, path=path)
    return QuotationUnitChanged(
        sku=line.sku, quoted=line.unit, current=line.current_unit, path=(*path, "unit")
    )
