"""A GraphQL client that speaks HTTP to the real application, as somebody at one portal."""

import re
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.world import PASSWORD

_SIGN_IN = "mutation($input: SignInInput!) { signIn(input: $input) { token errors { code message } } }"

_VIEW_AS = """mutation($input: AccountViewAsInput!) { accountViewAs(input: $input) { token expiresAt account { id }
  errors { code message } } }"""

# What is left of the asker's own budget, and until when: less after each operation, whatever it was about.
_BUDGET = re.compile(rb'"remaining":\d+,"resetAt":"[^"]+"')


def answered(response: httpx.Response) -> bytes:
    """An answer, byte for byte but for what is left of the asker's budget."""
    return _BUDGET.sub(b"", response.content)


@dataclass
class Client:
    """Somebody's requests to a portal; `token` makes them somebody in particular."""

    http: httpx.AsyncClient
    slug: str
    token: str | None = None
    headers: dict[str, str] = field(default_factory=dict)

    async def post(self, query: str, variables: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
        """Send an operation as it is."""
        return await self.http.post(
            f"/portals/{self.slug}/graphql",
            json={"query": query, "variables": variables, **more},
            headers=self._headers(),
        )

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an operation that has to have no top-level errors."""
        body = (await self.post(query, variables)).json()
        assert "errors" not in body, body["errors"]
        data: dict[str, Any] = body["data"]
        return data

    async def refusal(self, query: str, **variables: Any) -> dict[str, Any]:
        """The one top-level error of an operation that has to have one."""
        body = (await self.post(query, variables)).json()
        assert len(body.get("errors", [])) == 1, body
        error: dict[str, Any] = body["errors"][0]
        return error

    async def sign_in(self, user_name: str, password: str = PASSWORD) -> "Client":
        """The same portal as somebody who has signed in."""
        answer = await self.ask(_SIGN_IN, input={"userName": user_name, "password": password})
        assert answer["signIn"]["errors"] == [], answer
        return Client(self.http, self.slug, answer["signIn"]["token"], dict(self.headers))

    async def view_as(self, account: str) -> "Client":
        """The same portal as this staff member sees it through the eyes of an account, by its global id."""
        answer = (await self.ask(_VIEW_AS, input={"account": account}))["accountViewAs"]
        assert answer["errors"] == [], answer
        assert answer["account"]["id"] == account
        return Client(self.http, self.slug, answer["token"])

    def _headers(self) -> dict[str, str]:
        accept = {"accept": "application/graphql-response+json"}
        session = {"authorization": f"Bearer {self.token}"} if self.token else {}
        return accept | session | self.headers
