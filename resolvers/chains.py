"""Chains: what is next to a document, an order, a request or a payment, as far as the viewer may see it."""

from collections.abc import Sequence
from typing import Any

import db
from execution.levels import level
from resolvers import nodes
from resolvers.context import Context
from resolvers.loaders import dealt

_PLACES = {name: place for place, name in enumerate(db.chains.TYPES)}


@level
async def related(roots: Sequence[Any], context: Context) -> list[list[Any]]:
    """The neighbours in the chain, in its order and then by number."""
    links = await context.load_lists(db.chains.links_of, [root.id for root in roots])
    found = await nodes.load_any(context, [(each.type, each.far_id) for far in links for each in far])
    return [sorted(rows, key=_place) for rows in dealt(found, links)]


def _place(row: Any) -> tuple[int, str]:
    return _PLACES[type(row).__name__], row.number or ""
