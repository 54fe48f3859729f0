"""Clocks that jump: line 44. A server's clock is moved by libfaketime, PostgreSQL keeps the true one."""

import asyncio
import glob
from importlib.util import find_spec
from pathlib import Path

from bench.faults import places
from bench.faults.asking import Answer, Client, asking, sku
from bench.faults.lines import Claims, Skipped, line
from bench.faults.places import Ground
from bench.faults.servers import serving

_JUMPS = ("+400d", "-400d", "+1h", "-1h", "+0")
_EXPIRED = (
    "update sessions set expires_at = now() - interval '1 second' where token_hash = sha256($1::text::bytea)"
)
_VALID = (
    "update sessions set expires_at = now() + interval '1 day' where token_hash = sha256($1::text::bytea)"
)


def _library() -> str:
    """libfaketime, from its package for Python or the system's. Raises Skipped."""
    found = find_spec("libfaketime")
    if found is not None and found.submodule_search_locations:
        for folder in found.submodule_search_locations:
            built = Path(folder, "vendor", "libfaketime", "src", "libfaketime.so.1")
            if built.exists():
                return str(built)
    for path in glob.glob("/usr/lib/*/faketime/libfaketime.so.1"):  # noqa: PTH207
        return path
    raise Skipped("there is no libfaketime here: pip install libfaketime")


@line(
    44,
    must="clock jumps: nothing crashes, sessions use the database's time",
    done=f"the clock of a server with its worker jumps by {', '.join(_JUMPS[:-1])} and back while it reads and orders",
)
async def clock_jumps(ground: Ground, claims: Claims) -> str:
    """Who is signed in is what PostgreSQL's clock says, whatever the server's shows."""
    place, portal = ground.place, ground.portal
    clock = place.home / "clock"
    clock.write_text("+0")
    around = {
        "LD_PRELOAD": _library(),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # no clock that jumps touches that one
    }
    answers: list[Answer] = []
    expired: list[Answer] = []
    async with (
        serving(place, {"worker": "true"}, around=around) as server,
        asking(server, portal) as viewer,
        asking(server, portal, portal.buyers[7]) as buyer,
    ):
        for jump in _JUMPS:
            clock.write_text(jump)
            answers += await asyncio.gather(*(viewer.ask() for _ in range(10)), buyer.order(sku(30)))
            expired.append(await _asked_expired(ground, viewer))
            await asyncio.sleep(1)  # the worker looks around
        alive, ready = server.alive, await server.at("/readyz")
        faults = [each for each in server.log.read_text().splitlines() if '"level":"error"' in each]
    claims.that(all(each.right for each in answers), "reads and orders work")
    claims.that(all(each.codes == ["UNAUTHENTICATED"] for each in expired), "an expired session is refused")
    claims.that(alive and ready == 200, "the server lives and is ready")
    claims.that(not faults, f"nothing is logged as a fault of ours ({faults[:1]})")
    right = sum(each.right for each in answers)
    return (
        f"{right} of {len(answers)} answered, {len(expired)} expired sessions refused, {len(faults)} faults"
    )


async def _asked_expired(ground: Ground, viewer: Client) -> Answer:
    """Ask while PostgreSQL says that the session has expired."""
    await places.asked(ground.place, _EXPIRED, viewer.token)
    try:
        return await viewer.ask()
    finally:
        await places.asked(ground.place, _VALID, viewer.token)
