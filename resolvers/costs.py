"""Costs: what an operation costs is paid before it runs, and told with its answer."""

import asyncio
import random
from collections.abc import Awaitable
from typing import Any, TypeVar
from uuid import UUID

from db.failures import Contended, Crowded, TooSlow, Unavailable
from rules.budgets import RateLimited
from rules.viewers import Viewer
from tenants.budgets import Balance, Budgets

Result = TypeVar("Result")

_REFUSAL_SECONDS = (0.25, 0.75)


async def slow_down() -> None:
    """Called before a refusal is told: who asks again at once, whatever is answered, is kept waiting instead of keeping
    others. Not all as long: they would come back together."""
    await asyncio.sleep(random.uniform(*_REFUSAL_SECONDS))  # noqa: S311  (no secret)


async def unhurried(waiting: Awaitable[Result]) -> Result:
    """What is waited for; a refusal because somebody asks for too much is raised a moment later."""
    try:
        return await waiting
    except (RateLimited, Crowded):
        await slow_down()
        raise


class Costs:
    """What one operation costs. `free`: it is ours, and nobody pays for it."""

    def __init__(
        self, budgets: Budgets, tenant_id: UUID, *, token: str | None, address: str, free: bool
    ) -> None:
        self._budgets = budgets
        self._tenant_id = tenant_id
        self._token = token
        self._holder = None if free else budgets.holder(tenant_id, token, address)
        self._at_once = False
        self.requested = 0
        self.balance: Balance | None = (
            None  # the viewer's after it was paid; None: nobody's, or nobody could ask
        )

    async def spend(self, cost: int, *, besides: bool = False) -> None:
        """Take what an operation costs, or something costs besides, from the budgets of the viewer and of the portal.
        Raises RateLimited, mostly a moment later."""
        if not besides:
            self.requested = cost
        if self._holder is None:
            return
        try:
            spending = self._budgets.spend(self._tenant_id, self._holder, cost)
            await (spending if self._at_once else unhurried(spending))
        finally:
            self.balance = self._budgets.balance(self._tenant_id, self._holder)

    def refuse_at_once(self) -> None:
        """From here on others wait for what this operation holds: a refusal is not to be told later. Whoever asks again
        has to have paid for something that comes before."""
        self._at_once = True

    async def pay(self, cost: int) -> None:
        """The same for what is told already: waits until it can be paid. Nobody pays while the database is away."""
        while True:
            try:
                return await self.spend(cost)
            except RateLimited as refused:
                await asyncio.sleep(refused.retry_after)
            except (Unavailable, TooSlow, Contended):
                return None

    def recognized(self, viewer: Viewer | None) -> None:
        """Whose the token is was read: who pays for the next operation with it."""
        if self._token is not None:
            self._budgets.recognized(self._tenant_id, self._token, viewer)

    @property
    def of_portal(self) -> Balance | None:
        """What the portal has left."""
        return self._budgets.balance_of_portal(self._tenant_id)

    def told(self) -> dict[str, Any]:
        """What the extensions of the answer say: what it cost, and what is left of the viewer's budget."""
        balance = self.balance
        if balance is None:
            return {"requested": self.requested, "limit": None, "remaining": None, "resetAt": None}
        return {
            "requested": self.requested,
            "limit": balance.limit,
            "remaining": balance.remaining,
            "resetAt": balance.reset_at.isoformat().replace("+00:00", "Z"),
        }
