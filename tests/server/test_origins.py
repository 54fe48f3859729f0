"""Pages of other hosts: which a portal lets ask it, and that they never get by with a cookie."""

from typing import Any

import httpx
import pytest

from db.failures import Unavailable
from rules.origins import MOST_ORIGINS
from rules.permissions import StaffRole
from server.callers import COOKIE, CSRF_HEADER
from tenants import memory
from tenants.portals import Portals
from tests.client import Client
from tests.conftest import At
from tests.server.live import CHANGED, Serving
from tests.world import Portal, World

SHOP = "https://shop.example.com"
UPDATE = """mutation($input: PortalUpdateInput!) { portalUpdate(input: $input) {
  portal { origins version } errors { code path } } }"""
QUERY = {"query": "{ viewer { account { userName } } }"}
PREFLIGHT = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type",
}


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered, so that all that changes counts at once."""
    monkeypatch.setattr(memory, "SECONDS", 0)


@pytest.fixture
async def olga(portal: Portal, at: At) -> Client:
    await portal.staff_member("olga", role=StaffRole.OWNER)
    return await at(portal).sign_in("olga")


async def update(client: Client, *origins: str) -> dict[str, Any]:
    answer: dict[str, Any] = (await client.ask(UPDATE, input={"origins": list(origins)}))["portalUpdate"]
    return answer


def url(client: Client | Portal) -> str:
    return f"/portals/{client.slug}/graphql"


def crossed(response: httpx.Response) -> dict[str, str]:
    """What the answer says of origins."""
    return {name: value for name, value in response.headers.items() if name.startswith("access-control-")}


async def preflight(http: httpx.AsyncClient, path: str, origin: str) -> httpx.Response:
    return await http.options(path, headers=PREFLIGHT | {"origin": origin})


@pytest.mark.parametrize("origin", [SHOP, "null", "*", "https://evil.example"])
async def test_where_nothing_is_listed_no_page_of_another_host_is_let_in(
    http: httpx.AsyncClient, portal: Portal, origin: str
) -> None:
    refused = await preflight(http, url(portal), origin)
    assert (refused.status_code, crossed(refused)) == (405, {})
    answered = await http.post(url(portal), json=QUERY, headers={"origin": origin})
    assert (answered.status_code, crossed(answered)) == (200, {})
    assert "Origin" in answered.headers["vary"]


async def test_an_origin_of_one_portal_is_none_at_another(
    world: World, http: httpx.AsyncClient, portal: Portal, olga: Client
) -> None:
    sister = await world.portal(supplier=portal.slug)
    await update(olga, SHOP)
    assert (await preflight(http, url(portal), SHOP)).status_code == 204
    assert crossed(await preflight(http, url(sister), SHOP)) == {}
    assert crossed(await preflight(http, "/portals/nobody/graphql", SHOP)) == {}


async def test_a_listed_origin_asks_with_a_token(
    http: httpx.AsyncClient, portal: Portal, olga: Client, bea: Client
) -> None:
    assert (await update(olga, SHOP))["errors"] == []
    allowed = await preflight(http, url(portal), SHOP)
    assert (allowed.status_code, allowed.content) == (204, b"")
    assert crossed(allowed) == {
        "access-control-allow-origin": SHOP,
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": "authorization, content-type, accept-language, x-request-id",
        "access-control-expose-headers": "x-request-id, retry-after, content-disposition",
        "access-control-max-age": "600",
    }
    headers = {"origin": SHOP, "authorization": f"Bearer {bea.token}"}
    answered = await http.post(url(portal), json=QUERY, headers=headers)
    assert answered.json()["data"]["viewer"]["account"]["userName"] == "bea"
    assert answered.headers["access-control-allow-origin"] == SHOP
    assert "Origin" in answered.headers["vary"]
    refused = await http.post(url(portal), content="{", headers={"origin": SHOP})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (415, SHOP)


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example.com.evil.example",
        "https://evil.example",
        "http://shop.example.com",
        "https://shop.example.com:8443",
        "https://SHOP.example.com",
        "https://a.shop.example.com",
        "null",
        "*",
        "",
    ],
)
async def test_what_only_looks_like_a_listed_origin_is_none(
    http: httpx.AsyncClient, portal: Portal, olga: Client, origin: str
) -> None:
    await update(olga, SHOP)
    assert crossed(await preflight(http, url(portal), origin)) == {}
    assert crossed(await http.post(url(portal), json=QUERY, headers={"origin": origin})) == {}


async def test_credentials_are_never_allowed_and_a_cookie_from_a_listed_origin_is_refused(
    http: httpx.AsyncClient, portal: Portal, olga: Client, bea: Client
) -> None:
    await update(olga, SHOP)
    cookie = {"origin": SHOP, "cookie": f"{COOKIE}={bea.token}", CSRF_HEADER: "1"}
    refused = await http.post(url(portal), json=QUERY, headers=cookie)
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (403, "CSRF")
    sign_in = """mutation($input: SignInInput!) { signIn(input: $input) { token errors { code } } }"""
    given = {"userName": "bea", "password": "correct horse battery", "transport": "COOKIE"}
    asked = {"query": sign_in, "variables": {"input": given}}
    answered = await http.post(url(portal), json=asked, headers={"origin": SHOP, CSRF_HEADER: "1"})
    assert "set-cookie" not in answered.headers
    for response in (refused, answered, await preflight(http, url(portal), SHOP)):
        assert response.headers["access-control-allow-origin"] == SHOP
        assert "access-control-allow-credentials" not in response.headers


async def test_uploads_and_downloads_are_let_in_too_and_asking_takes_nothing_in(
    http: httpx.AsyncClient, portal: Portal, olga: Client
) -> None:
    for path, method in (("uploads/nothing", "PUT"), ("downloads/nothing", "GET")):
        where = f"/portals/{portal.slug}/{path}"
        response = await http.request(method, where, headers={"origin": SHOP})
        assert (response.status_code, crossed(response)) == (404, {})
    where = f"/portals/{portal.slug}/uploads/nothing"
    refused = await preflight(http, where, SHOP)
    assert (refused.status_code, refused.headers["allow"], crossed(refused)) == (405, "PUT", {})
    await update(olga, SHOP)
    allowed = await preflight(http, where, SHOP)
    assert (allowed.status_code, allowed.headers["access-control-allow-methods"]) == (204, "PUT")
    for path, method in (("uploads/nothing", "PUT"), ("downloads/nothing", "GET")):
        response = await http.request(method, f"/portals/{portal.slug}/{path}", headers={"origin": SHOP})
        assert (response.status_code, response.headers["access-control-allow-origin"]) == (404, SHOP)


async def test_a_stream_is_let_in_too(live: Serving, portal: Portal, olga: Client, bea: Client) -> None:
    await update(olga, SHOP)
    headers = {"origin": SHOP, "accept": "text/event-stream", "authorization": f"Bearer {bea.token}"}
    async with (
        httpx.AsyncClient(timeout=5) as http,
        http.stream("POST", live.url(portal.slug), headers=headers, json={"query": CHANGED}) as response,
    ):
        assert response.headers["access-control-allow-origin"] == SHOP


async def test_origins_are_kept_as_browsers_send_them_and_anything_else_is_refused(olga: Client) -> None:
    answer = await update(olga, "HTTPS://B.example:443", "http://localhost:5173", "https://b.example")
    assert answer["portal"]["origins"] == ["http://localhost:5173", "https://b.example"]
    again = await update(olga, "https://b.example", "http://localhost:5173")
    assert again["portal"] == answer["portal"], "nothing has changed"
    answer = await update(olga, SHOP, "*", "null")
    assert [(each["code"], each["path"]) for each in answer["errors"]] == [
        ("ORIGIN_INVALID", ["origins", "1"])
    ]
    many = [f"https://shop{n}.example" for n in range(MOST_ORIGINS + 1)]
    assert [each["code"] for each in (await update(olga, *many))["errors"]] == ["LIST_TOO_LONG"]
    assert (await update(olga))["portal"]["origins"] == []


async def test_customers_read_the_origins_and_change_none(bea: Client) -> None:
    assert await bea.ask("{ portal { origins } }") == {"portal": {"origins": []}}
    assert [each["code"] for each in (await update(bea, SHOP))["errors"]] == ["MISSING_PERMISSION"]


@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
async def test_while_the_database_is_away_the_portal_is_asked_for_once_and_that_is_503(
    http: httpx.AsyncClient, portal: Portal, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    asked: list[str] = []

    async def away(_self: Portals, slug: str) -> None:
        asked.append(slug)
        raise Unavailable("the database is away")

    monkeypatch.setattr(Portals, "by_slug", away)
    answer = await http.request(method, url(portal), json=QUERY, headers=PREFLIGHT | {"origin": SHOP})
    assert (answer.status_code, crossed(answer)) == (503, {})
    assert answer.json()["errors"][0]["extensions"]["code"] == "SERVICE_UNAVAILABLE"
    assert asked == [portal.slug]
