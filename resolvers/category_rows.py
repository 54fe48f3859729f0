"""Category rows: a company keeps its tree of categories in step with its ERP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

import strawberry
import uuid_utils.compat as uuid

import db
from db.categories import Category
from resolvers.context import Info
from resolvers.mutations import KEY_DESCRIPTION, Payload, facts_of
from resolvers.rows import POLICY_DESCRIPTION, read_rows
from rules import categories
from rules.access_groups import check_length
from rules.broken import BrokenRules, broken_by
from rules.rows import MOST_ROWS, RowPolicy
from rules.texts import TextMissing, check_name


@strawberry.input(
    description="A category by the company's own code. What is left out stays as it is; a new one needs a name."
)
class CategoryRowInput:
    """One of categoriesUpsert's rows."""

    code: str = strawberry.field(description="The company's own code, 1 to 200 characters.")
    name: str | None = strawberry.field(default=None, description="Its name; needed for a new one.")
    parent: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The code of the category above, which may be in another row; null: none, it is a root.",
    )


@strawberry.input(description="Categories to be kept.")
class CategoriesUpsertInput:
    """categoriesUpsert(input:)."""

    rows: list[CategoryRowInput] = strawberry.field(description="Up to 1,000 categories, each code once.")
    policy: RowPolicy = strawberry.field(default=RowPolicy.ALL_OR_NOTHING, description=POLICY_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class CategoriesPayload(Payload):
    """The categories that were taken, in the order of their rows."""

    categories: list[Category] | None = field(default=None)


_UpsertInput = Annotated[CategoriesUpsertInput, strawberry.argument(description="The categories.")]


@dataclass(slots=True)
class _Row:
    """A category as it was and as it is to be, and the code of what it is to hang below."""

    before: Category | None
    after: Category
    parent: str | None


async def upsert(info: Info, input: _UpsertInput) -> CategoriesPayload:
    """Mutation.categoriesUpsert. Rows that say what is so already are taken, and change nothing."""
    context = info.context
    check_length(input.rows, MOST_ROWS, "rows")
    kept = await db.categories.lock_tree(context.connection)
    codes = {each.id: code for code, each in kept.items()}
    parents = {code: codes[each.parent_id] if each.parent_id else None for code, each in kept.items()}
    rows = await read_rows(input.rows, key=lambda row: row.code, read=lambda row: _read(row, kept, parents))
    wanted = {code: row.parent for code, row in rows.good.items()}
    for code, rule in categories.misplaced(wanted, parents).items():
        rows.refuse(code, rule.at("parent"))
    errors = rows.settle(input.policy)
    ids: dict[str, UUID] = {code: each.id for code, each in kept.items()}
    ids |= {code: row.after.id for code, row in rows.good.items()}
    for row in rows.good.values():
        row.after.parent_id = ids[row.parent] if row.parent is not None else None
    changed = [row for row in rows.good.values() if row.before != row.after]
    await db.categories.add(context.connection, [row.after for row in changed if row.before is None])
    await db.categories.change(context.connection, [row.after for row in changed if row.before is not None])
    for row in changed:
        before = None if row.before is None else facts_of(row.before)
        context.record("Category", row.after.id, before=before, after=facts_of(row.after))
    context.record_nothing()
    return CategoriesPayload(errors=errors, categories=[row.after for row in rows.good.values()])


def _read(given: CategoryRowInput, kept: Mapping[str, Category], parents: Mapping[str, str | None]) -> _Row:
    before = kept.get(given.code)
    checks = (lambda: check_name(given.code, "code"), lambda: check_name(given.name, "name"))
    wrong = list(broken_by(checks))
    if before is None and given.name is None:
        wrong.append(TextMissing(path=("name",)))
    if wrong:
        raise BrokenRules(wrong)
    name = given.name if given.name is not None else before.name if before else ""
    after = Category(before.id if before else uuid.uuid7(), given.code, name, None)
    parent = parents.get(given.code) if given.parent is strawberry.UNSET else given.parent
    return _Row(before, after, parent)
