"""Sources: a folder or zip of files, read as blocks of whole lines, never unpacked to the disk."""

import gzip
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

_BLOCK = 64 * 1024
LONGEST_LINE = 1024 * 1024
# Trade data packs to a tenth, nothing honest to a two-hundredth: such a file would only fill the disk.
_BOMB_RATIO = 200
_BOMB_BYTES = 100 * 1024 * 1024
_BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)


class Unreadable(Exception):
    """A file that cannot be read at all; nothing was changed."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class File:
    """A file of the source: `size` in bytes as one reads it, and what it takes where it is `stored`."""

    name: str
    size: int
    stored: int
    open: Callable[[], IO[bytes]]

    @contextmanager
    def reading(self) -> Iterator["Blocks"]:
        """The file's blocks, once; it is closed afterwards. Raises Unreadable."""
        with ExitStack() as stack:
            with _readable(self.name):
                raw = stack.enter_context(self.open())
                plain: _Readable = raw
                if self.name.endswith(".gz"):
                    plain = stack.enter_context(gzip.GzipFile(fileobj=raw))
            yield Blocks(self, raw, plain)


class Blocks:
    """An iterator over blocks of UTF-8 that end with a line break (the last one is given one).

    Raises Unreadable. `read` says how many of the file's bytes were read so far.
    """

    def __init__(self, file: File, raw: IO[bytes], plain: _Readable) -> None:
        self.file = file
        self.read = 0
        self._raw = raw
        self._plain = plain
        self._unpacked = 0
        self._rest = b""

    def __iter__(self) -> "Blocks":
        return self

    def __next__(self) -> bytes:
        while True:
            piece = self._piece()
            if not piece:
                block, self._rest = self._rest, b""
                if not block:
                    raise StopIteration
                return self._checked(block if block.endswith(b"\n") else block + b"\n")
            end = piece.rfind(b"\n") + 1
            if end:
                block, self._rest = self._rest + piece[:end], piece[end:]
                return self._checked(block)
            self._rest += piece
            if len(self._rest) > LONGEST_LINE:
                raise Unreadable(self.file.name, f"a line is longer than {LONGEST_LINE} bytes")

    def _piece(self) -> bytes:
        with _readable(self.file.name):
            piece = self._plain.read(_BLOCK)
            self.read = self._raw.tell()
        self._unpacked += len(piece)
        if self._unpacked > _BOMB_BYTES and self._unpacked > self.file.stored * _BOMB_RATIO:
            raise Unreadable(self.file.name, f"it unpacks to more than {_BOMB_RATIO} times its size")
        return piece

    def _checked(self, block: bytes) -> bytes:
        try:
            block.decode()
        except UnicodeDecodeError as error:
            raise Unreadable(self.file.name, f"it is not UTF-8 ({error.reason})") from None
        return block


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise Unreadable(name, f"it is broken ({str(error) or type(error).__name__})") from error


@contextmanager
def opened(source: Path, tables: Collection[str]) -> Iterator[tuple[dict[str, File], list[str]]]:
    """The files of a folder or zip by table, and the names of files that are none of these.

    Raises Unreadable when it is neither, when it has no file of the tables, or two of the same.
    """
    with ExitStack() as stack:
        if source.is_dir():
            files = [_in_folder(path) for path in sorted(source.iterdir()) if path.is_file()]
        elif source.is_file():
            with _readable(source.name):
                archive = stack.enter_context(zipfile.ZipFile(source))
            files = [_in_zip(archive, entry) for entry in archive.infolist() if not entry.is_dir()]
        else:
            raise Unreadable(source.name, "there is no such folder or zip file")
        yield _by_table(source, files, tables)


def _in_folder(path: Path) -> File:
    size = path.stat().st_size
    return File(path.name, size, size, lambda: path.open("rb"))


def _in_zip(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> File:
    """An entry, whatever folder of the zip it is in."""
    name = PurePosixPath(entry.filename).name
    return File(name, entry.file_size, entry.compress_size, lambda: archive.open(entry))


def _by_table(source: Path, files: list[File], tables: Collection[str]) -> tuple[dict[str, File], list[str]]:
    known: dict[str, File] = {}
    ignored: list[str] = []
    for file in files:
        table = file.name.removesuffix(".gz").removesuffix(".csv")
        if table not in tables or file.name not in (f"{table}.csv", f"{table}.csv.gz"):
            ignored.append(file.name)
        elif table in known:
            raise Unreadable(file.name, f"the table is also in {known[table].name}")
        else:
            known[table] = file
    if not known:
        raise Unreadable(source.name, "it holds no file of the exchange layout")
    return known, sorted(ignored)
