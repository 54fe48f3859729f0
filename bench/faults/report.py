"""The report: docs/safety-faults.md, a row for each line that was tried."""

from collections.abc import Sequence
from datetime import UTC, datetime

from bench.faults.lines import Outcome
from bench.peers import machine
from server.settings import ROOT

HOLDS, SHORT, SKIPPED = "holds", "falls short", "skipped"
_FILE = ROOT / "docs" / "safety-faults.md"
_HEAD = ("number", "what must hold", "what was done", "outcome", "figure")


def table(outcomes: Sequence[Outcome]) -> str:
    """What came of lines, as Markdown."""
    rows = [_HEAD, ("---",) * len(_HEAD)]
    rows += [
        (
            each.line.number,
            each.line.must,
            each.line.done,
            each.word,
            each.figure.replace("|", "\\|").replace("\n", " "),
        )
        for each in outcomes
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def write(outcomes: Sequence[Outcome]) -> None:
    """Write the file anew."""
    _FILE.write_text(
        "# Faults\n\n"
        "What must hold when something fails, tried on real servers and a real PostgreSQL. Written by `make faults`\n"
        f"(bench/faults) on {datetime.now(UTC).date()}; {machine.described()}.\n\n{table(outcomes)}\n"
    )
