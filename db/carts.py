"""Carts: the editable list that every order passes through; one for each account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    Identity,
    Index,
    Integer,
    Text,
    Uuid,
    and_,
    bindparam,
    column,
    delete,
    false,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from db.connections import Connection
from db.prices import price_lists
from db.products import allowed_by, products
from db.quotations import STATE, quotation_lines, quotations
from db.restrictions import DocumentShape, Shape, documents_in, documents_of, scope_of
from db.statements import Statement
from db.tables import QUANTITY, one_of, refers_to, tenant_table, unique
from rules.carts import OriginKind
from rules.documents import DocumentKind
from rules.permissions import Permission
from rules.quotations import Quote
from rules.viewers import Viewer

carts = tenant_table(
    "carts",
    Column("account_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    refers_to("accounts", "account_id", name="carts_account_fkey"),
    key=("account_id",),
)

cart_items = tenant_table(
    "cart_items",
    Column("id", Uuid, nullable=False),
    Column("account_id", Uuid, nullable=False),
    Column("product_id", Uuid, nullable=False),
    Column("quantity", QUANTITY, nullable=False),
    Column("warehouse_id", Uuid),  # empty: the one with most available
    Column("position", BigInteger, Identity(always=True), nullable=False),
    Column("origin", Text, nullable=False, server_default=OriginKind.MANUAL.value),
    Column("order_id", Uuid),  # the order that was copied
    Column("quotation_id", Uuid),  # and the quotation's line, by its position
    Column("quotation_position", Integer),
    unique("account_id", "product_id", name="cart_items_product_key"),
    refers_to("carts", "account_id", name="cart_items_cart_fkey", key="account_id"),
    refers_to("products", "product_id", name="cart_items_product_fkey"),
    refers_to("warehouses", "warehouse_id", name="cart_items_warehouse_fkey"),
    refers_to("orders", "order_id", name="cart_items_order_fkey"),
    refers_to("quotations", "quotation_id", name="cart_items_quotation_fkey"),
    one_of("origin", list(OriginKind), name="cart_items_origin_check"),
    CheckConstraint("quantity > 0", name="cart_items_quantity_check"),
    CheckConstraint(
        "(quotation_id is null) = (quotation_position is null)", name="cart_items_quotation_check"
    ),
    Index("cart_items_product_idx", "tenant_id", "product_id"),
)


@dataclass(slots=True)
class Cart:
    """An account's cart: its id is the account's. Version 0 is a cart nobody has touched yet."""

    id: UUID
    version: int


@dataclass(slots=True)
class CartItem:
    """A line of a cart with what its product is now; `sellable` is false when the viewer may not, or no longer,
    order it."""

    id: UUID
    product_id: UUID
    sku: str
    name: str
    unit: str
    kind: str
    tax_rate: Decimal
    sellable: bool
    quantity: Decimal
    warehouse_id: UUID | None
    origin: str
    order_id: UUID | None
    quotation_id: UUID | None
    quotation_position: int | None
    quoted_unit_price: Decimal | None
    quoted_quantity: Decimal | None
    quoted_currency: str | None
    quoted_tax_included: bool | None
    quotation_state: str | None
    quotation_usable: bool

    @property
    def quote(self) -> Quote | None:
        """The quotation's line from which it came."""
        if self.quoted_unit_price is None or self.quoted_quantity is None:
            return None
        assert self.quoted_currency is not None
        assert self.quotation_state is not None
        return Quote(
            unit_price=self.quoted_unit_price,
            quantity=self.quoted_quantity,
            currency=self.quoted_currency,
            tax_included=bool(self.quoted_tax_included),
            state=self.quotation_state,
            usable=self.quotation_usable,
        )


_MINE = and_(
    cart_items.c.tenant_id == bindparam("tenant_id"), cart_items.c.account_id == bindparam("account_id")
)

_of_account = Statement(
    select(carts.c.account_id.label("id"), carts.c.version).where(
        carts.c.tenant_id == bindparam("tenant_id"), carts.c.account_id == bindparam("account_id")
    ),
    Cart,
)


def usable(documents: DocumentShape) -> ColumnElement[bool]:
    """Whether the viewer may see a quotation, still buys in its currency and with or without tax as it says, and the
    product is still sold in the unit of its line."""
    buys_with_tax = (
        select(price_lists.c.tax_included)
        .where(
            price_lists.c.tenant_id == bindparam("tenant_id"),
            price_lists.c.id == bindparam("price_list_id", type_=Uuid),
        )
        .scalar_subquery()
    )
    return func.coalesce(
        and_(
            quotations.c.customer_id == bindparam("customer_id", type_=Uuid),
            quotations.c.currency == bindparam("currency", type_=Text),
            quotation_lines.c.unit == products.c.unit,
            quotations.c.tax_included == func.coalesce(buys_with_tax, quotations.c.tax_included),
            documents_in(documents, DocumentKind.QUOTATION),
        ),
        false(),
    )


def buyer(viewer: Viewer) -> dict[str, Any]:
    """The parameters of `usable`."""
    return {
        "customer_id": viewer.customer_id,
        "currency": viewer.currency,
        "price_list_id": viewer.price_list_id,
    }


@lru_cache(maxsize=256)
def _items(shape: Shape, documents: DocumentShape) -> Statement[CartItem]:
    item, line = cart_items.c, quotation_lines.c
    return Statement(
        select(
            item.id,
            item.product_id,
            products.c.sku,
            products.c.name,
            products.c.unit,
            products.c.kind,
            products.c.tax_rate,
            and_(products.c.active, allowed_by(shape)).label("sellable"),
            item.quantity,
            item.warehouse_id,
            item.origin,
            item.order_id,
            item.quotation_id,
            item.quotation_position,
            line.unit_price.label("quoted_unit_price"),
            line.quantity.label("quoted_quantity"),
            quotations.c.currency.label("quoted_currency"),
            quotations.c.tax_included.label("quoted_tax_included"),
            STATE.label("quotation_state"),
            usable(documents).label("quotation_usable"),
        )
        .select_from(cart_items)
        .join(products, and_(products.c.tenant_id == item.tenant_id, products.c.id == item.product_id))
        .outerjoin(
            quotations, and_(quotations.c.tenant_id == item.tenant_id, quotations.c.id == item.quotation_id)
        )
        .outerjoin(
            quotation_lines,
            and_(
                line.tenant_id == item.tenant_id,
                line.quotation_id == item.quotation_id,
                line.position == item.quotation_position,
            ),
        )
        .where(_MINE)
        .order_by(item.position),
        CartItem,
    )


async def of_account(connection: Connection, account_id: UUID) -> Cart:
    """The cart of an account."""
    return await connection.row(_of_account, account_id=account_id) or Cart(account_id, 0)


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Cart]:
    """The viewer's own cart, if its id is among the ids."""
    mine = [each for each in ids if each == viewer.account_id]
    return {each: await of_account(connection, each) for each in mine}


async def items(connection: Connection, viewer: Viewer) -> list[CartItem]:
    """What is in the viewer's cart, in the order in which it was put there."""
    scope, documents = scope_of(viewer, Permission.ORDERS_PLACE), documents_of(viewer)
    statement = _items(scope.shape, documents.shape)
    needed = statement.needed({**buyer(viewer), **scope.groups, **documents.groups})
    return await connection.rows(statement, account_id=viewer.account_id, **needed)


async def items_of(
    connection: Connection, viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[CartItem]]:
    """What is in the viewer's own cart, if its id is among the ids; nothing in any other."""
    return {each: await items(connection, viewer) if each == viewer.account_id else [] for each in ids}


_size = Statement[int](select(func.count()).select_from(cart_items).where(_MINE))


async def size(connection: Connection, account_id: UUID) -> int:
    """How many lines the cart has."""
    found: int = await connection.value(_size, account_id=account_id)
    return found


_opened = insert(carts).values(
    tenant_id=bindparam("tenant_id"), account_id=bindparam("account_id"), version=0
)
_lock = Statement(
    _opened.on_conflict_do_update(constraint="carts_pkey", set_={"version": carts.c.version}).returning(
        carts.c.account_id, carts.c.version
    ),
    Cart,
)
_touch = Statement(
    update(carts)
    .where(carts.c.tenant_id == bindparam("tenant_id"), carts.c.account_id == bindparam("account_id"))
    .values(version=carts.c.version + 1)
    .returning(carts.c.account_id, carts.c.version),
    Cart,
)
_new = (
    func.unnest(
        bindparam("ids", type_=ARRAY(Uuid)),
        bindparam("product_ids", type_=ARRAY(Uuid)),
        bindparam("quantities", type_=ARRAY(QUANTITY)),
        bindparam("warehouse_ids", type_=ARRAY(Uuid)),
    )
    .table_valued(
        column("id", Uuid),
        column("product_id", Uuid),
        column("quantity", QUANTITY),
        column("warehouse_id", Uuid),
    )
    .render_derived(name="new")
)
_add_rows = insert(cart_items).from_select(
    ["tenant_id", "account_id", "id", "product_id", "quantity", "warehouse_id"],
    select(
        bindparam("tenant_id", type_=Uuid).label("tenant_id"),
        bindparam("account_id", type_=Uuid).label("account_id"),
        _new.c.id,
        _new.c.product_id,
        _new.c.quantity,
        _new.c.warehouse_id,
    ),
)
_add = Statement[Decimal](
    _add_rows.on_conflict_do_update(
        constraint="cart_items_product_key",
        set_={
            "quantity": cart_items.c.quantity + _add_rows.excluded.quantity,
            "warehouse_id": func.coalesce(_add_rows.excluded.warehouse_id, cart_items.c.warehouse_id),
        },
    ).returning(cart_items.c.quantity)
)
_change = Statement[None](
    update(cart_items)
    .where(_MINE, cart_items.c.id == bindparam("item_id"))
    .values(
        quantity=func.coalesce(bindparam("new_quantity", type_=QUANTITY), cart_items.c.quantity),
        warehouse_id=func.coalesce(bindparam("new_warehouse_id", type_=Uuid), cart_items.c.warehouse_id),
    )
)
_remove = Statement[None](delete(cart_items).where(_MINE, cart_items.c.id == bindparam("item_id")))
_clear = Statement[None](delete(cart_items).where(_MINE))


async def lock(connection: Connection, account_id: UUID) -> Cart:
    """The cart, opened when it is new; nobody else changes it until this transaction ends."""
    locked = await connection.row(_lock, account_id=account_id)
    assert locked is not None
    return locked


async def touch(connection: Connection, account_id: UUID) -> Cart:
    """Count a change: the cart with its next version."""
    touched = await connection.row(_touch, account_id=account_id)
    assert touched is not None
    return touched


async def add(
    connection: Connection,
    account_id: UUID,
    *,
    ids: Sequence[UUID],
    product_ids: Sequence[UUID],
    quantities: Sequence[Decimal],
    warehouse_ids: Sequence[UUID | None],
) -> list[Decimal]:
    """Put different products into the cart; one that is there already gets more. Returns the quantities
    that are in the cart now, in the order given."""
    return await connection.column(
        _add,
        account_id=account_id,
        ids=ids,
        product_ids=product_ids,
        quantities=quantities,
        warehouse_ids=warehouse_ids,
    )


async def change(
    connection: Connection,
    account_id: UUID,
    item_id: UUID,
    *,
    quantity: Decimal | None,
    warehouse_id: UUID | None,
) -> None:
    """Give an item another quantity or warehouse; None leaves it as it is."""
    await connection.run(
        _change,
        account_id=account_id,
        item_id=item_id,
        new_quantity=quantity,
        new_warehouse_id=warehouse_id,
    )


async def remove(connection: Connection, account_id: UUID, item_id: UUID) -> None:
    """Take an item out of the cart."""
    await connection.run(_remove, account_id=account_id, item_id=item_id)


async def clear(connection: Connection, account_id: UUID) -> None:
    """Empty the cart."""
    await connection.run(_clear, account_id=account_id)
