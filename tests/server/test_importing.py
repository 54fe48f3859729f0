"""The import on the command line: what it prints where nobody watches."""

import io

from rich.console import Console

from server.importing import _Bars


def test_no_bars_are_drawn_where_there_is_no_terminal() -> None:
    printed = io.StringIO()
    with _Bars(Console(file=printed)) as bars:
        bars.reading("products", 10, 100, 100)
    assert printed.getvalue() == ""
