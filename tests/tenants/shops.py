"""A small shop whose access groups restrict it: five products, a tree of categories, two warehouses."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias
from uuid import UUID

import uuid_utils.compat as uuid

import db
from db.categories import categories
from resolvers.nodes import global_id
from rules.permissions import BuiltInProfile
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from tests.client import Client
from tests.world import Portal, World, put

# How a group restricts one kind: the mode, and the codes or SKUs that it lists.
Listing: TypeAlias = tuple[RestrictionMode, tuple[str, ...]]

# all > mugs > blue, all > bowls. A loose product hangs nowhere.
TREE = {"all": None, "mugs": "all", "blue": "mugs", "bowls": "all"}
CATEGORY_OF = {"BLUE": "blue", "BOWL": "bowls", "LOOSE": None, "MUG": "mugs", "WASH": "mugs"}
EVERYTHING = sorted(CATEGORY_OF)
STOCK = {"W1": "5", "W2": "7"}


def only(*listed: str) -> Listing:
    """All is denied but this."""
    return RestrictionMode.DENY_EXCEPT, listed


def but(*listed: str) -> Listing:
    """All is allowed but this."""
    return RestrictionMode.ALLOW_EXCEPT, listed


@dataclass
class Shop:
    """A portal, its categories by code, and groups by name."""

    portal: Portal
    categories: dict[str, UUID]
    groups: dict[str, UUID] = field(default_factory=dict)

    async def group(
        self,
        name: str,
        *members: UUID,
        profile: BuiltInProfile = BuiltInProfile.BUYER,
        ends_on: date | None = None,
        **listings: Listing,
    ) -> UUID:
        """A group that restricts `category`, `product` and `warehouse`, each by a Listing."""
        modes, lists = self._restrictions(listings)
        self.groups[name] = await self.portal.group(
            name, *members, profile=profile, modes=modes, lists=lists, ends_on=ends_on
        )
        return self.groups[name]

    async def restrict(self, name: str, **listings: Listing) -> None:
        """Restrict a group like this from now on."""
        async with self.portal.writing() as connection:
            await db.access_groups.restrict(connection, self.groups[name], *self._restrictions(listings))

    async def permit(self, name: str, *permissions: str) -> None:
        """Let a group permit this and nothing else, by a profile of the company's own."""
        async with self.portal.writing() as connection:
            profile_id = uuid.uuid7()
            await db.profiles.add(connection, id=profile_id, name=f"Of {name}", permissions=permissions)
            await connection.fetch_text(
                "update access_groups set profile_id = $1 where id = $2", profile_id, self.groups[name]
            )

    def _restrictions(self, listings: dict[str, Listing]) -> tuple[Modes, dict[RestrictionKind, list[Any]]]:
        keys = {
            "category": (RestrictionKind.PRODUCT_CATEGORY, self.categories),
            "product": (RestrictionKind.PRODUCT, self.portal.products),
            "warehouse": (RestrictionKind.WAREHOUSE, self.portal.warehouse_ids),
        }
        lists: dict[RestrictionKind, list[Any]] = {kind: [] for kind, _ in keys.values()}
        for name, (_, listed) in listings.items():
            kind, ids = keys[name]
            lists[kind] = [ids[each] for each in listed]
        return Modes(**{name: mode for name, (mode, _) in listings.items()}), lists

    def id_of(self, name: str) -> str:
        """The global id of a product, category or warehouse."""
        for type_name, ids in (
            ("Product", self.portal.products),
            ("Category", self.categories),
            ("Warehouse", self.portal.warehouse_ids),
        ):
            if name in ids:
                return global_id(type_name, ids[name])
        raise KeyError(name)


async def open_shop(world: World) -> Shop:
    """A shop of its own, with every kind of restriction in force."""
    portal = await world.portal()
    ids = {"all": portal.category_id}
    async with portal.writing() as connection:
        for code, parent in TREE.items():
            if parent is not None:
                ids[code] = await put(
                    connection, categories, code=code, name=code.title(), parent_id=ids[parent]
                )
    for sku, category in CATEGORY_OF.items():
        kind = "SERVICE" if sku == "WASH" else "GOODS"
        await portal.product(sku, stock_at=STOCK, kind=kind, category_id=ids[category or "all"])
    async with portal.writing() as connection:
        await connection.fetch_text("update products set category_id = null where sku = 'LOOSE'")
    await portal.enforce(*RestrictionKind)
    return Shop(portal, ids)


SKUS = "query($filter: ProductFilter) { products(filter: $filter) { totalCount nodes { sku } } }"
ADD = """mutation($input: CartAddItemsInput!) { cartAddItems(input: $input) {
  cart { items { id sku } } errors { code path message } } }"""


async def skus(client: Client, **filters: Any) -> list[str]:
    """What somebody finds among the products."""
    found = (await client.ask(SKUS, filter=filters))["products"]
    assert found["totalCount"] == len(found["nodes"])
    return [each["sku"] for each in found["nodes"]]


async def add(client: Client, *lines: dict[str, str]) -> dict[str, Any]:
    """Put lines into the cart, one piece each."""
    items = [{"quantity": "1"} | line for line in lines]
    answer: dict[str, Any] = (await client.ask(ADD, input={"items": items}))["cartAddItems"]
    return answer


def broken(payload: dict[str, Any]) -> list[tuple[str, Sequence[str]]]:
    """The codes and paths of a payload's errors."""
    return [(each["code"], each["path"]) for each in payload["errors"]]
