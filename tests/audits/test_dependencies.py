"""What auditors of dependencies say is understood, and where they say nothing, nothing fails."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.audits import dependencies
from tests.audits.dependencies import Verdict, of_npm_audit, of_pip_audit

CLEAN = {"name": "uvicorn", "version": "0.1", "vulns": []}
KNOWN = {
    "name": "jinja2",
    "version": "2.4.1",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.7.2", "2.8"]}, {"id": "PYSEC-2", "fix_versions": []}],
}
SKIPPED = {"name": "typer", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize("output", ["", "Traceback", "[]", "{}", "null", json.dumps({"message": "405"})])
def test_what_tells_nothing_is_no_verdict(output: str) -> None:
    assert of_pip_audit(output) == of_npm_audit(output) == Verdict(None)


def test_packages_of_which_nothing_is_told_are_not_audited() -> None:
    assert of_pip_audit(json.dumps({"dependencies": [SKIPPED, SKIPPED]})) == Verdict(None)
    assert of_pip_audit(json.dumps({"dependencies": [SKIPPED, CLEAN]})) == Verdict(1)


def test_what_is_known_is_told_with_where_it_is_mended() -> None:
    assert of_pip_audit(json.dumps({"dependencies": [CLEAN, KNOWN]})) == Verdict(
        2, ["jinja2 2.4.1: PYSEC-1, mended in 2.7.2, 2.8", "jinja2 2.4.1: PYSEC-2, mended in no version"]
    )


def test_of_what_npm_knows_the_serious_counts() -> None:
    known = {name: {"severity": name} for name in ("info", "low", "moderate", "high", "critical")}
    output = json.dumps({"vulnerabilities": known, "metadata": {"dependencies": {"total": 80}}})
    assert of_npm_audit(output) == Verdict(80, ["high: high", "critical: critical"])


@pytest.mark.parametrize(("packages", "ends"), [([SKIPPED], 0), ([CLEAN], 0), ([CLEAN, KNOWN], 1)])
def test_only_what_is_known_fails(
    packages: list[dict[str, Any]], ends: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    auditor = tmp_path / "auditor"
    auditor.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps({'dependencies': packages})}\nEND\nexit 1\n")
    auditor.chmod(0o755)
    monkeypatch.setenv("PATH", "/bin")  # without npm
    assert dependencies.main(str(auditor)) == ends


def test_an_auditor_that_is_not_there_fails_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/bin")
    assert dependencies.main(str(tmp_path / "nothing")) == 0
