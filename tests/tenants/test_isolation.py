"""Isolation, proven over HTTP: what is another's answers as what never existed, and nothing of it moves.

Portals A and C are companies of one supplier, B is another's; at A there are two customers. The questions
are generated from the schema, so a new field is asked as well. How code that forgets the tenant fares is in
tests/db/test_isolation.py.
"""

import copy
import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
import uuid_utils.compat as uuid

import db
from db import roles
from db.attachments import attachments
from db.attributes import attributes, product_attributes
from db.audit import audit_entries
from db.carts import cart_items, carts
from db.categories import categories
from db.connections import Connection
from db.isolation import Mode
from db.lifecycle_statuses import predefined
from db.notices import notices
from db.prices import price_lists
from db.profiles import profiles
from db.statements import Statement
from db.trusted_documents import trusted_documents
from db.warehouses import warehouses
from db.webhook_deliveries import webhook_attempts, webhook_deliveries
from db.webhooks import webhooks
from resolvers import nodes
from resolvers.nodes import NODES, global_id
from rules import throttles
from rules.contacts import Address, AddressKind, ContactData
from rules.lifecycle import ProcessingState, Subject
from rules.permissions import BuiltInProfile, StaffRole
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from rules.trusted_documents import hash_of
from tests import documents, tickets
from tests.client import Client, answered
from tests.conftest import At
from tests.rma_requests import rma_request
from tests.tenants.questions import Question, anything, document, questions, root
from tests.test_house_catalogue import SUPPLIER_TABLES, TENANT
from tests.world import PASSWORD, Portal, World, put

CUSTOMERS_PEOPLE = {
    "buyer": BuiltInProfile.BUYER,
    "accountant": BuiltInProfile.ACCOUNTANT,
    "reader": BuiltInProfile.VIEWER,
    "restricted": None,  # to all but one category and one warehouse
}
STAFF = {"owner": StaffRole.OWNER, "agent": StaffRole.AGENT}
PERSONAS = [*CUSTOMERS_PEOPLE, "neighbour", *STAFF]


class Own(dict[str, Any]):
    """The asker's own, to stand where something is required; a name is a new one each time."""

    def get(self, name: str, default: Any = None) -> Any:
        if name in ("name", "userName", "slug"):
            return f"{name}-{next(_names)}".lower()
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in ("name", "userName", "slug") or super().__contains__(name)


_names = itertools.count()


@dataclass
class Belongings:
    """What belongs to somebody: global ids with their types, and the texts by which things are named."""

    ids: list[tuple[str, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def add(self, type_name: str, id: UUID, *texts: str) -> None:
        self.ids.append((type_name, global_id(type_name, id)))
        self.texts.extend(texts)

    def by_scalar(self) -> dict[str, list[tuple[str, str]]]:
        """All of it with its kinds, as questions take it: by its ids, and by texts."""
        return {"ID": self.ids, "String": [(TEXT, text) for text in self.texts]}

    def plus(self, *others: "Belongings") -> "Belongings":
        every = [self, *others]
        return Belongings(
            [pair for each in every for pair in each.ids], [t for each in every for t in each.texts]
        )


@dataclass
class Town:
    """Portals A, B and C with somebody's things everywhere."""

    world: World
    a: Portal
    b: Portal
    c: Portal
    company: Belongings  # what A shows to all its people
    hidden: Belongings  # what A shows to all of them but the restricted
    staffs: Belongings  # what A shows to its staff alone
    customer: Belongings  # of the customer of buyer, accountant, reader and restricted
    neighbour: Belongings  # of the other customer
    elsewhere: Belongings  # of B and C
    sessions: dict[str, Belongings]  # of the personas of A

    def own(self, persona: str) -> Belongings:
        """What the persona may see at A."""
        if persona in STAFF:
            sessions = [self.sessions["buyer"], self.sessions[persona]]
            return self.company.plus(self.hidden, self.staffs, self.customer, self.neighbour, *sessions)
        mine = self.neighbour if persona == "neighbour" else self.customer
        seen = self.company if persona == "restricted" else self.company.plus(self.hidden)
        return seen.plus(mine, self.sessions[persona])

    def foreign(self, persona: str) -> Belongings:
        """What the persona must not know of."""
        if persona in STAFF:
            return self.elsewhere
        sessions = [each for name, each in self.sessions.items() if name != persona]
        others = self.elsewhere.plus(
            self.customer if persona == "neighbour" else self.neighbour,
            self.staffs,
            *([self.hidden] if persona == "restricted" else []),
            *sessions,
        )
        known = {*PERSONAS, *self.own(persona).texts}  # who can sign in, does; one's own documents print it
        others.texts = [text for text in others.texts if text not in known]
        return others

    def required(self, persona: str) -> Own:
        """The persona's own, to stand where something is required."""
        own = Own(sku="sku-a", password=PASSWORD, email="a@b.example", code="C-1", currency="GBP")
        own |= {
            "answer": "no",
            "csv": "sku-a,1",
            "reason": "no",
            "nameDe": "n",
            "nameEn": "n",
            "newPassword": PASSWORD,
            "oldPassword": PASSWORD,
            "subject": "Help",
            "supportEmail": "a@b.example",
            "text": "Help",
            "attribute": "width-a",
            "manifest": "{}",
            "mediaType": "text/csv",
            "priceList": "list-a",
            "warehouse": "depot-a",
            "url": "http://127.0.0.1:9/hook",
        }
        named = [*self.own("owner").ids, *self.own(persona).ids]
        for name in (
            "account",
            "contactChange",
            "customer",
            "documentDraft",
            "goodsIssue",
            "invoice",
            "lifecycleStatus",
            "notice",
            "order",
            "payment",
            "profile",
            "quotation",
            "reconciliationStatement",
            "session",
            "staffMember",
            "webhook",
        ):
            kind = f"{name[0].upper()}{name[1:]}"
            own[name] = next(key for type_name, key in named if type_name == kind)
        credit_note = [key for type_name, key in named if type_name == "DocumentDraft"][1]
        own["CreditNoteDraftUpdateInput.documentDraft"] = credit_note
        own["file"] = next(key for type_name, key in named if type_name == "SharedFile")
        drafts = [key for type_name, key in [*self.own(persona).ids, *named] if type_name == "RMARequest"]
        own["rmaRequest"] = drafts[0]
        for name in ("Decide", "Close", "Replace"):  # the staff sees what was submitted
            own[f"RmaRequest{name}Input.rmaRequest"] = drafts[1]
        own["delivery"] = next(key for type_name, key in named if type_name == "WebhookDelivery")
        own["documents"] = next(key for type_name, key in named if type_name == "TrustedDocument")
        own["upload"] = next(key for type_name, key in named if type_name == "Upload")
        own["ticket"] = next(key for type_name, key in named if type_name == "SupportTicket")
        own["group"] = next(key for type_name, key in named if type_name == "AccessGroup")
        own["document"] = own["invoice"]
        own["node"] = next(key for type_name, key in named if type_name == "Product")
        items = [key for type_name, key in self.own(persona).ids if type_name == "CartItem"]
        own["item"] = items[0]
        return own

    async def checksums(self, *, but: Sequence[str] = ()) -> dict[str, str]:
        """Of the rows of A, B and C and their suppliers, table by table."""
        tables = db.metadata.tables.values()
        parts = [
            f"select '{table}', md5(string_agg(t::text, '|' order by t::text)) from {table} t where "
            + ("supplier_id = any($2)" if table.name in SUPPLIER_TABLES else "tenant_id = any($1)")
            for table in tables
            if table.name
            not in ("suppliers", "throttles", "budgets", *but)  # these count whatever is tried here
        ]
        portals = [self.a, self.b, self.c]
        async with self.world.registry.transaction(Mode.SNAPSHOT, None) as connection:
            rows = await connection.fetch_text(
                " union all ".join(parts),
                [each.tenant_id for each in portals],
                [each.supplier_id for each in portals],
            )
        return dict(tuple(row) for row in rows)


async def settle(world: World) -> Town:
    a = await world.portal()
    b, c = await world.portal(), await world.portal(supplier=a.slug)
    company, hidden = await furnish_company(a, "a")
    neighbour = await furnish_customer(a, "n", {"neighbour": BuiltInProfile.BUYER})
    customer = await furnish_customer(a, "a", CUSTOMERS_PEOPLE)
    await restrict(a, customer)
    staffs = await furnish_staff(a, "a", STAFF)
    elsewhere = Belongings()
    for portal, tag in ((b, "b"), (c, "c")):
        there = await furnish_company(portal, tag)
        people = await furnish_customer(portal, tag, {f"{tag}-buyer": BuiltInProfile.BUYER})
        staff = await furnish_staff(portal, tag, {f"{tag}-staff": StaffRole.OWNER})
        if portal is c:  # the supplier of A and C has one staff, whose members its own people may see
            staff.ids = [pair for pair in staff.ids if pair[0] not in ("StaffMember", "Supplier")]
        elsewhere = elsewhere.plus(*there, people, staff)
    sessions = {persona: await furnish_session(a, persona) for persona in PERSONAS}
    elsewhere = elsewhere.plus(await furnish_session(b, "b-buyer"), await furnish_session(c, "c-staff"))
    return Town(world, a, b, c, company, hidden, staffs, customer, neighbour, elsewhere, sessions)


def sku_of(name: str) -> str:
    """SKUs that are not alike: what is a letter off is suggested, and only by what one sees oneself."""
    return "sku-a" if name == "a" else f"{name}-{name}-article"


async def furnish_company(portal: Portal, tag: str) -> tuple[Belongings, Belongings]:
    """A product with its category and warehouse, and another one with others."""
    parts = []
    for name, warehouse in ((tag, "W1"), (f"{tag}-hidden", "W2")):
        found = Belongings()
        place, sku = f"place-{name}", sku_of(name)
        async with portal.writing() as connection:
            category_id = await put(connection, categories, code=f"category-{name}", name="Things")
            portal.warehouse_ids[place] = await put(connection, warehouses, code=place, name="Place")
        product_id = await portal.product(
            sku, name=f"Thing {name}", category_id=category_id, stock_at={"W1": "100", place: "10"}
        )
        found.add("Product", product_id, sku)
        found.add("Category", category_id, f"category-{name}")
        found.add("Warehouse", portal.warehouse_ids[warehouse])
        found.add("Warehouse", portal.warehouse_ids[place], place)
        parts.append(found)
    parts[0].add("Portal", portal.tenant_id)
    async with portal.writing() as connection:
        status_id = await predefined(connection, Subject.ORDER, ProcessingState.IN_PROGRESS)
        parts[0].add("LifecycleStatus", status_id)
        parts[0].add(
            "LifecycleStatus",
            await predefined(connection, Subject.RMA_REQUEST, ProcessingState.NOT_STARTED),
        )
        await put(connection, price_lists, code=f"list-{tag}", name="Prices")
        depot = await put(connection, warehouses, code=f"depot-{tag}", name="Depot")
        width = await put(
            connection, attributes, code=f"width-{tag}", name_en="Width", name_de="Breite", kind="TEXT"
        )
        await put(
            connection,
            product_attributes,
            product_id=portal.products[sku_of(tag)],
            attribute_id=width,
            value=f"width of {tag}",
        )
    parts[0].add("Warehouse", depot, f"depot-{tag}")
    parts[0].add("Attribute", width, f"width-{tag}")
    parts[0].texts.append(f"list-{tag}")
    parts[0].add("SharedFile", await portal.file(f"leaflet-{tag}"), f"leaflet-{tag}")
    return parts[0], parts[1]


async def furnish_customer(
    portal: Portal, tag: str, people: Mapping[str, BuiltInProfile | None]
) -> Belongings:
    """A customer with its people, an order, something in a buyer's cart, and a request of the first one."""
    found = Belongings()
    code = f"customer-{tag}"
    found.add("Customer", await portal.customer(code), code)
    sku = next(iter(portal.products))
    order_id = await portal.order(f"order-{tag}", customer=code, skus=(sku,))
    found.add("Order", order_id, f"order-{tag}")
    for kind, (key, number) in (await documents.one_of_each(portal, tag, code, order_id, sku)).items():
        found.add(kind, key, number)
    found.add("GoodsIssue", await portal.goods_issue(f"issue-{tag}", order_id, customer=code, sku=sku))
    found.add("Address", await furnish_address(portal, tag, code))
    found.add("SharedFile", await portal.file(f"terms-{tag}", customers=[code]), f"terms-{tag}")
    offer = await portal.quotation(f"offer-{tag}", customer=code, skus=(sku,))
    found.add("Quotation", offer, f"offer-{tag}")
    for name, profile in people.items():
        account_id = await portal.account(name, customer=code, profile=profile)
        found.add("Account", account_id, name)
        if profile is BuiltInProfile.BUYER:
            found.add("Cart", account_id)
            async with portal.writing() as connection:
                group = await connection.fetch_text(
                    "select id from access_groups where name = $1", f"{profile} of {name}"
                )
                await put(connection, carts, account_id=account_id, version=1)
                item = await put(
                    connection,
                    cart_items,
                    account_id=account_id,
                    product_id=portal.products[sku],
                    quantity=1,
                )
                asked = await db.contact_changes.add(
                    connection,
                    id=uuid.uuid7(),
                    customer_id=portal.customers[code],
                    account_id=account_id,
                    asked=ContactData(phone="1"),
                    comment=None,
                )
            found.add("AccessGroup", group[0][0])
            found.add("CartItem", item)
            found.add("ContactChange", asked.id)
            await furnish_returns(portal, tag, code, name, found)
    await furnish_ticket(portal, tag, code, order_id, found)
    return found


async def furnish_returns(portal: Portal, tag: str, customer: str, buyer: str, found: Belongings) -> None:
    """A request to return goods that its customer still writes, with a photo, one that was submitted, and an upload."""
    sku = next(iter(portal.products))
    bill = await documents.invoice(portal, f"bill-{tag}", (documents.Sold(sku, "3"),), customer=customer)
    found.add("Invoice", bill.id, f"bill-{tag}")
    draft = await rma_request(portal, None, bill, account=buyer)
    found.add("RMARequest", draft.id)
    sent = await rma_request(portal, f"return-{tag}-sent", bill, account=buyer)
    found.add("RMARequest", sent.id, f"return-{tag}-sent")
    used = await portal.upload(account_id=draft.account_id, state="USED")
    async with portal.writing() as connection:
        photo = await put(connection, attachments, upload_id=used, rma_request_id=draft.id)
    found.add("Attachment", photo)
    found.add("Upload", await portal.upload(account_id=draft.account_id))


async def furnish_ticket(portal: Portal, tag: str, code: str, order_id: UUID, found: Belongings) -> None:
    """A ticket of the customer's first account about its order, with a file."""
    async with portal.writing() as connection:
        people = await connection.fetch_text(
            "select id from accounts where customer_id = $1 order by id limit 1", portal.customers[code]
        )
    number, subject = f"ticket-{tag}", f"help-{tag}"
    who = {"account_id": people[0][0], "staff_member_id": None}
    ticket = await tickets.ticket(
        portal, number, subject=subject, customer=code, about=("Order", order_id), **who
    )
    message_id, attachment_id = await tickets.message(portal, ticket, **who)
    found.add("SupportTicket", ticket.id, number, subject)
    found.add("SupportMessage", message_id)
    found.add("Attachment", attachment_id)


async def furnish_address(portal: Portal, tag: str, customer: str) -> UUID:
    """Where a customer has goods shipped to; two, so that none is meant when none is named."""
    town = Address(kind=AddressKind.SHIPPING, city=f"town-{tag}")
    async with portal.writing() as connection:
        await db.contacts.replace_addresses(
            connection, {portal.customers[customer]: [town, Address(kind=AddressKind.SHIPPING)]}
        )
    return town.key


async def restrict(portal: Portal, customer: Belongings) -> None:
    """Keep the restricted account from the hidden category and warehouse."""
    async with portal.writing() as connection:
        rows = await connection.fetch_text(
            """select (select id from accounts where user_name = 'restricted'),
               (select id from categories where code = 'category-a-hidden')"""
        )
    account_id, category_id = rows[0]
    modes = Modes(category=RestrictionMode.ALLOW_EXCEPT, warehouse=RestrictionMode.ALLOW_EXCEPT)
    lists: dict[RestrictionKind, list[Any]] = {
        RestrictionKind.PRODUCT_CATEGORY: [category_id],
        RestrictionKind.WAREHOUSE: [portal.warehouse_ids["W2"], portal.warehouse_ids["place-a-hidden"]],
    }
    await portal.enforce(*lists)
    await portal.group("restricted", account_id, modes=modes, lists=lists)
    async with portal.writing() as connection:
        await put(connection, carts, account_id=account_id, version=1)
        item = await put(
            connection, cart_items, account_id=account_id, product_id=portal.products["sku-a"], quantity=1
        )
    customer.add("CartItem", item)
    await furnish_hidden(portal, customer, account_id)


async def furnish_hidden(portal: Portal, customer: Belongings, account_id: UUID) -> None:
    """What its customer has of the hidden product: an order with its documents, and a ticket about the product."""
    sku, code = sku_of("a-hidden"), "customer-a"
    order_id = await portal.order("order-a-hidden", customer=code, skus=(sku,))
    customer.add("Order", order_id, "order-a-hidden", sku)  # a line keeps its text
    for kind, (key, number) in (await documents.one_of_each(portal, "ah", code, order_id, sku)).items():
        customer.add(kind, key, number)
    ticket = await tickets.ticket(
        portal,
        "ticket-a-hidden",
        account_id=account_id,
        customer=code,
        about=("Product", portal.products[sku]),
    )
    customer.add("SupportTicket", ticket.id, "ticket-a-hidden")


async def furnish_staff(portal: Portal, tag: str, staff: Mapping[str, StaffRole]) -> Belongings:
    """The company's people, and what only they see."""
    found = Belongings()
    members = {
        await portal.staff_member(name, role=role, here_only=True): name for name, role in staff.items()
    }
    for staff_member_id, name in members.items():
        found.add("StaffMember", staff_member_id, name)
    found.add("Supplier", portal.supplier_id)
    customer = next(iter(portal.customers))
    draft = await portal.quotation(None, customer=customer, skus=(next(iter(portal.products)),))
    found.add("Quotation", draft)
    async with portal.writing() as connection:
        people = await connection.fetch_text("select id, customer_id from accounts order by id limit 1")
        account_id, customer_id = people[0]
        found.add(
            "Profile", await put(connection, profiles, name=f"Profile {tag}", permissions=["ORDERS_READ"])
        )
        entry = await put(
            connection,
            audit_entries,
            action="test",
            node_type="Portal",
            node_id=portal.tenant_id,
            account_id=account_id,
            staff_member_id=next(iter(members)),
            customer_id=customer_id,
            request_id="test",
        )
        notice = await put(
            connection,
            notices,
            kind="ORDER_RECEIVED",
            account_id=account_id,
            address=f"somebody-{tag}@customers.example",
            language="en",
            subject=f"Your order {tag}",
            body="Thank you",
            node_type="Account",
            node_id=account_id,
        )
        text = f"{{ portal {{ {tag}: slug }} }}"
        listed = await put(
            connection,
            trusted_documents,
            hash=hash_of(text),
            text=text,
            operation_type="QUERY",
            uploaded_by_id=next(iter(members)),
        )
    found.add("AuditEntry", entry)
    found.add("Notice", notice)
    found.add("TrustedDocument", listed)
    code = [*portal.customers][-1]
    for of in ("order", "invoice"):
        async with portal.writing() as connection:
            rows = await connection.fetch_text(
                f"select id from {of}s where customer_id = $1", portal.customers[code]
            )
        draft_id = await documents.draft(portal, of, rows[0][0], next(iter(members)), customer=code)
        found.add("DocumentDraft", draft_id)
    found.add("Upload", await portal.upload(staff_member_id=next(iter(members))))
    await furnish_note(portal, next(iter(members)), found)
    await furnish_webhook(portal, found, next(iter(members)))
    return found


async def furnish_note(portal: Portal, staff_member_id: UUID, found: Belongings) -> None:
    """Who takes care of every ticket, and a note on one of them with a file."""
    async with portal.writing() as connection:
        await connection.fetch_text("update support_tickets set assignee_id = $1", staff_member_id)
        rows = await connection.fetch_text("select id from support_tickets order by number limit 1")
        ticket = await db.tickets.lock(connection, rows[0][0])
    assert ticket is not None
    message_id, attachment_id = await tickets.message(
        portal, ticket, account_id=None, staff_member_id=staff_member_id, internal=True
    )
    found.add("SupportMessage", message_id)
    found.add("Attachment", attachment_id)


async def furnish_webhook(portal: Portal, found: Belongings, staff_member_id: UUID) -> None:
    """A webhook, and something that it was told of an order."""
    async with portal.writing() as connection:
        hook = await put(
            connection,
            webhooks,
            name="ERP",
            url="http://127.0.0.1:9/hook",
            events=["order.placed"],
            permissions=[],
            secret="whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            created_by_id=staff_member_id,
        )
        orders = await connection.fetch_text("select id from orders order by id limit 1")
        told = await put(
            connection,
            webhook_deliveries,
            webhook_id=hook,
            position=1,
            event="order.placed",
            happened_at=datetime(2026, 3, 1, tzinfo=UTC),
            subject_id=orders[0][0],
            node_type="Order",
            node_id=orders[0][0],
        )
        await put(connection, webhook_attempts, webhook_delivery_id=told, number=1, status=500)
    found.add("Webhook", hook)
    found.add("WebhookDelivery", told)


async def furnish_session(portal: Portal, user_name: str) -> Belongings:
    """A session that somebody has besides the one that asks."""
    found = Belongings()
    async with portal.writing() as connection:
        login = await db.accounts.login(connection, user_name)
        assert login is not None
        session = await db.sessions.add(
            connection,
            id=uuid.uuid7(),
            token_hash=uuid.uuid7().bytes,
            minutes=60,
            account_id=login.account_id,
            supplier_id=portal.supplier_id if login.staff_member_id else None,
            staff_member_id=login.staff_member_id,
        )
    found.add("Session", session.id)
    return found


async def become(persona: str, portal: Portal, at: At) -> Client:
    return await at(portal).sign_in(persona)


async def answer(asker: Client, question: Question, value: str, own: Mapping[str, Any]) -> tuple[Any, ...]:
    """All that the asker is told: status, headers and body, byte by byte, with the value taken out."""
    response = await asker.post(question.document, question.variables(value, own))
    assert response.status_code in (200, 400), response.text
    headers = {
        name: each
        for name, each in response.headers.items()
        if name not in ("x-request-id", "content-length")
    }
    return response.status_code, headers, answered(response).replace(value.encode(), b"<asked>")


def never_existed(kind: str, like: str) -> str:
    """An id of the same type, or a text of the same length, that names nothing anywhere."""
    if kind == TEXT:
        return f"zz{uuid.uuid4().hex * 4}"[: len(like)]
    return global_id(kind, uuid.uuid7())


@dataclass
class Looking:
    """Of which kinds of ids a place would have looked for what is asked for: noted where ids are taken apart, and where
    statements are given their values. Texts it would look for as soon as the asker may ask at all."""

    kinds: set[str] = field(default_factory=set)

    async def answer_for_nothing(
        self, asker: Client, question: Question, kind: str, like: str, own: Mapping[str, Any]
    ) -> tuple[Any, ...]:
        """What is answered for something that never existed, whose way is followed."""
        nothing = never_existed(kind, like)
        if kind == TEXT:
            answered = await answer(asker, question, nothing, own)
            if not any(code in answered[-1] for code in REFUSED):
                self.kinds.add(TEXT)
            return answered
        parsed, asked = nodes.parsed, Connection._asked
        key = str(nodes.key_of(nothing, kind))

        def parsing(id: str, *types: str) -> tuple[str, UUID] | None:
            if id == nothing:
                self.kinds |= set(types or NODES)
            return parsed(id, *types)

        def asking(
            connection: Connection, statement: Statement[Any], values: dict[str, Any]
        ) -> tuple[str, list[Any]]:
            given = str(values)
            if key in given or nothing in given:
                self.kinds.add(kind)
            return asked(connection, statement, values)

        with patch.object(nodes, "parsed", parsing), patch.object(Connection, "_asked", asking):
            return await answer(asker, question, nothing, own)


TEXT = "text"
REFUSED = (b'"MISSING_PERMISSION"', b'"UNAUTHENTICATED"')


async def differences(
    asker: Client,
    foreign: Belongings,
    own: Mapping[str, Any],
    *,
    only: str = "",
    scalar: str = "",
    turn: int = 0,
) -> list[str]:
    """The questions that tell something that is another's from what never existed; of one scalar, where that is said."""
    found = []
    for each, named in foreign.by_scalar().items():
        if scalar in ("", each) and named:
            for number, question in enumerate(questions(each)):
                if only in str(question):
                    first = named[(7 * number + turn) % len(named)]
                    found += await told(asker, question, named, first, own)
    return found


async def told(
    asker: Client,
    question: Question,
    named: Sequence[tuple[str, str]],
    first: tuple[str, str],
    own: Mapping[str, Any],
) -> list[str]:
    """Of which of the named things a question tells: asked of one of whatever kind, and of all of the kinds that it
    looks for. What it takes for no id of its own kind, or what the asker may not even ask, it cannot tell of."""
    found, looking = [], Looking()
    unknown: dict[tuple[str, int], Any] = {}
    asked, left = {first}, [first]
    while left:
        for kind, value in left:
            shape = kind, len(value)
            if shape not in unknown:
                unknown[shape] = await looking.answer_for_nothing(asker, question, kind, value, own)
            if await answer(asker, question, value, own) != unknown[shape]:
                found.append(f"{question} tells of the {kind} {value}")
        asked.update(left)
        left = [each for each in named if each not in asked and each[0] in looking.kinds]
    return found


async def can_tell(
    asker: Client, question: Question, named: Sequence[tuple[str, str]], own: Mapping[str, Any]
) -> bool:
    """Whether a question tells one of the named things, of the kinds that it looks for, from what never existed."""
    looking = Looking()
    await looking.answer_for_nothing(asker, question, *named[0], own)
    for kind, value in named:
        if kind in looking.kinds:
            given = await answer(asker, question, value, own)
            if given != await looking.answer_for_nothing(asker, question, kind, value, own):
                return True
    return False


@pytest.fixture(autouse=True)
def many_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """More is asked here than one address may try, or than a name may be tried."""
    for limit in ("NAME_AT_ADDRESS", "ADDRESS", "NAME"):
        monkeypatch.setattr(throttles, limit, throttles.Bucket(capacity=10_000, refill_seconds=1))


@pytest.fixture(scope="session")
async def asked_town(world: World) -> tuple[Town, dict[str, str]]:
    """A town of this worker's that is only asked, and what it looked like when it was new."""
    town = await settle(world)
    return town, await town.checksums(but=COMING_AND_GOING)


@pytest.fixture
async def town(asked_town: tuple[Town, dict[str, str]]) -> AsyncIterator[Town]:
    """The same for each test; who changes more than that somebody comes and goes has to settle a town of its own."""
    town, new = asked_town
    yield town
    assert await town.checksums(but=COMING_AND_GOING) == new


COMING_AND_GOING = ("audit_entries", "sessions")


def test_the_questions_name_every_type_that_has_an_id() -> None:
    named = {
        "Portal",
        "Product",
        "Category",
        "Warehouse",
        "Customer",
        "Order",
        "Account",
        "AccessGroup",
        "Cart",
        "StaffMember",
        "Supplier",
        "Profile",
        "AuditEntry",
        "ContactChange",
        "CreditNote",
        "DocumentDraft",
        "GoodsIssue",
        "GoodsReturn",
        "Invoice",
        "LifecycleStatus",
        "Notice",
        "Payment",
        "ReconciliationStatement",
        "TaxInvoice",
        "TrustedDocument",
        "Quotation",
        "Session",
        "Attribute",
        "SharedFile",
        "SupportMessage",
        "SupportTicket",
        "Upload",
        "RMARequest",
        "Attachment",
        "Webhook",
        "WebhookDelivery",
    }
    assert named == set(NODES), "furnish the town with the new type"


@pytest.mark.parametrize("scalar", ["ID", "String"])
@pytest.mark.parametrize("persona", PERSONAS)
async def test_what_is_anothers_answers_as_what_never_existed(
    persona: str, scalar: str, town: Town, at: At
) -> None:
    asker = await become(persona, town.a, at)
    before = await town.checksums()
    foreign, own = town.foreign(persona), town.required(persona)
    turn = PERSONAS.index(persona)
    assert await differences(asker, foreign, own, scalar=scalar, turn=turn) == []
    assert await town.checksums() == before


async def test_an_outsider_is_told_the_same_of_everything(town: Town, at: At) -> None:
    every = town.elsewhere.plus(town.own("owner"))
    every.texts = [text for text in every.texts if text not in PERSONAS]
    assert await differences(at(town.a), every, town.required("buyer")) == []


# Whom a code belongs to is told to nobody who has not got it.
TELLS_NOTHING = {"accountActivate(input.userName)"}


@pytest.mark.parametrize("scalar", ["ID", "String"])
async def test_each_question_can_tell_what_is_ones_own_from_what_never_existed(
    scalar: str, world: World, at: At
) -> None:
    """Otherwise the test above would prove nothing: the question might never reach the row, or by a way that is not followed."""
    blind = {str(question): question for question in questions(scalar)}
    for persona in ("buyer", "owner", "accountant"):
        town = await settle(world)
        asker, required = await become(persona, town.a, at), town.required(persona)
        named = town.own(persona).by_scalar()[scalar]
        for question in [*blind.values()]:
            if await can_tell(asker, question, named, required):
                del blind[str(question)]
    assert blind.keys() == TELLS_NOTHING & {str(question) for question in questions(scalar)}


@pytest.mark.parametrize("layers", ["neither", "the policy", "the predicate", "both"])
async def test_the_proof_fails_when_both_layers_are_gone_and_only_then(
    layers: str, town: Town, world: World, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer = await become("buyer", town.a, at)
    if layers in ("the predicate", "both"):
        held = db.products._by_ids
        monkeypatch.setattr(db.products, "_by_ids", lambda shape: without_tenant(held(shape)))
    found = []
    async with without_policy(world, "products") if layers in ("the policy", "both") else nullcontext():
        for only in LOOK_UPS:
            found += await differences(buyer, town.elsewhere, town.required("buyer"), only=only)
    assert sorted(found) == (told_of("Product", town.elsewhere) if layers == "both" else [])


LOOK_UPS = ("product(id)", "node(id)", "nodes(ids)")


def told_of(kind: str, things: Belongings) -> list[str]:
    """What the proof reports when all things of a kind can be looked up."""
    keys = [key for type_name, key in things.ids if type_name == kind]
    return sorted(f"{only} tells of the {kind} {key}" for only in LOOK_UPS for key in keys)


async def test_the_proof_fails_when_the_restriction_is_gone(
    town: Town, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    restricted = await become("restricted", town.a, at)
    held = db.products._by_ids
    monkeypatch.setattr(db.products, "_by_ids", lambda _shape: held(None))
    found = []
    for only in LOOK_UPS:
        found += await differences(restricted, town.hidden, town.required("restricted"), only=only)
    assert sorted(found) == told_of("Product", town.hidden)


async def test_the_proof_fails_when_a_customer_sees_the_orders_of_all(
    town: Town, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    neighbour = await become("neighbour", town.a, at)
    monkeypatch.setattr(db.orders, "_visible_to", lambda _viewer: "all")
    monkeypatch.setattr(db.orders, "_whose", lambda _viewer: {})
    found = []
    for only in ("order(id)", "order(number)", "node(id)"):
        found += await differences(neighbour, town.customer, town.required("neighbour"), only=only)
    orders = [key for kind, key in town.customer.ids if kind == "Order"]
    assert len(found) == 3 * len(orders)


def without_tenant(statement: Statement[Any]) -> Statement[Any]:
    """The statement as it were if somebody had forgotten the tenant."""
    forgetful = copy.copy(statement)
    forgetful.sql = statement.sql.replace("products.tenant_id = $1", "$1")
    assert forgetful.sql != statement.sql
    forgetful.sql = forgetful.sql.replace("$1::UUID AND", "$1::UUID is not null AND")
    forgetful._keys = None  # the other text, for one key, has not forgotten it
    return forgetful


@asynccontextmanager
async def without_policy(world: World, table: str) -> AsyncIterator[None]:
    """Lets all rows through to everybody for a while; this database is the worker's own."""
    await alter_policy(world, table, "true")
    try:
        yield
    finally:
        await alter_policy(world, table, TENANT)


async def alter_policy(world: World, table: str, condition: str) -> None:
    async with world.registry.transaction(Mode.WRITE, None) as connection:
        await connection.execute_text(f"set local role {roles.OWNER}")
        await connection.execute_text(
            f"alter policy {table}_tenant on {table} using ({condition}) with check ({condition})"
        )


@pytest.mark.parametrize("persona", PERSONAS)
async def test_a_token_of_one_portal_is_nobody_at_another(persona: str, town: Town, at: At) -> None:
    token = (await become(persona, town.a, at)).token
    required = town.required("buyer")
    required |= {"id": "x", "ids": [], "userName": "nobody"}
    for portal in (town.b, town.c):
        stranger, outsider = at(portal), at(portal)
        stranger.token = token
        assert await stranger.ask("{ viewer { permissions } }") == {"viewer": None}
        for operation in ("query", "mutation"):
            for name in root(operation).fields:
                given = anything(operation, name, required)
                told = [
                    answered(await each.post(document(operation, name), given))
                    for each in (stranger, outsider)
                ]
                assert told[0] == told[1], name


async def test_nodes_gives_what_is_ones_own_and_null_for_the_rest_in_order(town: Town, at: At) -> None:
    buyer = await become("buyer", town.a, at)
    mine = town.a.products["sku-a"]
    ids = [
        global_id("Product", town.b.products[sku_of("b")]),
        global_id("Product", mine),
        "not an id",
        global_id("Product", uuid.uuid7()),
        global_id("Order", mine),
        *[key for _, key in town.foreign("buyer").ids],
        global_id("Warehouse", town.a.warehouse_ids["W1"]),
    ]
    found: list[Any] = []
    for some in range(0, len(ids), 100):
        asked = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
        found += (await buyer.ask(asked, ids=ids[some : some + 100]))["nodes"]
    assert [each and each["id"] for each in found] == [
        each if each in (ids[1], ids[-1]) else None for each in ids
    ]


async def test_tampered_ids_name_nothing(town: Town, at: At) -> None:
    buyer = await become("buyer", town.a, at)
    whole = global_id("Product", town.a.products["sku-a"])
    tampered = [whole[:i] + ("A" if whole[i] != "A" else "B") + whole[i + 1 :] for i in range(len(whole))]
    tampered += [
        whole[:-1],
        whole + "=",
        whole + "A",
        " " + whole,
        whole.lower(),
        "",
        "=",
        "ü" * 20,
        "0" * 5_000,
    ]
    tampered += [
        global_id(type_name, town.a.products["sku-a"]) for type_name in NODES if type_name != "Product"
    ]
    for start in range(0, len(tampered), 100):
        ids = tampered[start : start + 100]
        found = await buyer.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids)
        assert found == {"nodes": [None] * len(ids)}


OF_STAFF = {
    "customers",
    "accounts",
    "auditLog",
    "documentDrafts",
    "notices",
    "trustedDocuments",
    "webhookDeliveries",
}
OF_BOOKS = {"payments"}  # for whoever keeps a customer's books
CONNECTIONS = [name for name, each in root("query").fields.items() if "after" in each.args]
PAGE = "query($after: String, $before: String) {{ {}(first: 2, after: $after, before: $before) {{ nodes {{ id }} pageInfo {{ startCursor endCursor }} }} }}"


@pytest.mark.parametrize("name", CONNECTIONS)
async def test_a_cursor_of_another_finds_nothing_but_ones_own(name: str, town: Town, at: At) -> None:
    persona = "owner" if name in OF_STAFF else "accountant" if name in OF_BOOKS else "buyer"
    asker, own = await become(persona, town.a, at), {key for _, key in town.own(persona).ids}
    others = [await at(town.b).sign_in("b-staff")]
    if name not in OF_STAFF | OF_BOOKS:
        others += [await at(town.b).sign_in("b-buyer"), await at(town.a).sign_in("neighbour")]
    for other in others:
        info = (await other.ask(PAGE.format(name)))[name]["pageInfo"]
        for side in ("after", "before"):
            body = (await asker.post(PAGE.format(name), {side: info["endCursor"]})).json()
            if "errors" in body:
                assert body["errors"][0]["extensions"]["code"] == "INVALID_CURSOR"
            else:
                found = {each["id"] for each in body["data"][name]["nodes"]}
                assert not found & {key for _, key in town.foreign(persona).ids}
                assert name == "auditLog" or found <= own  # signing in is written down too


@pytest.mark.parametrize("name", CONNECTIONS)
async def test_tampered_cursors_are_refused(name: str, town: Town, at: At) -> None:
    owner = await become("owner", town.a, at)
    pages = {each: await owner.ask(PAGE.format(each)) for each in CONNECTIONS}
    whole: str = pages[name][name]["pageInfo"]["endCursor"]
    end = len(whole.rstrip("=")) - 1  # the last character's last bits may say nothing
    tampered = [whole[:i] + ("A" if whole[i] != "A" else "B") + whole[i + 1 :] for i in range(end)]
    tampered += ["", "AAAA", "=", "ü", "null", whole[:-4], whole + "AAAA", "A" * 5_000]
    tampered += [pages[each][each]["pageInfo"]["endCursor"] for each in CONNECTIONS if each != name]
    for cursor in tampered:
        error = await owner.refusal(PAGE.format(name), after=cursor)
        assert error["extensions"] == {"code": "INVALID_CURSOR", "argument": ["after"]}, cursor


async def test_an_idempotency_key_is_ones_own(world: World, at: At) -> None:
    clear = """mutation($input: CartClearInput!) {
      cartClear(input: $input) { cart { id version } errors { code } } }"""
    town = await settle(world)
    people = [
        await become("buyer", town.a, at),
        await become("neighbour", town.a, at),
        await at(town.b).sign_in("b-buyer"),
        await at(town.c).sign_in("c-buyer"),
    ]
    answers = [await each.ask(clear, input={"idempotencyKey": "the same"}) for each in people]
    assert [each["cartClear"]["errors"] for each in answers] == [[]] * 4
    assert len({each["cartClear"]["cart"]["id"] for each in answers}) == 4
