"""The press: prints documents in a process of its own, which may be stopped, and dies alone when one is too much.

Started by server/printing.py as a plain script, so that it loads typst and nothing else of ours. It reads a document
a line, as JSON, and answers each with a line: `done`, or why it is not.
"""

import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import typst

with contextlib.suppress(ImportError):  # only Unix has limits
    import resource

_MOST_BYTES = 3 * 1024**3  # of addresses, which is a multiple of what is really taken
_TEMPLATE = Path(__file__).with_name("document.typ").read_bytes()
# What archives take and readers for the blind understand; it has to have a glyph for everything.
_ARCHIVED = "a-2a"


class _Press:
    """Two compilers: with the fonts that typst brings, and for other scripts also with those of the machine."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._own = self._compiler(system=False)
        self._any: typst.Compiler | None = None

    def _compiler(self, *, system: bool) -> typst.Compiler:
        fonts = typst.Fonts(include_system_fonts=system)
        return typst.Compiler(root=self._root, font_paths=fonts, ignore_system_fonts=not system)

    def print(self, data: dict[str, Any]) -> bytes:
        """The document as PDF/A, or, where a name has letters that the fonts lack, as a plain one."""
        inputs = {"data": json.dumps(data)}
        with contextlib.suppress(typst.TypstError):
            return self._pdf(self._own, inputs, [_ARCHIVED])
        if self._any is None:
            self._any = self._compiler(system=True)
        try:
            return self._pdf(self._any, inputs, [])
        except typst.TypstError:
            if data["logo"] is None:
                raise
            # A picture that looks whole and still cannot be drawn keeps nobody from an invoice.
            return self.print({**data, "logo": None})

    def _pdf(self, compiler: typst.Compiler, inputs: dict[str, str], standards: list[Any]) -> bytes:
        made = compiler.compile(_TEMPLATE, format="pdf", sys_inputs=inputs, pdf_standards=standards)
        assert isinstance(made, bytes)
        return made


def main(root: str) -> None:
    """Print what is asked for on standard input until it ends; `root` is all the template may read."""
    with contextlib.suppress(NameError, ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
    press = _Press(root)
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        try:
            Path(asked["path"]).write_bytes(press.print(asked["document"]))
            answer = "done"
        except typst.TypstError as error:
            answer = error.message.replace("\n", " ")
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
