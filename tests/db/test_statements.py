"""Statements: what is asked for by a list of keys, and by a list of one."""

from uuid import uuid4

import pytest
from sqlalchemy import ARRAY, Column, Integer, MetaData, Table, Uuid, any_, bindparam, func, select, update

import db
from db.connections import Database
from db.isolation import Mode
from db.statements import Statement, TenantForgotten
from tests.world import World

things = Table("things", MetaData(), Column("tenant_id", Uuid), Column("id", Uuid), Column("rank", Integer))
_IDS = bindparam("ids", type_=ARRAY(Uuid))
_ours = select(things.c.id).where(things.c.tenant_id == bindparam("tenant_id"))


def test_a_statement_that_does_not_name_the_tenant_is_none() -> None:
    with pytest.raises(TenantForgotten):
        Statement(select(things.c.id))


def test_a_list_of_one_key_has_a_text_of_its_own() -> None:
    statement = Statement[object](_ours.where(things.c.id == any_(_IDS)))
    tenant, one, other = uuid4(), uuid4(), uuid4()
    sql, values = statement.asked({"tenant_id": tenant, "ids": [one]})
    assert sql.endswith("things.tenant_id = $1::UUID AND things.id = $2::UUID")
    assert values == [tenant, one]
    for keys in ([one, other], [], None):
        sql, values = statement.asked({"tenant_id": tenant, "ids": keys})
        assert sql == statement.sql
        assert values == [tenant, keys]


def test_keys_that_are_a_list_elsewhere_too_stay_one() -> None:
    counted = _ours.where(things.c.id == any_(_IDS), things.c.rank < func.cardinality(_IDS))
    two_lists = _ours.where(
        things.c.id == any_(_IDS), things.c.rank == any_(bindparam("ranks", type_=ARRAY(Integer)))
    )
    for built in (counted, two_lists):
        statement = Statement[object](built)
        sql, values = statement.asked({"tenant_id": uuid4(), "ids": [uuid4()]})
        assert sql == statement.sql
        assert len(values[1]) == 1


def test_what_is_changed_is_found_by_a_list() -> None:
    statement = Statement[object](
        update(things)
        .where(things.c.tenant_id == bindparam("the_tenant"), things.c.id == any_(_IDS))
        .values(rank=1),
        registry=True,
    )
    sql, _ = statement.asked({"the_tenant": uuid4(), "ids": [uuid4()]})
    assert sql == statement.sql


async def test_the_plan_for_one_key_is_kept(world: World, database_url: str) -> None:
    portal = await world.portal()
    product = await portal.product("A")
    read = db.products._kept_by_ids
    # A connection of its own: PostgreSQL counts for each what was asked on it before.
    database = await Database.open(database_url, size=1, wait_seconds=10)
    async with database.transaction(Mode.SNAPSHOT, portal.tenant_id) as connection:
        for _ in range(12):
            found = await connection.rows(read, ids=[product])
            assert [row.sku for row in found] == ["A"]
        sql, _ = read.asked({"tenant_id": portal.tenant_id, "ids": [product]})
        ((generic, custom),) = await connection.fetch_text(
            "select generic_plans, custom_plans from pg_prepared_statements where statement = $1", sql
        )
    await database.close()
    assert (generic, custom) == (7, 5)  # it is looked at five times whether a plan should be kept
