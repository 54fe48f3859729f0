"""The command line: `python -m server COMMAND`."""

import difflib
import shutil
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console

from db import embedded, migrations
from rules.permissions import StaffRole
from schema.root import sdl
from server import forgetting, logs, loops, provisioning, serving, workers
from server.demo import running
from server.importing import import_folder
from server.settings import ROOT, Settings
from server.storing import files_folder
from tenants.provisioning import NewPortal, NotProvisioned
from tenants.storage import StorageUnavailable

app = typer.Typer(
    help="Kontor: B2B customer portals through one GraphQL API.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_console = Console(stderr=True)
_SCHEMA = ROOT / "schema.graphql"
_REAL_DATA = ROOT.parent / "shared" / "data" / "exchange"

Result = TypeVar("Result")


def _settings() -> Settings:
    try:
        return Settings()  # type: ignore[call-arg]  # every field has a default
    except ValidationError as invalid:
        for error in invalid.errors():
            _console.print(f"[red]Settings:[/] {error['msg']}", highlight=False)
        raise typer.Exit(2) from None


def _cluster(settings: Settings) -> embedded.Cluster:
    if settings.embedded is None:
        _console.print("DATABASE_URL names another PostgreSQL; there is no embedded one to start or stop.")
        raise typer.Exit(2)
    return settings.embedded


def _migration_url(settings: Settings) -> str:
    if settings.migration_database_url is None:
        _console.print("Set MIGRATION_DATABASE_URL: the database as the role app_migrate.")
        raise typer.Exit(2)
    return settings.migration_database_url


@app.command()
def serve() -> None:
    """Serve the portals until Ctrl-C; the database has to be there and migrated."""
    settings = _settings()
    logs.configure(settings)
    # uvicorn raises it once more when it has ended: what lies around it is to be closed too, e.g. the worker.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        loops.run(serving.serve(settings))
    except StorageUnavailable as unavailable:
        _console.print(f"Files cannot be kept: {unavailable}.", style="red", highlight=False)
        raise typer.Exit(1) from None


@app.command()
def worker() -> None:
    """Do what is to be done after a request (webhooks, mails) until Ctrl-C; any number of workers may run."""
    settings = _settings()
    logs.configure(settings)
    try:
        loops.run(workers.work(settings, ready=lambda: _console.print("Working; Ctrl-C stops it.")))
    except StorageUnavailable as unavailable:
        _console.print(f"Files cannot be kept: {unavailable}.", style="red", highlight=False)
        raise typer.Exit(1) from None


@app.command()
def demo(
    real: Annotated[bool, typer.Option(help="Import the real trade data too, where it is there.")] = False,
    only_install: Annotated[bool, typer.Option(help="Set everything up and stop, without serving.")] = False,
) -> None:
    """Start everything with demo data: the embedded PostgreSQL, two suppliers' portals, GraphiQL."""
    settings = _settings()
    settings.demo_personas = True
    settings.webhook_private_targets = True
    if real and not _REAL_DATA.is_dir():
        _console.print("There is no real trade data here (../shared/data/exchange); going on without it.")
    running.run(
        settings,
        _cluster(settings),
        real=_REAL_DATA if real and _REAL_DATA.is_dir() else None,
        only_install=only_install,
        console=_console,
    )


@app.command()
def demo_reset() -> None:
    """Throw away the embedded database with all its data, and the folders of files and mails that belong to it."""
    settings = _settings()
    _cluster(settings).destroy()
    shutil.rmtree(files_folder(settings), ignore_errors=True)
    shutil.rmtree(settings.default_mails_folder, ignore_errors=True)
    _console.print("The embedded database is gone; `make demo` makes a new one.")


@app.command()
def up() -> None:
    """Start the embedded PostgreSQL, with its roles and newest migrations."""
    settings = _settings()
    serving.bring_up(settings, _cluster(settings))
    _console.print(f"PostgreSQL runs: {settings.database_url}", highlight=False, soft_wrap=True)


@app.command()
def down() -> None:
    """Stop the embedded PostgreSQL."""
    _cluster(_settings()).down()


@app.command()
def prepare() -> None:
    """Make the database and its roles on another PostgreSQL, as ADMIN_DATABASE_URL; repeatable."""
    settings = _settings()
    if settings.admin_database_url is None:
        _console.print("Set ADMIN_DATABASE_URL: the server as a role that may make roles and databases.")
        raise typer.Exit(2)
    loops.run(serving.prepare(settings, settings.admin_database_url, _migration_url(settings)))


@app.command()
def migrate() -> None:
    """Bring the database to the newest migration."""
    migrations.upgrade(_migration_url(_settings()))
    _console.print(f"The database is at {migrations.newest()}.", highlight=False)


@app.command()
def migrations_check() -> None:
    """Fail when the tables in the code and the migrations differ; asked of a scratch database."""
    drift = serving.drift(_cluster(_settings()))
    if drift:
        _console.print(drift, highlight=False)
        raise typer.Exit(1)


@app.command()
def schema(
    check: Annotated[bool, typer.Option(help="Only fail when schema.graphql is not up to date.")] = False,
) -> None:
    """Write the GraphQL schema to schema.graphql."""
    printed = sdl()
    if not check:
        _SCHEMA.write_text(printed)
        return
    kept = _SCHEMA.read_text() if _SCHEMA.exists() else ""
    if kept != printed:
        sys.stdout.writelines(
            difflib.unified_diff(
                kept.splitlines(True), printed.splitlines(True), "schema.graphql", "the code"
            )
        )
        _console.print("schema.graphql is not what the code prints; run `make schema`.")
        raise typer.Exit(1)


@app.command()
def portal_add(
    slug: Annotated[str, typer.Argument(help="The short name in addresses, e.g. harbour.")],
    supplier: Annotated[str, typer.Option(help="The code of the supplier; a new one is made.")],
    name: Annotated[str, typer.Option(help="The company's name.")],
    host: Annotated[str, typer.Option(help="The host name at which the portal answers.")],
    currency: Annotated[str, typer.Option(help="The company's own currency, e.g. EUR.")],
    support_email: Annotated[str, typer.Option(help="Where people write when the portal does not help.")],
    locale: Annotated[str, typer.Option(help="en or de.")] = "en",
    legal_name: Annotated[str, typer.Option(help="The registered name; the name when left out.")] = "",
    supplier_name: Annotated[str, typer.Option(help="A new supplier's name; its code when left out.")] = "",
) -> None:
    """Add a company with its portal, as the migration role."""
    settings = _settings()
    work = provisioning.add_portal(
        settings,
        _migration_url(settings),
        supplier,
        supplier_name or supplier,
        NewPortal(
            slug=slug,
            name=name,
            legal_name=legal_name or name,
            currency=currency,
            locale=locale,
            support_email=support_email,
            hosts=[host],
        ),
    )
    _provision(work, f"The portal {slug} is there; import its data, and add its staff.")


@app.command()
def staff_add(
    user_name: Annotated[str, typer.Argument(help="The name to sign in with.")],
    portal: Annotated[str, typer.Option(help="The slug of a portal of the supplier.")],
    name: Annotated[str, typer.Option(help="The person's name.")],
    email: Annotated[str, typer.Option(help="Where the person is written to.")],
    password: Annotated[str, typer.Option(prompt=True, hide_input=True, envvar="KONTOR_PASSWORD")],
    role: Annotated[StaffRole, typer.Option(help="What the person may do.")] = StaffRole.OWNER,
    here_only: Annotated[
        bool, typer.Option(help="At this company alone, not at all of the supplier.")
    ] = False,
) -> None:
    """Add somebody to the staff of the supplier that owns a portal."""
    settings = _settings()
    work = provisioning.add_staff_member(
        settings,
        portal,
        password,
        user_name=user_name,
        name=name,
        email=email,
        role=role,
        here_only=here_only,
    )
    _provision(work, f"{name} can sign in as {user_name}.")


def _provision(work: Coroutine[Any, Any, None], done: str) -> None:
    try:
        loops.run(work)
    except NotProvisioned as refused:
        _console.print(f"Nothing was made: {refused}.", style="red", highlight=False)
        raise typer.Exit(2) from None
    _console.print(done, highlight=False)


@app.command()
def changes_forget() -> None:
    """Remove from all companies' change feeds what is older than KONTOR_CHANGES_KEPT_DAYS; run it once a day."""
    settings = _settings()
    _console.print(f"{loops.run(forgetting.forget(settings))} changes are forgotten.", highlight=False)


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="A folder or zip of CSV files in the exchange layout.")],
    portal: Annotated[str, typer.Option(help="The slug of the portal to import into.")],
    report: Annotated[
        Path | None, typer.Option(help="Where rejected/<table>.csv goes; by default below the home folder.")
    ] = None,
) -> None:
    """Import a company's data. Repeatable: what is there already and equal stays untouched."""
    settings = _settings()
    folder = report or settings.home / "imports" / portal
    raise typer.Exit(loops.run(import_folder(settings, source, portal, folder, _console)))


if __name__ == "__main__":
    app(prog_name="python -m server")
