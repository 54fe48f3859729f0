"""Whether what the locks name has known vulnerabilities: asked of PyPI and npm, where they tell; run by `make audit`.

A registry that cannot be reached, or tells nothing, is said and fails nothing: a mirror often has the packages alone.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent.parent
_SECONDS = 120
_SERIOUS = ("high", "critical")
_console = Console(highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of the packages of a lock; `told` of how many anything is known, None: of none was told."""

    told: int | None
    found: list[str] = field(default_factory=list)


def of_pip_audit(output: str) -> Verdict:
    """What pip-audit's JSON says; whatever is known of a package counts."""
    packages = _mapping(output).get("dependencies")
    looked_up = [each for each in packages or () if "skip_reason" not in each]
    found = [
        f"{each['name']} {each['version']}: {known['id']}, mended in {', '.join(known['fix_versions']) or 'no version'}"
        for each in looked_up
        for known in each["vulns"]
    ]
    return Verdict(len(looked_up) or None, found)


def of_npm_audit(output: str) -> Verdict:
    """What npm's JSON says; what is high or critical counts: much of what is built with never comes to a browser."""
    audited = _mapping(output)
    known = audited.get("vulnerabilities")
    if known is None:
        return Verdict(None)
    found = [f"{name}: {each['severity']}" for name, each in known.items() if each["severity"] in _SERIOUS]
    return Verdict(audited["metadata"]["dependencies"]["total"], found)


def _mapping(output: str) -> dict[str, Any]:
    try:
        read = json.loads(output)
    except json.JSONDecodeError:
        return {}
    return read if isinstance(read, dict) else {}


def _asked(command: Sequence[str], folder: Path) -> str:
    """What a command says, with nothing for one that is not there or takes too long."""
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def main(pip_audit: str) -> int:
    """Ask of each lock and tell; 1 where something is known."""
    python = [pip_audit, "-r", "requirements.lock", "--require-hashes", "--no-deps", "--disable-pip"]
    npm = ["npm", "audit", "--package-lock-only", "--omit=dev", "--json"]
    asked: list[tuple[str, Sequence[str], Path, Callable[[str], Verdict]]] = [
        ("requirements.lock", [*python, "--progress-spinner=off", "--format=json"], ROOT, of_pip_audit),
        ("frontend/graphiql/package-lock.json", npm, ROOT / "frontend" / "graphiql", of_npm_audit),
    ]
    failed = False
    for lock, command, folder, read in asked:
        verdict = read(_asked(command, folder))
        if verdict.told is None:
            _console.print(f"{lock}: not audited, since nothing is told of its packages here.")
            continue
        _console.print(
            f"{lock}: {verdict.told} packages audited, {len(verdict.found)} known vulnerabilities."
        )
        for each in verdict.found:
            _console.print(f"  {each}")
        failed |= bool(verdict.found)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
