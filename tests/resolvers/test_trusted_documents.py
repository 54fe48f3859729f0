"""Trusted documents, over HTTP: manifests are uploaded, looked through, and taken back."""

import asyncio
import json
from typing import Any

import pytest

import db
from db.connections import Connection
from resolvers import trusted_documents
from rules.permissions import StaffRole
from rules.trusted_documents import document_id, hash_of
from tests.client import Client
from tests.conftest import At
from tests.world import Portal, World

ALL = "id documentId text name operationType uploadedAt uploadedBy { name }"
UPLOAD = f"""mutation($input: TrustedDocumentsUploadInput!) {{ trustedDocumentsUpload(input: $input) {{
  documents {{ {ALL} }} errors {{ code path message }} }} }}"""
REMOVE = """mutation($input: TrustedDocumentsRemoveInput!) { trustedDocumentsRemove(input: $input) {
  deletedIds errors { code path } } }"""
LIST = f"""query($filter: TrustedDocumentFilter, $orderBy: [TrustedDocumentOrder!]) {{
  trustedDocuments(filter: $filter, orderBy: $orderBy, first: 100) {{ totalCount nodes {{ {ALL} }} }} }}"""
LOG = """{ auditLog(first: 100, filter: {actions: ["trustedDocumentsUpload"]}) { nodes { action node { id }
  changes { field after } } } }"""

SLUG = "query Slug { portal { slug } }"
CLEAR = "mutation Clear { cartClear(input: {}) { errors { code } } }"
WATCH = "subscription { orderChanged { number } }"


def manifest(*texts: str) -> str:
    """What GraphQL Code Generator would write."""
    return json.dumps({hash_of(text): text for text in texts})


async def upload(client: Client, content: str, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.ask(UPLOAD, input={"manifest": content, **more}))[
        "trustedDocumentsUpload"
    ]
    return answer


async def uploaded(client: Client, *texts: str) -> list[dict[str, Any]]:
    """The documents of texts that all have to be taken."""
    answer = await upload(client, manifest(*texts))
    assert answer["errors"] == []
    found: list[dict[str, Any]] = answer["documents"]
    return found


async def remove(client: Client, *ids: str, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.ask(REMOVE, input={"documents": list(ids), **more}))[
        "trustedDocumentsRemove"
    ]
    return answer


async def listed(client: Client, **asked: Any) -> list[str]:
    """The texts on the list."""
    found = (await client.ask(LIST, **asked))["trustedDocuments"]
    assert found["totalCount"] == len(found["nodes"])
    return [each["text"] for each in found["nodes"]]


def told(answer: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """The codes and paths of an answer's errors."""
    return [(each["code"], each["path"]) for each in answer["errors"]]


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.account("bea")
    await portal.staff_member("olga", role=StaffRole.OWNER)
    return portal


@pytest.fixture
async def olga(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("olga")


async def test_an_outsider_neither_reads_nor_changes_the_list(portal: Portal, olga: Client, at: At) -> None:
    (mine,) = await uploaded(olga, SLUG)
    outsider = at(portal)
    assert (await outsider.refusal(LIST))["extensions"]["code"] == "UNAUTHENTICATED"
    assert told(await upload(outsider, manifest(CLEAR))) == [("UNAUTHENTICATED", [])]
    assert told(await remove(outsider, mine["id"])) == [("UNAUTHENTICATED", [])]
    assert await listed(olga) == [SLUG]


@pytest.mark.parametrize("who", [StaffRole.AGENT, StaffRole.ACCOUNTANT, "bea"])
async def test_customers_and_lesser_staff_do_not_either(
    who: StaffRole | str, portal: Portal, olga: Client, at: At
) -> None:
    if isinstance(who, StaffRole):
        await portal.staff_member("sam", role=who)
    somebody = await at(portal).sign_in("sam" if isinstance(who, StaffRole) else who)
    (mine,) = await uploaded(olga, SLUG)
    assert (await somebody.refusal(LIST))["extensions"]["code"] == "MISSING_PERMISSION"
    assert told(await upload(somebody, manifest(CLEAR))) == [("MISSING_PERMISSION", [])]
    assert told(await remove(somebody, mine["id"])) == [("MISSING_PERMISSION", [])]
    assert (await somebody.ask("query($id: ID!) { node(id: $id) { id } }", id=mine["id"])) == {"node": None}


async def test_a_list_is_a_portals_own_though_another_of_the_supplier_has_the_same_document(
    world: World, portal: Portal, olga: Client, at: At
) -> None:
    sister = await world.portal(supplier=portal.slug)
    there = await at(sister).sign_in("olga")
    (mine,) = await uploaded(olga, SLUG)
    assert await listed(there) == []
    (theirs,) = await uploaded(there, SLUG)
    assert mine["documentId"] == theirs["documentId"]
    assert mine["id"] != theirs["id"]
    assert told(await remove(olga, mine["id"], theirs["id"])) == [("NOT_FOUND", ["documents", "1"])]
    assert await listed(olga) == await listed(there) == [SLUG]


async def test_a_manifest_of_code_generator_is_listed_with_what_its_operations_are(olga: Client) -> None:
    found = await uploaded(olga, SLUG, CLEAR, WATCH)
    assert [(each["text"], each["name"], each["operationType"]) for each in found] == [
        (SLUG, "Slug", "QUERY"),
        (CLEAR, "Clear", "MUTATION"),
        (WATCH, None, "SUBSCRIPTION"),
    ]
    assert found[0]["documentId"] == document_id(hash_of(SLUG))
    assert found[0]["uploadedBy"] == {"name": "Olga"}
    asked = "query($id: ID!) { node(id: $id) { id ... on TrustedDocument { text } } }"
    assert (await olga.ask(asked, id=found[0]["id"])) == {"node": {"id": found[0]["id"], "text": SLUG}}


async def test_apollos_manifest_and_ids_with_their_prefix_are_taken_too(olga: Client) -> None:
    operations = [
        {"id": hash_of(SLUG), "name": "Slug", "type": "query", "body": SLUG},
        {"id": document_id(hash_of(CLEAR)), "name": "Clear", "type": "mutation", "body": CLEAR},
    ]
    content = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}
    answer = await upload(olga, json.dumps(content))
    assert (answer["errors"], [each["text"] for each in answer["documents"]]) == ([], [SLUG, CLEAR])


async def test_the_list_is_filtered_and_ordered(olga: Client) -> None:
    for text in (SLUG, CLEAR, WATCH):
        await uploaded(olga, text)
    assert await listed(olga) == [WATCH, CLEAR, SLUG]
    assert await listed(olga, orderBy=["UPLOADED_AT_ASC"]) == [SLUG, CLEAR, WATCH]
    assert await listed(olga, filter={"name": "Slug"}) == [SLUG]
    assert await listed(olga, filter={"operationTypes": ["MUTATION", "SUBSCRIPTION"]}) == [WATCH, CLEAR]
    assert await listed(olga, filter={"name": "Slug", "operationTypes": ["MUTATION"]}) == []


async def test_a_manifest_that_is_listed_already_changes_nothing(portal: Portal, olga: Client) -> None:
    first = await uploaded(olga, SLUG, CLEAR)
    assert await uploaded(olga, CLEAR, SLUG) == first[::-1]
    again = await uploaded(olga, SLUG, WATCH)
    assert again[0] == first[0]
    assert len((await olga.ask(LOG))["auditLog"]["nodes"]) == 3


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1}', "{ portal { slug } }"])
async def test_what_is_no_manifest_is_refused(olga: Client, content: str) -> None:
    answer = await upload(olga, content)
    assert (answer["documents"], told(answer)) == (None, [("MANIFEST_INVALID", ["manifest"])])


WRONG = {
    "{": "TRUSTED_DOCUMENT_INVALID",
    "": "TRUSTED_DOCUMENT_INVALID",
    "{ portal { nothing } }": "TRUSTED_DOCUMENT_INVALID",
    "query A { portal { slug } } query B { portal { slug } }": "TRUSTED_DOCUMENT_INVALID",
    "fragment F on Portal { slug }": "TRUSTED_DOCUMENT_INVALID",
    "{ __schema { types { name } } }": "TRUSTED_DOCUMENT_INVALID",
    "{ portal { slug } }" + " " * 50_001: "TRUSTED_DOCUMENT_INVALID",
    "{ " + " ".join(f"a{n}: portal {{ slug }}" for n in range(60)) + " }": "TRUSTED_DOCUMENT_INVALID",
}


async def test_what_could_not_be_run_is_refused_row_by_row(olga: Client) -> None:
    answer = await upload(olga, manifest(SLUG, *WRONG))
    assert answer["documents"] is None
    assert told(answer) == [(code, ["manifest", hash_of(text)]) for text, code in WRONG.items()]
    assert "nothing" in answer["errors"][2]["message"]
    assert await listed(olga) == []
    answer = await upload(olga, manifest(SLUG, *WRONG, CLEAR), policy="GOOD_ROWS")
    assert len(answer["errors"]) == len(WRONG)
    assert [each["text"] for each in answer["documents"]] == [SLUG, CLEAR]


async def test_a_wrong_hash_is_refused_and_the_right_one_told(olga: Client) -> None:
    answer = await upload(olga, json.dumps({"0" * 40: SLUG, hash_of("{ a }"): "{ a }"}))
    assert told(answer) == [
        ("DOCUMENT_HASH_WRONG", ["manifest", "0" * 40]),
        ("TRUSTED_DOCUMENT_INVALID", ["manifest", hash_of("{ a }")]),
    ]
    assert document_id(hash_of(SLUG)) in answer["errors"][0]["message"]
    operations = [{"id": hash_of(SLUG), "body": SLUG}, {"id": "x", "body": CLEAR}]
    content = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}
    answer = await upload(olga, json.dumps(content))
    assert told(answer) == [("DOCUMENT_HASH_WRONG", ["manifest", "operations", "1"])]
    twice = json.dumps({hash_of(SLUG): SLUG, document_id(hash_of(SLUG)): SLUG})
    assert [each["code"] for each in (await upload(olga, twice))["errors"]] == ["CODE_TWICE"]


async def test_a_portal_lists_so_many_and_no_more(olga: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trusted_documents, "MOST_TRUSTED_DOCUMENTS", 2)
    await uploaded(olga, SLUG)
    answer = await upload(olga, manifest(CLEAR, WATCH))
    assert told(answer) == [("TOO_MANY_TRUSTED_DOCUMENTS", ["manifest"])]
    await uploaded(olga, SLUG, CLEAR)
    answers = await asyncio.gather(upload(olga, manifest(WATCH)), upload(olga, manifest(WATCH)))
    assert [each["code"] for answer in answers for each in answer["errors"]] == [
        "TOO_MANY_TRUSTED_DOCUMENTS"
    ] * 2


async def test_too_long_a_manifest_is_refused_as_a_whole(olga: Client) -> None:
    content = manifest(*(f"{{ portal {{ a{n}: slug }} }}" for n in range(1_001)))
    assert told(await upload(olga, content)) == [("LIST_TOO_LONG", ["manifest"])]


async def test_several_hundred_documents_cost_as_many_statements_as_two_and_hold_up_nobody(
    olga: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    fetch = Connection.fetch_text

    async def noting(self: Connection, sql: str, *values: Any) -> Any:
        if sql != db.budgets._take.sql:
            ran.append(sql)
        return await fetch(self, sql, *values)

    monkeypatch.setattr(Connection, "fetch_text", noting)
    await uploaded(olga, SLUG, CLEAR)
    few, turns = len(ran), 0
    texts = [
        f"query Q{n} {{ portal {{ a{n}: slug name hosts version }} viewer {{ permissions }} }}"
        for n in range(500)
    ]
    ran.clear()
    uploading = asyncio.create_task(uploaded(olga, *texts))
    while not uploading.done():
        turns += 1
        await asyncio.sleep(0)
    assert [each["text"] for each in await uploading] == texts
    assert len(ran) == few
    assert turns > len(texts), "others have their turn between any two of them"


async def test_two_who_list_the_same_at_once_list_it_once(portal: Portal, olga: Client) -> None:
    found = await asyncio.gather(*(uploaded(olga, SLUG, CLEAR) for _ in range(4)))
    assert found.count(found[0]) == 4
    assert sorted(await listed(olga)) == sorted([SLUG, CLEAR])


async def test_what_was_listed_and_removed_is_written_down_with_its_hash(olga: Client) -> None:
    (mine,) = await uploaded(olga, SLUG)
    (entry,) = (await olga.ask(LOG))["auditLog"]["nodes"]
    after = {each["field"]: json.loads(each["after"]) for each in entry["changes"]}
    assert (after["document_id"], after["name"]) == (mine["documentId"], "Slug")
    assert not {"text", "hash"} & after.keys()
    assert entry["node"]["id"] == mine["id"]
    assert (await remove(olga, mine["id"])) == {"deletedIds": [mine["id"]], "errors": []}
    asked = (
        '{ auditLog(filter: {actions: ["trustedDocumentsRemove"]}) { nodes { changes { field before } } } }'
    )
    (entry,) = (await olga.ask(asked))["auditLog"]["nodes"]
    before = {each["field"]: json.loads(each["before"]) for each in entry["changes"]}
    assert before["document_id"] == mine["documentId"]


async def test_all_or_nothing_is_removed_and_a_repeat_is_told_the_same(olga: Client) -> None:
    first, second = (each["id"] for each in await uploaded(olga, SLUG, CLEAR))
    assert told(await remove(olga, first, "x")) == [("NOT_FOUND", ["documents", "1"])]
    assert len(await listed(olga)) == 2
    answer = await remove(olga, first, first, second, idempotencyKey="once")
    assert sorted(answer["deletedIds"]) == sorted([first, second])
    assert await remove(olga, first, first, second, idempotencyKey="once") == answer
    assert told(await remove(olga, first)) == [("NOT_FOUND", ["documents", "0"])]
    assert await remove(olga) == {"deletedIds": [], "errors": []}
    assert told(await remove(olga, *["x"] * 1_001)) == [("LIST_TOO_LONG", ["documents"])]


async def test_an_upload_that_is_repeated_under_its_key_is_told_the_same(olga: Client) -> None:
    given = {"content": manifest(SLUG, "{"), "policy": "GOOD_ROWS", "idempotencyKey": "once"}
    answer = await upload(olga, **given)
    assert await upload(olga, **given) == answer
    assert len(answer["errors"]) == len(answer["documents"]) == 1
