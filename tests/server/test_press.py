"""The press: texts come out as they are, over many pages, with every letter; and it works alone."""

import asyncio
import base64
import signal
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from rules import prints
from rules.broken import Language
from server import printing
from tenants.downloads import Bundle
from tests.client import Client
from tests.conftest import At
from tests.rules.test_logos import JPEG, png
from tests.server.live import becomes
from tests.server.test_prints import HOSTILE, lines, link, pages, reader
from tests.world import Portal, World


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.account("bea")
    await portal.staff_member("stan")
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


async def with_logo(portal: Portal, at: At, image: bytes) -> None:
    stan = await at(portal).sign_in("stan")
    answer = await stan.ask(
        "mutation($input: PortalLogoUpdateInput!) { portalLogoUpdate(input: $input) { errors { code } } }",
        input={"image": base64.b64encode(image).decode()},
    )
    assert answer["portalLogoUpdate"]["errors"] == []


async def test_what_looks_like_markup_is_printed_as_it_is(
    portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    key = await portal.quotation("QU-1")
    async with portal.writing() as connection:
        for statement in (
            "update customers set name = $1",
            "update quotations set comment = $1",
            "update portals set legal_name = $1 where tenant_id = current_setting('app.tenant_id')::uuid",
        ):
            await connection.fetch_text(statement, HOSTILE)
    await lines(portal, key, 1, name=HOSTILE, sku=HOSTILE, description=HOSTILE, unit=HOSTILE)
    found = await reader(http, await link(bea, "Quotation", key))
    text = "".join("".join(page.extract_text().split()) for page in found.pages)
    assert text.count("".join(HOSTILE.split())) >= 6
    assert "root:" not in text
    assert found.metadata is not None
    assert found.metadata.author == HOSTILE


async def test_letters_of_europe_are_printed_and_archived(
    portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    name = "Größe & Söhne £5 €3 Łódź Ωμέγα Привет Ñandú"
    key = await portal.quotation("QU-1")
    async with portal.writing() as connection:
        await connection.fetch_text("update customers set name = $1", name)
    url = await link(bea, "Quotation", key)
    found = await reader(http, url)
    assert name in " ".join(found.pages[0].extract_text().split())
    assert b"<pdfaid:part>2</pdfaid:part>" in (await http.get(url)).content
    assert found.metadata is not None
    assert (found.metadata.title, found.metadata.author) == ("Quotation QU-1", f"{portal.slug.title()} Ltd")
    root: Any = found.trailer["/Root"]
    assert root["/Lang"] == "en"
    resources: Any = found.pages[0]["/Resources"]
    for font in resources["/Font"].values():
        (inner,) = font.get_object()["/DescendantFonts"]
        embedded = inner.get_object()["/FontDescriptor"].get_object()
        assert "/FontFile3" in embedded or "/FontFile2" in embedded


async def test_letters_that_the_fonts_lack_keep_nobody_from_the_document(
    portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    key = await portal.quotation("QU-1")
    async with portal.writing() as connection:
        await connection.fetch_text("update customers set name = $1", "株式会社 שלום 🙂")
    (page,) = await pages(http, await link(bea, "Quotation", key))
    assert "Quotation QU-1" in page


async def test_a_thousand_lines_go_over_many_pages_each_with_its_heading_and_number(
    portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    key = await portal.quotation("QU-1")
    await lines(portal, key, 1_000)
    found = await pages(http, await link(bea, "Quotation", key))
    assert len(found) > 20
    for number, page in enumerate(found, start=1):
        assert f"Page {number} of {len(found)}" in page
        if number > 1:
            assert "Quotation QU-1" in page
    headed = [page for page in found if "No. SKU Description Quantity Unit Unit price VAT" in page]
    assert len(headed) >= len(found) - 1  # the last may have the sums alone
    whole = " ".join(found)
    assert all(f"{n} SKU-{n} Thing number {n} {n:,} pcs 1.00 20% {n:,}.00" in whole for n in range(1, 1_001))


async def test_a_document_of_too_many_lines_is_refused_with_how_many(
    portal: Portal, bea: Client, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await portal.quotation("QU-1")
    await lines(portal, key, 3)
    url = await link(bea, "Quotation", key)
    monkeypatch.setattr(prints, "MOST_ROWS", 2)
    response = await http.get(url)
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "PRINT_TOO_LONG"
    assert error["message"].startswith("This document has 3 lines")


async def test_a_word_without_end_stays_on_the_page(
    portal: Portal, bea: Client, http: httpx.AsyncClient
) -> None:
    key = await portal.quotation("QU-1")
    async with portal.writing() as connection:
        await connection.fetch_text("update customers set name = $1", "x" * 200)
    await lines(portal, key, 1, name="x" * 200)
    found = await reader(http, await link(bea, "Quotation", key))
    text = "".join("".join(page.extract_text().split()) for page in found.pages).replace("\u200b", "")
    assert text.count("x" * 200) == 2


async def test_the_logo_is_on_the_page_and_what_cannot_be_drawn_keeps_nobody_from_it(
    portal: Portal, bea: Client, at: At, http: httpx.AsyncClient
) -> None:
    url = await link(bea, "Quotation", await portal.quotation("QU-1"))
    blank = len((await reader(http, url)).pages[0].images)
    for image, pictures in ((png(40, 30), 1), (JPEG, 1), (JPEG.replace(b"\xda\x00\x08", b"\xda\x00\x03"), 0)):
        await with_logo(portal, at, image)
        assert len((await reader(http, url)).pages[0].images) - blank == pictures


async def test_whoever_gives_up_stops_the_press_at_once(
    portal: Portal, bea: Client, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = asyncio.create_subprocess_exec
    presses: list[asyncio.subprocess.Process] = []

    async def noting(*given: Any, **more: Any) -> asyncio.subprocess.Process:
        presses.append(await started(*given, **more))
        presses[-1].send_signal(signal.SIGSTOP)  # it works on and on
        return presses[-1]

    url = await link(bea, "Quotation", await portal.quotation("QU-1"))
    monkeypatch.setattr(asyncio, "create_subprocess_exec", noting)
    following = asyncio.ensure_future(http.get(url))
    await becomes(lambda: len(presses) == 1)
    assert not following.done()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert presses[0].returncode == -signal.SIGKILL


async def test_the_press_has_nothing_of_ours_in_its_environment(
    portal: Portal, bea: Client, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = asyncio.create_subprocess_exec
    given: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    async def noting(*arguments: Any, **more: Any) -> asyncio.subprocess.Process:
        given.append((arguments, more))
        return await started(*arguments, **more)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noting)
    await pages(http, await link(bea, "Quotation", await portal.quotation("QU-1")))
    ((arguments, more),) = given
    assert arguments[1] == "-I"
    assert more["env"] == {}


async def test_who_leaves_while_a_page_goes_into_the_file_ends_it_without_a_fault(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    begun = threading.Event()

    def slowly(file: zipfile.ZipFile, _page: Path, name: str) -> None:
        with file.open(name, "w"):
            begun.set()
            time.sleep(0.3)

    async def printed(_press: object, _document: prints.Printed, path: Path) -> None:
        await asyncio.to_thread(path.write_bytes, b"a page")

    monkeypatch.setattr(zipfile.ZipFile, "write", slowly)
    monkeypatch.setattr(printing._Press, "print", printed)
    head = prints.Head(company="", sender="", foot=())
    page = prints.Printed(
        language=Language.ENGLISH, number="1", name="1", title="1", head=head, addressee=(), facts=(),
        columns=(), rows=(),
    )  # fmt: skip
    bundle = Bundle("Documents", [page])
    going = asyncio.create_task(printing.write_zip(tmp_path, bundle, Language.ENGLISH))
    await asyncio.to_thread(begun.wait, 5)
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
