"""Product rows: a company keeps its products in step with its ERP, by SKU, many at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid

import db
from db.attributes import Attribute, ProductAttribute
from db.categories import Category
from db.products import Product
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, Payload, facts_of
from resolvers.rows import POLICY_DESCRIPTION, Rows, read_rows
from resolvers.turns import in_turns
from rules.access_groups import check_length
from rules.attributes import LONGEST_VALUE, MOST_ATTRIBUTES, AttributeKind, read_value
from rules.broken import BrokenRule, BrokenRules, NotFound, broken_by, found_at
from rules.decimals import check_number
from rules.products import LONGEST_DESCRIPTION, TAX_RATE_PLACES, ProductInUse, ProductKind
from rules.rows import MOST_ROWS, CodeTwice, RowPolicy, ValueMissing
from rules.texts import TextMissing, check_name, check_text


@strawberry.input(description="What is said of a product by one attribute.")
class ProductAttributeInput:
    """ProductRowInput.attributes."""

    attribute: str = strawberry.field(description="The attribute's code.")
    value: str | None = strawberry.field(
        default=None,
        description="A text of up to 500 characters, a number like 12.5, true or false, or a choice's code, as the "
        "attribute's kind wants it; null: nothing any more.",
    )


@strawberry.input(
    description="A product by its SKU. What is left out stays as it is; a new one needs name, unit and taxRate."
)
class ProductRowInput:
    """One of productsUpsert's rows."""

    sku: str = strawberry.field(description="The company's own code, 1 to 200 characters.")
    name: str | None = strawberry.field(default=None, description="Its name; needed for a new one.")
    kind: ProductKind | None = strawberry.field(
        default=None, description="Goods or a service; a new one is goods when left out."
    )
    category: str | None = strawberry.field(
        default=strawberry.UNSET, description="The code of its category; null: it hangs nowhere."
    )
    unit: str | None = strawberry.field(
        default=None, description="The unit in which it is sold, e.g. pcs or kg; needed for a new one."
    )
    tax_rate: Decimal | None = strawberry.field(
        default=None, description="The tax rate in percent, 0 to 100; needed for a new one."
    )
    description: str | None = strawberry.field(
        default=None, description="More about it, at most 10,000 characters."
    )
    active: bool | None = strawberry.field(
        default=None, description="Whether it is sold; a new one is when left out."
    )
    attributes: list[ProductAttributeInput] | None = strawberry.field(
        default=None, description="What is said of it by these attributes; by others it stays as it is."
    )


@strawberry.input(description="Products to be kept.")
class ProductsUpsertInput:
    """productsUpsert(input:)."""

    rows: list[ProductRowInput] = strawberry.field(description="Up to 1,000 products, each SKU once.")
    policy: RowPolicy = strawberry.field(default=RowPolicy.ALL_OR_NOTHING, description=POLICY_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class ProductsPayload(Payload):
    """The products whose rows were taken, each once, in the order of their rows."""

    products: list[Product] | None = field(default=None)


_UpsertInput = Annotated[ProductsUpsertInput, strawberry.argument(description="The products.")]


@dataclass(slots=True)
class _Row:
    """A product as it was and as it is to be, and what is to be said of it by attributes' codes."""

    before: Product | None
    after: Product
    values: Mapping[str, str | None]


@dataclass(slots=True, frozen=True)
class _Known:
    """What the rows of a call name, by code."""

    products: Mapping[str, Product]
    categories: Mapping[str, Category]
    attributes: Mapping[str, Attribute]
    choices: Mapping[UUID, set[str]]


async def upsert(info: Info, input: _UpsertInput) -> ProductsPayload:
    """Mutation.productsUpsert. Rows that say what is so already are taken, and change nothing."""
    context = info.context
    check_length(input.rows, MOST_ROWS, "rows")
    known = await _known(context, input)
    rows = await read_rows(
        input.rows, key=lambda row: row.sku, read=lambda row: _read(row, known), named="sku"
    )
    await _refuse_what_is_in_use(context, rows)
    errors = rows.settle(input.policy)
    await _write(context, list(rows.good.values()), known)
    return ProductsPayload(errors=errors, products=[row.after for row in rows.good.values()])


async def _known(context: Context, input: ProductsUpsertInput) -> _Known:
    connection = context.connection
    products = await db.products.lock_by_skus(connection, [row.sku for row in input.rows])
    above = [row.category for row in input.rows if isinstance(row.category, str)]
    categories = await db.categories.kept_by_codes(connection, above)
    said = sorted({each.attribute for row in input.rows for each in row.attributes or ()})
    attributes = await db.attributes.hold_by_codes(connection, said)
    ids = [each.id for each in attributes.values()]
    choices = await db.attributes.choices_of(connection, context.signed_in, ids)
    codes = {attribute_id: {each.code for each in listed} for attribute_id, listed in choices.items()}
    return _Known(products, categories, attributes, codes)


def _read(given: ProductRowInput, known: _Known) -> _Row:
    """What a row asks for. Raises BrokenRules with all that is wrong with it."""
    before = known.products.get(given.sku)
    values, wrong_values = _values(given, known)
    wrong = [*_wrong(given, before, known), *wrong_values]
    if wrong:
        raise BrokenRules(wrong)
    base = before or Product(
        id=uuid.uuid7(),
        sku=given.sku,
        name="",
        description="",
        kind=ProductKind.GOODS,
        category_id=None,
        unit="",
        tax_rate=Decimal(0),
        active=True,
    )
    told = {
        name: getattr(given, name) for name in ("name", "description", "kind", "unit", "tax_rate", "active")
    }
    after = replace(base, **{name: value for name, value in told.items() if value is not None})
    if given.category is not strawberry.UNSET:
        after.category_id = known.categories[given.category].id if given.category is not None else None
    return _Row(before, after, values)


def _wrong(given: ProductRowInput, before: Product | None, known: _Known) -> list[BrokenRule]:
    checks: list[Callable[[], None]] = [
        lambda: check_name(given.sku, "sku"),
        lambda: check_name(given.name, "name"),
        lambda: check_name(given.unit, "unit"),
        lambda: check_number(given.tax_rate, 0, 100, TAX_RATE_PLACES, "taxRate"),
        lambda: check_text(given.description, LONGEST_DESCRIPTION, "description"),
        lambda: check_length(given.attributes, MOST_ATTRIBUTES, "attributes"),
    ]
    wrong = list(broken_by(checks))
    if before is None:
        needed = {"name": given.name, "unit": given.unit}
        wrong += [TextMissing(path=(name,)) for name, text in needed.items() if text is None]
        if given.tax_rate is None:
            wrong.append(ValueMissing(path=("taxRate",)))
    if isinstance(given.category, str) and given.category not in known.categories:
        wrong.append(NotFound(path=("category",)))
    return wrong


def _values(given: ProductRowInput, known: _Known) -> tuple[dict[str, str | None], list[BrokenRule]]:
    """What is to be said by which attribute, as it is kept, and what of it cannot be."""
    values: dict[str, str | None] = {}
    wrong: list[BrokenRule] = []
    for index, each in enumerate(given.attributes or ()):
        try:
            if each.attribute in values:
                raise CodeTwice(repeated=each.attribute, path=("attribute",))
            values[each.attribute] = _value(each, known)
        except BrokenRule as rule:
            wrong.append(rule.at("attributes", str(index)))
    return values, wrong


def _value(given: ProductAttributeInput, known: _Known) -> str | None:
    attribute = known.attributes.get(given.attribute)
    if attribute is None:
        raise NotFound(path=("attribute",))
    if given.value is None:
        return None
    if not given.value.strip():
        raise TextMissing(path=("value",))
    check_text(given.value, LONGEST_VALUE, "value")
    with found_at("value"):
        return read_value(given.value, AttributeKind(attribute.kind), known.choices[attribute.id])


async def _refuse_what_is_in_use(context: Context, rows: Rows[str, _Row]) -> None:
    """A product keeps its kind, which says whether it has stock, while there is stock or something to ship."""
    asked = {
        row.after.id: sku
        for sku, row in rows.good.items()
        if row.before is not None and row.before.kind != row.after.kind
    }
    used = await db.products_in_use.among(context.connection, list(asked))
    for product_id, sku in asked.items():
        if product_id in used:
            rows.refuse(sku, ProductInUse(path=("kind",)))


async def _write(context: Context, rows: list[_Row], known: _Known) -> None:
    """Keep what differs, with as many statements for a thousand rows as for one; write down each change."""
    connection = context.connection
    had = await db.attributes.of_products(connection, context.signed_in, [row.after.id for row in rows])
    said: list[ProductAttribute] = []
    gone: list[tuple[UUID, UUID]] = []
    changed: list[_Row] = []
    async for row in in_turns(rows):
        before = _told(row, had[row.after.id], known)
        values = {code: value for code, value in row.values.items() if value != before.get(code)}
        pairs = {code: (row.after.id, known.attributes[code].id) for code in values}
        said += [ProductAttribute(*pairs[code], value) for code, value in values.items() if value is not None]
        gone += [pairs[code] for code, value in values.items() if value is None]
        if row.before != row.after:
            changed.append(row)
        if row.before != row.after or values:
            now = {code: value for code, value in {**before, **row.values}.items() if value is not None}
            context.record(
                "Product",
                row.after.id,
                before=None if row.before is None else facts_of(row.before, attributes=before),
                after=facts_of(row.after, attributes=now),
            )
    await db.products.add(connection, [row.after for row in changed if row.before is None])
    await db.products.change(connection, [row.after for row in changed if row.before is not None])
    await db.attributes.replace_values(connection, said, gone)
    context.record_nothing()


def _told(row: _Row, had: Sequence[ProductAttribute], known: _Known) -> dict[str, str]:
    """What was said of a product by the attributes of its row; what the others say, stays."""
    codes = {known.attributes[code].id: code for code in row.values}
    return {codes[each.attribute_id]: each.value for each in had if each.attribute_id in codes}
