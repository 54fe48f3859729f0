"""Subscriptions: an event is an id; what of it a subscriber gets, it reads under its own rights."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any
from uuid import UUID

import db
from db.failures import Contended, TooSlow, Unavailable
from resolvers.context import Context
from resolvers.nodes import NODES
from rules.permissions import MissingPermission, Permission

# A database that cannot be asked is asked again; the event is kept meanwhile.
_PAUSE_SECONDS = 1.0
# What can be watched: what has an id, and documents whatever their kind.
_WATCHED = {**NODES, "SupplierDocument": (db.documents.by_ids, Permission.DOCUMENTS_READ)}


async def changes(
    context: Context,
    type_name: str,
    key: UUID | None,
    *,
    accepts: Callable[[Any], bool] = lambda _row: True,
) -> AsyncGenerator[Any, None]:
    """The objects of a type, or the one with the key, whenever they change, as far as the viewer may see them and
    they are accepted.

    Between `yield` and the next step the event's snapshot is open, for what the operation selects. Ends by
    raising: Unauthenticated or MissingPermission as soon as an event or the regular look finds the session or
    its rights gone, and what the watch was ended with.
    """
    watches = context.facilities.watches
    session_id = context.signed_in.session_id
    async with watches.watch(context.tenant_id, session_id, type_name, key) as watch:
        try:
            while True:
                changed = await watch.next(watches.bounds.check_seconds)
                try:
                    row = await _seen(context, type_name, changed)
                except (Unavailable, TooSlow, Contended):
                    await context.rest()
                    if changed is not None:
                        watch.hear(type_name, changed)
                    await asyncio.sleep(_PAUSE_SECONDS)
                    continue
                if row is not None and accepts(row):
                    yield row
                await context.rest()
        finally:
            await context.rest()


async def _seen(context: Context, type_name: str, changed: UUID | None) -> Any:
    """The object as the viewer may see it now, or None. Raises Unauthenticated and MissingPermission.

    Without an object it only looks whether the viewer still may watch.
    """
    read, needed = _WATCHED[type_name]
    await context.wake()
    viewer = context.signed_in
    if needed is not None and needed not in viewer.permissions:
        raise MissingPermission(permissions=(needed,))
    return None if changed is None else await context.load(read, changed)
