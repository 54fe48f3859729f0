"""Sessions by cookie, as browsers have them: how they are set, what protects them from forgery, how they end."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from server.app import create
from server.callers import COOKIE
from server.settings import Settings
from tests.conftest import At
from tests.world import PASSWORD, Portal, World

SIGN_IN = """mutation($transport: SessionTransport!, $password: String!) {
  signIn(input: {userName: "bea", password: $password, transport: $transport}) {
    token viewer { account { userName } } errors { code path } } }"""
SIGN_OUT = "mutation { signOut { errors { code } } }"
WHO = "{ viewer { account { userName } } }"
CSRF = {"x-kontor-csrf": "1"}
BEA = {"viewer": {"account": {"userName": "bea"}}}


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.account("bea")
    return portal


@pytest.fixture
def origin(portal: Portal) -> str:
    return f"https://{portal.slug}.localhost"


@pytest.fixture
async def browser(world: World, settings: Settings, origin: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of its own, so that its cookies are its own too."""
    app = create(settings, world.database, world.passwords)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=origin) as client:
        yield client


async def post(
    browser: httpx.AsyncClient, query: str, headers: dict[str, str] | None = None, **variables: Any
) -> httpx.Response:
    return await browser.post("/graphql", json={"query": query, "variables": variables}, headers=headers)


async def sign_in(
    browser: httpx.AsyncClient,
    headers: dict[str, str],
    *,
    transport: str = "COOKIE",
    password: str = PASSWORD,
) -> httpx.Response:
    return await post(browser, SIGN_IN, headers, transport=transport, password=password)


def code(response: httpx.Response) -> str:
    found: str = response.json()["errors"][0]["extensions"]["code"]
    return found


FORGED = [
    {},
    {"origin": "https://evil.example"},
    CSRF | {"origin": "https://evil.example"},
    CSRF | {"origin": "null"},
    CSRF | {"origin": ""},
    CSRF | {"origin": "https://["},
    CSRF | {"origin": "https://OWN.evil.example"},
    CSRF | {"origin": "https://evil.example/OWN"},
    CSRF | {"origin": "https://OWN:8443"},
    CSRF | {"origin": "https://evil@OWN"},
    CSRF | {"origin": "chrome-extension://OWN"},
    CSRF | {"origin": "https://evil.example", "x-forwarded-host": "evil.example"},
]


def against(headers: dict[str, str], origin: str) -> dict[str, str]:
    return {name: value.replace("OWN", origin.removeprefix("https://")) for name, value in headers.items()}


@pytest.mark.parametrize("forged", FORGED, ids=str)
async def test_a_cookie_is_not_set_by_what_another_page_could_send(
    browser: httpx.AsyncClient, origin: str, forged: dict[str, str]
) -> None:
    response = await sign_in(browser, against(forged, origin))
    assert "set-cookie" not in response.headers
    answer = response.json()["data"]["signIn"]
    assert answer == {
        "token": None,
        "viewer": None,
        "errors": [{"code": "COOKIE_REFUSED", "path": ["transport"]}],
    }


@pytest.mark.parametrize("forged", FORGED, ids=str)
async def test_a_cookie_is_not_taken_from_what_another_page_could_send(
    browser: httpx.AsyncClient, origin: str, forged: dict[str, str]
) -> None:
    await sign_in(browser, CSRF)
    response = await post(browser, SIGN_OUT, against(forged, origin))
    assert (response.status_code, code(response)) == (403, "CSRF")
    response = await browser.get("/graphql", params={"query": WHO}, headers=against(forged, origin))
    assert (response.status_code, code(response)) == (403, "CSRF")
    assert (await post(browser, WHO, CSRF)).json()["data"] == BEA


async def test_a_wrong_password_sets_no_cookie(browser: httpx.AsyncClient) -> None:
    response = await sign_in(browser, CSRF, password="wrong horse battery")
    assert "set-cookie" not in response.headers
    assert [each["code"] for each in response.json()["data"]["signIn"]["errors"]] == ["SIGN_IN_REFUSED"]


async def test_the_cookie_is_one_that_scripts_and_other_hosts_never_see(
    browser: httpx.AsyncClient, settings: Settings
) -> None:
    response = await sign_in(browser, CSRF)
    name, *attributes = [part.strip() for part in response.headers["set-cookie"].split(";")]
    assert name.startswith("__Host-")
    assert len(name.split("=")[1]) == 43  # 256 bits
    assert {each.lower() for each in attributes} == {
        "httponly",
        "secure",
        "path=/",
        "samesite=strict",
        f"max-age={round(settings.session_hours * 3_600)}",
    }
    assert response.json()["data"]["signIn"]["token"] is None
    assert name.split("=")[1] not in response.text
    assert response.headers["cache-control"] == "no-store"


async def test_a_token_for_the_header_sets_no_cookie(browser: httpx.AsyncClient) -> None:
    response = await sign_in(browser, CSRF, transport="BEARER")
    assert response.json()["data"]["signIn"]["token"]
    assert "set-cookie" not in response.headers


async def test_a_browser_that_signs_in_is_known_until_it_signs_out(
    browser: httpx.AsyncClient, origin: str
) -> None:
    assert (await post(browser, WHO, CSRF)).json()["data"] == {"viewer": None}
    signed_in = await sign_in(browser, CSRF | {"origin": origin})
    assert signed_in.json()["data"]["signIn"]["viewer"] == BEA["viewer"]
    for headers in (CSRF, CSRF | {"origin": origin}, CSRF | {"origin": origin.upper()}):
        assert (await post(browser, WHO, headers)).json()["data"] == BEA
        assert (await browser.get("/graphql", params={"query": WHO}, headers=headers)).json()["data"] == BEA
    kept = browser.cookies[COOKIE]
    response = await post(browser, SIGN_OUT, CSRF)
    assert response.json()["data"]["signOut"]["errors"] == []
    assert "max-age=0" in response.headers["set-cookie"].lower()
    assert COOKIE not in browser.cookies
    old = CSRF | {"cookie": f"{COOKIE}={kept}"}
    assert (await post(browser, WHO, old)).json()["data"] == {"viewer": None}


async def test_a_cookie_is_nobody_at_another_portal(world: World, browser: httpx.AsyncClient) -> None:
    await sign_in(browser, CSRF)
    elsewhere = await world.portal()
    session = CSRF | {"cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
    response = await browser.post(
        f"https://{elsewhere.slug}.localhost/graphql", json={"query": WHO}, headers=session
    )
    assert response.json()["data"] == {"viewer": None}


@pytest.mark.parametrize("cookie", ["", "x", '"x"', "a" * 4_000, "\xff", "a=b=c"])
async def test_a_cookie_that_is_no_session_is_nobody(browser: httpx.AsyncClient, cookie: str) -> None:
    response = await browser.post(
        "/graphql",
        json={"query": WHO},
        headers={b"x-kontor-csrf": b"1", b"cookie": f"{COOKIE}={cookie}".encode("latin-1")},
    )
    assert response.json()["data"] == {"viewer": None}


async def test_a_token_in_the_header_needs_no_other_header(
    portal: Portal, at: At, browser: httpx.AsyncClient
) -> None:
    bea = await at(portal).sign_in("bea")
    await sign_in(browser, CSRF)
    foreign = {"authorization": f"Bearer {bea.token}", "origin": "https://evil.example"}
    assert (await post(browser, WHO, foreign)).json()["data"] == BEA


async def test_no_other_origin_is_allowed_to_read_answers(browser: httpx.AsyncClient, origin: str) -> None:
    for method in ("OPTIONS", "POST", "GET"):
        asked = {
            "origin": "https://evil.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "x-kontor-csrf",
        }
        response = await browser.request(method, "/graphql", json={"query": WHO}, headers=asked)
        assert [name for name in response.headers if name.startswith("access-control")] == []
