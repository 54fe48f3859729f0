"""A small world for tests: portals, people, products, stock; each test makes the portals it needs."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuid
from sqlalchemy import Table, bindparam, insert

import db
from db.access_groups import access_group_members, access_groups
from db.accounts import accounts
from db.categories import categories
from db.connections import Connection, Database
from db.customers import customers
from db.files import shared_file_versions, shared_files
from db.goods_issues import goods_issue_lines, goods_issues
from db.isolation import Mode
from db.lifecycle_statuses import add_predefined, predefined
from db.orders import order_lines, orders
from db.prices import price_lists, prices
from db.products import products
from db.profiles import add_built_in, built_in
from db.quotations import quotation_lines, quotations
from db.staff_members import staff_members, staff_roles
from db.statements import Statement
from db.stock import stock
from db.uploads import uploads
from db.warehouses import warehouses
from rules.files import FileAudience
from rules.lifecycle import ProcessingState, Subject
from rules.permissions import BuiltInProfile, StaffRole
from rules.quotations import QuotationState
from rules.restrictions import Modes, RestrictionKind
from rules.stock import StockPolicy
from tenants.passwords import Passwords

PASSWORD = "correct horse battery"
_numbers = itertools.count(1)
_inserts: dict[tuple[str, tuple[str, ...]], Statement[Any]] = {}


async def put(connection: Connection, table: Table, **values: Any) -> UUID:
    """Insert a row; returns its id, which is made when the table has one and none was given."""
    if "id" in table.c:
        values.setdefault("id", uuid.uuid7())
    if "tenant_id" in table.c:
        values["tenant_id"] = connection.tenant_id
    shape = table.name, tuple(sorted(values))
    if shape not in _inserts:
        columns = {name: bindparam(name, type_=table.c[name].type) for name in values}
        _inserts[shape] = Statement(insert(table).values(**columns), registry="tenant_id" not in table.c)
    await connection.run(_inserts[shape], **values)
    row_id: UUID = values.get("id", uuid.uuid7())
    return row_id


@dataclass
class Portal:
    """A portal with what a test has put there."""

    world: "World"
    tenant_id: UUID
    supplier_id: UUID
    slug: str
    currency: str
    price_list_id: UUID
    category_id: UUID
    warehouse_ids: dict[str, UUID]
    products: dict[str, UUID] = field(default_factory=dict)
    customers: dict[str, UUID] = field(default_factory=dict)

    def writing(self) -> Any:
        """A write transaction at this portal, as the server's role."""
        return self.world.database.transaction(Mode.WRITE, self.tenant_id)

    async def product(
        self,
        sku: str,
        *,
        price: str | None = "10.00",
        stock_at: dict[str, str] | None = None,
        tax_rate: str = "20.00",
        unit: str = "pcs",
        kind: str = "GOODS",
        name: str | None = None,
        category_id: UUID | None = None,
    ) -> UUID:
        """A product with one price, and what is on hand in which warehouse."""
        async with self.writing() as connection:
            product_id = await put(
                connection,
                products,
                sku=sku,
                name=name or f"Product {sku}",
                description="",
                kind=kind,
                category_id=category_id or self.category_id,
                unit=unit,
                tax_rate=Decimal(tax_rate),
            )
            if price is not None:
                await self._price(connection, product_id, "0.001", price)
            for code, quantity in (stock_at if stock_at is not None else {"W1": "100"}).items():
                if kind == "GOODS":
                    await put(
                        connection,
                        stock,
                        product_id=product_id,
                        warehouse_id=self.warehouse_ids[code],
                        on_hand=Decimal(quantity),
                    )
        self.products[sku] = product_id
        return product_id

    async def price_break(self, sku: str, minimum: str, price: str) -> None:
        """Another price of a product, from a quantity on."""
        async with self.writing() as connection:
            await self._price(connection, self.products[sku], minimum, price)

    async def _price(self, connection: Connection, product_id: UUID, minimum: str, price: str) -> None:
        await put(
            connection,
            prices,
            product_id=product_id,
            price_list_id=self.price_list_id,
            currency=self.currency,
            min_quantity=Decimal(minimum),
            unit_price=Decimal(price),
        )

    async def customer(self, code: str) -> UUID:
        """A customer at the portal's own price list."""
        async with self.writing() as connection:
            self.customers[code] = await put(
                connection,
                customers,
                code=code,
                name=f"Customer {code}",
                country="United Kingdom",
                currency=self.currency,
                email=f"{code}@customers.example",
            )
        return self.customers[code]

    async def account(
        self,
        user_name: str,
        *,
        customer: str = "C1",
        profile: BuiltInProfile | None = BuiltInProfile.BUYER,
        password: str = PASSWORD,
    ) -> UUID:
        """An account of a customer, in a group of the profile."""
        customer_id = self.customers.get(customer) or await self.customer(customer)
        async with self.writing() as connection:
            account_id = await put(
                connection,
                accounts,
                customer_id=customer_id,
                user_name=user_name,
                name=user_name.title(),
                email=f"{user_name}@customers.example",
                password_hash=await self.world.password_hash(password),
            )
            if profile is not None:
                group_id = await put(
                    connection,
                    access_groups,
                    name=f"{profile} of {user_name}",
                    profile_id=await built_in(connection, profile),
                )
                await put(connection, access_group_members, access_group_id=group_id, account_id=account_id)
        return account_id

    async def group(
        self,
        name: str,
        *members: UUID,
        profile: BuiltInProfile = BuiltInProfile.BUYER,
        modes: Modes = Modes(),  # noqa: B008  (frozen)
        lists: dict[RestrictionKind, list[Any]] | None = None,
        ends_on: date | None = None,
    ) -> UUID:
        """An access group with restrictions and members; what it restricts is to be in force."""
        async with self.writing() as connection:
            group_id = await put(
                connection, access_groups, name=name, profile_id=await built_in(connection, profile)
            )
            await db.access_groups.restrict(connection, group_id, modes, lists or {})
            for account_id in members:
                await put(
                    connection,
                    access_group_members,
                    access_group_id=group_id,
                    account_id=account_id,
                    ends_on=ends_on,
                )
        return group_id

    async def enforce(self, *kinds: RestrictionKind) -> None:
        """Put kinds of restrictions in force, and no others."""
        async with self.writing() as connection:
            await db.portals.change(connection, self.tenant_id, restriction_kinds=list(kinds))

    async def staff_member(
        self, user_name: str, *, role: StaffRole = StaffRole.MANAGER, here_only: bool = False
    ) -> UUID:
        """A staff member of the supplier, at all its companies unless `here_only`."""
        async with self.writing() as connection:
            staff_member_id = await put(
                connection,
                staff_members,
                supplier_id=self.supplier_id,
                user_name=user_name,
                name=user_name.title(),
                email=f"{user_name}@staff.example",
                password_hash=await self.world.password_hash(),
            )
            await put(
                connection,
                staff_roles,
                supplier_id=self.supplier_id,
                staff_member_id=staff_member_id,
                at_tenant_id=self.tenant_id if here_only else None,
                role=role,
            )
        return staff_member_id

    async def order(
        self,
        number: str,
        *,
        customer: str = "C1",
        skus: tuple[str, ...] = ("A",),
        state: ProcessingState = ProcessingState.IN_PROGRESS,
        placed_at: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC),
        promised_on: date | None = None,
    ) -> UUID:
        """An order of one piece of each SKU at 10.00 with 20 % tax."""
        net = 1_000 * len(skus)
        async with self.writing() as connection:
            order_id = await put(
                connection,
                orders,
                number=number,
                customer_id=self.customers[customer],
                placement_id=uuid.uuid7(),
                placed_at=placed_at,
                lifecycle_status_id=await predefined(connection, Subject.ORDER, state),
                warehouse_id=self.warehouse_ids["W1"],
                currency=self.currency,
                tax_included=False,
                net=net,
                tax=net // 5,
                total=net + net // 5,
                promised_on=promised_on,
            )
            for position, sku in enumerate(skus, start=1):
                await put(
                    connection,
                    order_lines,
                    order_id=order_id,
                    position=position,
                    product_id=self.products[sku],
                    sku=sku,
                    name=f"Product {sku}",
                    unit="pcs",
                    quantity=Decimal(1),
                    unit_price=Decimal(10),
                    tax_rate=Decimal(20),
                    amount=1_000,
                    warehouse_id=self.warehouse_ids["W1"],
                )
        return order_id

    async def goods_issue(self, number: str, order_id: UUID, *, customer: str = "C1", sku: str = "A") -> UUID:
        """A goods issue of one piece for an order's first line, posted without touching the order or its stock."""
        async with self.writing() as connection:
            issue_id = await put(
                connection,
                goods_issues,
                number=number,
                order_id=order_id,
                customer_id=self.customers[customer],
                warehouse_id=self.warehouse_ids["W1"],
                shipped_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
            )
            await put(
                connection,
                goods_issue_lines,
                goods_issue_id=issue_id,
                position=1,
                order_position=1,
                product_id=self.products[sku],
                sku=sku,
                name=f"Product {sku}",
                unit="pcs",
                quantity=Decimal(1),
            )
        return issue_id

    async def quotation(
        self,
        number: str | None,
        *,
        customer: str = "C1",
        skus: tuple[str, ...] = ("A",),
        state: QuotationState = QuotationState.ISSUED,
        valid_days: int = 30,
        unit_price: str = "5.00",
        quantity: str = "10",
    ) -> UUID:
        """A quotation of some pieces of each SKU with 20 % tax, valid for some days from the database's on; without
        a number a draft."""
        amount = int(Decimal(unit_price) * Decimal(quantity) * 100)
        net = amount * len(skus)
        async with self.writing() as connection:
            today = (await connection.fetch_text("select current_date"))[0][0]
            quotation_id = await put(
                connection,
                quotations,
                number=number,
                customer_id=self.customers[customer],
                state=(state if number else QuotationState.DRAFT).value,
                valid_until=today + timedelta(days=valid_days),
                currency=self.currency,
                tax_included=False,
                net=net,
                tax=net // 5,
                total=net + net // 5,
            )
            for position, sku in enumerate(skus, start=1):
                await put(
                    connection,
                    quotation_lines,
                    quotation_id=quotation_id,
                    position=position,
                    product_id=self.products[sku],
                    sku=sku,
                    name=f"Product {sku}",
                    unit="pcs",
                    description="",
                    quantity=Decimal(quantity),
                    unit_price=Decimal(unit_price),
                    tax_rate=Decimal(20),
                    amount=amount,
                )
        return quotation_id

    async def upload(
        self, *, state: str = "READY", staff_member_id: UUID | None = None, account_id: UUID | None = None
    ) -> UUID:
        """An upload of an account or of somebody on the staff, of which there are no bytes."""
        sender = (
            {"account_id": account_id} if account_id else {"staff_member_id": staff_member_id or uuid.uuid7()}
        )
        async with self.writing() as connection:
            return await put(
                connection,
                uploads,
                **sender,
                file_name="prices.pdf",
                media_type="application/pdf",
                size=1,
                sha256="0" * 64,
                state=state,
            )

    async def file(
        self, title: str, *, customers: Sequence[str] = (), access_groups: Sequence[UUID] = ()
    ) -> UUID:
        """A shared file without bytes, for some customers or groups, or else for all."""
        upload_id = await self.upload(state="USED")
        kind = FileAudience.CUSTOMERS if customers else FileAudience.ALL_CUSTOMERS
        kind = FileAudience.ACCESS_GROUPS if access_groups else kind
        async with self.writing() as connection:
            file_id = await put(connection, shared_files, title=title, description="", audience=kind.value)
            await put(
                connection, shared_file_versions, file_id=file_id, content_version=1, upload_id=upload_id
            )
            named = {
                FileAudience.CUSTOMERS: [self.customers[each] for each in customers],
                FileAudience.ACCESS_GROUPS: list(access_groups),
            }
            await db.file_audiences.replace(connection, file_id, named)
        return file_id

    async def withdraw(self, sku: str) -> None:
        """Sell a product no longer."""
        async with self.writing() as connection:
            await connection.fetch_text("update products set active = false where sku = $1", sku)

    async def switch(self, *, is_open: bool) -> None:
        """Switch the portal on or off."""
        async with self.writing() as connection:
            await db.portals.change(connection, self.tenant_id, open=is_open)


@dataclass
class World:
    """The worker's database, as the server sees it and as whoever may add portals."""

    database: Database
    registry: Database
    passwords: Passwords
    _hashes: dict[str, str] = field(default_factory=dict)

    async def password_hash(self, password: str = PASSWORD) -> str:
        """The hash of a password, worked out once."""
        if password not in self._hashes:
            self._hashes[password] = await self.passwords.hash(password)
        return self._hashes[password]

    async def portal(
        self,
        *,
        supplier: str | None = None,
        currency: str = "GBP",
        locale: str = "en",
        stock_policy: StockPolicy = StockPolicy.REQUIRE_STOCK,
        tax_included: bool = False,
    ) -> Portal:
        """A new portal with a price list, a category and the warehouses W1 and W2."""
        slug = f"portal-{next(_numbers)}"
        async with self.registry.transaction(Mode.WRITE, uuid.uuid7()) as connection:
            supplier_id = await db.suppliers.ensure(connection, code=supplier or slug, name=supplier or slug)
            await db.portals.add(
                connection,
                supplier_id=supplier_id,
                slug=slug,
                name=slug.title(),
                legal_name=f"{slug.title()} Ltd",
                currency=currency,
                locale=locale,
                support_email=f"help@{slug}.example",
                stock_policy=stock_policy,
            )
            await db.portals.add_hosts(connection, [f"{slug}.localhost"])
            tenant_id = connection.tenant_id
        assert tenant_id is not None
        async with self.database.transaction(Mode.WRITE, tenant_id) as connection:
            await add_predefined(connection)
            await add_built_in(connection, {profile: uuid.uuid7() for profile in BuiltInProfile})
            price_list_id = await put(
                connection, price_lists, code="wholesale", name="Wholesale", tax_included=tax_included
            )
            await connection.fetch_text(
                "update portals set price_list_id = $1 where tenant_id = $2", price_list_id, tenant_id
            )
            category_id = await put(connection, categories, code="all", name="Everything")
            warehouse_ids = {
                code: await put(connection, warehouses, code=code, name=f"Warehouse {code}")
                for code in ("W1", "W2")
            }
        return Portal(self, tenant_id, supplier_id, slug, currency, price_list_id, category_id, warehouse_ids)
