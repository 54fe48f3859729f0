"""Chains: what is next to a document, an order, a request or a payment, as far as the viewer may see it."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

import db
from execution.levels import level
from resolvers import nodes
from resolvers.context import Context

_PLACES = {name: place for place, name in enumerate(db.chains.TYPES)}


@level
async def related(roots: Sequence[Any], context: Context) -> list[list[Any]]:
    """The neighbours of each in the chain, in its order and then by number."""
    linked = await context.load_lists(db.chains.links_of, [root.id for root in roots])
    found = iter(
        await nodes.load_any(context, [(link.type, link.far_id) for links in linked for link in links])
    )
    return [_in_order(islice(found, len(links))) for links in linked]


def _in_order(rows: Iterable[Any]) -> list[Any]:
    there = [row for row in rows if row is not None]
    return sorted(there, key=lambda row: (_PLACES[type(row).__name__], row.number or ""))
