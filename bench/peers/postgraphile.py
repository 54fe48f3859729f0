"""PostGraphile from npm: installed once as its lock file says, and what it needs in the database."""

import json
import shutil
import subprocess
from pathlib import Path

from bench.peers.data import Portal
from bench.peers.database import NAME, Place
from db import roles

_FOLDER = Path(__file__).parent
_MODULES = _FOLDER / "node_modules"
# Node.js is one of the packages: PostGraphile wants 22, and nobody has to have it.
_NODE = _MODULES / "node" / "bin" / "node"


class NotInstalled(Exception):
    """PostGraphile cannot be installed here; the text says why."""


def install() -> None:
    """Bring PostGraphile and the Node.js that runs it from npm. Raises NotInstalled."""
    lock, done = _FOLDER / "package-lock.json", _MODULES / ".package-lock.json"
    if _NODE.exists() and done.exists() and done.stat().st_mtime >= lock.stat().st_mtime:
        return
    if shutil.which("npm") is None:
        raise NotInstalled("there is no npm here (any node brings it)")
    ran = subprocess.run(["npm", "ci", "--no-progress"], cwd=_FOLDER, capture_output=True, text=True)
    if ran.returncode or not _NODE.exists():
        raise NotInstalled(ran.stderr.strip()[-500:] or "npm ci brought no Node.js")


async def prepare(place: Place) -> None:
    """Add the functions that it needs to answer equally."""
    admin = await place.admin()
    try:
        await admin.execute((_FOLDER / "postgraphile.sql").read_text())
    finally:
        await admin.close()


def versions() -> dict[str, str]:
    """Of PostGraphile and Node.js; nothing where they are not installed."""
    if not _NODE.exists():
        return {}
    package = json.loads((_MODULES / "postgraphile" / "package.json").read_text())
    node = subprocess.run([str(_NODE), "--version"], capture_output=True, text=True, check=True)
    return {"PostGraphile": package["version"], "Node.js": node.stdout.strip().removeprefix("v")}


def command(
    place: Place, portal: Portal, port: int, *, connections: int, sessions: bool
) -> tuple[list[str], dict[str, str]]:
    """How it is started for a portal, with its environment."""
    given = {
        "sockets": place.sockets,
        "role": roles.SERVER,
        "database": NAME,
        "connections": connections,
        "port": port,
        "tenant": str(portal.tenant_id),
        "priceList": str(portal.price_list_id),
        "currency": portal.currency,
        "sessions": sessions,
    }
    environment = {"NODE_ENV": "production", "GRAPHILE_ENV": "production", "BENCH_PEER": json.dumps(given)}
    return [str(_NODE), str(_FOLDER / "postgraphile.mjs")], environment
