"""The GraphiQL page: who gets it, what is filled in, and what it may load."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import orjson
import pytest
from graphql import OperationDefinitionNode, parse, validate
from graphql.execution import get_variable_values

from db.isolation import Mode
from schema.root import schema
from server import graphiql
from server.settings import ROOT
from tests.world import Portal, World

BUILT = """<!doctype html><html><head>
<script type="application/json" id="kontor" nonce="KONTOR_NONCE">{}</script>
<meta property="csp-nonce" nonce="KONTOR_NONCE" />
<script type="module" src="/graphiql/assets/index.js" nonce="KONTOR_NONCE"></script></head><body></body></html>"""
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
SAMPLES = sorted((ROOT / "frontend" / "graphiql" / "samples").rglob("*.graphql"))
HOSTILE = "</script><script>alert('1')</script><!-- & \u2028"


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    async with world.registry.transaction(Mode.WRITE, portal.tenant_id) as connection:
        await connection.fetch_text(
            "update portals set name = $1 where tenant_id = $2", HOSTILE, portal.tenant_id
        )
    return portal


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a build, which is empty at first."""
    monkeypatch.setattr(graphiql, "_BUILT", tmp_path)
    graphiql._template.cache_clear()
    yield tmp_path
    graphiql._template.cache_clear()


@pytest.fixture
def url(portal: Portal) -> str:
    return f"/portals/{portal.slug}/graphql"


async def test_there_is_no_page_where_there_is_no_portal(http: httpx.AsyncClient, built: Path) -> None:
    response = await http.get("/portals/nobody/graphql", headers=BROWSER)
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    "accept",
    ["application/json, text/html", "*/*", "text/html;q=0.1, application/json", "text/html;q=0, */*"],
)
async def test_who_likes_json_better_gets_no_page(
    http: httpx.AsyncClient, url: str, built: Path, accept: str
) -> None:
    response = await http.get(url, params={"query": "{ portal { open } }"}, headers={"accept": accept})
    assert response.json()["data"] == {"portal": {"open": True}}


async def test_a_post_gets_no_page(http: httpx.AsyncClient, url: str, built: Path) -> None:
    response = await http.post(url, json={"query": "{ portal { open } }"}, headers={"accept": "text/html"})
    assert response.status_code == 406


async def test_the_portal_is_filled_in_and_cannot_break_out(
    http: httpx.AsyncClient, portal: Portal, url: str, built: Path
) -> None:
    (built / "index.html").write_text(BUILT)
    response = await http.get(url, headers=BROWSER)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    found = re.search(
        r'<script type="application/json" id="kontor"[^>]*>(.*?)</script>', response.text, re.DOTALL
    )
    assert found is not None
    filled_in = orjson.loads(found[1])
    assert filled_in["portal"] == {"slug": portal.slug, "name": HOSTILE, "locale": "en"}
    assert filled_in["endpoint"] == url
    assert filled_in["personas"] == []
    assert filled_in["portals"] == []
    assert response.text.count("</script>") == 2
    assert "<script>alert" not in response.text


@pytest.mark.parametrize("is_built", [True, False])
async def test_the_page_may_load_nothing_from_elsewhere(
    http: httpx.AsyncClient, url: str, built: Path, is_built: bool
) -> None:
    if is_built:
        (built / "index.html").write_text(BUILT)
    headers = (await http.get(url, headers=BROWSER)).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert re.fullmatch("'nonce-[A-Za-z0-9_-]{22}'", policy["script-src"])
    assert not {"'unsafe-eval'", "'strict-dynamic'", "*", "blob:"} & set(" ".join(policy.values()).split())
    assert [name for name, each in policy.items() if "'unsafe-inline'" in each] == ["style-src"]
    assert [name for name, each in policy.items() if "data:" in each] == ["img-src"]
    assert {policy["base-uri"], policy["form-action"]} == {"'none'"}
    assert policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "http" not in headers["content-security-policy"]
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


async def test_only_scripts_of_the_page_itself_run_and_each_page_has_a_nonce_of_its_own(
    http: httpx.AsyncClient, url: str, built: Path
) -> None:
    (built / "index.html").write_text(BUILT)
    nonces = set()
    for _ in range(3):
        response = await http.get(url, headers=BROWSER)
        borne = set(re.findall(r'nonce="([^"]*)"', response.text))
        told = set(re.findall(r"'nonce-([^']*)'", response.headers["content-security-policy"]))
        assert borne == told
        assert len(told) == 1
        assert all("nonce=" in each for each in re.findall(r"<script[^>]*src=[^>]*>", response.text))
        nonces |= told
    assert len(nonces) == 3


def test_what_is_built_bears_the_nonce_that_the_server_writes() -> None:
    configuration = (ROOT / "frontend" / "graphiql" / "vite.config.ts").read_text()
    assert f"cspNonce: '{graphiql._NONCE}'" in configuration


async def test_where_it_was_not_built_the_page_says_how_to(
    http: httpx.AsyncClient, portal: Portal, url: str, built: Path
) -> None:
    response = await http.get(url, params={"x": "'</pre><script>"}, headers=BROWSER)
    assert response.status_code == 200
    assert "make frontend" in response.text
    assert f"/portals/{portal.slug}/schema.graphql" in response.text
    assert "<script" not in response.text


@pytest.mark.parametrize("path", ["/graphiql/", "/graphiql/nothing.js", "/graphiql/..%2f..%2fpyproject.toml"])
async def test_what_is_no_asset_is_not_found(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(path)).status_code == 404


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_sample_tab_asks_for_what_the_schema_has(sample: Path) -> None:
    document = parse(sample.read_text())
    assert validate(schema._schema, document) == []
    (operation,) = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert operation.name is not None, "the name is the tab's title"
    beside = sample.with_suffix(".variables.json")
    variables = json.loads(beside.read_text()) if beside.exists() else {}
    taken = get_variable_values(schema._schema, operation.variable_definitions or (), variables)
    assert not isinstance(taken, list), taken


@pytest.mark.parametrize("text", graphiql.documents())
def test_what_the_page_itself_asks_is_what_the_schema_has(text: str) -> None:
    assert validate(schema._schema, parse(text)) == []


def test_there_are_sample_tabs() -> None:
    assert {path.parent.name for path in SAMPLES} == {"buyer", "accountant", "staff"}
