"""Posting locks of an import: customers are locked first, as by whoever else posts for them or takes their orders."""

from db.connections import Connection
from db.exchange.staging import affect


async def lock(connection: Connection) -> None:
    """Lock the customers that the files change or post for, in the order in which an upsert locks them, and those whose
    replacements the files bring along, for what these move of their requests.

    Otherwise whoever settles or credits an invoice meanwhile would not know what is imported for it.
    """
    await affect(
        connection,
        """
        select from customers where tenant_id = {tenant} and code in (
            select code from staged_customers union all select customer from staged_invoices
            union all select customer from staged_credit_notes union all select customer from staged_payments
            union all select c.code from orders o
                join customers c on c.tenant_id = {tenant} and c.id = o.customer_id
                where o.tenant_id = {tenant} and o.rma_request_id is not null
                and o.number in (select number from staged_orders)
        ) order by code for no key update
        """,
    )
