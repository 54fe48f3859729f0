"""Running the demo: database up, world set up, portals served; everything down again at the end."""

import signal
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from db.embedded import Cluster
from server import logs, loops, serving
from server.demo import personas
from server.demo.install import NotInstalled, install
from server.demo.portals import DemoPortal
from server.importing import import_folder
from server.settings import Settings
from server.storing import open_storage


def run(
    settings: Settings, cluster: Cluster, *, real: Path | None, only_install: bool, console: Console
) -> None:
    """Serve the demo until Ctrl-C. The embedded database stops with it, and keeps its data."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    logs.configure(settings)
    try:
        serving.bring_up(settings, cluster)
        portals = loops.run(_install(settings, real, console))
        if not only_install:
            loops.run(serving.serve(settings, ready=lambda: _tell(settings, portals, console)))
    except KeyboardInterrupt:
        console.print("Stopped.")
    except NotInstalled as failed:
        console.print(f"The portal {failed} could not be set up.", style="red")
        raise SystemExit(1) from None
    finally:
        cluster.down()


async def _install(settings: Settings, real: Path | None, console: Console) -> list[DemoPortal]:
    registry = await serving.open_database(settings, settings.migration_database_url)
    database = await serving.open_database(settings)

    async def load(folder: Path, slug: str) -> int:
        return await import_folder(settings, folder, slug, settings.home / "imports" / slug, console)

    try:
        return await install(
            registry,
            database,
            open_storage(settings),
            load,
            base_domain=settings.base_domain,
            real=real,
            tell=lambda text: console.print(text, highlight=False),
        )
    finally:
        await database.close()
        await registry.close()


def _tell(settings: Settings, portals: list[DemoPortal], console: Console) -> None:
    table = Table(title="Kontor is serving. Open an address in a browser; Ctrl-C stops everything.")
    table.add_column("portal")
    table.add_column("address", no_wrap=True)
    table.add_column("who can sign in")
    for portal in portals:
        people = ", ".join(_described(each) for each in personas.of_portal(portal.slug))
        address = f"http://{portal.slug}.{settings.base_domain}:{settings.port}/graphql"
        table.add_row(portal.name, address, people)
    console.print(table)
    console.print(f"Everybody's password is [bold]{personas.PASSWORD}[/].", highlight=False)
    if settings.mails_folder is not None:
        console.print(f"Mails become files in {settings.mails_folder}.", highlight=False, soft_wrap=True)


def _described(person: personas.Persona) -> str:
    seen = f", {person.only} only" if person.only else ""
    return f"{person.user_name} ({person.role}{seen})"
