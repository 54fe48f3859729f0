"""Chains: what is next to a document, an order, a request or a payment, as far as the viewer may see it."""

import asyncio
from typing import Any

import strawberry

import db
from resolvers import nodes
from resolvers.context import Info

_PLACES = {name: place for place, name in enumerate(db.chains.TYPES)}


async def related(root: strawberry.Parent[Any], info: Info) -> list[Any]:
    """The neighbours in the chain, in its order and then by number."""
    links = await info.context.load_list(db.chains.links_of, root.id)
    found = await asyncio.gather(*(nodes.load_any(info.context, each.type, each.far_id) for each in links))
    return sorted(
        (each for each in found if each is not None),
        key=lambda each: (_PLACES[type(each).__name__], each.number or ""),
    )
