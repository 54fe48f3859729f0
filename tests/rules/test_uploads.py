"""Uploads: what may come, and that what comes is what was announced, however it is cut into chunks."""

import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.broken import BrokenRule
from rules.uploads import (
    MEDIA_TYPES,
    MOST_BYTES,
    Announced,
    Arrival,
    UploadChecksumWrong,
    UploadContentWrong,
    UploadMissing,
    UploadSizeWrong,
    UploadState,
    UploadUsed,
    check_announced,
    check_usable,
)

OFFICE = "application/vnd.openxmlformats-officedocument."
OPEN = "application/vnd.oasis.opendocument."


def archive(first_entry: bytes) -> bytes:
    return b"PK\x03\x04" + bytes(26) + first_entry + bytes(200)


CONTENTS = {
    "application/pdf": b"%PDF-1.7\n" + bytes(300),
    "image/jpeg": b"\xff\xd8\xff\xe0" + bytes(300),
    "image/png": b"\x89PNG\r\n\x1a\n" + bytes(300),
    "image/webp": b"RIFF\x0a\x00\x00\x00WEBPVP8 " + bytes(300),
    "text/csv": "SKU;Größe\r\nA;1\n".encode(),
    "text/plain": "Grüße\n\tvon <b>uns</b>".encode("cp1252"),
    f"{OFFICE}wordprocessingml.document": archive(b"word/document.xml"),
    f"{OFFICE}spreadsheetml.sheet": archive(b"[Content_Types].xml"),
    f"{OFFICE}presentationml.presentation": archive(b"ppt/presentation.xml"),
    f"{OPEN}text": archive(f"mimetype{OPEN}text".encode()),
    f"{OPEN}spreadsheet": archive(f"mimetype{OPEN}spreadsheet".encode()),
}
EVIL = {
    "a page": b"<!DOCTYPE html><script>alert(1)</script>",
    "a picture with a script": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "the same with a mark and blanks": b"\xef\xbb\xbf \n<svg onload=alert(1)>",
    "a program": b"MZ\x90\x00" + bytes(300),
    "a shell script with a NUL": b"#!/bin/sh\x00\n",
    "an archive of anything": archive(b"evil.exe"),
    "a document behind something else": b"<html>%PDF-1.7",
}


def announced(media_type: str, content: bytes, sha256: str | None = None) -> Announced:
    return Announced(f"file{MEDIA_TYPES[media_type].endings[0]}", media_type, len(content), sha256)


def arrive(given: Announced, *chunks: bytes) -> str:
    arrival = Arrival(given)
    for chunk in chunks:
        arrival.take(chunk)
    return arrival.end()


def codes(given: Announced) -> list[tuple[str, tuple[str, ...]]]:
    return [(rule.code(), rule.path) for rule in check_announced(given)]


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
@pytest.mark.parametrize("evil", EVIL)
def test_what_could_be_run_is_none_of_the_kinds_that_may_come(media_type: str, evil: str) -> None:
    with pytest.raises(UploadContentWrong):
        arrive(announced(media_type, EVIL[evil]), EVIL[evil])


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
def test_each_kind_is_taken_for_itself_and_for_no_other(media_type: str) -> None:
    content = CONTENTS[media_type]
    assert arrive(announced(media_type, content), content) == hashlib.sha256(content).hexdigest()
    for other in MEDIA_TYPES:
        texts = {"text/csv", "text/plain"}
        office = media_type == f"{OFFICE}spreadsheetml.sheet" and other.startswith(OFFICE)
        if other == media_type or {media_type, other} == texts or office:
            continue
        with pytest.raises(UploadContentWrong):
            arrive(announced(other, content), content)


@given(
    media_type=st.sampled_from(sorted(MEDIA_TYPES)),
    cuts=st.lists(st.integers(0, 320), max_size=12),
    more=st.integers(-3, 3),
)
def test_how_it_is_cut_changes_nothing(media_type: str, cuts: list[int], more: int) -> None:
    content = CONTENTS[media_type]
    places = [0, *sorted(cuts), len(content)]
    chunks = [content[start:end] for start, end in itertools.pairwise(places) if end >= start]
    given = announced(media_type, content)
    wanted = Announced(given.name, media_type, given.size + more, None)
    if more == 0:
        assert arrive(wanted, *chunks) == hashlib.sha256(content).hexdigest()
    else:
        with pytest.raises(UploadSizeWrong):
            arrive(wanted, *chunks)


def test_no_more_than_was_announced_is_looked_at() -> None:
    arrival = Arrival(announced("text/plain", b"12345"))
    arrival.take(b"12345")
    with pytest.raises(UploadSizeWrong):
        arrival.take(b"6")


def test_a_checksum_that_was_announced_has_to_be_met() -> None:
    content = CONTENTS["text/csv"]
    right = hashlib.sha256(content).hexdigest()
    assert arrive(announced("text/csv", content, right), content) == right
    with pytest.raises(UploadChecksumWrong):
        arrive(announced("text/csv", content, "0" * 64), content)


@pytest.mark.parametrize("size", [0, -1, MOST_BYTES + 1, 2**31 - 1])
def test_nothing_and_too_much_are_refused(size: int) -> None:
    assert codes(Announced("a.pdf", "application/pdf", size, None)) == [("UPLOAD_TOO_LARGE", ("size",))]


@pytest.mark.parametrize(
    "media_type", ["text/html", "image/svg+xml", "application/zip", "application/javascript", "", "PDF"]
)
def test_other_kinds_are_refused(media_type: str) -> None:
    (rule,) = check_announced(Announced("a.pdf", media_type, 1, None))
    assert (rule.code(), rule.path) == ("MEDIA_TYPE_REFUSED", ("mediaType",))
    assert ".pdf, .png" in rule.message()


@pytest.mark.parametrize("name", ["a.html", "a.pdf.exe", "a", "pdf", "a.pdf ", "a.bat"])
def test_a_name_has_the_ending_of_its_kind(name: str) -> None:
    assert ("FILE_NAME_UNFIT", ("name",)) in codes(Announced(name, "application/pdf", 1, None))


@pytest.mark.parametrize(
    "name",
    [
        "../a.pdf",
        "a/b.pdf",
        "C:\\a.pdf",
        ".pdf",
        "a\x00.pdf",
        "a\n.pdf",
        "a\u202efdp.pdf",
        "a\u2028.pdf",
        "a\ud800.pdf",
    ],
)
def test_a_name_is_no_path_and_hides_nothing(name: str) -> None:
    assert codes(Announced(name, "application/pdf", 1, None)) == [("FILE_NAME_INVALID", ("name",))]


@pytest.mark.parametrize("name", ["Preisliste 2026, Größen.PDF", "価格表.pdf", "a.b.pdf", "x" * 196 + ".pdf"])
def test_all_other_names_are_taken(name: str) -> None:
    assert codes(Announced(name, "application/pdf", 1, "0" * 64)) == []


def test_all_that_is_wrong_is_told_at_once() -> None:
    given = Announced("x" * 300, "application/pdf", 0, "none")
    assert codes(given) == [
        ("FILE_NAME_UNFIT", ("name",)),
        ("TEXT_TOO_LONG", ("name",)),
        ("UPLOAD_TOO_LARGE", ("size",)),
        ("INVALID_INPUT", ("sha256",)),
    ]


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        (UploadState.AWAITED, UploadMissing),
        (UploadState.ARRIVING, UploadMissing),
        (UploadState.READY, None),
        (UploadState.USED, UploadUsed),
    ],
)
def test_only_what_has_come_and_was_not_used_can_be_used(
    state: UploadState, refusal: type[BrokenRule] | None
) -> None:
    if refusal is None:
        check_usable(state)
    else:
        with pytest.raises(refusal):
            check_usable(state, "upload")
