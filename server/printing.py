"""Printing: documents as PDF, one or many in a ZIP. What lays them out is a process of its own (server/press)."""

import asyncio
import contextlib
import json
import sys
import zipfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import structlog

from rules.broken import Language
from rules.prints import Printed, Unprinted
from server.file_names import unlike
from tenants.downloads import Bundle, in_language

_log = structlog.get_logger("kontor.printing")

# So many print at once: each takes a core, and up to some hundred megabytes.
MOST_PRESSES = 2

_PRESS = Path(__file__).parent / "press" / "press.py"
_FAILED = ("It could not be printed.", "Es konnte nicht gedruckt werden.")
_UNPRINTED = ("NOT INCLUDED.txt", "NICHT ENTHALTEN.txt")


class PrintFailed(Exception):
    """The press could not print a document, or ended."""


@dataclass(slots=True)
class _Press:
    """A press, started when it is needed. All that it may read is its root, where logos lie and nothing else."""

    _root: Path
    _process: Process | None = None
    _logos: dict[bytes, str] = field(default_factory=dict)

    async def print(self, document: Printed, path: Path) -> None:
        """Print a document into a file. Raises PrintFailed; the next one gets a new process then."""
        process = self._process = self._process or await _started(self._root)
        assert process.stdin is not None
        assert process.stdout is not None
        asked = {"path": str(path), "document": self._told(document)}
        with contextlib.suppress(ConnectionError):  # it has died: then it answers nothing
            process.stdin.write(json.dumps(asked).encode() + b"\n")
            await process.stdin.drain()
        answer = (await process.stdout.readline()).decode(errors="replace").strip()
        if answer != "done":
            await self.stop()
            raise PrintFailed(f"{document.title}: {answer or 'the press has died'}")

    async def stop(self) -> None:
        """End the process, whatever it does."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None

    def _told(self, document: Printed) -> dict[str, Any]:
        told = asdict(document)
        told["logo"] = self._logo(document)
        told["words"] = dict(document.words)
        return told

    def _logo(self, document: Printed) -> str | None:
        if document.logo is None:
            return None
        image = document.logo.image
        if image not in self._logos:
            name = f"logo{len(self._logos)}.{document.logo.type.lower()}"
            (self._root / name).write_bytes(image)
            self._logos[image] = name
        return self._logos[image]


async def _started(root: Path) -> Process:
    """Isolated from our code, and without the environment, which may hold passwords."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(_PRESS), str(root), stdin=PIPE, stdout=PIPE, env={}
    )


@asynccontextmanager
async def _press(folder: Path) -> AsyncIterator[_Press]:
    """A press for as long as it is needed; whoever is cancelled stops it at once."""
    root = folder / "root"
    root.mkdir()
    press = _Press(root)
    try:
        yield press
    finally:
        await press.stop()


async def write_pdf(folder: Path, document: Printed) -> Path:
    """One document. Raises PrintFailed."""
    path = folder / "document.pdf"
    async with _press(folder) as press:
        await press.print(document, path)
    return path


async def _put(file: zipfile.ZipFile, page: Path, name: str) -> None:
    """Put a page into a file, to the end also for who is cancelled: a file is not closed while somebody writes it."""
    writing = asyncio.create_task(asyncio.to_thread(file.write, page, name))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait([writing])
        raise


async def write_zip(folder: Path, bundle: Bundle, language: Language) -> Path:
    """Many documents in one file, and a text that says of those which are not in it why."""
    path, page = folder / "bundle.zip", folder / "document.pdf"
    unprinted = list(bundle.unprinted)
    names = unlike(f"{each.name}.pdf" for each in bundle.documents)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        async with _press(folder) as press:
            for document, name in zip(bundle.documents, names, strict=True):
                try:
                    await press.print(document, page)
                except PrintFailed as failed:
                    _log.error("unprinted", document=document.number, error=str(failed))
                    unprinted.append(Unprinted(document.title, in_language(_FAILED, language)))
                else:
                    await _put(file, page, name)
        if unprinted:
            lines = [f"{each.number}: {each.reason}\r\n" for each in unprinted]
            file.writestr(in_language(_UNPRINTED, language), "\ufeff" + "".join(lines))
    return path
