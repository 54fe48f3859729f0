"""How rows that are found by their ids are asked for: whose they are is only checked, so no index can be looked up by it.

A plan that PostgreSQL keeps for any number of ids may else go through all rows of a customer, which nobody notices as long
as they are few.
"""

import re
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest

from db.connections import Connection
from resolvers.nodes import NODES
from rules.permissions import Permission
from rules.restrictions import Grant, Modes
from rules.viewers import Viewer
from tests.world import World


class Noting(Connection):
    """A connection that notes what is read."""

    __slots__ = ("noted",)

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection._raw, connection.tenant_id)
        self._open = connection.in_transaction
        self.noted: list[str] = []

    async def fetch_text(self, sql: str, *values: Any) -> Sequence[Any]:
        """Note the text and read."""
        self.noted.append(sql)
        return await super().fetch_text(sql, *values)


@pytest.mark.parametrize("node_type", sorted(NODES))
async def test_a_customers_rows_are_found_by_their_ids_not_by_the_customer(
    node_type: str, world: World
) -> None:
    portal = await world.portal()
    everything = frozenset(Permission)
    viewer = Viewer(
        tenant_id=portal.tenant_id,
        session_id=uuid4(),
        account_id=uuid4(),
        staff_member_id=None,
        customer_id=uuid4(),
        price_list_id=None,
        currency="EUR",
        permissions=everything,
        grants=(Grant(uuid4(), everything, Modes(None, None, None, None)),),
    )
    read, _ = NODES[node_type]
    async with portal.writing() as connection:
        noting = Noting(connection)
        await read(noting, viewer, [uuid4(), uuid4()])
    for sql in noting.noted:
        for table in re.findall(r"(\w+)\.id = ANY", sql):
            assert not re.search(rf"\b{table}\.customer_id = \$\d+::UUID(?!\) IS true)", sql), sql
