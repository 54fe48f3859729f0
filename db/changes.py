"""Changes: new values for some columns of one row, which is locked first so that its version can be looked at."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, Select, Table, Uuid, bindparam, case, func, update

from db.connections import Connection
from db.statements import Statement

Row = TypeVar("Row")


class Changing(Generic[Row]):
    """Locks and changes rows of one table by id. `mine` says whose rows they are, e.g. the tenant's.

    `query` selects the columns of `row`; `names` are the columns that may change. Each change counts up
    `version`. Those of them in `emptied` may become empty too.
    """

    def __init__(
        self,
        table: Table,
        query: Select[Any],
        row: Callable[..., Row],
        names: Sequence[str],
        *,
        mine: ColumnElement[bool],
        key: str = "id",
        emptied: Sequence[str] = (),
    ) -> None:
        this = table.c[key] == bindparam("the_id", type_=Uuid)
        new = {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names}
        self._emptied = frozenset(emptied)
        kept: dict[str, ColumnElement[Any]] = {
            name: func.coalesce(value, table.c[name]) for name, value in new.items()
        }
        for name in emptied:
            said = bindparam(f"says_{name}", False, type_=Boolean)
            kept[name] = case((said, new[name]), else_=table.c[name])
        # Its key stays, so rows that refer to it may be added meanwhile: a portal or a group can be changed
        # while an import or a colleague writes what belongs to it.
        self._lock = Statement(query.where(this).with_for_update(of=table, key_share=True), row)
        self._change = Statement(
            update(table)
            .where(mine, this)
            .values(
                version=table.c.version + 1,
                **kept,
            )
            .returning(*query.selected_columns),
            row,
        )

    async def lock(self, connection: Connection, id: UUID) -> Row | None:
        """The row as it is now; nobody else changes it until this transaction ends."""
        return await connection.row(self._lock, the_id=id)

    async def change(self, connection: Connection, id: UUID, **values: Any) -> Row:
        """The row with new values, by column; None leaves a column as it is, unless it is one that may become empty:
        that stays when it is not named. Ask for a row that is locked."""
        new = {f"new_{name}": value for name, value in values.items()}
        new |= {f"says_{name}": True for name in self._emptied & values.keys()}
        changed = await connection.row(self._change, the_id=id, **new)
        assert changed is not None, "a row that is locked is there"
        return changed
