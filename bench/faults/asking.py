"""Asking: a client that takes note of whatever comes, an error, a cut or silence."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from bench.faults.servers import Serving
from bench.peers.data import Buyer, Portal

ADD = """mutation($sku: String!) { cartAddItems(input: {items: [{sku: $sku, quantity: "1"}]}) { errors { code } } }"""
PLACE = """mutation($key: String) { orderPlace(input: {idempotencyKey: $key}) { orders { number } errors { code } } }"""
READ = "{ orders(first: 1) { nodes { number } } }"
ORDER = """mutation($sku: String!, $add: String, $place: String) {
  cartAddItems(input: {items: [{sku: $sku, quantity: "1"}], idempotencyKey: $add}) { errors { code } }
  orderPlace(input: {idempotencyKey: $place}) { orders { number } errors { code } } }"""
NO_ANSWER = 0
_PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, NO_ANSWER when the connection broke; and after how many seconds."""

    status: int
    seconds: float
    body: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    retry_after: str | None = None

    @property
    def codes(self) -> list[str]:
        """The codes of errors, of mutations too."""
        found = [each["extensions"]["code"] for each in self.body.get("errors", [])]
        for payload in (self.body.get("data") or {}).values():
            if isinstance(payload, dict):
                found += [each["code"] for each in payload.get("errors", [])]
        return found

    @property
    def right(self) -> bool:
        """Whether it is what was asked for, and nothing went wrong."""
        return self.status == 200 and not self.codes

    @property
    def refused_cleanly(self) -> bool:
        """Whether it says 503, in GraphQL's form, with a code and when to come again."""
        return self.status == 503 and bool(self.codes) and self.retry_after is not None

    @property
    def number(self) -> str | None:
        """The number of the order that was placed."""
        placed = (self.body.get("data") or {}).get("orderPlace") or {}
        orders = placed.get("orders") or []
        return orders[0]["number"] if orders else None


@dataclass(slots=True)
class Client:
    """Somebody with a token at a portal of a server."""

    http: httpx.AsyncClient
    url: str
    token: str

    async def ask(self, query: str = READ, **variables: Any) -> Answer:
        """Ask, and take whatever comes."""
        started = time.perf_counter()
        headers = {"authorization": f"Bearer {self.token}"}
        try:
            got = await self.http.post(
                self.url, json={"query": query, "variables": variables}, headers=headers
            )
        except (httpx.HTTPError, OSError):
            return Answer(NO_ANSWER, time.perf_counter() - started)
        seconds = time.perf_counter() - started
        try:
            body = got.json()
        except ValueError:
            body = {}
        return Answer(got.status_code, seconds, body, got.text, got.headers.get("retry-after"))

    async def order(self, sku: str, key: str | None = None) -> Answer:
        """Order one piece of a product: into the cart, and the cart placed. The same key repeats both."""
        return await self.ask(ORDER, sku=sku, add=key and f"{key}-add", place=key)

    async def place(self, key: str) -> Answer:
        """Place the cart under a key."""
        return await self.ask(PLACE, key=key)

    async def until_right(self, query: str = READ, *, seconds: float = 30) -> float:
        """Ask until the answer is right; after how many seconds it was. Raises TimeoutError."""
        started = time.perf_counter()
        async with asyncio.timeout(seconds):
            while not (await self.ask(query)).right:  # noqa: ASYNC110  (nobody tells)
                await asyncio.sleep(0.05)
        return time.perf_counter() - started


def asking(
    serving: Serving, portal: Portal, buyer: Buyer | None = None
) -> AbstractAsyncContextManager[Client]:
    """A client of a server: whoever looks at the portal, or one of its buyers."""
    return client(serving.url(portal), buyer.token if buyer else portal.token)


@asynccontextmanager
async def client(url: str, token: str) -> AsyncIterator[Client]:
    """Somebody with a token at an address."""
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
    async with httpx.AsyncClient(timeout=_PATIENCE_SECONDS, limits=limits, trust_env=False) as http:
        yield Client(http, url, token)


def sku(number: int) -> str:
    """The SKU of the number-th product of a portal, from 1 on."""
    return f"SKU-{number:05}"
