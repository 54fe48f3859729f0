"""Turns: how much of what takes long one session does at once."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from rules.broken import BrokenRule
from tenants.counts import counted


class Turns:
    """Counts by session; whoever waits counts too, or one session's requests would keep all others waiting."""

    def __init__(self, most: int, refusal: Callable[[], BrokenRule]) -> None:
        self._most, self._refusal = most, refusal
        self._by_session: Counter[UUID] = Counter()

    @contextmanager
    def one(self, session_id: UUID) -> Iterator[None]:
        """One more as long as the block lasts. Raises the refusal when that is one too many."""
        if self._by_session[session_id] >= self._most:
            raise self._refusal()
        with counted(self._by_session, session_id):
            yield
