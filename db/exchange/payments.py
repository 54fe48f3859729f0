"""Payments in the exchange. Like all that is posted they can be added, never changed."""

# ruff: noqa: S608 (what is written into SQL are names of our own and the tenant's UUID)

from collections.abc import Collection

from db.connections import Connection
from db.exchange.posted import DIFFERS, not_of_the_invoice, others, raise_counter
from db.exchange.rejections import duplicates, unknown, where
from db.exchange.report import Counts
from db.exchange.staging import affect
from db.exchange.told import Told, change
from rules.balances import MovementKind
from rules.numbers import NumberKind


async def payments(connection: Connection, _columns: Collection[str]) -> Counts:
    """Post the staged payments that are new, and write them into the ledger."""
    await duplicates(connection, "payments")
    await unknown(connection, "payments", "customer", "customers", "code")
    await unknown(connection, "payments", "invoice", "invoices", "number")
    await others(connection, "payments", "invoice")
    await not_of_the_invoice(connection, "payments")
    await where(
        connection,
        "payments",
        "mod(s.amount * (select factor from minor_units m where m.currency = s.currency), 1) <> 0",
        "'BAD_NUMBER: amount: the currency does not have so many decimal places'",
    )
    await affect(
        connection,
        """
        create temp table ready_payments on commit drop as
        select s.file_line, s.number, c.id as customer_id, i.id as invoice_id, s.paid_at,
            case when v.id is null then i.id end as settles_id, case when v.id is null then i.order_id end as order_id,
            s.currency, (s.amount * m.factor)::bigint as amount, k.id as kept_id, gen_random_uuid() as id,
            (k.customer_id, k.invoice_id, k.paid_at, k.currency, k.amount) is not distinct from
                (c.id, i.id, s.paid_at, s.currency, (s.amount * m.factor)::bigint) as is_same
        from staged_payments s
        join customers c on c.tenant_id = {tenant} and c.code = s.customer
        join minor_units m on m.currency = s.currency
        left join invoices i on i.tenant_id = {tenant} and i.number = s.invoice
        left join reversals v on v.tenant_id = {tenant} and v.invoice_id = i.id
        left join payments k on k.tenant_id = {tenant} and k.number = s.number
        where s.reason is null
        """,
    )
    await where(
        connection,
        "payments",
        "s.file_line in (select file_line from ready_payments where kept_id is not null and not is_same)",
        DIFFERS,
    )
    counts = Counts(inserted=await _insert(connection))
    await raise_counter(connection, "payments", NumberKind.PAYMENT)
    return counts


async def _insert(connection: Connection) -> int:
    """What was paid for an invoice that was reversed here lies on account, as all that had paid it does."""
    inserted = await change(
        connection,
        """
        insert into payments as t (tenant_id, id, number, customer_id, invoice_id, paid_at, currency, amount)
        select {tenant}, id, number, customer_id, invoice_id, paid_at, currency, amount
        from ready_payments where kept_id is null
        """,
        Told("Payment", customer_id="customer_id"),
        is_new=True,
    )
    await affect(
        connection,
        f"""
        insert into movements
            (tenant_id, id, kind, customer_id, order_id, moved_at, currency, amount, payment_id, settles_id)
        select {{tenant}}, gen_random_uuid(), '{MovementKind.PAYMENT}', customer_id, order_id, paid_at,
            currency, -amount, id, settles_id
        from ready_payments where kept_id is null
        """,
    )
    return inserted
