"""GraphiQL: the page for people who explore, from our own host, with the portal filled in."""

import html
import re
import secrets
from functools import cache
from pathlib import Path
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

import db
from db.connections import Database
from db.isolation import Mode
from db.portals import Portal
from server.demo import personas
from server.settings import ROOT, Settings

_BUILT = ROOT / "frontend" / "graphiql" / "dist"
_DOCUMENTS = ROOT / "frontend" / "graphiql" / "documents"
_PLACEHOLDER = re.compile(r'(<script type="application/json" id="kontor"[^>]*>)\{\}(?=</script>)')

# What vite.config.ts has every script and link of the page bear, for the page's own nonce.
_NONCE = "KONTOR_NONCE"

# Scripts run when they bear the page's nonce, or are imported by one that does: a file that happens to lie at this host is
# none. Styles are inline because the editor makes them at run time; everything else comes from our own files.
_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
    "img-src 'self' data:; worker-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{name}</title></head>
<body>
<h1>{name}</h1>
<p>This is the GraphQL endpoint of a customer portal. GraphiQL has not been built here: with node and npm
installed, run <code>make frontend</code> and load this page again.</p>
<p>Or ask from a shell:</p>
<pre>curl -s {endpoint} -H 'content-type: application/json' -d '{{"query": "{{ portal {{ name }} }}"}}'</pre>
<p>The schema is at <a href="/portals/{slug}/schema.graphql">/portals/{slug}/schema.graphql</a>.</p>
</body></html>
"""


def assets() -> StaticFiles:
    """The scripts, styles and fonts of the built page."""
    files = StaticFiles(directory=_BUILT, check_dir=False)
    files.config_checked = True  # without a build there is nothing to serve, which is no fault
    return files


def documents() -> list[str]:
    """What the page itself asks to let people in and out, word for word."""
    return [path.read_text() for path in sorted(_DOCUMENTS.glob("*.graphql"))]


async def page(request: Request, settings: Settings, database: Database, tenant_id: UUID) -> HTMLResponse:
    """GraphiQL for one portal, or how to build it."""
    async with database.transaction(Mode.SNAPSHOT, tenant_id) as connection:
        portal = await db.portals.by_tenant(connection)
        others = await db.portals.every(connection) if settings.demo_personas else []
    assert portal is not None
    nonce = secrets.token_urlsafe(16)
    template = _template(_BUILT / "index.html")
    if template is None:
        text = _NOT_BUILT.format(
            name=html.escape(portal.name), slug=portal.slug, endpoint=html.escape(str(request.url))
        )
    else:
        configuration = _configuration(request, settings, portal, others)
        text = _PLACEHOLDER.sub(lambda tag: tag[1] + configuration, template.replace(_NONCE, nonce))
    return HTMLResponse(
        text,
        headers={
            "content-security-policy": _POLICY.format(nonce=nonce),
            "cache-control": "no-store",
            "cross-origin-opener-policy": "same-origin",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
        },
    )


@cache
def _template(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def _configuration(request: Request, settings: Settings, portal: Portal, others: list[Portal]) -> str:
    port = f":{request.url.port}" if request.url.port else ""
    people = personas.of_portal(portal.slug) if settings.demo_personas else []
    shown = {
        "endpoint": request.url.path,
        "portal": {"slug": portal.slug, "name": portal.name, "locale": portal.locale},
        "portals": [
            {
                "slug": each.slug,
                "name": each.name,
                "url": f"{request.url.scheme}://{each.slug}.{settings.base_domain}{port}/graphql",
            }
            for each in others
            if each.slug != portal.slug
        ],
        "personas": [
            {
                "userName": person.user_name,
                "password": personas.PASSWORD,
                "name": person.name,
                "role": person.role,
            }
            for person in people
        ],
    }
    return orjson.dumps(shown).decode().replace("<", "\\u003c")
