"""Isolation, lines 16 to 25: what is not in tests/tenants/test_isolation.py, tests/db/test_isolation.py and tests/server.

Texts that mean something to SQL, a shell, a page, a template or a spreadsheet go to every place of the schema that takes
a text, and are found again as they were or not at all; and whatever can be watched is watched by those whom it does not concern.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import TSVECTOR

import db
from db.isolation import Mode
from resolvers.nodes import key_of
from rules.accounts import folded
from rules.notices import one_line
from tests.conftest import At
from tests.safety.asker import LAST, Asker, done
from tests.safety.places import places
from tests.server.live import Serving, is_silent, watching
from tests.tenants.questions import Question, root
from tests.tenants.test_isolation import settle
from tests.test_house_catalogue import SUPPLIER_TABLES
from tests.world import World

INJECTED = {
    "SQL": """{}' or '1'='1'; drop table orders; -- "\\" $1 %s _%""",
    "a page": """{}<script>alert('x')</script>&amp;{{{{7*7}}}}${{x}}#{{x}}<% x %>""",
    "a sheet or a header": """=cmd|' /C calc'!A0 {}\r\nSet-Cookie: a=b %0d%0a ../../etc/passwd""",
}
# Passwords are hashed; a line that could not be put into a cart is told back and not kept.
NOT_KEPT = {
    "accountProvision(input.password)",
    "cartFill(input.from.csv)",
    "cartFill(input.from.lines.sku)",
    "cartFill(input.from.lines.warehouse)",
    "passwordChange(input.newPassword)",
}
DOCUMENTS = (
    "CreditNote",
    "GoodsIssue",
    "GoodsReturn",
    "Invoice",
    "Quotation",
    "ReconciliationStatement",
    "TaxInvoice",
)


def texts() -> list[Question]:
    """Every place of a text, in an order in which the asker stays who it is to the end."""
    every = [each for each in places() if each.scalar in ("String", "ID", "JSON")]
    return sorted(every, key=lambda each: each.field.startswith(LAST))


def words(table: Table) -> list[str]:
    """Columns that hold a text's words alone, for the search; they are made of the text."""
    return [column.name for column in table.c if isinstance(column.type, TSVECTOR)]


async def kept(world: World, tenant_ids: list[Any], supplier_ids: list[Any]) -> list[str]:
    """Every text in every row of some portals, those in JSON too."""
    every = " union all ".join(
        f"select (to_jsonb(t) - array{words(table)}::text[])::text from {table} t where "
        + ("supplier_id = any($2)" if table.name in SUPPLIER_TABLES else "tenant_id = any($1)")
        for table in db.metadata.tables.values()
        if table.name not in ("suppliers",)
    )
    async with world.registry.transaction(Mode.SNAPSHOT, None) as connection:
        rows = await connection.fetch_text(every, tenant_ids, supplier_ids)
    return [text for row in rows for text in within(json.loads(row[0]))]


def parsed(text: str) -> Any:
    """What a text holds that is JSON, as the audit's are."""
    if text.startswith(("{", "[", '"')):
        with contextlib.suppress(ValueError):
            return json.loads(text)
    return None


def within(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from within(each)
    elif isinstance(value, list):
        for each in value:
            yield from within(each)
    elif isinstance(value, str):
        told = parsed(value)
        yield from [value] if told is None else within(told)


def ways(text: str) -> tuple[str, ...]:
    """How a text may be kept: as it is, its lines ended by LF alone, quoted in a mail, on one line; a user name folded, and that on one line."""
    lines = text.replace("\r\n", "\n")
    return text, lines, lines.replace("\n", "\n> "), one_line(text), folded(text), one_line(folded(text))


@pytest.mark.usefixtures("many_tries")
@pytest.mark.parametrize("kind", INJECTED)
async def test_what_means_something_elsewhere_is_kept_literally_or_refused_at_every_place(
    kind: str, world: World, at: At
) -> None:
    town = await settle(world)
    elsewhere = replace(town, a=town.b, c=town.b)
    before = await elsewhere.checksums()
    asker, given, changed = Asker(town, at), dict[str, str](), set[str]()
    given_at = {}
    for number, question in enumerate(texts()):
        marker = f"zq{number}x"
        given[marker], given_at[marker] = INJECTED[kind].format(marker), question
        answer = await asker.ask(question, given[marker])
        if question.operation == "mutation" and done(answer, question.field):
            changed.add(marker)
    assert await elsewhere.checksums() == before
    found = set()
    for text in await kept(world, [town.a.tenant_id], [town.a.supplier_id]):
        for marker in {each for each in given if each in text}:
            assert any(each in text for each in ways(given[marker])), (str(given_at[marker]), text)
            found.add(marker)
    assert {str(given_at[marker]) for marker in changed - found} <= NOT_KEPT
    assert len(found) > 80


@pytest.mark.parametrize("name", root("subscription").fields)
async def test_whoever_watches_hears_nothing_of_what_is_anothers_whatever_is_told(
    name: str, world: World, live: Serving, at: At
) -> None:
    """Every object of a customer is told of as changed, and for every tenant, as if that had been done wrongly."""
    town = await settle(world)
    query = f"subscription {{ {name} {{ __typename }} }}"
    people = {
        "own": await at(town.a).sign_in("buyer"),
        "neighbour": await at(town.a).sign_in("neighbour"),
        "sister": await at(town.c).sign_in("c-buyer"),
        "stranger": await at(town.b).sign_in("b-buyer"),
    }
    ids = [(kind, key_of(key, kind)) for kind, key in town.customer.ids]
    ids += [("SupplierDocument", key) for kind, key in ids if kind in DOCUMENTS]
    async with contextlib.AsyncExitStack() as stack:
        sockets = {
            who: await stack.enter_async_context(watching(live, person, query))
            for who, person in people.items()
        }
        for portal in (town.a, town.b, town.c):
            async with portal.writing() as connection:
                for kind, key in ids:
                    assert key is not None
                    await db.events.notify(connection, kind, [key])
        assert (await sockets["own"].hear())["type"] == "next"
        for who in ("neighbour", "sister", "stranger"):
            assert await is_silent(sockets[who]), who
