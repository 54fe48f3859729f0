"""The judges from outside, as far as they can be looked at without what they need."""

import ast
from pathlib import Path

import pytest
from graphql import GraphQLScalarType, build_schema

from schema.root import sdl
from tests.audits import fuzz, load, slow
from tests.audits.outside import Verdict, found

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


@pytest.mark.parametrize(("judge", "program"), [(load, "wrk"), (slow, "slowhttptest")])
def test_a_judge_whose_program_is_missing_says_how_to_get_it_and_is_no_success(
    judge: object, program: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SystemExit) as ended:
        judge.main()  # type: ignore[attr-defined]
    assert ended.value.code == 2
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert f"apt-get install {program}" in said


def test_so_does_the_one_that_is_installed_in_an_environment_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["fuzz", "/nowhere/schemathesis"])
    assert fuzz.main() == 2
    assert "make audits-fuzz" in capsys.readouterr().out


def test_a_program_that_is_there_is_found() -> None:
    assert Path(found("sh", "it always is")).exists()


def test_what_does_not_hold_is_said_and_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    verdict = Verdict()
    verdict.that(True, "what holds")
    assert verdict.told("a judge") == 0
    verdict.that(False, "what does not")
    assert verdict.told("a judge") == 1
    assert capsys.readouterr().out.splitlines()[1:] == ["✗ what does not", "a judge: falls short in 1."]


def test_schemathesis_is_told_what_to_send_for_every_scalar_of_the_schema() -> None:
    scalars = {
        name
        for name, type_ in build_schema(sdl()).type_map.items()
        if isinstance(type_, GraphQLScalarType) and name not in ("Int", "Float", "Boolean")
    }
    rules = ast.parse((HERE / "fuzz_rules.py").read_text())
    assert scalars <= {each.value for each in ast.walk(rules) if isinstance(each, ast.Constant)}


def test_every_judge_is_a_target_of_make_and_has_its_row_in_the_page() -> None:
    makefile, page = (ROOT / "Makefile").read_text(), (ROOT / "docs" / "audits.md").read_text()
    for name in ("http", "live", "fuzz", "slow", "load"):
        assert f"\naudits-{name}: setup" in makefile
        assert f"make audits-{name}" in page
