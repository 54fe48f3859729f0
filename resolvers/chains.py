"""Chains: what is next to a document, an order, a request or a payment, as far as the viewer may see it."""

import asyncio
from typing import Any

import strawberry

import db
from resolvers import nodes
from resolvers.context import Context, Info
from rules.permissions import Permission

_DOCUMENTS = frozenset(kind.row.__name__ for kind in db.documents.KINDS)
_PLACES = {name: place for place, name in enumerate(db.chains.TYPES)}


async def related(root: strawberry.Parent[Any], info: Info) -> list[Any]:
    """The neighbours in the chain, in its order and then by number."""
    links = await info.context.load_list(db.chains.links_of, root.id)
    found = await asyncio.gather(*(_seen(info.context, each) for each in links))
    return sorted(
        (each for each in found if each is not None),
        key=lambda each: (_PLACES[type(each).__name__], each.number or ""),
    )


async def _seen(context: Context, link: db.chains.Link) -> Any:
    """What a link leads to, or None. Documents of all kinds are read with one statement."""
    if link.type not in _DOCUMENTS:
        return await nodes.load(context, link.type, link.far_id)
    if Permission.DOCUMENTS_READ not in context.signed_in.permissions:
        return None
    return await context.load(db.documents.by_ids, link.far_id)
