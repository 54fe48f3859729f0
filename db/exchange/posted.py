"""Posted documents in the exchange: invoices and credit notes. They can be added, never changed."""

# ruff: noqa: S608 (what is written into SQL are names of our own and the tenant's UUID)

from collections.abc import Collection
from dataclasses import dataclass

from db.connections import Connection
from db.exchange.amounts import LINE_AMOUNT, total
from db.exchange.documents import keep_whole, ready_headers, reject_lines
from db.exchange.rejections import duplicates, unknown, where
from db.exchange.report import Counts
from db.exchange.staging import affect
from db.exchange.told import Told, change
from rules.balances import MovementKind
from rules.numbers import NumberKind

DIFFERS = "'ALREADY_POSTED: already posted with other values'"
# A document may name only what is its own customer's.
OTHER_CUSTOMER = "'OTHER_CUSTOMER: {named} ' || s.\"{named}\" || ' is another customer''s'"


@dataclass(frozen=True, slots=True)
class Posting:
    """How a kind of document lies in the files and in the tables."""

    headers: str
    lines: str
    document: str  # the lines' column with the header's number; with _id it is the table's
    names: str  # what the header refers to: order, invoice
    columns: tuple[str, ...]  # of the header, besides those that all have
    line_columns: tuple[str, ...]
    ready: str
    ready_joins: str
    ready_lines: str
    ready_lines_joins: str
    line_rejections: dict[str, str]
    movement: MovementKind
    sign: str
    settles: str  # the invoice that the movement opens or settles
    numbers: NumberKind
    told: Told


_INVOICES = Posting(
    headers="invoices",
    lines="invoice_lines",
    document="invoice",
    names="order",
    columns=("order_id", "due_on"),
    line_columns=(),
    ready="n.id as order_id, n.id as moved_order_id, s.due_on",
    ready_joins='left join orders n on n.tenant_id = {tenant} and n.number = s."order"',
    ready_lines="",
    ready_lines_joins="",
    line_rejections={},
    movement=MovementKind.INVOICE,
    sign="",
    settles="id",
    numbers=NumberKind.INVOICE,
    told=Told("Invoice", customer_id="customer_id"),
)
_CREDIT_NOTES = Posting(
    headers="credit_notes",
    lines="credit_note_lines",
    document="credit_note",
    names="invoice",
    columns=("invoice_id",),
    line_columns=("invoice_id", "invoice_position"),
    ready="n.id as invoice_id, n.order_id as moved_order_id",
    ready_joins="left join invoices n on n.tenant_id = {tenant} and n.number = s.invoice",
    ready_lines=", n.invoice_id, n.position as invoice_position",
    ready_lines_joins="""
        left join invoices i on i.tenant_id = {tenant} and i.number = l.invoice
            and i.customer_id = h.customer_id and i.currency = h.currency
        left join invoice_lines n on n.tenant_id = {tenant} and n.invoice_id = i.id
            and n.position = l.invoice_line
    """,
    line_rejections={
        "coalesce(s.invoice, s.invoice_line::text) is not null and r.invoice_id is null": (
            "'UNKNOWN_INVOICE_LINE: the customer has no line ' || coalesce(s.invoice_line::text, '(none)')"
            " || ' of invoice ' || coalesce(s.invoice, '(none)')"
        )
    },
    movement=MovementKind.CREDIT_NOTE,
    sign="-",
    settles="invoice_id",
    numbers=NumberKind.CREDIT_NOTE,
    told=Told("CreditNote", customer_id="customer_id"),
)


async def invoices(connection: Connection, _columns: Collection[str]) -> tuple[Counts, Counts]:
    """Post the staged invoices that are new; returns the counts of invoices and of their lines."""
    return await _post(connection, _INVOICES)


async def credit_notes(connection: Connection, _columns: Collection[str]) -> tuple[Counts, Counts]:
    """Post the staged credit notes that are new; returns the counts of credit notes and of their lines."""
    await not_of_the_invoice(connection, "credit_notes")
    await _of_reversed(connection)
    return await _post(connection, _CREDIT_NOTES)


async def _post(connection: Connection, posting: Posting) -> tuple[Counts, Counts]:
    headers, lines = posting.headers, posting.lines
    await duplicates(connection, headers)
    await unknown(connection, headers, "customer", "customers", "code")
    await unknown(connection, headers, posting.names, f"{posting.names}s", "number")
    await others(connection, headers, posting.names)
    some_are_kept = await ready_headers(
        connection, headers, f"false as tax_included, s.issued_at, {posting.ready}", posting.ready_joins
    )
    await _ready_lines(connection, posting)
    await reject_lines(connection, lines, posting.line_rejections)
    await total(connection, headers, lines)
    if some_are_kept:
        await _reject_changed(connection, posting)
    await keep_whole(connection, headers, lines, posting.document)
    counts = await _insert(connection, posting)
    await _move(connection, posting)
    await raise_counter(connection, posting.headers, posting.numbers)
    return counts


async def others(connection: Connection, table: str, names: str) -> None:
    """Reject documents that name an order or an invoice of another customer."""
    await where(
        connection,
        table,
        f"""s.file_line in (
            select o.file_line from staged_{table} o
            join {names}s n on n.tenant_id = {{tenant}} and n.number = o."{names}"
            join customers c on c.tenant_id = {{tenant}} and c.code = o.customer
            where n.customer_id <> c.id and o.reason is null
        )""",
        OTHER_CUSTOMER.format(named=names),
    )


async def not_of_the_invoice(connection: Connection, table: str) -> None:
    """Reject what names an invoice in another currency: its amounts would be taken for the invoice's."""
    await where(
        connection,
        table,
        f"""s.file_line in (
            select o.file_line from staged_{table} o
            join invoices n on n.tenant_id = {{tenant}} and n.number = o.invoice
            where n.currency <> o.currency and o.reason is null
        )""",
        "'OTHER_CURRENCY: invoice ' || s.invoice || ' is not in ' || s.currency",
    )


async def _of_reversed(connection: Connection) -> None:
    """Reject new credit notes to an invoice that was reversed here: all of it was taken back already."""
    await where(
        connection,
        "credit_notes",
        """s.file_line in (
            select o.file_line from staged_credit_notes o
            join invoices n on n.tenant_id = {tenant} and n.number = o.invoice
            join reversals v on v.tenant_id = {tenant} and v.invoice_id = n.id
            left join credit_notes k on k.tenant_id = {tenant} and k.number = o.number
            where k.id is null and o.reason is null
        )""",
        "'INVOICE_REVERSED: invoice ' || s.invoice || ' was reversed'",
    )


async def raise_counter(connection: Connection, table: str, kind: NumberKind) -> None:
    """Numbers of what is posted here go on behind the greatest that was imported."""
    await affect(
        connection,
        f"""
        insert into counters (tenant_id, kind, last)
        select {{tenant}}, '{kind}', max(substring(number from '^{kind}-([0-9]{{1,18}})$')::bigint)
        from ready_{table} having max(substring(number from '^{kind}-([0-9]{{1,18}})$')) is not null
        on conflict (tenant_id, kind) do update set last = greatest(counters.last, excluded.last)
        """,
    )


async def _ready_lines(connection: Connection, posting: Posting) -> None:
    await affect(
        connection,
        f"""
        create temp table ready_{posting.lines} on commit drop as
        select l.file_line, h.id as document_id, h.is_new, l.line as position, p.id as product_id, l.sku,
            l.name, l.quantity, l.unit_price, l.tax_rate, {LINE_AMOUNT} as amount{posting.ready_lines}
        from staged_{posting.lines} l
        join ready_{posting.headers} h on h.number = l.{posting.document}
        left join products p on p.tenant_id = {{tenant}} and p.sku = l.sku
        {posting.ready_lines_joins}
        where l.reason is null
        """,
    )


async def _reject_changed(connection: Connection, posting: Posting) -> None:
    """Reject documents that are posted and differ from what the file says, in the header or any line."""
    columns = ("customer_id", "issued_at", "currency", *posting.columns)
    line_columns = ("sku", "name", "quantity", "unit_price", "tax_rate", *posting.line_columns)
    await where(
        connection,
        posting.headers,
        f"""s.file_line in (
            select r.file_line from ready_{posting.headers} r
            join {posting.headers} k on k.tenant_id = {{tenant}} and k.id = r.id
            join totals_{posting.headers} t on t.id = r.id
            where ({_of("k", columns)}, k.net, k.tax) is distinct from ({_of("r", columns)}, t.net, t.tax)
            union all
            select h.file_line
            from (
                select r.*, r.document_id as {posting.document}_id from ready_{posting.lines} r where not is_new
            ) r
            full join (
                select * from {posting.lines} where tenant_id = {{tenant}} and {posting.document}_id in (
                    select id from ready_{posting.headers} where not is_new
                )
            ) k using ({posting.document}_id, position)
            join ready_{posting.headers} h on h.id = {posting.document}_id
            where ({_of("k", line_columns)}) is distinct from ({_of("r", line_columns)})
        )""",
        DIFFERS,
    )


async def _insert(connection: Connection, posting: Posting) -> tuple[Counts, Counts]:
    columns = ", ".join(("id", "number", "customer_id", "issued_at", "currency", *posting.columns))
    headers = await change(
        connection,
        f"""
        insert into {posting.headers} as t (tenant_id, {columns}, net, tax, total)
        select {{tenant}}, {columns}, net, tax, net + tax
        from ready_{posting.headers} join totals_{posting.headers} using (id) where is_new
        """,
        posting.told,
        is_new=True,
    )
    columns = ", ".join(
        (
            *("position", "product_id", "sku", "name", "quantity", "unit_price", "tax_rate", "amount"),
            *posting.line_columns,
        )
    )
    lines = await affect(
        connection,
        f"""
        insert into {posting.lines} (tenant_id, {posting.document}_id, {columns})
        select {{tenant}}, document_id, {columns} from ready_{posting.lines} where is_new
        """,
    )
    return Counts(inserted=headers), Counts(inserted=lines)


async def _move(connection: Connection, posting: Posting) -> None:
    """Write the new documents into the ledger."""
    await affect(
        connection,
        f"""
        insert into movements
            (tenant_id, id, kind, customer_id, order_id, moved_at, currency, amount, {posting.document}_id,
            settles_id)
        select {{tenant}}, gen_random_uuid(), '{posting.movement}', customer_id, moved_order_id, issued_at,
            currency, {posting.sign}(net + tax), id, {posting.settles}
        from ready_{posting.headers} join totals_{posting.headers} using (id) where is_new
        """,
    )


def _of(table: str, columns: tuple[str, ...]) -> str:
    return ", ".join(f"{table}.{column}" for column in columns)
