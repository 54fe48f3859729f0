"""Whoever may ask: somebody to whom every place of the schema is open that is open to anybody."""

from typing import Any

import httpx

from tests.client import Client
from tests.conftest import At
from tests.tenants.questions import Question
from tests.tenants.test_isolation import REFUSED, Town

# What ends the asker's session or closes the portal: it is asked by the owner, and better last.
LAST = ("accountDeactivate", "accountResetAccess", "passwordChange", "portalUpdate", "sessionRevoke", "staff")


class Asker:
    """A buyer, and where that may not, the owner; who was signed out signs in again."""

    def __init__(self, town: Town, at: At) -> None:
        self._town, self._at = town, at
        self._clients: dict[str, Client] = {}

    async def ask(self, question: Question, value: Any) -> dict[str, Any]:
        """What is answered to whoever may ask. It is GraphQL, and no fault of ours."""
        answer: dict[str, Any] = {}
        for persona in ("owner",) if question.field.startswith(LAST) else ("buyer", "owner"):
            variables = question.variables(value, self._town.required(persona))
            response = await self._post(persona, question, variables)
            assert response.status_code in (200, 400), (str(question), value, response.text)
            assert b"INTERNAL_SERVER_ERROR" not in response.content, (str(question), value)
            answer = response.json()
            if not any(code in response.content for code in REFUSED):
                break
        return answer

    async def _post(self, persona: str, question: Question, variables: dict[str, Any]) -> httpx.Response:
        if persona in self._clients:
            response = await self._clients[persona].post(question.document, variables)
            if b"UNAUTHENTICATED" not in response.content:
                return response
        self._clients[persona] = await self._at(self._town.a).sign_in(persona)
        return await self._clients[persona].post(question.document, variables)


def done(answer: dict[str, Any], field: str) -> bool:
    """Whether what was asked was done."""
    found = (answer.get("data") or {}).get(field)
    return "errors" not in answer and not (isinstance(found, dict) and found.get("errors"))
