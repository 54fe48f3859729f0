"""Nodes: any object by its global id, as far as the viewer may see it."""

import asyncio
import base64
import binascii
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import strawberry

import db
from execution.levels import level
from resolvers.context import BatchedRead, Context, Info
from resolvers.loaders import dealt
from resolvers.relations import Relation
from rules.broken import BrokenRules, InvalidInput, NotFound
from rules.permissions import Permission

# An object by its type and key.
Named: TypeAlias = tuple[str, UUID]

# The types that have a global id: how they are read, and what that needs.
NODES: dict[str, tuple[BatchedRead[UUID, Any], Permission | None]] = {
    "AccessGroup": (db.access_groups.by_ids, None),
    "Account": (db.accounts.by_ids, None),
    "Attachment": (db.attachments.by_ids, None),
    "Attribute": (db.attributes.by_ids, Permission.PRODUCTS_READ),
    "AuditEntry": (db.audit.by_ids, Permission.AUDIT_READ),
    "Cart": (db.carts.by_ids, Permission.ORDERS_PLACE),
    "Category": (db.categories.by_ids, Permission.PRODUCTS_READ),
    "ContactChange": (db.contact_changes.by_ids, Permission.CONTACTS_READ),
    "Customer": (db.customers.by_ids, None),
    "CreditNote": (db.credit_notes.by_ids, Permission.DOCUMENTS_READ),
    "DocumentDraft": (db.document_drafts.by_ids, Permission.INVOICES_WRITE),
    "GoodsIssue": (db.goods_issues.by_ids, Permission.DOCUMENTS_READ),
    "GoodsReturn": (db.goods_returns.by_ids, Permission.DOCUMENTS_READ),
    "Invoice": (db.invoices.by_ids, Permission.DOCUMENTS_READ),
    "LifecycleStatus": (db.lifecycle_statuses.by_ids, None),
    "Notice": (db.notices.by_ids, Permission.NOTICES_READ),
    "Order": (db.orders.by_ids, Permission.ORDERS_READ),
    "Payment": (db.payments.by_ids, Permission.BALANCES_READ),
    "Portal": (db.portals.by_ids, None),
    "Product": (db.products.by_ids, Permission.PRODUCTS_READ),
    "Profile": (db.profiles.visible_to, Permission.ACCESS_READ),
    "Quotation": (db.quotations.by_ids, Permission.DOCUMENTS_READ),
    "RMARequest": (db.rma_requests.by_ids, Permission.RMA_REQUESTS_READ),
    "ReconciliationStatement": (db.reconciliation_statements.by_ids, Permission.DOCUMENTS_READ),
    "Session": (db.sessions.by_ids, None),
    "SharedFile": (db.files.by_ids, Permission.FILES_READ),
    "StaffMember": (db.staff_members.by_ids, None),
    "Supplier": (db.suppliers.by_ids, Permission.SUPPLIER_READ),
    "SupportMessage": (db.ticket_messages.by_ids, Permission.TICKETS_READ),
    "SupportTicket": (db.tickets.by_ids, Permission.TICKETS_READ),
    "TaxInvoice": (db.tax_invoices.by_ids, Permission.DOCUMENTS_READ),
    "TrustedDocument": (db.trusted_documents.by_ids, Permission.TRUSTED_DOCUMENTS_READ),
    "Upload": (db.uploads.by_ids, Permission.UPLOADS_WRITE),
    "Warehouse": (db.warehouses.by_ids, Permission.PRODUCTS_READ),
    "Webhook": (db.webhooks.by_ids, Permission.WEBHOOKS_READ),
    "WebhookDelivery": (db.webhook_deliveries.by_ids, Permission.WEBHOOKS_READ),
}

_DOCUMENTS = frozenset(kind.row.__name__ for kind in db.documents.KINDS)

_NODES_MOST = 100

# A key that no object has.
NOTHING = UUID(int=0)


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


def key_or_nothing(id: str | None, type_name: str) -> UUID | None:
    """The key that a filter names: None when it names nothing; one that nothing has when the id is none of
    the type, so that it finds as much as an id that never existed."""
    return None if id is None else key_of(str(id), type_name) or NOTHING


async def load(context: Context, type_name: str, key: UUID) -> Any:
    """The object, or None when the viewer may not see it or it does not exist: which, is not told."""
    read, needed = NODES[type_name]
    if needed is not None and needed not in context.signed_in.permissions:
        return None
    return await context.load(read, key)


async def load_level(context: Context, type_name: str, keys: Sequence[UUID | None]) -> list[Any]:
    """The objects of one type, in the order of their keys; None for None, and where `load` gives None."""
    read, needed = NODES[type_name]
    if needed is not None and needed not in context.signed_in.permissions:
        return [None] * len(keys)
    return await context.load_level(read, keys)


async def load_lists(context: Context, type_name: str, lists: Sequence[Sequence[UUID]]) -> list[list[Any]]:
    """The objects of one type in many lists of keys, without those that `load` does not give."""
    return dealt(await load_level(context, type_name, [key for keys in lists for key in keys]), lists)


async def load_any(context: Context, named: Sequence[Named | None]) -> list[Any]:
    """The same of objects of many types: one read a type, and one for documents of all kinds. None also for what is of
    no type that can be read."""
    reads = {type_name: _read_of(context, type_name) for type_name in {each[0] for each in named if each}}
    return await context.load_any(
        [(read, each[1]) if each and (read := reads[each[0]]) else None for each in named]
    )


def _read_of(context: Context, type_name: str) -> BatchedRead[UUID, Any] | None:
    read, needed = NODES.get(type_name, (None, None))
    if needed is not None and needed not in context.signed_in.permissions:
        return None
    return db.documents.by_ids if type_name in _DOCUMENTS else read


def relation(type_name: str, key: str | Callable[[Any], UUID | None]) -> Relation:
    """The one object of a type that an object leads to, like resolvers.relations.relation: None also for whoever may
    not read the type."""
    key_of = attrgetter(key) if isinstance(key, str) else key

    async def answers(roots: Sequence[Any], context: Context) -> list[Any]:
        return await load_level(context, type_name, [key_of(root) for root in roots])

    return level(answers)


def relation_to_any(named: Callable[[Any], Named | None]) -> Relation:
    """The same of an object of any type."""

    async def answers(roots: Sequence[Any], context: Context) -> list[Any]:
        return await load_any(context, [named(root) for root in roots])

    return level(answers)


async def by_global_id(context: Context, id: str, *types: str) -> Any:
    """The object behind a global id, of one of the types if any are named, or None."""
    found = parsed(id, *types)
    return await load(context, *found) if found else None


async def by_one_of(
    context: Context, type_name: str, id: str | None, read: BatchedRead[str, Any], name: str | None
) -> Any:
    """The object behind a global id, or the one that `read` finds by its name (a number, a code), or None. Raises
    InvalidInput when not exactly one of both is said."""
    if (id is None) == (name is None):
        raise InvalidInput(path=("id",))
    if name is not None:
        return await context.load(read, name)
    return await by_global_id(context, str(id), type_name)


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


async def found(context: Context, id: str, type_name: str, *path: str) -> Any:
    """The object of one type that an input names. Raises NotFound when the viewer may not see it."""
    there = await by_global_id(context, id, type_name)
    if there is None:
        raise NotFound(path=path)
    return there


async def found_keys(context: Context, ids: Sequence[str], type_name: str, *path: str) -> list[UUID]:
    """The keys of objects that an input lists, each once. Raises BrokenRules, NotFound for each that is not
    there."""
    every = await asyncio.gather(*(by_global_id(context, each, type_name) for each in ids))
    missing = [NotFound(path=(*path, str(index))) for index, each in enumerate(every) if each is None]
    if missing:
        raise BrokenRules(missing)
    return list(dict.fromkeys(each.id for each in every))


def id_of(root: strawberry.Parent[Any]) -> strawberry.ID:
    """Node.id."""
    return strawberry.ID(global_id(type(root).__name__, root.id))
