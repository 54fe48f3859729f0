"""The files around the code: what docker-compose, the Makefile and the Dockerfile say must be so."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from server.__main__ import app
from server.settings import Settings

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
# `python -m server X`, as shell words, as a JSON or YAML list, or through the Makefile's variable.
COMMAND = re.compile(r'(?:python"?,? "?-m"?,? "?server"?,?|\$\(SERVER\)) "?([a-z][a-z-]*)')


def test_compose_starts_what_the_portal_needs_and_nothing_else() -> None:
    assert set(SERVICES) == {"postgres", "prepare", "migrate", "server", "worker"}


@pytest.mark.parametrize("name", ["postgres", "server"])
def test_what_keeps_running_says_whether_it_is_healthy(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= check.keys()


@pytest.mark.parametrize(
    ("later", "earlier", "condition"),
    [
        ("prepare", "postgres", "service_healthy"),
        ("migrate", "prepare", "service_completed_successfully"),
        ("server", "migrate", "service_completed_successfully"),
    ],
)
def test_each_step_waits_for_the_one_before(later: str, earlier: str, condition: str) -> None:
    assert SERVICES[later]["depends_on"] == {earlier: {"condition": condition}}


def test_data_is_kept_in_volumes_that_are_declared() -> None:
    mounted = {mount for service in SERVICES.values() for mount in service.get("volumes", [])}
    assert "postgres:/var/lib/postgresql" in mounted
    assert {mount.split(":")[0] for mount in mounted} == set(COMPOSE["volumes"])


def test_no_password_is_written_down_and_none_may_be_missing() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert re.findall(r"://\w+:(?!\$\{\w+:\?)", text) == []
    assert re.findall(r"\$\{(?!KONTOR_SMTP_)\w*(?:PASSWORD|SECRET_KEY)(?!:\?)", text) == []
    assert SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")


def test_the_server_logs_in_as_the_role_that_isolation_holds() -> None:
    environment = SERVICES["server"]["environment"]
    assert environment["DATABASE_URL"].startswith("postgresql+asyncpg://app_rw:")
    assert not {"MIGRATION_DATABASE_URL", "ADMIN_DATABASE_URL"} & environment.keys()


@pytest.mark.parametrize("name", ["docker-compose.yml", "Dockerfile", ".env.example", "docs/running.md"])
def test_every_setting_that_is_named_exists(name: str) -> None:
    named = re.findall(r"\bKONTOR_([A-Z_]+)", (ROOT / name).read_text())
    assert {each.lower() for each in named} <= Settings.model_fields.keys()


@pytest.mark.parametrize("name", ["prepare", "migrate", "server"])
def test_each_step_gets_the_settings_that_production_demands(name: str) -> None:
    assert {"DATABASE_URL", "KONTOR_SECRET_KEY"} <= SERVICES[name]["environment"].keys()


@pytest.mark.parametrize("name", ["docker-compose.yml", "Makefile", "Dockerfile", "docs/running.md"])
def test_every_command_that_is_named_exists(name: str) -> None:
    named = set(COMMAND.findall((ROOT / name).read_text()))
    assert named
    command = typer.main.get_command(app)
    assert named <= command.commands.keys()  # type: ignore[attr-defined]


def test_samples_of_the_page_on_running_can_be_read() -> None:
    samples = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "running.md").read_text(), re.DOTALL)
    scraping, alerts, collector = (yaml.safe_load(each) for each in samples)
    assert scraping["scrape_configs"][0]["job_name"] == "kontor"
    told = re.findall(r"^\| `(Kontor\w+)`", (ROOT / "docs" / "running.md").read_text(), re.MULTILINE)
    assert [each["alert"] for each in alerts["groups"][0]["rules"]] == told
    for pipeline in collector["service"]["pipelines"].values():
        for kind, names in pipeline.items():
            assert set(names) <= collector[kind].keys()


def test_the_image_runs_as_somebody_without_rights() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    assert "USER kontor" in lines
    assert any("--require-hashes -r requirements.lock" in line for line in lines)
    assert any(line.startswith("HEALTHCHECK") for line in lines)


def test_every_target_of_the_makefile_explains_itself() -> None:
    text = (ROOT / "Makefile").read_text()
    declared = set(re.sub(r"\\\n", " ", text).split(".PHONY:")[1].split("\n")[0].split())
    assert declared - {"help"} == set(re.findall(r"^([a-z-]+):.* ## \S", text, re.MULTILINE))
