"""Pace: what is computed in a thread beside the event loop rests, so that the loop has the core for most of the time."""

import time

_REST = 5.0
_SLICE_SECONDS = 0.0005


class Pace:
    """Work that rests for so many times as long as it worked: two threads that compute have half of a core each, and then
    whoever asks for little waits twice as long."""

    def __init__(self) -> None:
        self._since = time.thread_time()
        self._ended = False

    def rest(self) -> None:
        """Rest for what was done since it began or rested last."""
        worked = time.thread_time() - self._since  # without what it waited for others
        time.sleep(_REST * worked)
        self._since = time.thread_time()

    def step(self) -> None:
        """To be called again and again: rest where there was enough of work by now."""
        if not self._ended and time.thread_time() - self._since > _SLICE_SECONDS:
            self.rest()

    def end(self) -> None:
        """No more rests: whoever calls on may do so on the event loop."""
        self._ended = True
