"""Warehouse rows: a company keeps its warehouses in step with its ERP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import strawberry
import uuid_utils.compat as uuid

import db
from db.warehouses import Warehouse
from resolvers.context import Info
from resolvers.mutations import KEY_DESCRIPTION, Payload, facts_of
from resolvers.rows import POLICY_DESCRIPTION, read_rows
from rules.access_groups import check_length
from rules.broken import BrokenRules, broken_by
from rules.rows import MOST_ROWS, RowPolicy
from rules.texts import TextMissing, check_name


@strawberry.input(
    description="A warehouse by the company's own code. What is left out stays as it is; a new one needs a name."
)
class WarehouseRowInput:
    """One of warehousesUpsert's rows."""

    code: str = strawberry.field(description="The company's own code, 1 to 200 characters.")
    name: str | None = strawberry.field(default=None, description="Its name; needed for a new one.")


@strawberry.input(description="Warehouses to be kept.")
class WarehousesUpsertInput:
    """warehousesUpsert(input:)."""

    rows: list[WarehouseRowInput] = strawberry.field(description="Up to 1,000 warehouses, each code once.")
    policy: RowPolicy = strawberry.field(default=RowPolicy.ALL_OR_NOTHING, description=POLICY_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class WarehousesPayload(Payload):
    """The warehouses that were taken, in the order of their rows."""

    warehouses: list[Warehouse] | None = field(default=None)


_UpsertInput = Annotated[WarehousesUpsertInput, strawberry.argument(description="The warehouses.")]


async def upsert(info: Info, input: _UpsertInput) -> WarehousesPayload:
    """Mutation.warehousesUpsert. Rows that say what is so already are taken, and change nothing."""
    context = info.context
    check_length(input.rows, MOST_ROWS, "rows")
    kept = await db.warehouses.lock_by_codes(context.connection, [row.code for row in input.rows])
    rows = await read_rows(input.rows, key=lambda row: row.code, read=lambda row: _read(row, kept))
    errors = rows.settle(input.policy)
    new = [each for code, each in rows.good.items() if code not in kept]
    changed = [each for code, each in rows.good.items() if code in kept and each != kept[code]]
    await db.warehouses.add(context.connection, new)
    await db.warehouses.change(context.connection, changed)
    for each in (*new, *changed):
        before = facts_of(kept[each.code]) if each.code in kept else None
        context.record("Warehouse", each.id, before=before, after=facts_of(each))
    context.record_nothing()
    return WarehousesPayload(errors=errors, warehouses=list(rows.good.values()))


def _read(given: WarehouseRowInput, kept: Mapping[str, Warehouse]) -> Warehouse:
    before = kept.get(given.code)
    checks = (lambda: check_name(given.code, "code"), lambda: check_name(given.name, "name"))
    wrong = list(broken_by(checks))
    if before is None and given.name is None:
        wrong.append(TextMissing(path=("name",)))
    if wrong:
        raise BrokenRules(wrong)
    name = given.name if given.name is not None else before.name if before else ""
    return Warehouse(before.id if before else uuid.uuid7(), given.code, name)
