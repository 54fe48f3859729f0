"""Jobs: what a worker has at hand when it does one."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

from resolvers.context import Facilities
from server.outgoing import Outgoing
from server.settings import Settings


@dataclass(slots=True, frozen=True)
class Tools:
    """What every job of this process shares. `facilities.database` is the worker's own pool."""

    settings: Settings
    facilities: Facilities
    outgoing: Outgoing
    stop: asyncio.Event = field(default_factory=asyncio.Event)  # set when no job is to begin anything more


# Does a job for an object of a tenant; it may be called again for what it has done. Raises db.workers.Later.
Handler: TypeAlias = Callable[[Tools, UUID, UUID], Awaitable[None]]
