"""Posting locks: whoever posts for a customer locks its row first, which puts all postings of that customer in line."""

from typing import Any
from uuid import UUID

import db
from db.customers import Customer
from db.invoices import Invoice
from resolvers import nodes
from resolvers.context import Context
from rules.broken import NotFound
from rules.contacts import AddressKind


async def customer_locked(context: Context, customer_id: UUID) -> Customer:
    """A customer for whom nobody else posts anything until this transaction ends; what is loaded from here on is as
    it stands now."""
    customer = await db.customers.lock(context.connection, customer_id)
    assert customer is not None, "customers are never deleted"
    context.forget()
    return customer


async def posted(context: Context, type_name: str, id: UUID, *path: str) -> Any:
    """A posted document or payment as it stands now, past what was loaded before a lock. Raises NotFound."""
    read, _ = nodes.NODES[type_name]
    found = (await read(context.connection, context.signed_in, [id])).get(id)
    if found is None:
        raise NotFound(path=path)
    return found


async def invoice_locked(context: Context, id: str, *path: str) -> tuple[Customer, Invoice]:
    """An invoice as it stands now, and its customer, for whom nobody else posts anything now. Raises NotFound."""
    seen = await nodes.found(context, id, "Invoice", *path)
    customer = await customer_locked(context, seen.customer_id)
    return customer, await posted(context, "Invoice", seen.id, *path)


async def billing_address(context: Context, customer_id: UUID) -> str | None:
    """The first address to which a customer is billed, as JSON: a document keeps it as its own copy."""
    every = await context.load_list(db.contacts.addresses_of, customer_id)
    billing = [each for each in every if each.kind is AddressKind.BILLING]
    return billing[0].as_json() if billing else None
