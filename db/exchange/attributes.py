"""Attributes in the exchange: what they are, what there is to choose from, and what is said of products."""

# ruff: noqa: S608 (what is written into SQL are names of our own and the tenant's UUID)

from collections.abc import Collection

from db.connections import Connection
from db.exchange import rejections
from db.exchange.catalogue import OF_PRODUCT, given
from db.exchange.merge import merge
from db.exchange.rejections import duplicates, unknown
from db.exchange.report import Counts
from db.exchange.staging import affect
from db.exchange.told import Told
from rules.attributes import NUMBER, AttributeKind

_OF_ATTRIBUTE = Told("Attribute", id="attribute_id", of_itself=False)
_SAME = "a.tenant_id = {tenant} and a.code"


async def definitions(connection: Connection, columns: Collection[str]) -> Counts:
    """Merge the staged attributes. One that products have, or that has choices, keeps its kind."""
    await _lock(connection)
    await duplicates(connection, "attribute_definitions")
    if "unit" in columns:
        await rejections.where(
            connection,
            "attribute_definitions",
            f"s.unit is not null and s.kind <> '{AttributeKind.NUMBER}'",
            "'MISPLACED_UNIT: only a number has a unit'",
        )
    await rejections.where(
        connection,
        "attribute_definitions",
        f"""exists (
            select from attributes a where {_SAME} = s.code and a.kind <> s.kind and (
                exists (select from product_attributes v
                    where v.tenant_id = {{tenant}} and v.attribute_id = a.id)
                or exists (select from attribute_choices c
                    where c.tenant_id = {{tenant}} and c.attribute_id = a.id)
            )
        )""",
        "'ATTRIBUTE_IN_USE: products have this attribute, or it has choices; its kind stays'",
    )
    # A file without units leaves those that are there, except with what is no number any more.
    unit = "s.unit" if "unit" in columns else f"case when s.kind = '{AttributeKind.NUMBER}' then a.unit end"
    source = f"""
        select gen_random_uuid() as id, s.code, s.name_en, s.name_de, s.kind, {unit} as unit,
            coalesce(s.position, 0) as position
        from staged_attribute_definitions s left join attributes a on {_SAME} = s.code
        where s.reason is null
    """
    values = ["name_en", "name_de", "kind", "unit", *given(columns, "position")]
    return Counts(
        *await merge(
            connection,
            "attributes",
            source,
            key=["code"],
            values=values,
            only_new=["id"],
            told=Told("Attribute"),
        )
    )


async def choices(connection: Connection, columns: Collection[str]) -> Counts:
    """Merge the staged choices; those that are not in the file stay."""
    await _lock(connection)
    await duplicates(connection, "attribute_choices")
    await unknown(connection, "attribute_choices", "attribute", "attributes", "code")
    await rejections.where(
        connection,
        "attribute_choices",
        f"exists (select from attributes a where {_SAME} = s.attribute and a.kind <> '{AttributeKind.CHOICE}')",
        "'MISPLACED_CHOICE: ' || s.attribute || ' is not of the kind CHOICE'",
    )
    source = f"""
        select a.id as attribute_id, s.code, s.name_en, s.name_de, coalesce(s.position, 0) as position
        from staged_attribute_choices s join attributes a on {_SAME} = s.attribute where s.reason is null
    """
    values = ["name_en", "name_de", *given(columns, "position")]
    key = ["attribute_id", "code"]
    return Counts(
        *await merge(connection, "attribute_choices", source, key=key, values=values, told=_OF_ATTRIBUTE)
    )


async def values(connection: Connection, _columns: Collection[str]) -> Counts:
    """Merge what is said of products, as the attributes' kinds want it."""
    await _lock(connection)
    await duplicates(connection, "attributes")
    await unknown(connection, "attributes", "sku", "products", "sku")
    await unknown(connection, "attributes", "attribute", "attributes", "code")
    for kind, is_bad, reason in (
        (AttributeKind.NUMBER, f"s.value !~ '^(?:{NUMBER})$'", "BAD_NUMBER: the attribute is a number"),
        (
            AttributeKind.BOOLEAN,
            "lower(s.value) not in ('true', 'false')",
            "BAD_BOOLEAN: the attribute is true or false",
        ),
        (
            AttributeKind.CHOICE,
            """not exists (select from attribute_choices c
                where c.tenant_id = {tenant} and c.attribute_id = a.id and c.code = s.value)""",
            "UNKNOWN_CHOICE: the attribute has no such choice",
        ),
    ):
        await rejections.where(
            connection,
            "attributes",
            f"exists (select from attributes a where {_SAME} = s.attribute and a.kind = '{kind}' and {is_bad})",
            f"'{reason}'",
        )
    source = f"""
        select p.id as product_id, a.id as attribute_id, case a.kind
            when '{AttributeKind.NUMBER}' then trim_scale(s.value::numeric)::text
            when '{AttributeKind.BOOLEAN}' then lower(s.value) else s.value end as value
        from staged_attributes s
        join products p on p.tenant_id = {{tenant}} and p.sku = s.sku
        join attributes a on {_SAME} = s.attribute
        where s.reason is null
    """
    key = ["product_id", "attribute_id"]
    return Counts(
        *await merge(connection, "product_attributes", source, key=key, values=["value"], told=OF_PRODUCT)
    )


async def _lock(connection: Connection) -> None:
    """Keep the attributes as they are until this transaction ends, as whoever writes them or by them does."""
    await affect(connection, "select from attributes where tenant_id = {tenant} order by code for update")
