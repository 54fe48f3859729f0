"""The event loop of our processes: uvloop's, with which a request costs some hundredths less."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

Result = TypeVar("Result")


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Like asyncio.run, on that loop. uvicorn takes it by itself only where it makes the loop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
