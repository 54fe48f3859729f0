"""Nodes: any object by its global id, as far as the viewer may see it."""

import asyncio
import base64
import binascii
from typing import Annotated, Any
from uuid import UUID

import strawberry

import db
from resolvers.context import BatchedRead, Context, Info
from rules.broken import InvalidInput
from rules.permissions import Permission

# The types that have a global id: how they are read, and what that needs.
NODES: dict[str, tuple[BatchedRead[UUID, Any], Permission | None]] = {
    "AccessGroup": (db.access_groups.by_ids, None),
    "Account": (db.accounts.by_ids, None),
    "Cart": (db.carts.by_ids, Permission.ORDERS_PLACE),
    "Category": (db.categories.by_ids, Permission.PRODUCTS_READ),
    "Customer": (db.customers.by_ids, None),
    "Order": (db.orders.by_ids, Permission.ORDERS_READ),
    "Portal": (db.portals.by_ids, None),
    "Product": (db.products.by_ids, Permission.PRODUCTS_READ),
    "StaffMember": (db.staff_members.by_ids, None),
    "Warehouse": (db.warehouses.by_ids, Permission.PRODUCTS_READ),
}

_NODES_MOST = 100


def global_id(type_name: str, id: UUID) -> str:
    """The opaque id of an object: base64 of its type and key."""
    return base64.urlsafe_b64encode(f"{type_name}:{id}".encode()).decode()


def parsed(id: str, *types: str) -> tuple[str, UUID] | None:
    """The type and key in a global id; None when it is malformed or of none of the types asked for."""
    try:
        type_name, key = base64.b64decode(id, altchars=b"-_", validate=True).decode().split(":")
        found = type_name, UUID(key)
    except (binascii.Error, ValueError):
        return None
    wanted = types or tuple(NODES)
    return found if type_name in wanted and global_id(*found) == id else None


def key_of(id: str, type_name: str) -> UUID | None:
    """The key in a global id of one type; None for anything else."""
    found = parsed(id, type_name)
    return found[1] if found else None


async def load(context: Context, type_name: str, key: UUID) -> Any:
    """The object, or None when the viewer may not see it or it does not exist: which, is not told."""
    read, needed = NODES[type_name]
    if needed is not None and needed not in context.signed_in.permissions:
        return None
    return await context.load(read, key)


async def by_global_id(context: Context, id: str, *types: str) -> Any:
    """The object behind a global id, of one of the types if any are named, or None."""
    found = parsed(id, *types)
    return await load(context, *found) if found else None


NodeId = Annotated[strawberry.ID, strawberry.argument(description="A global id.")]
NodeIds = Annotated[list[strawberry.ID], strawberry.argument(description="Global ids, at most 100.")]


async def node(info: Info, id: NodeId) -> Any:
    """Query.node."""
    return await by_global_id(info.context, id)


async def many(info: Info, ids: NodeIds) -> list[Any]:
    """Query.nodes, in the order of the ids."""
    if len(ids) > _NODES_MOST:
        raise InvalidInput(path=("ids",))
    return list(await asyncio.gather(*(by_global_id(info.context, each) for each in ids)))


def id_of(root: strawberry.Parent[Any]) -> strawberry.ID:
    """Node.id."""
    return strawberry.ID(global_id(type(root).__name__, root.id))
