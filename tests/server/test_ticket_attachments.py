"""Files of messages, over HTTP: both sides get them, nobody else does, and the customer none of a note's."""

import httpx
import pytest

from resolvers.nodes import global_id
from tests.client import Client
from tests.conftest import At
from tests.files import PDF, SHARE, announce
from tests.server.test_downloads import refusal
from tests.tickets import act, asked, found, photo, refused, said
from tests.world import Portal, World

UNKNOWN = (404, "DOWNLOAD_UNKNOWN")
NODE = "query($id: ID!) { node(id: $id) { ... on Attachment { download { url } } } }"


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.account("bea")
    await portal.account("cleo", customer="C2")
    await portal.staff_member("stan")
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


@pytest.fixture
async def stan(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("stan")


async def url_of(client: Client, attachment_id: str) -> str | None:
    node = (await client.ask(NODE, id=attachment_id))["node"]
    return None if node is None else str(node["download"]["url"])


async def test_another_customer_and_another_tenant_get_no_file_of_a_ticket(
    world: World, portal: Portal, bea: Client, at: At
) -> None:
    sister = await world.portal(supplier=portal.slug)
    ticket = await asked(bea, attachments=[await photo(bea)])
    (attachment,) = ticket["messages"]["nodes"][0]["attachments"]
    for stranger in (await at(portal).sign_in("cleo"), await at(sister).sign_in("stan")):
        assert await url_of(stranger, attachment["id"]) is None


async def test_both_sides_get_the_files_of_what_was_said(
    bea: Client, stan: Client, http: httpx.AsyncClient
) -> None:
    uploads = [await photo(bea, "first.pdf"), await photo(bea, "second.pdf")]
    ticket = await asked(bea, attachments=uploads)
    answered = await said(stan, ticket, "Here", attachments=[await photo(stan, "answer.pdf")])
    for client in (bea, stan):
        seen = await found(client, ticket)
        assert seen is not None
        question, answer = seen["messages"]["nodes"]
        assert [each["fileName"] for each in question["attachments"]] == ["first.pdf", "second.pdf"]
        assert [each["fileName"] for each in answer["attachments"]] == ["answer.pdf"]
        for each in (*question["attachments"], *answer["attachments"]):
            assert (each["mediaType"], each["size"]) == ("application/pdf", len(PDF))
            response = await http.get(each["download"]["url"])
            assert (response.status_code, response.content) == (200, PDF)
    assert answered["state"] == "ANSWERED"


async def test_the_file_of_a_note_is_the_staffs_alone_even_by_a_link_that_it_has_given_away(
    portal: Portal, bea: Client, stan: Client, http: httpx.AsyncClient
) -> None:
    ticket = await asked(bea)
    given = {"ticket": ticket["id"], "text": "Look", "internal": True, "attachments": [await photo(stan)]}
    note = (await act(stan, "Reply", **given))["message"]
    (attachment,) = note["attachments"]
    url = await url_of(stan, attachment["id"])
    assert url is not None
    assert (await http.get(url)).content == PDF
    account = (await bea.ask("{ viewer { account { id } } }"))["viewer"]["account"]["id"]
    for customer in (bea, await stan.view_as(account)):
        assert await url_of(customer, attachment["id"]) is None
    async with portal.writing() as connection:  # the link is good as long as its holder sees the ticket
        await connection.fetch_text(
            "update sessions set expires_at = now() where staff_member_id is not null"
        )
    assert (await refusal(http, url))[0] in (401, 403)


async def test_a_file_is_attached_once_by_who_has_sent_it(bea: Client, stan: Client) -> None:
    ticket, upload = await asked(bea), await photo(bea)
    given = {"ticket": ticket["id"], "text": "Here"}
    assert await refused(stan, "Reply", **given, attachments=[upload]) == [
        ("NOT_FOUND", ["attachments", "0"])
    ]
    twice = await refused(bea, "Reply", **given, attachments=[upload, upload])
    assert twice == [("INVALID_INPUT", ["attachments"])]
    await said(bea, ticket, "Here", attachments=[upload])
    again = await refused(bea, "Reply", **given, attachments=[upload])
    assert again == [("UPLOAD_USED", ["attachments", "0"])]
    share = {"upload": upload, "audience": {"kind": "ALL_CUSTOMERS"}}
    assert (await stan.ask(SHARE, input=share))["fileShare"]["errors"] != []


async def test_what_has_not_come_yet_is_not_attached_and_nothing_is_written(bea: Client) -> None:
    upload = (await announce(bea))["upload"]["id"]
    missing = await refused(bea, "Open", subject="x", text="x", attachments=[upload])
    assert missing == [("UPLOAD_MISSING", ["attachments", "0"])]
    assert (await asked(bea, attachments=[await photo(bea)]))["number"] == "ST-000001"


async def test_an_id_that_names_no_attachment_is_nobodys(portal: Portal, bea: Client) -> None:
    assert await url_of(bea, global_id("Attachment", portal.customers["C1"])) is None
