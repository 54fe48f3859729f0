"""Attributes: what a company says of its products beyond name and price, and what it says of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Column,
    Index,
    Integer,
    Text,
    Uuid,
    any_,
    bindparam,
    case,
    delete,
    literal,
    select,
)

from db.connections import Connection, many_each, one_each
from db.products import products as products  # the foreign key's target
from db.rows import as_columns, given_rows, insert_rows, names_of, update_rows
from db.statements import Statement
from db.tables import one_of, refers_to, tenant_table, unique
from rules.attributes import AttributeKind
from rules.viewers import Viewer

attributes = tenant_table(
    "attributes",
    Column("id", Uuid, nullable=False),
    Column("code", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("name_de", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("unit", Text),  # of numbers alone
    Column("position", Integer, nullable=False, server_default="0"),
    unique("code", name="attributes_code_key"),
    one_of("kind", list(AttributeKind), name="attributes_kind_check"),
)

attribute_choices = tenant_table(
    "attribute_choices",
    Column("attribute_id", Uuid, nullable=False),
    Column("code", Text, nullable=False),
    Column("name_en", Text, nullable=False),
    Column("name_de", Text, nullable=False),
    Column("position", Integer, nullable=False, server_default="0"),
    refers_to("attributes", "attribute_id", name="attribute_choices_attribute_fkey"),
    key=("attribute_id", "code"),
)

product_attributes = tenant_table(
    "product_attributes",
    Column("product_id", Uuid, nullable=False),
    Column("attribute_id", Uuid, nullable=False),
    Column("value", Text, nullable=False),  # as rules.attributes.read_value writes it
    refers_to("products", "product_id", name="product_attributes_product_fkey"),
    refers_to("attributes", "attribute_id", name="product_attributes_attribute_fkey"),
    Index("product_attributes_attribute_idx", "tenant_id", "attribute_id", "value"),
    key=("product_id", "attribute_id"),
)


@dataclass(slots=True)
class Attribute:
    """Something that can be said of products, in the company's own order."""

    id: UUID
    code: str
    name_en: str
    name_de: str
    kind: str
    unit: str | None
    position: int


@dataclass(slots=True)
class AttributeChoice:
    """One of the values that an attribute of choices can have."""

    attribute_id: UUID
    code: str
    name_en: str
    name_de: str


@dataclass(slots=True)
class ProductAttribute:
    """What is said of one product; `value` is as the rules write it, whatever the kind."""

    product_id: UUID
    attribute_id: UUID
    value: str


_NAMES = names_of(Attribute)
_every_one = select(*(attributes.c[name] for name in _NAMES)).where(
    attributes.c.tenant_id == bindparam("tenant_id")
)
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_WITH_CODES = attributes.c.code == any_(bindparam("codes", type_=ARRAY(Text)))
_every = Statement(_every_one.order_by(attributes.c.position, attributes.c.code), Attribute)
_by_ids = Statement(_every_one.where(attributes.c.id == any_(_IDS)), Attribute)
_CHOICE = names_of(AttributeChoice)
_choices_of = Statement(
    select(*(attribute_choices.c[name] for name in _CHOICE))
    .where(
        attribute_choices.c.tenant_id == bindparam("tenant_id"),
        attribute_choices.c.attribute_id == any_(_IDS),
    )
    .order_by(attribute_choices.c.attribute_id, attribute_choices.c.position, attribute_choices.c.code),
    AttributeChoice,
)
_VALUE = names_of(ProductAttribute)
_of_products = Statement(
    select(*(product_attributes.c[name] for name in _VALUE))
    .join_from(
        product_attributes,
        attributes,
        (attributes.c.tenant_id == product_attributes.c.tenant_id)
        & (attributes.c.id == product_attributes.c.attribute_id),
    )
    .where(
        product_attributes.c.tenant_id == bindparam("tenant_id"),
        product_attributes.c.product_id == any_(_IDS),
    )
    .order_by(product_attributes.c.product_id, attributes.c.position, attributes.c.code),
    ProductAttribute,
)


async def every(connection: Connection) -> list[Attribute]:
    """All attributes in the company's order: they say nothing of a product, so nothing restricts them."""
    return await connection.rows(_every)


async def by_ids(connection: Connection, _viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Attribute]:
    """The attributes by id."""
    return one_each(await connection.rows(_by_ids, ids=ids), "id")


async def choices_of(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[AttributeChoice]]:
    """The choices of each attribute, in the company's order."""
    return many_each(await connection.rows(_choices_of, ids=ids), ids, "attribute_id")


async def of_products(
    connection: Connection, _viewer: Viewer, ids: Sequence[UUID]
) -> Mapping[UUID, list[ProductAttribute]]:
    """What is said of each product, in the attributes' order. Ask for products that the viewer sees."""
    return many_each(await connection.rows(_of_products, ids=ids), ids, "product_id")


_of_codes = _every_one.where(_WITH_CODES).order_by(attributes.c.code)
_lock_by_codes = Statement(_of_codes.with_for_update(), Attribute)
_hold_by_codes = Statement(_of_codes.with_for_update(read=True), Attribute)
_add = Statement[None](insert_rows(attributes, _NAMES))
_change = Statement[None](
    update_rows(attributes, ["id"], [name for name in _NAMES if name not in ("id", "code")])
)
_of_choice = case((attributes.c.kind == AttributeKind.CHOICE, product_attributes.c.value), else_=literal(""))
_in_use = Statement[tuple[UUID, str]](
    select(product_attributes.c.attribute_id, _of_choice)
    .join_from(
        product_attributes,
        attributes,
        (attributes.c.tenant_id == product_attributes.c.tenant_id)
        & (attributes.c.id == product_attributes.c.attribute_id),
    )
    .where(
        product_attributes.c.tenant_id == bindparam("tenant_id"),
        product_attributes.c.attribute_id == any_(_IDS),
    )
    .distinct(),
    lambda attribute_id, value: (attribute_id, value),
)


async def lock_by_codes(connection: Connection, codes: Sequence[str]) -> Mapping[str, Attribute]:
    """The attributes with these codes as they are now; nobody else changes them, or says anything by them,
    until this transaction ends."""
    return one_each(await connection.rows(_lock_by_codes, codes=codes), "code")


async def hold_by_codes(connection: Connection, codes: Sequence[str]) -> Mapping[str, Attribute]:
    """The attributes with these codes; they stay as they are until this transaction ends."""
    return one_each(await connection.rows(_hold_by_codes, codes=codes), "code")


async def in_use(connection: Connection, ids: Sequence[UUID]) -> Mapping[UUID, set[str]]:
    """Which of the attributes say something of a product; where they are of choices, which ones."""
    found: dict[UUID, set[str]] = {}
    for attribute_id, value in await connection.rows(_in_use, ids=ids):
        found.setdefault(attribute_id, set()).add(value)
    return found


async def add(connection: Connection, rows: Sequence[Attribute]) -> None:
    """Keep new attributes. Raises Contended when somebody else has just added one of them."""
    if rows:
        await connection.run(_add, **as_columns(rows, _NAMES))


async def change(connection: Connection, rows: Sequence[Attribute]) -> None:
    """Bring attributes that are locked to what the rows say, by id."""
    if rows:
        await connection.run(_change, **as_columns(rows, [name for name in _NAMES if name != "code"]))


_remove_choices = Statement[None](
    delete(attribute_choices).where(
        attribute_choices.c.tenant_id == bindparam("tenant_id"),
        attribute_choices.c.attribute_id == any_(_IDS),
    )
)
_add_choices = Statement[None](insert_rows(attribute_choices, [*_CHOICE, "position"]))


async def replace_choices(connection: Connection, given: Mapping[UUID, Sequence[AttributeChoice]]) -> None:
    """Give attributes that are locked these choices and no others; two statements for however many."""
    if not given:
        return
    await connection.run(_remove_choices, ids=list(given))
    placed = [(position, each) for listed in given.values() for position, each in enumerate(listed, start=1)]
    if placed:
        columns = as_columns([each for _, each in placed], _CHOICE)
        await connection.run(_add_choices, **columns, position=[position for position, _ in placed])


_PAIR = ["product_id", "attribute_id"]
_gone = given_rows(product_attributes, _PAIR)
_remove_values = Statement[None](
    delete(product_attributes).where(
        product_attributes.c.tenant_id == bindparam("tenant_id"),
        *(product_attributes.c[name] == _gone.c[name] for name in _PAIR),
    )
)
_add_values = Statement[None](insert_rows(product_attributes, _VALUE))


async def replace_values(
    connection: Connection, said: Sequence[ProductAttribute], gone: Sequence[tuple[UUID, UUID]]
) -> None:
    """Say something of products, or, of (product, attribute) pairs, nothing any more. The products are locked,
    and the attributes held."""
    pairs = [*gone, *((each.product_id, each.attribute_id) for each in said)]
    if pairs:
        products_of, attributes_of = zip(*pairs, strict=True)
        await connection.run(_remove_values, product_id=list(products_of), attribute_id=list(attributes_of))
    if said:
        await connection.run(_add_values, **as_columns(said, _VALUE))
