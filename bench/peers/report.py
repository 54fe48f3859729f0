"""The report: a table in docs/performance.md between two marks, the raw figures beside it, and a plot."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bench.peers import machine, plots
from bench.peers.measure import Figures
from bench.peers.operations import EVERY_ONE
from bench.peers.servers import EVERY_ONE as KINDS
from bench.peers.servers import FLOOR, POSTGRAPHILE, Kind
from server.settings import ROOT

_DOCS = ROOT / "docs"
TEXT = _DOCS / "performance.md"
_RAW = _DOCS / "performance.json"
_HEAD = (
    "server",
    "CPU server",
    "CPU PostgreSQL",
    "both",
    "of PostGraphile",
    "of the floor",
    "requests/s",
    "p50",
    "p99",
    "MB",
    "statements",
)


def write(name: str, figures: Sequence[Figures], *, rounds: int, dry: bool) -> None:
    """Print a portal's table; unless `dry`, also put it into the section of that name, `generated` or `imported`."""
    table = "\n".join(_lines(figures))
    print(table)
    if dry:
        return
    text = f"{machine.described()}, {rounds} rounds.\n\n{table}\n"
    replace(f"peers {name}", text)
    keep(f"peers {name}", {"machine": machine.described(), "figures": [each.raw() for each in figures]})
    if name == "generated":
        plots.bars(_bars(figures), _DOCS / "performance.png")


def replace(section: str, text: str) -> None:
    """Put a text between the marks of a section; what is around them was written by hand and stays."""
    begin, end = f"<!-- {section}: begin -->\n", f"<!-- {section}: end -->"
    whole = TEXT.read_text()
    before, found, rest = whole.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"{TEXT.name} has no section {section!r}")
    TEXT.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def keep(section: str, raw: Any) -> None:
    """Put raw figures beside those of other sections."""
    kept = json.loads(_RAW.read_text()) if _RAW.exists() else {}
    kept[section] = raw
    _RAW.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def as_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table; what comes after the first column stands on the right."""
    return [
        f"| {' | '.join(head)} |",
        f"| --- |{' ---: |' * (len(head) - 1)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def _lines(figures: Sequence[Figures]) -> list[str]:
    lines = []
    for operation in EVERY_ONE:
        found = {each.kind: each for each in figures if each.operation is operation}
        rows = [_row(found[kind], found) for kind in KINDS if kind in found]
        lines += [f"**{operation.name}: {operation.title}**", "", *as_table(_HEAD, rows), ""]
    return lines


def _row(mine: Figures, found: Mapping[Kind, Figures]) -> list[str]:
    return [
        mine.kind.title,
        f"{mine.median('server_ms'):.2f}",
        f"{mine.median('postgres_ms'):.2f}",
        f"{mine.median('both_ms'):.2f}",
        _ratio(mine, found.get(POSTGRAPHILE)),
        _ratio(mine, found.get(FLOOR)),
        f"{mine.median('per_second'):,.0f}",
        f"{mine.median('p50_ms'):.1f}",
        f"{mine.median('p99_ms'):.1f}",
        f"{mine.median('memory_mb'):.0f}",
        str(mine.statements),
    ]


def _ratio(mine: Figures, other: Figures | None) -> str:
    return "" if other is None else f"{mine.ratio(other):.2f}"


def _bars(figures: Sequence[Figures]) -> dict[str, list[plots.Bar]]:
    """What the plot shows of each operation."""
    return {
        f"{operation.name}: {operation.title}": [
            plots.Bar(each.kind.title, each.median("server_ms"), each.median("postgres_ms"))
            for each in figures
            if each.operation is operation
        ]
        for operation in EVERY_ONE
    }
