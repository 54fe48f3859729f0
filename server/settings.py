"""Settings: everything that differs between a laptop and production, from the environment or a .env file."""

import contextlib
import hashlib
import os
import re
import secrets
import tempfile
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from db.embedded import Cluster
from db.roles import MIGRATION, SERVER
from rules.notices import deliverable
from server.published_secrets import is_no_secret, password_in

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
ROOT = Path(__file__).resolve().parent.parent
EMBEDDED_DATABASE = "kontor"


def _keep_new_key(kept: Path) -> None:
    """Write a key of 32 random bytes; where several processes start at once, the first one's stays."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=kept.parent) as mine:  # readable by the owner alone
        mine.write(secrets.token_hex(32))
        mine.flush()
        with contextlib.suppress(FileExistsError):
            os.link(mine.name, kept)


class Settings(BaseSettings):
    """Read from variables named KONTOR_<FIELD>, the database URLs without KONTOR_.

    Raises pydantic.ValidationError, which says what is wrong but not the values: they may hold passwords.
    """

    model_config = SettingsConfigDict(
        env_prefix="KONTOR_",
        env_file=ROOT / ".env",
        env_ignore_empty=True,
        extra="ignore",  # .env also holds what docker-compose reads
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    environment: Literal["development", "production"] = Field(
        "development", description="Production refuses the embedded database and hides what helps developers."
    )
    home: Path = Field(ROOT / ".kontor", description="Folder of the embedded database and of stored files.")

    database_url: str = Field(
        "",
        validation_alias="DATABASE_URL",
        repr=False,
        description="postgresql+asyncpg://… as the role app_rw; unset: the embedded database.",
    )
    migration_database_url: str | None = Field(
        None,
        validation_alias="MIGRATION_DATABASE_URL",
        repr=False,
        description="The same database as app_migrate; only migrations need it, the server better has none.",
    )
    admin_database_url: str | None = Field(
        None,
        validation_alias="ADMIN_DATABASE_URL",
        repr=False,
        description="The same server as a role that may make roles and databases; only `prepare` needs it.",
    )
    pool_size: int = Field(
        10,
        ge=1,
        description="Most database connections of one process; a third of them at most makes downloads, "
        "and another third reads for subscriptions. A quarter of them no portal takes from the others.",
    )
    pool_wait_seconds: float = Field(
        2.0, gt=0, description="Seconds a request waits for a free connection before it is answered with 503."
    )
    statement_timeout_ms: int = Field(15_000, ge=1, description="Milliseconds one SQL statement may take.")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    base_domain: str = Field(
        "localhost", min_length=1, description="Portals are reached at <portal>.<base domain>."
    )
    trusted_proxies: str = Field(
        "",
        description="Comma-separated addresses or networks whose X-Forwarded headers are believed, and traceparent.",
    )
    request_deadline_seconds: float = Field(20, gt=0, description="Seconds until a request is given up.")
    head_seconds: float = Field(
        10, gt=0, description="Seconds in which the head of a request has to have arrived."
    )
    read_seconds: float = Field(
        60,
        gt=0,
        description="Seconds in which a client has to read what waits for it, or its connection is cut.",
    )
    max_body_bytes: int = Field(1_000_000, ge=1, description="Bytes of the largest accepted request body.")
    budget_units: int = Field(
        20_000_000,
        ge=1,
        le=2_000_000_000,
        description="How much a viewer (an account, a staff member, or an address from which nobody is signed in) may ask "
        "for at once, in units: an operation costs one for each value that it asks for at most, and 1,000 for each root "
        "field. About four million of them are a second of one core.",
    )
    budget_per_second: int = Field(
        500_000, ge=1, le=2_000_000_000, description="Units that come back to a viewer every second."
    )
    portal_budget_units: int = Field(
        80_000_000,
        ge=1,
        le=2_000_000_000,
        description="How much all viewers of a portal together may ask for at once.",
    )
    portal_budget_per_second: int = Field(
        2_000_000, ge=1, le=2_000_000_000, description="Units that come back to a portal every second."
    )
    live_most: int = Field(
        2_000,
        ge=1,
        description="Most sockets and streams, and most subscriptions, of one process; a portal has a quarter of them.",
    )
    live_most_per_session: int = Field(20, ge=1, description="Most subscriptions of one session or socket.")
    live_check_seconds: float = Field(
        5,
        gt=0,
        description="Seconds after which a quiet subscription looks whether its session is still there.",
    )
    live_init_seconds: float = Field(
        10, gt=0, description="Seconds in which a WebSocket has to say connection_init."
    )
    live_idle_seconds: float = Field(
        60, gt=0, description="Seconds that a WebSocket may stay open without a subscription running on it."
    )
    live_write_seconds: float = Field(
        10, gt=0, description="Seconds that writing an event may take before a slow reader is ended."
    )
    live_heartbeat_seconds: float = Field(
        12, gt=0, description="Seconds between the heartbeats of server-sent events."
    )
    transfer_deadline_seconds: float = Field(
        120, gt=0, description="Seconds in which a file has to have come or gone, however slow the client."
    )
    storage_bucket: str = Field(
        "",
        description="Bucket on S3, or what speaks like it, in which files are kept; unset: the folder `files` at home, "
        "which all processes have to share.",
    )
    storage_region: str = Field("us-east-1", min_length=1, description="The bucket's region.")
    storage_endpoint: str = Field(
        "", description="https://… of another store than Amazon's; senders have to reach it too."
    )
    storage_access_key_id: str = Field(
        "", description="Key for the bucket; without one it is what the machine's role has."
    )
    storage_secret_access_key: SecretStr | None = Field(None, description="The key's secret.")
    portal_address: str = Field(
        "",
        description="Where people reach a portal, in mails: an address with {host} for the portal's host name; unset: "
        "https://{host}/graphql in production, http://{host}:<port>/graphql in development.",
    )
    mail_from: str = Field(
        "",
        description="The address that mails come from, in a portal's name; unset in development: no-reply@<base domain>.",
    )
    mail_folder: Path | None = Field(
        None,
        description="Folder in which mails become .eml files instead of being sent; unset in development: the folder "
        "`mail` at home.",
    )
    smtp_host: str = Field(
        "", description="The mail server; without it, and without a folder, no mails are sent."
    )
    smtp_port: int = Field(587, ge=1, le=65_535, description="Its port.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How what is said to it is kept secret: tls is for port 465, none for tests."
    )
    smtp_user: str = Field("", description="The name to sign in with there; without one nobody signs in.")
    smtp_password: SecretStr | None = Field(None, description="And the password.")
    smtp_timeout_seconds: float = Field(15, gt=0, description="Seconds in which it has to answer each time.")
    worker: bool = Field(
        True,
        description="Whether the process that serves does jobs too; false where `worker` runs as its own.",
    )
    worker_pool_size: int = Field(4, ge=1, description="Most database connections that a worker's jobs use.")
    worker_poll_seconds: float = Field(
        5, gt=0, description="Seconds after which a worker looks for jobs although nothing told of one."
    )
    worker_heartbeat_seconds: float = Field(
        30,
        gt=0,
        description="Seconds of silence after which another worker takes up the jobs of one that has died.",
    )
    webhook_private_targets: bool = Field(
        False,
        description="Whether webhooks may lead to http and to private addresses, such as this machine's; for development.",
    )
    webhook_seconds: float = Field(15, gt=0, description="Seconds in which a webhook has to answer.")
    webhook_pause_factor: float = Field(
        1, gt=0, description="By what the pauses between attempts (5 s to 12 h) are multiplied."
    )
    webhook_patience_hours: float = Field(
        120,
        gt=0,
        description="Hours after which a webhook at which every attempt has failed is switched off.",
    )
    changes_kept_days: int = Field(
        90, ge=1, description="Days for which the change feed is kept; who comes later reads everything anew."
    )
    session_hours: float = Field(12, gt=0, description="Hours until a sign-in expires.")

    secret_key: SecretStr | None = Field(
        None,
        description="Signs cursors and links to downloads; at least 32 characters, the same for all processes. "
        "Unset in development: made once and kept in the home folder.",
    )
    introspection: bool | None = Field(
        None,
        description="Whether anybody may ask for the schema; unset: in development only.",
    )
    compiled: bool = Field(
        True,
        description="Whether operations run from plans that are compiled once; false: as graphql-core runs them, slower.",
    )
    metrics_token: SecretStr | None = Field(
        None,
        description="The bearer token that /metrics asks for, at least 32 characters. Unset in development: anybody may read "
        "it; unset in production: there is no /metrics.",
    )
    otlp_endpoint: str = Field(
        "",
        description="http(s)://… of an OpenTelemetry collector (OTLP over HTTP, port 4318); unset: none is told.",
    )
    trace_share: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Which part of the requests is traced; what a trusted proxy traces, or does not, is as it says.",
    )
    metrics_seconds: float = Field(60.0, ge=0.1, description="How often the collector is sent metrics.")
    demo_personas: bool = Field(
        False, description="Whether GraphiQL offers signing in as the demo's people; never with real data."
    )
    log_format: Literal["console", "json"] | None = Field(
        None, description="Logs for people or for machines; unset: for machines in production alone."
    )

    @property
    def embedded(self) -> Cluster | None:
        """The server's own PostgreSQL; None when DATABASE_URL names another."""
        cluster = Cluster(self.home)
        return cluster if self.database_url == cluster.url(SERVER, EMBEDDED_DATABASE) else None

    @property
    def tells_metrics(self) -> bool:
        """Whether there is a /metrics."""
        return self.environment == "development" or self.metrics_token is not None

    @property
    def mails_folder(self) -> Path | None:
        """The folder in which mails become files; None: they are sent, or there are none."""
        if self.smtp_host or self.mail_folder is not None:
            return self.mail_folder
        return self.default_mails_folder if self.environment == "development" else None

    @property
    def default_mails_folder(self) -> Path:
        """The folder of mails where none is named."""
        return self.home / "mail"

    @property
    def cursor_key(self) -> bytes:
        """The key that signs cursors and links to downloads, 32 bytes."""
        if self.secret_key is not None:
            return hashlib.sha256(self.secret_key.get_secret_value().encode()).digest()
        kept = self.home / "secret_key"
        if not kept.exists():
            _keep_new_key(kept)
        return bytes.fromhex(kept.read_text())

    @field_validator("secret_key", "metrics_token")
    @classmethod
    def _is_long_enough(cls, key: SecretStr | None, field: ValidationInfo) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < 32:
            raise ValueError(f"KONTOR_{(field.field_name or '').upper()} has at least 32 characters")
        return key

    @field_validator("database_url", "migration_database_url", "admin_database_url")
    @classmethod
    def _names_its_driver(cls, url: str | None) -> str | None:
        """A bare postgresql:// would mean another driver to SQLAlchemy."""
        if url and not url.startswith("postgresql+asyncpg://"):
            raise ValueError("the URL has to begin with postgresql+asyncpg://")
        return url

    @field_validator("otlp_endpoint")
    @classmethod
    def _is_an_address(cls, address: str) -> str:
        parts = urlsplit(address)
        if address and (parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc):
            raise ValueError("KONTOR_OTLP_ENDPOINT is http(s)://…, without a name and password")
        return address.rstrip("/")

    @field_validator("storage_bucket")
    @classmethod
    def _is_a_buckets_name(cls, name: str) -> str:
        if name and not _BUCKET.fullmatch(name):
            raise ValueError("a bucket's name has 3 to 63 small letters, digits, dots and hyphens")
        return name

    @model_validator(mode="after")
    def _knows_its_storage(self) -> Self:
        """Half a bucket is none: files would go to the folder, where nobody looks for them."""
        secret = self.storage_secret_access_key
        if bool(self.storage_access_key_id) != bool(secret and secret.get_secret_value()):
            raise ValueError("KONTOR_STORAGE_ACCESS_KEY_ID and KONTOR_STORAGE_SECRET_ACCESS_KEY go together")
        if not self.storage_bucket and (self.storage_endpoint or self.storage_access_key_id):
            raise ValueError("KONTOR_STORAGE_BUCKET is missing")
        schemes = ("https://",) if self.environment == "production" else ("https://", "http://")
        if self.storage_endpoint and not self.storage_endpoint.startswith(schemes):
            raise ValueError("KONTOR_STORAGE_ENDPOINT begins with https://")
        return self

    @model_validator(mode="after")
    def _knows_its_mail(self) -> Self:
        """Half a mail server would lose mails, or send them in clear."""
        password = self.smtp_password
        if bool(self.smtp_user) != bool(password and password.get_secret_value()):
            raise ValueError("KONTOR_SMTP_USER and KONTOR_SMTP_PASSWORD go together")
        if self.smtp_host and self.mail_folder is not None:
            raise ValueError("either KONTOR_SMTP_HOST or KONTOR_MAIL_FOLDER takes the mails")
        if self.smtp_user and self.smtp_security == "none" and self.environment == "production":
            raise ValueError("KONTOR_SMTP_PASSWORD is not sent without KONTOR_SMTP_SECURITY")
        if not self.mail_from and self.environment == "development":
            self.mail_from = f"no-reply@{self.base_domain}"
        if (self.smtp_host or self.mail_folder) and not self.mail_from:
            raise ValueError("KONTOR_MAIL_FROM is missing")
        if self.mail_from and not (deliverable(self.mail_from) and self.mail_from.isascii()):
            raise ValueError("KONTOR_MAIL_FROM is one plain address")
        if not self.portal_address:
            open_ = "https://{host}" if self.environment == "production" else f"http://{{host}}:{self.port}"
            self.portal_address = f"{open_}/graphql"
        if "{host}" not in self.portal_address:
            raise ValueError("KONTOR_PORTAL_ADDRESS has {host} where the portal's host name goes")
        return self

    @model_validator(mode="after")
    def _keeps_its_secrets(self) -> Self:
        """What everybody knows is no secret: production does not start with it, nor without."""
        if self.environment == "development":
            return self
        if self.secret_key is None:
            raise ValueError("production needs KONTOR_SECRET_KEY")
        if self.demo_personas:
            raise ValueError("KONTOR_DEMO_PERSONAS shows everybody the demo's passwords: not in production")
        for name, secret in self._secrets().items():
            if is_no_secret(secret):
                raise ValueError(f"{name} is known to everybody, or can be guessed: make another one")
        if self.metrics_token == self.secret_key:
            raise ValueError(
                "KONTOR_METRICS_TOKEN is told to others: it has to differ from KONTOR_SECRET_KEY"
            )
        return self

    def _secrets(self) -> dict[str, str]:
        """All secrets that are set, by the name of their setting."""
        kept = {
            "KONTOR_SECRET_KEY": self.secret_key,
            "KONTOR_METRICS_TOKEN": self.metrics_token,
            "KONTOR_SMTP_PASSWORD": self.smtp_password,
            "KONTOR_STORAGE_SECRET_ACCESS_KEY": self.storage_secret_access_key,
        }
        return {
            "DATABASE_URL": password_in(self.database_url),
            "MIGRATION_DATABASE_URL": password_in(self.migration_database_url),
            "ADMIN_DATABASE_URL": password_in(self.admin_database_url),
            **{name: each.get_secret_value() for name, each in kept.items() if each is not None},
        }

    @model_validator(mode="after")
    def _fill_in_what_is_unset(self) -> Self:
        if self.introspection is None:
            self.introspection = self.environment == "development"
        if self.environment == "production" and self.embedded is not None:
            raise ValueError("the embedded database asks for no password: production needs another")
        if not self.database_url:
            if self.environment == "production":
                raise ValueError("production needs DATABASE_URL: the embedded database asks for no password")
            if self.migration_database_url:
                raise ValueError("MIGRATION_DATABASE_URL needs DATABASE_URL: both name the same database")
            cluster = Cluster(self.home)
            self.database_url = cluster.url(SERVER, EMBEDDED_DATABASE)
            self.migration_database_url = cluster.url(MIGRATION, EMBEDDED_DATABASE)
        return self
