"""Attribute rows: a company says by which attributes its products can be told apart."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid

import db
from db.attributes import Attribute, AttributeChoice
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, Payload, facts_of
from resolvers.rows import POLICY_DESCRIPTION, Rows, read_rows
from rules.access_groups import check_length
from rules.attributes import (
    LARGEST_POSITION,
    MOST_CHOICES,
    AttributeChoiceInUse,
    AttributeChoicesMisplaced,
    AttributeChoicesMissing,
    AttributeInUse,
    AttributeKind,
    AttributeUnitMisplaced,
)
from rules.broken import BrokenRule, BrokenRules, broken_by
from rules.decimals import check_number
from rules.rows import MOST_ROWS, CodeTwice, RowPolicy
from rules.texts import TextMissing, check_name


@strawberry.input(description="One of the values that an attribute of choices can have.")
class AttributeChoiceInput:
    """AttributeRowInput.choices."""

    code: str = strawberry.field(description="The company's own code, 1 to 200 characters.")
    name_en: str = strawberry.field(description="What it is called in English.")
    name_de: str = strawberry.field(description="What it is called in German.")


@strawberry.input(
    description="An attribute by the company's own code. What is left out stays as it is; a new one needs both names."
)
class AttributeRowInput:
    """One of attributesUpsert's rows."""

    code: str = strawberry.field(description="The company's own code, 1 to 200 characters.")
    name_en: str | None = strawberry.field(
        default=None, description="What it is called in English; needed for a new one."
    )
    name_de: str | None = strawberry.field(
        default=None, description="What it is called in German; needed for a new one."
    )
    kind: AttributeKind | None = strawberry.field(
        default=None,
        description="What is said by it; a new one says texts when left out. It stays once products have it.",
    )
    unit: str | None = strawberry.field(
        default=strawberry.UNSET, description="The unit of a number, e.g. cm; null: none."
    )
    choices: list[AttributeChoiceInput] | None = strawberry.field(
        default=None,
        description="All choices from now on, in the order in which they are shown, at most 200. One that products "
        "have cannot be left out.",
    )
    position: int | None = strawberry.field(
        default=None, description="Attributes come by position, then by code; a new one's is 0 when left out."
    )


@strawberry.input(description="Attributes to be kept.")
class AttributesUpsertInput:
    """attributesUpsert(input:)."""

    rows: list[AttributeRowInput] = strawberry.field(description="Up to 1,000 attributes, each code once.")
    policy: RowPolicy = strawberry.field(default=RowPolicy.ALL_OR_NOTHING, description=POLICY_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class AttributesPayload(Payload):
    """The attributes that were taken, in the order of their rows."""

    attributes: list[Attribute] | None = field(default=None)


_UpsertInput = Annotated[AttributesUpsertInput, strawberry.argument(description="The attributes.")]


@dataclass(slots=True)
class _Row:
    """An attribute as it was and as it is to be, with its choices."""

    before: Attribute | None
    after: Attribute
    had: Sequence[AttributeChoice]
    choices: Sequence[AttributeChoice]

    @property
    def gone(self) -> list[str]:
        """The choices that are to be no more."""
        left = {each.code for each in self.choices}
        return [each.code for each in self.had if each.code not in left]


async def upsert(info: Info, input: _UpsertInput) -> AttributesPayload:
    """Mutation.attributesUpsert. Rows that say what is so already are taken, and change nothing."""
    context = info.context
    check_length(input.rows, MOST_ROWS, "rows")
    kept = await db.attributes.lock_by_codes(context.connection, [row.code for row in input.rows])
    ids = [each.id for each in kept.values()]
    choices = await db.attributes.choices_of(context.connection, context.signed_in, ids)
    rows = await read_rows(input.rows, key=lambda row: row.code, read=lambda row: _read(row, kept, choices))
    await _refuse_what_is_in_use(context, rows)
    errors = rows.settle(input.policy)
    await _write(context, list(rows.good.values()))
    return AttributesPayload(errors=errors, attributes=[row.after for row in rows.good.values()])


def _read(
    given: AttributeRowInput,
    kept: Mapping[str, Attribute],
    choices: Mapping[UUID, list[AttributeChoice]],
) -> _Row:
    """What a row asks for. Raises BrokenRules with all that is wrong with it."""
    before = kept.get(given.code)
    base = before or Attribute(uuid.uuid7(), given.code, "", "", AttributeKind.TEXT, None, 0)
    told = {name: getattr(given, name) for name in ("name_en", "name_de", "kind", "position")}
    after = replace(base, **{name: value for name, value in told.items() if value is not None})
    if given.unit is not strawberry.UNSET:
        after.unit = given.unit
    elif after.kind != AttributeKind.NUMBER:
        after.unit = None
    had = choices[before.id] if before else []
    listed = _choices(given, after.id)
    if listed is None:
        listed = had if after.kind == AttributeKind.CHOICE else []
    wrong = [*_wrong(given, before), *_misfits(after, listed)]
    if wrong:
        raise BrokenRules(wrong)
    return _Row(before, after, had, listed)


def _choices(given: AttributeRowInput, attribute_id: UUID) -> list[AttributeChoice] | None:
    if given.choices is None:
        return None
    return [AttributeChoice(attribute_id, each.code, each.name_en, each.name_de) for each in given.choices]


def _wrong(given: AttributeRowInput, before: Attribute | None) -> list[BrokenRule]:
    checks: list[Callable[[], None]] = [
        lambda: check_name(given.code, "code"),
        lambda: check_name(given.name_en, "nameEn"),
        lambda: check_name(given.name_de, "nameDe"),
        lambda: check_name(None if given.unit is strawberry.UNSET else given.unit, "unit"),
        lambda: check_number(given.position, 0, LARGEST_POSITION, 0, "position"),
        lambda: check_length(given.choices, MOST_CHOICES, "choices"),
    ]
    wrong = list(broken_by(checks))
    if before is None:
        needed = {"nameEn": given.name_en, "nameDe": given.name_de}
        wrong += [TextMissing(path=(name,)) for name, text in needed.items() if text is None]
    seen: set[str] = set()
    for index, each in enumerate(given.choices or ()):
        names = {"code": each.code, "nameEn": each.name_en, "nameDe": each.name_de}
        for name, text in names.items():
            wrong += [rule.at("choices", str(index)) for rule in broken_by([_checking(text, name)])]
        if each.code in seen:
            wrong.append(CodeTwice(repeated=each.code, path=("choices", str(index), "code")))
        seen.add(each.code)
    return wrong


def _checking(text: str, name: str) -> Callable[[], None]:
    return lambda: check_name(text, name)


def _misfits(after: Attribute, choices: Sequence[AttributeChoice]) -> list[BrokenRule]:
    """What does not go with the attribute's kind."""
    wrong: list[BrokenRule] = []
    if after.unit is not None and after.kind != AttributeKind.NUMBER:
        wrong.append(AttributeUnitMisplaced(path=("unit",)))
    if choices and after.kind != AttributeKind.CHOICE:
        wrong.append(AttributeChoicesMisplaced(path=("choices",)))
    if not choices and after.kind == AttributeKind.CHOICE:
        wrong.append(AttributeChoicesMissing(path=("choices",)))
    return wrong


async def _refuse_what_is_in_use(context: Context, rows: Rows[str, _Row]) -> None:
    """An attribute keeps its kind, and its choices, while products have them."""
    asked = [
        row.after.id
        for row in rows.good.values()
        if row.before is not None and (row.before.kind != row.after.kind or row.gone)
    ]
    if not asked:
        return
    used = await db.attributes.in_use(context.connection, asked)
    for code, row in list(rows.good.items()):
        values = used.get(row.after.id, set())
        if values and row.before is not None and row.before.kind != row.after.kind:
            rows.refuse(code, AttributeInUse(path=("kind",)))
        elif missed := [choice for choice in row.gone if choice in values]:
            rows.refuse(code, AttributeChoiceInUse(choice=missed[0], path=("choices",)))


async def _write(context: Context, rows: Sequence[_Row]) -> None:
    """Keep what differs, with as many statements for a thousand rows as for one; write down each change."""
    connection = context.connection
    changed = [row for row in rows if row.before != row.after]
    relisted = {row.after.id: row.choices for row in rows if list(row.had) != list(row.choices)}
    await db.attributes.add(connection, [row.after for row in changed if row.before is None])
    await db.attributes.change(connection, [row.after for row in changed if row.before is not None])
    await db.attributes.replace_choices(connection, relisted)
    for row in rows:
        if row.before != row.after or row.after.id in relisted:
            before = None if row.before is None else facts_of(row.before, choices=row.had)
            context.record(
                "Attribute", row.after.id, before=before, after=facts_of(row.after, choices=row.choices)
            )
    context.record_nothing()
