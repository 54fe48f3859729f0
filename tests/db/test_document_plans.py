"""How PostgreSQL goes about lists of documents: what it must not do, whatever it believes of the tables."""

from typing import Any

import pytest

from db import document_lists, documents
from db.connections import Connection
from db.document_filters import parameters
from tests.world import Portal, World


@pytest.fixture
async def portal(world: World) -> Portal:
    return await world.portal()


async def plan(connection: Connection, **filters: Any) -> str:
    """The plan of the first page of the portal's first customer."""
    statement = document_lists._listing._page(
        (None,), frozenset(filters), ("ISSUED_AT_DESC",), (False, False, False)
    )
    own = {"own_customer_id": connection.tenant_id, "tenant_id": connection.tenant_id, "row_limit": 51}
    values = statement.values(statement.needed({**parameters(filters), **own}))
    return "\n".join(
        row[0] for row in await connection.fetch_text(f"explain (costs off) {statement.sql}", *values)
    )


async def test_a_search_never_goes_through_everybodys_lines(portal: Portal) -> None:
    async with portal.writing() as connection:
        # What each document's lines cost without an index, makes the planner want to go through all of them once.
        await connection.execute_text("set local enable_indexscan = off; set local enable_bitmapscan = off")
        told = await plan(connection, search="tea", search_orders=True)
    for line, document in (
        ("invoice", "invoices"),
        ("credit_note", "credit_notes"),
        ("quotation", "quotations"),
    ):
        assert f"({line}_id = {document}.id)" in told


async def test_each_kind_gives_a_page_its_first_by_an_index(portal: Portal) -> None:
    async with portal.writing() as connection:
        await connection.execute_text("set local enable_seqscan = off; set local enable_bitmapscan = off")
        told = await plan(connection)
    kinds = len(documents.KINDS)
    assert told.count("Limit") == kinds + 1
    assert told.count("Index Scan Backward using") == kinds
