"""Quotations: what a company has offered its customers, until when, and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    update,
)

from db.connections import Connection, many_each, one_each
from db.document_kinds import Documents, announce
from db.document_kinds import lines_of as lines_of_documents
from db.pages import Condition, Key, Listing
from db.restrictions import WhoseDocuments, whose_documents
from db.rows import as_columns, insert_rows, names_of
from db.statements import Statement
from db.tables import QUANTITY, TAX_RATE, UNIT_PRICE, one_of, refers_to, tenant_table, unique
from rules.documents import DocumentKind
from rules.quotations import QuotationState
from rules.viewers import Viewer

KEPT_STATES = [state for state in QuotationState if state is not QuotationState.EXPIRED]

quotations = tenant_table(
    "quotations",
    Column("id", Uuid, nullable=False),
    Column("number", Text),  # a draft has none yet: one that is deleted would leave a gap
    Column("customer_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("dated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("valid_until", Date, nullable=False),
    Column("currency", Text, nullable=False),
    Column("tax_included", Boolean, nullable=False),
    Column("net", BigInteger, nullable=False),
    Column("tax", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("comment", Text),
    Column("decline_reason", Text),
    Column("version", Integer, nullable=False, server_default="1"),
    unique("number", name="quotations_number_key"),
    refers_to("customers", "customer_id", name="quotations_customer_fkey"),
    one_of("state", KEPT_STATES, name="quotations_state_check"),
    CheckConstraint("(number is null) = (state = 'DRAFT')", name="quotations_number_check"),
    CheckConstraint("total = net + tax", name="quotations_total_check"),
    Index("quotations_dated_at_idx", "tenant_id", "dated_at", "id"),
    Index("quotations_valid_until_idx", "tenant_id", "valid_until", "id"),
    Index("quotations_customer_idx", "tenant_id", "customer_id", "dated_at", "id"),
)

# A line keeps its own copy of what was offered. Why its product and warehouse have no foreign key is in
# docs/decisions/0006.
quotation_lines = tenant_table(
    "quotation_lines",
    Column("quotation_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("product_id", Uuid, nullable=False),
    Column("sku", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("quantity", QUANTITY, nullable=False),
    Column("unit_price", UNIT_PRICE, nullable=False),
    Column("tax_rate", TAX_RATE, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("warehouse_id", Uuid),
    refers_to("quotations", "quotation_id", name="quotation_lines_quotation_fkey"),
    CheckConstraint("quantity > 0", name="quotation_lines_quantity_check"),
    CheckConstraint("unit_price >= 0", name="quotation_lines_unit_price_check"),
    key=("quotation_id", "position"),
    is_line=True,
)


@dataclass(slots=True)
class Quotation:
    """An offer. Amounts are minor units of `currency`, times UTC.

    `state` is EXPIRED when it was issued and its last day, by the database's date, has gone by; `is_past` says of
    a draft too that the day has. `dated_at` is when it was issued, of a draft when it was begun.
    """

    id: UUID
    number: str | None
    customer_id: UUID
    state: str
    dated_at: datetime
    valid_until: date
    currency: str
    tax_included: bool
    net: int
    tax: int
    total: int
    comment: str | None
    decline_reason: str | None
    version: int
    is_past: bool


@dataclass(slots=True)
class QuotationLine:
    """One line of a quotation, with its own copy of what was offered; `amount` in minor units."""

    quotation_id: UUID
    position: int
    product_id: UUID
    sku: str
    name: str
    unit: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    tax_rate: Decimal
    amount: int
    warehouse_id: UUID | None
    currency: str


IS_PAST = quotations.c.valid_until < func.current_date(type_=Date)
STATE = case(
    (and_(quotations.c.state == QuotationState.ISSUED.value, IS_PAST), QuotationState.EXPIRED.value),
    else_=quotations.c.state,
)
DOCUMENTS = Documents(
    DocumentKind.QUOTATION,
    Quotation,
    quotations,
    issued_at=quotations.c.dated_at,
    state=STATE,
    total=quotations.c.total,
    derived={"state": STATE, "is_past": IS_PAST},
    issued=quotations.c.state != QuotationState.DRAFT.value,
)
by_ids = DOCUMENTS.by_ids
_COLUMNS = list(DOCUMENTS.columns.values())
_MINE = quotations.c.tenant_id == bindparam("tenant_id")
_every_one = select(*_COLUMNS).where(_MINE)


@lru_cache(maxsize=64)
def _by_numbers(whose: WhoseDocuments) -> Statement[Quotation]:
    return Statement(
        DOCUMENTS.visible(whose).where(quotations.c.number == any_(bindparam("numbers", type_=ARRAY(Text)))),
        Quotation,
    )


_LINE_NAMES = names_of(QuotationLine, leave_out=["currency"])
_lines_of = lines_of_documents(QuotationLine, quotation_lines, "quotation_id", quotations)


async def by_numbers(
    connection: Connection, viewer: Viewer, numbers: Sequence[str]
) -> Mapping[str, Quotation]:
    """The quotations among the numbers that the viewer may see."""
    whose, mine = whose_documents(viewer)
    statement = _by_numbers(whose)
    return one_each(await connection.rows(statement, numbers=numbers, **statement.needed(mine)), "number")


async def lines_of(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[QuotationLine]]:
    """The lines of each quotation, by position. Ask for quotations that the viewer may see."""
    return many_each(await connection.rows(_lines_of, ids=ids), ids, "quotation_id")


_VALID_ON = bindparam("valid_on", type_=Date)
_CONDITIONS: dict[str, Condition] = {
    "states": any_(bindparam("states", type_=ARRAY(Text))) == STATE,
    "number": quotations.c.number.op("^@")(bindparam("number", type_=Text)),
    "customer_id": quotations.c.customer_id == bindparam("customer_id", type_=Uuid),
    "valid_on": and_(
        quotations.c.state == QuotationState.ISSUED.value,
        quotations.c.valid_until >= _VALID_ON,
        quotations.c.dated_at < _VALID_ON + 1,
    ),
}
ORDERS: dict[str, Key] = {
    "ISSUED_AT_ASC": Key(quotations.c.dated_at),
    "ISSUED_AT_DESC": Key(quotations.c.dated_at, descending=True),
    "VALID_UNTIL_ASC": Key(quotations.c.valid_until),
    "VALID_UNTIL_DESC": Key(quotations.c.valid_until, descending=True),
}
# Filters: states (EXPIRED among them), number (its beginning), customer_id, valid_on (issued by the end of that day,
# UTC, and valid on it).
_listing = Listing(
    Quotation,
    DOCUMENTS.visible,
    _CONDITIONS,
    ORDERS,
    quotations.c.id,
    whose=whose_documents,
)
keys, page, count = _listing.keys, _listing.page, _listing.count


_NEW = names_of(Quotation, leave_out=["dated_at", "is_past"])
_add = Statement(
    insert(quotations)
    .values(tenant_id=bindparam("tenant_id"), **{name: bindparam(name) for name in _NEW})
    .returning(*_COLUMNS),
    Quotation,
)
_add_lines = Statement[None](insert_rows(quotation_lines, _LINE_NAMES))
_lock = Statement(
    _every_one.where(quotations.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
    .order_by(quotations.c.id)
    .with_for_update(),
    Quotation,
)
_CHANGING = (
    *("number", "state", "valid_until", "currency", "tax_included"),
    *("net", "tax", "total", "comment", "decline_reason"),
)
_keep = Statement(
    update(quotations)
    .where(_MINE, quotations.c.id == bindparam("the_id", type_=Uuid))
    .values(
        version=quotations.c.version + 1,
        dated_at=case((bindparam("issued_now", type_=Boolean), func.now()), else_=quotations.c.dated_at),
        **{name: bindparam(f"new_{name}", type_=quotations.c[name].type) for name in _CHANGING},
    )
    .returning(*_COLUMNS),
    Quotation,
)
_set_ordered = Statement(
    update(quotations)
    .where(_MINE, quotations.c.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
    .values(version=quotations.c.version + 1, state=QuotationState.ORDERED.value)
    .returning(*_COLUMNS),
    Quotation,
)
_remove_lines = Statement[None](
    delete(quotation_lines).where(
        quotation_lines.c.tenant_id == bindparam("tenant_id"),
        quotation_lines.c.quotation_id == bindparam("the_id", type_=Uuid),
    )
)
_remove = Statement[None](delete(quotations).where(_MINE, quotations.c.id == bindparam("the_id", type_=Uuid)))


async def add(connection: Connection, new: Quotation, lines: Sequence[QuotationLine]) -> Quotation:
    """Keep a new quotation with its lines; as it is, with the database's time and date. Of one that is no draft whoever
    watches is told."""
    added = await connection.row(_add, **{name: getattr(new, name) for name in _NEW})
    assert added is not None
    await connection.run(_add_lines, **as_columns(lines, _LINE_NAMES))
    if added.state != QuotationState.DRAFT.value:
        await announce(connection, [added.id])
    return added


async def lock(connection: Connection, ids: Sequence[UUID]) -> Mapping[UUID, Quotation]:
    """Quotations as they are now; nobody else changes them until this transaction ends. Whose they are, has to be
    asked first."""
    return one_each(await connection.rows(_lock, ids=ids), "id")


async def keep(connection: Connection, changed: Quotation, *, issued_now: bool = False) -> Quotation:
    """Keep a locked quotation as it was changed, and count that; `issued_now`: it is dated now, and whoever
    watches is told."""
    new = {f"new_{name}": getattr(changed, name) for name in _CHANGING}
    kept = await connection.row(_keep, the_id=changed.id, issued_now=issued_now, **new)
    assert kept is not None
    if issued_now:
        await announce(connection, [kept.id])
    return kept


async def replace_lines(connection: Connection, quotation_id: UUID, lines: Sequence[QuotationLine]) -> None:
    """Give a locked draft other lines."""
    await connection.run(_remove_lines, the_id=quotation_id)
    await connection.run(_add_lines, **as_columns(lines, _LINE_NAMES))


async def remove(connection: Connection, quotation_id: UUID) -> None:
    """Delete a locked draft."""
    await connection.run(_remove_lines, the_id=quotation_id)
    await connection.run(_remove, the_id=quotation_id)


async def set_ordered(connection: Connection, ids: Sequence[UUID]) -> list[Quotation]:
    """Say of locked quotations that they were ordered from."""
    return await connection.rows(_set_ordered, ids=ids)
