"""Uploads: bytes that somebody announces and then sends; what may come, and whether it is what was announced."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from rules.broken import BrokenRule, InvalidInput, broken_by
from rules.texts import check_name

MOST_BYTES = 50_000_000
# How long a request to send the bytes is good, how many somebody may have open or unused, and when what nobody has
# used is thrown away.
REQUEST_SECONDS = 600
MOST_UNUSED = 20
LEFT_HOURS = 24
# So many of one session arrive at once.
MOST_AT_ONCE = 3

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SEPARATORS = re.compile(r'[/\\:*?"<>|]')


@dataclass(frozen=True, slots=True)
class MediaType:
    """A kind of content: how names of such files end, and how the content begins (`begins` is matched at its first
    byte); None: it is text."""

    endings: tuple[str, ...]
    begins: re.Pattern[bytes] | None


def _archive(first_entry: bytes) -> re.Pattern[bytes]:
    """A ZIP archive whose first entry has a name that begins like this (APPNOTE.TXT, 4.3.7)."""
    return re.compile(rb"PK\x03\x04.{26}" + first_entry, re.DOTALL)


def _office(part: bytes) -> re.Pattern[bytes]:
    return _archive(rb"(\[Content_Types\]\.xml|_rels/|docProps/|customXml/|" + part + rb"/)")


_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
# All that may come. Nothing of it is run by a browser that is told what it is and shows none of it in a page: no
# HTML, no SVG, no scripts, and no archives, in which all of them could be.
MEDIA_TYPES: dict[str, MediaType] = {
    "application/pdf": MediaType((".pdf",), re.compile(rb"%PDF-[12]\.")),
    "image/jpeg": MediaType((".jpg", ".jpeg"), re.compile(rb"\xff\xd8\xff")),
    "image/png": MediaType((".png",), re.compile(rb"\x89PNG\r\n\x1a\n")),
    "image/webp": MediaType((".webp",), re.compile(rb"RIFF.{4}WEBP", re.DOTALL)),
    "text/csv": MediaType((".csv",), None),
    "text/plain": MediaType((".txt",), None),
    f"{_OFFICE}wordprocessingml.document": MediaType((".docx",), _office(b"word")),
    f"{_OFFICE}spreadsheetml.sheet": MediaType((".xlsx",), _office(b"xl")),
    f"{_OFFICE}presentationml.presentation": MediaType((".pptx",), _office(b"ppt")),
    f"{_OPEN}text": MediaType((".odt",), _archive(rb"mimetype" + re.escape(f"{_OPEN}text".encode()))),
    f"{_OPEN}spreadsheet": MediaType(
        (".ods",), _archive(rb"mimetype" + re.escape(f"{_OPEN}spreadsheet".encode()))
    ),
}
# As many bytes as the longest beginning has.
_LOOKED_AT = 120
_NOT_TEXT = bytes({*range(32), 127} - set(b"\t\n\f\r"))
_MARKUP = re.compile(rb"(\xef\xbb\xbf)?\s*<")


class UploadState(StrEnum):
    """What has become of an upload."""

    AWAITED = "AWAITED"
    ARRIVING = "ARRIVING"
    READY = "READY"
    USED = "USED"


@dataclass(eq=False, kw_only=True)
class MediaTypeRefused(BrokenRule):
    """A file is of a kind that is not taken."""

    english = "Files of this kind are not taken. These are: {endings}."
    german = "Dateien dieser Art werden nicht angenommen. Möglich sind: {endings}."

    @property
    def endings(self) -> str:
        """How the names of files end that are taken."""
        return ", ".join(sorted(ending for each in MEDIA_TYPES.values() for ending in each.endings))


class FileNameInvalid(BrokenRule):
    """A name is none that a file can have everywhere."""

    english = "A file's name has no path and no control characters, and does not begin with a dot."
    german = "Ein Dateiname enthält keinen Pfad und keine Steuerzeichen und beginnt nicht mit einem Punkt."


@dataclass(eq=False, kw_only=True)
class FileNameUnfit(BrokenRule):
    """A name ends as files of another kind do."""

    english = "The name of such a file ends with {endings}."
    german = "Der Name einer solchen Datei endet auf {endings}."

    endings: str


@dataclass(eq=False, kw_only=True)
class UploadTooLarge(BrokenRule):
    """More bytes were announced than are taken, or none."""

    english = "A file has 1 to {most} bytes."
    german = "Eine Datei hat 1 bis {most} Bytes."

    most: int = MOST_BYTES


@dataclass(eq=False, kw_only=True)
class TooManyUploads(BrokenRule):
    """Somebody has announced a lot that has not been used."""

    english = "You have {most} uploads that are under way or not used yet. Use them first, or wait a day."
    german = "Sie haben {most} Uploads, die noch laufen oder nicht verwendet wurden. Verwenden Sie diese zuerst, oder warten Sie einen Tag."

    most: int = MOST_UNUSED


@dataclass(eq=False, kw_only=True)
class TooManyArriving(BrokenRule):
    """A session sends as much at once as it may."""

    english = "{most} of your uploads are on their way already. Try again in a moment."
    german = "Es sind schon {most} Ihrer Uploads unterwegs. Versuchen Sie es gleich noch einmal."

    most: int = MOST_AT_ONCE


class UploadUnknown(BrokenRule):
    """A request to send bytes was changed, or belongs to another portal or another session."""

    english = "Nothing is awaited at this address."
    german = "Unter dieser Adresse wird nichts erwartet."


class UploadExpired(BrokenRule):
    """A request to send bytes was good once; it is for minutes."""

    english = "The time to send this has passed. Announce it anew."
    german = "Die Zeit zum Senden ist abgelaufen. Kündigen Sie die Datei neu an."


class UploadUsed(BrokenRule):
    """An upload can be sent once, and used once."""

    english = "This upload was sent or used already. Announce a new one."
    german = "Dieser Upload wurde schon gesendet oder verwendet. Kündigen Sie einen neuen an."


class UploadMissing(BrokenRule):
    """An upload is to be used whose bytes have not come."""

    english = "Nothing has arrived of this upload yet."
    german = "Von diesem Upload ist noch nichts angekommen."


@dataclass(eq=False, kw_only=True)
class UploadSizeWrong(BrokenRule):
    """More bytes came than were announced, or fewer."""

    english = "{size} bytes were announced, and others came. The upload was thrown away."
    german = "Angekündigt waren {size} Bytes, gekommen sind andere. Der Upload wurde verworfen."

    size: int


@dataclass(eq=False, kw_only=True)
class UploadContentWrong(BrokenRule):
    """What came is not of the kind that was announced."""

    english = "This is no {media_type}. The upload was thrown away."
    german = "Das ist kein {media_type}. Der Upload wurde verworfen."

    media_type: str


class UploadChecksumWrong(BrokenRule):
    """What came has another checksum than was announced."""

    english = "This has another SHA-256 than was announced. The upload was thrown away."
    german = "Dies hat einen anderen SHA-256 als angekündigt. Der Upload wurde verworfen."


@dataclass(frozen=True, slots=True)
class Announced:
    """What is to come; `sha256` in hexadecimal, where the sender has said it."""

    name: str
    media_type: str
    size: int
    sha256: str | None


def check_announced(given: Announced) -> Iterator[BrokenRule]:
    """What stands in the way of an upload, all of it."""
    return broken_by(
        (
            lambda: _check_kind(given),
            lambda: check_name(given.name, "name"),
            lambda: _check_file_name(given.name),
            lambda: _check_size(given.size),
            lambda: _check_sha256(given.sha256),
        )
    )


def _check_kind(given: Announced) -> None:
    kind = MEDIA_TYPES.get(given.media_type)
    if kind is None:
        raise MediaTypeRefused(path=("mediaType",))
    if not given.name.lower().endswith(kind.endings):
        raise FileNameUnfit(endings=" / ".join(kind.endings), path=("name",))


def _check_file_name(name: str) -> None:
    # Format characters too: one of them lets gpj.exe read as exe.jpg.
    hidden = any(unicodedata.category(each)[0] == "C" or each in "\u2028\u2029" for each in name)
    if hidden or _SEPARATORS.search(name) or name.startswith("."):
        raise FileNameInvalid(path=("name",))


def _check_size(size: int) -> None:
    if not 1 <= size <= MOST_BYTES:
        raise UploadTooLarge(path=("size",))


def _check_sha256(sha256: str | None) -> None:
    if sha256 is not None and not _SHA256.fullmatch(sha256):
        raise InvalidInput(path=("sha256",))


class Arrival:
    """Looks at content as it comes, chunk by chunk, and keeps none of it: whether it is what was announced."""

    def __init__(self, announced: Announced) -> None:
        self._announced = announced
        self._kind = MEDIA_TYPES[announced.media_type]
        self._beginning = b""
        self._size = 0
        self._digest = hashlib.sha256()

    def take(self, chunk: bytes) -> None:
        """The next of it. Raises UploadSizeWrong or UploadContentWrong, as soon as it can be told."""
        self._size += len(chunk)
        if self._size > self._announced.size:
            raise UploadSizeWrong(size=self._announced.size)
        if len(self._beginning) < _LOOKED_AT:
            self._beginning += chunk[:_LOOKED_AT]
            if len(self._beginning) >= _LOOKED_AT:
                self._check_beginning()
        if self._kind.begins is None and len(chunk.translate(None, _NOT_TEXT)) != len(chunk):
            raise UploadContentWrong(media_type=self._announced.media_type)
        self._digest.update(chunk)

    def end(self) -> str:
        """That was all of it: its SHA-256 in hexadecimal.

        Raises UploadSizeWrong, UploadContentWrong or UploadChecksumWrong.
        """
        if self._size != self._announced.size:
            raise UploadSizeWrong(size=self._announced.size)
        self._check_beginning()
        digest = self._digest.hexdigest()
        if self._announced.sha256 not in (None, digest):
            raise UploadChecksumWrong
        return digest

    def _check_beginning(self) -> None:
        begins = self._kind.begins
        fits = begins.match(self._beginning) if begins else not _MARKUP.match(self._beginning)
        if not fits:
            raise UploadContentWrong(media_type=self._announced.media_type)


# What stands in the way of using an upload.
_UNUSABLE: dict[UploadState, type[BrokenRule]] = {
    UploadState.AWAITED: UploadMissing,
    UploadState.ARRIVING: UploadMissing,
    UploadState.USED: UploadUsed,
}


def check_usable(state: str, *path: str) -> None:
    """Refuse to use what has not come, or was used. Raises UploadMissing or UploadUsed."""
    refusal = _UNUSABLE.get(UploadState(state))
    if refusal is not None:
        raise refusal(path=path)
