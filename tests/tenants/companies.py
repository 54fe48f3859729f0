"""Random companies whose access groups restrict them, and a model of them in plain Python."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

import uuid_utils.compat as uuid

import db
from db.access_groups import access_group_members
from db.carts import cart_items, carts
from db.categories import categories
from db.profiles import built_in
from db.warehouses import warehouses
from resolvers.nodes import global_id
from rules.permissions import BuiltInProfile
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from tests.world import Portal, World, put

MOST_GROUPS = 4


@dataclass
class Group:
    """What a group's profile permits, and the mode and the listed values of each kind that it restricts."""

    name: str
    profile: BuiltInProfile | None
    restrictions: dict[RestrictionKind, tuple[RestrictionMode, set[str]]]

    @property
    def reads(self) -> bool:
        return self.profile is not None

    @property
    def orders(self) -> bool:
        return self.profile in (BuiltInProfile.CUSTOMER, BuiltInProfile.BUYER)


@dataclass
class Model:
    """A company as it is, and the groups of its one account today."""

    parents: dict[str, str | None]
    category_of: dict[str, str | None]
    services: set[str]
    on_hand: dict[tuple[str, str], int]
    reserved: dict[tuple[str, str], int] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    in_force: list[RestrictionKind] = field(default_factory=list)

    def path(self, category: str | None) -> list[str]:
        return [] if category is None else [category, *self.path(self.parents[category])]

    def passes(self, group: Group, kind: RestrictionKind, *values: str) -> bool:
        if kind not in self.in_force or kind not in group.restrictions:
            return True
        mode, listed = group.restrictions[kind]
        return bool(listed & set(values)) == (mode is RestrictionMode.DENY_EXCEPT)

    def category(self, group: Group, code: str) -> bool:
        return self.passes(group, RestrictionKind.PRODUCT_CATEGORY, *self.path(code))

    def warehouse(self, group: Group, code: str) -> bool:
        return self.passes(group, RestrictionKind.WAREHOUSE, code)

    def product(self, group: Group, sku: str) -> bool:
        return self.passes(
            group, RestrictionKind.PRODUCT_CATEGORY, *self.path(self.category_of[sku])
        ) and self.passes(group, RestrictionKind.PRODUCT, sku)

    def seen(self, allows: Callable[[Group, str], bool], names: Iterable[str]) -> list[str]:
        return sorted(each for each in names if any(g.reads and allows(g, each) for g in self.groups))

    def may_order(self, sku: str) -> bool:
        return any(group.orders and self.product(group, sku) for group in self.groups)

    def levels(self, sku: str, *, to_order: bool) -> dict[str, tuple[int, int, int]]:
        """By warehouse: on hand, reserved, available; as far as one group allows both product and warehouse."""
        return {
            code: (there, held, there - held)
            for (each, code), there in sorted(self.on_hand.items())
            for held in [self.reserved.get((sku, code), 0)]
            if each == sku
            and any(
                (group.orders if to_order else group.reads)
                and self.product(group, sku)
                and self.warehouse(group, code)
                for group in self.groups
            )
        }

    def line(self, sku: str, quantity: int, chosen: str | None) -> tuple[str | None, str | None]:
        """From which warehouse a line of the cart would ship, and what stands in its way."""
        if not self.may_order(sku):
            return None, "PRODUCT_UNAVAILABLE"
        if sku in self.services:
            return None, None
        free = {code: available for code, (*_, available) in self.levels(sku, to_order=True).items()}
        code = chosen or min(free, key=lambda each: (-free[each], each), default=None)
        if code not in free:
            return None, "WAREHOUSE_MISSING"
        return code, "INSUFFICIENT_STOCK" if free[code] < quantity else None


@dataclass
class Company:
    """A portal with the model of it, and the ids of everything."""

    portal: Portal
    random: Random
    model: Model
    account_id: UUID
    groups: dict[str, UUID]
    profiles: dict[BuiltInProfile | None, UUID]
    keys: dict[RestrictionKind, dict[str, UUID]]

    @property
    def account(self) -> str:
        """The global id of the account."""
        return global_id("Account", self.account_id)

    def ids(self) -> dict[str, str]:
        """The global ids of all categories, products and warehouses by code or SKU."""
        types = ("Category", "Product", "Warehouse")
        return {
            name: global_id(type_name, key)
            for type_name, keys in zip(types, self.keys.values(), strict=True)
            for name, key in keys.items()
        }

    def new_groups(self) -> list[Group]:
        random, found = self.random, []
        for name in random.sample(sorted(self.groups), random.randint(1, MOST_GROUPS)):
            restrictions = {
                kind: (
                    random.choice(list(RestrictionMode)),
                    set(random.sample(sorted(keys), random.randint(0, 3))),
                )
                for kind, keys in self.keys.items()
                if random.random() < 0.6
            }
            found.append(
                Group(name, random.choice([*BuiltInProfile, BuiltInProfile.BUYER, None]), restrictions)
            )
        return sorted(found, key=lambda group: group.name)

    async def regroup(self) -> None:
        """Other groups with other restrictions, and other kinds in force."""
        kinds = list(RestrictionKind)
        self.model.in_force = self.random.sample(kinds, self.random.choice([4, 4, 4, 3, 2, 0]))
        self.model.groups = self.new_groups()
        await self.portal.enforce(*self.model.in_force)
        async with self.portal.writing() as connection:
            await connection.fetch_text("delete from access_group_members")
            for group in self.model.groups:
                group_id = self.groups[group.name]
                await connection.fetch_text(
                    "update access_groups set profile_id = $1 where id = $2",
                    self.profiles[group.profile],
                    group_id,
                )
                modes = [group.restrictions.get(kind, (None,))[0] for kind in self.keys]
                lists = {
                    kind: [self.keys[kind][each] for each in listed]
                    for kind, (_, listed) in group.restrictions.items()
                }
                await db.access_groups.restrict(connection, group_id, Modes(*modes), lists)
                await put(
                    connection, access_group_members, access_group_id=group_id, account_id=self.account_id
                )

    async def fill_cart(self) -> dict[str, tuple[int, str | None]]:
        """Put every product into the cart, whoever may order it: quantity and chosen warehouse by SKU."""
        lines: dict[str, tuple[int, str | None]] = {}
        async with self.portal.writing() as connection:
            await connection.fetch_text("delete from cart_items")
            for sku, product_id in self.keys[RestrictionKind.PRODUCT].items():
                choices = (
                    [None, None, *self.portal.warehouse_ids] if sku not in self.model.services else [None]
                )
                quantity, code = self.random.randint(1, 3), self.random.choice(choices)
                await put(
                    connection,
                    cart_items,
                    account_id=self.account_id,
                    product_id=product_id,
                    quantity=quantity,
                    warehouse_id=code and self.portal.warehouse_ids[code],
                )
                lines[sku] = quantity, code
        return lines

    async def leave_in_cart(self, skus: list[str]) -> None:
        async with self.portal.writing() as connection:
            await connection.fetch_text(
                "delete from cart_items i using products p where p.id = i.product_id and p.sku <> all($1)",
                skus,
            )


async def found_company(world: World, seed: int) -> Company:
    """A random company: a tree of categories, products in it and outside, stock in some warehouses."""
    random, portal = Random(seed), await world.portal()
    tree = {"all": portal.category_id}
    model = Model({"all": None}, {}, set(), {})
    async with portal.writing() as connection:
        for number in range(6):
            code, parent = f"c{number}", random.choice([None, *tree])
            model.parents[code] = parent
            tree[code] = await put(
                connection, categories, code=code, name=code, parent_id=parent and tree[parent]
            )
        portal.warehouse_ids["W3"] = await put(connection, warehouses, code="W3", name="Warehouse W3")
    for number in range(9):
        sku, category = f"P{number}", random.choice([None, *tree])
        levels = {
            code: random.choice([0, 1, 2, 50]) for code in portal.warehouse_ids if random.random() < 0.7
        }
        is_service = number == 8
        await portal.product(
            sku,
            name=f"{'red' if number % 2 else 'green'} thing",
            kind="SERVICE" if is_service else "GOODS",
            stock_at={code: str(quantity) for code, quantity in levels.items()},
            category_id=tree[category or "all"],
        )
        model.category_of[sku] = category
        if is_service:
            model.services.add(sku)
        else:
            model.on_hand |= {(sku, code): quantity for code, quantity in levels.items()}
    account_id = await portal.account("mia", profile=None)
    groups = {f"g{number}": await portal.group(f"g{number}") for number in range(MOST_GROUPS)}
    async with portal.writing() as connection:
        loose = [sku for sku, category in model.category_of.items() if category is None]
        await connection.fetch_text("update products set category_id = null where sku = any($1)", loose)
        await put(connection, carts, account_id=account_id, version=0)
        profiles: dict[BuiltInProfile | None, UUID] = {
            each: await built_in(connection, each) for each in BuiltInProfile
        }
        profiles[None] = uuid.uuid7()
        await db.profiles.add(connection, id=profiles[None], name="Blind", permissions=["ORDERS_READ"])
    kinds = (RestrictionKind.PRODUCT_CATEGORY, RestrictionKind.PRODUCT, RestrictionKind.WAREHOUSE)
    keys = dict(zip(kinds, (tree, portal.products, portal.warehouse_ids), strict=True))
    return Company(portal, random, model, account_id, groups, profiles, keys)
