"""Budgets: how much may be asked for in a time, as token buckets; a token is a unit of what operations cost."""

import math
from dataclasses import dataclass

from rules.broken import BrokenRule


@dataclass(frozen=True, slots=True)
class Budget:
    """So many units at once, and so many more every second."""

    units: int
    per_second: int

    def seconds_for(self, units: float) -> int:
        """After how many whole seconds so many units have come back: at least one."""
        return max(1, math.ceil(units / self.per_second))

    def takes(self, cost: int) -> int:
        """What an operation takes: all that there can be, where it costs more. So nothing is refused for ever."""
        return min(cost, self.units)


@dataclass(eq=False, kw_only=True)
class RateLimited(BrokenRule):
    """More was asked for than the budget of the viewer or of the portal holds at this moment."""

    english = "This is more than may be asked for in so short a time. Try again in {retry_after} seconds."
    german = "Das ist mehr, als in so kurzer Zeit abgefragt werden darf. Versuchen Sie es in {retry_after} Sekunden wieder."

    retry_after: int
