"""Jobs: what a worker has at hand when it does one."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from resolvers.context import Facilities
from server.settings import Settings


@dataclass(slots=True, frozen=True)
class Tools:
    """What every job of this process shares. `facilities.database` is the worker's own pool."""

    settings: Settings
    facilities: Facilities


# Does a job for an object of a tenant; it may be called again for what it has done. Raises db.workers.Later.
Handler: TypeAlias = Callable[[Tools, UUID, UUID], Awaitable[None]]
