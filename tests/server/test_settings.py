"""Settings: production does not start without its secrets, nor with what everybody knows."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from db.embedded import Cluster
from db.roles import SERVER
from server.demo.personas import PASSWORD
from server.settings import EMBEDDED_DATABASE, Settings

KEY = "1b0c-a-key-that-stands-nowhere-else-9f3e"
PRODUCTION: dict[str, Any] = {
    "_env_file": None,
    "environment": "production",
    "secret_key": KEY,
    "DATABASE_URL": "postgresql+asyncpg://app_rw:3f9a-b71c@db.example/kontor",
}
BEGINNING = "postgresql+asyncpg://app_rw"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set where the tests run counts for nothing."""
    for name in ("DATABASE_URL", "MIGRATION_DATABASE_URL", "ADMIN_DATABASE_URL", "KONTOR_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)


def refused(**changed: Any) -> str:
    """Why production does not start; the reason holds none of the values."""
    with pytest.raises(ValidationError) as wrong:
        Settings(**PRODUCTION | changed)
    text = str(wrong.value)
    for value in changed.values():
        if isinstance(value, str) and len(value) > len("files"):
            assert value not in text
    return text


def test_production_starts_with_secrets_of_its_own() -> None:
    migration = {"MIGRATION_DATABASE_URL": "postgresql+asyncpg://a:b0-17e9@db.example/kontor"}
    settings = Settings(**PRODUCTION | migration)
    assert (settings.introspection, settings.tells_metrics, settings.embedded) == (False, False, None)
    assert KEY not in repr(settings)
    assert "3f9a" not in repr(settings)


def test_production_needs_its_secrets() -> None:
    assert "production needs KONTOR_SECRET_KEY" in refused(secret_key=None)
    assert "production needs DATABASE_URL" in refused(DATABASE_URL="")
    assert "at least 32 characters" in refused(secret_key="3f9ab71c")


@pytest.mark.parametrize(
    "password", ["postgres", "Password", "app_rw", "kontor-test", PASSWORD, "changeme", "aaaaaaaa", "x1"]
)
@pytest.mark.parametrize("name", ["DATABASE_URL", "MIGRATION_DATABASE_URL", "ADMIN_DATABASE_URL"])
def test_a_password_that_everybody_knows_is_none(name: str, password: str) -> None:
    assert f"{name} is known to everybody" in refused(**{name: f"{BEGINNING}:{password}@db.example/kontor"})


def test_a_password_is_looked_at_as_it_is_meant() -> None:
    assert "is known to everybody" in refused(DATABASE_URL=f"{BEGINNING}:%70ostgres@db.example/kontor")


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("KONTOR_SECRET_KEY", {"secret_key": "k" * 32}),
        ("KONTOR_SECRET_KEY", {"secret_key": "01234" * 7}),
        ("KONTOR_METRICS_TOKEN", {"metrics_token": "0" * 40}),
        ("KONTOR_SMTP_PASSWORD", {"smtp_user": "portal", "smtp_password": "secret"}),
        (
            "KONTOR_STORAGE_SECRET_ACCESS_KEY",
            {
                "storage_bucket": "files",
                "storage_access_key_id": "a",
                "storage_secret_access_key": "minioadmin",
            },
        ),
    ],
)
def test_nor_is_another_secret(name: str, given: dict[str, Any]) -> None:
    assert f"{name} is known to everybody" in refused(**given)


def test_the_key_is_not_given_away_as_a_token() -> None:
    assert "has to differ" in refused(metrics_token=KEY)


def test_what_is_for_the_demo_is_not_for_production(tmp_path: Path) -> None:
    assert "KONTOR_DEMO_PERSONAS" in refused(demo_personas=True)
    url = Cluster(tmp_path).url(SERVER, EMBEDDED_DATABASE)
    assert "the embedded database asks for no password" in refused(home=tmp_path, DATABASE_URL=url)


def test_development_starts_with_nothing_at_all(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path)  # type: ignore[call-arg]
    assert settings.embedded is not None
    assert len(settings.cursor_key) == 32
