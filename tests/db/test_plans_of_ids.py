"""How rows that are found by their ids are asked for: whose they are is only checked, so no index can be looked up by it.

A plan that PostgreSQL keeps for any number of ids may else go through all rows of a customer, which nobody notices as long
as they are few.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import uuid4

import pytest

import db
from db.connections import Connection
from resolvers.nodes import NODES
from rules.permissions import Permission
from rules.restrictions import Grant, Modes
from rules.viewers import Viewer
from tests.world import Portal, World


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


def viewer_at(portal: Portal) -> Viewer:
    """A customer's account that may do everything."""
    everything = frozenset(Permission)
    return Viewer(
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


@pytest.mark.parametrize("read", [db.stock.of_products, db.stock.to_order_from, db.stock.lock])
async def test_stock_is_found_by_its_products_alone(
    read: Callable[..., Awaitable[object]], world: World
) -> None:
    """Joined with its warehouses it would be found by them, where a thousand companies have little and one has much."""
    portal = await world.portal()
    async with portal.writing() as connection:
        noting = Noting(connection)
        await read(noting, viewer_at(portal), [uuid4(), uuid4()])
    (sql,) = noting.noted
    outside = re.sub(r"array\(\(SELECT[^()]*\)\)", "", sql)
    assert outside != sql
    assert re.search(r"FROM stock\s+WHERE", outside), sql
    assert not re.search(r"\bJOIN\b|warehouses", outside), sql


@pytest.mark.parametrize("node_type", sorted(NODES))
async def test_a_customers_rows_are_found_by_their_ids_not_by_the_customer(
    node_type: str, world: World
) -> None:
    portal = await world.portal()
    read, _ = NODES[node_type]
    async with portal.writing() as connection:
        noting = Noting(connection)
        await read(noting, viewer_at(portal), [uuid4(), uuid4()])
    for sql in noting.noted:
        for table in re.findall(r"(\w+)\.id = ANY", sql):
            assert not re.search(rf"\b{table}\.customer_id = \$\d+::UUID(?!\) IS true)", sql), sql
