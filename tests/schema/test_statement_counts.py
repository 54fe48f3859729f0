"""How many statements an operation runs: as many for a long list as for a short one."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Any

import pytest

import db
from db.attachments import attachments
from db.carts import cart_items, carts
from db.connections import Connection
from db.quotation_orders import quotation_orders
from resolvers.nodes import global_id
from rules.permissions import BuiltInProfile, StaffRole
from server.settings import Settings
from tests import documents
from tests.client import Client
from tests.conftest import At
from tests.rma_requests import Asked, done, rma_request
from tests.tenants.questions import root
from tests.world import Portal, World, put

PRODUCT = """id sku name category { name parent { name } children { name } } available
  price(quantity: "5") { unitPrice { amount } } priceBreaks { minQuantity }
  stock { onHand available warehouse { code } }"""
SAID = "text number choice { name } attribute { name choices { code } }"
TICKETS = "tickets(first: 2) { totalCount nodes { number } }"
CONNECTIONS = {
    "products": f"""query($first: Int) {{ products(first: $first) {{ totalCount nodes {{ {PRODUCT} {TICKETS}
      attributes {{ {SAID} }} }} }} }}""",
    "orders": f"""query($first: Int) {{ orders(first: $first) {{ totalCount pageInfo {{ hasNextPage }}
      edges {{ node {{ number status {{ name }} customer {{ name priceList {{ name }} }} warehouse {{ code }}
      totals {{ total {{ amount }} }} placedTogether {{ number }} quotation {{ number }} rmaRequest {{ number }}
      delivery {{ state schedule }} payment {{ state open {{ amount }} }} actions {{ name allowed }}
      {TICKETS} goodsIssues {{ number warehouse {{ code }} customer {{ name }} order {{ number }}
        lines {{ sku product {{ sku }} }} }}
      lines {{ sku product {{ {PRODUCT} }} warehouse {{ code }} }} }} }} }} }}""",
    "customers": """query($first: Int) { customers(first: $first) { totalCount nodes { code priceList { name }
      creditLimit { amount } contacts { name } addresses { city } accounts { name
      memberships { group { name profile { name } restrictions { kind categories { name } } } } sessions { id } }
      } } }""",
    "accounts": """query($first: Int) { accounts(first: $first) { totalCount nodes { name customer { name }
      memberships { endsOn account { name } group { name members { account { name } } } } sessions { address }
      } } }""",
    "contactChanges": """query($first: Int) { contactChanges(first: $first) { totalCount nodes { state
      customer { name contacts { name } } account { name } asked { email } decidedBy { name } } } }""",
    "quotations": f"""query($first: Int) {{ quotations(first: $first) {{ totalCount nodes {{ number state
      customer {{ name }} totals {{ total {{ amount }} }} orders {{ number quotation {{ number }} }}
      actions {{ name allowed }} lines {{ sku product {{ {PRODUCT} }} warehouse {{ code }} }} }} }} }}""",
    "files": f"""query($first: Int) {{ files(first: $first) {{ totalCount nodes {{ title audience {{ kind
      accessGroups {{ name members {{ account {{ name }} }} }} customers {{ code }} }} actions {{ name allowed }}
      versions {{ contentVersion sharedBy {{ name }} download {{ url }} }} download {{ url }} {TICKETS} }} }} }}""",
    "supportTickets": """query($first: Int) { supportTickets(first: $first) { totalCount nodes { number state overdue
      about { __typename id } customer { name } openedBy { name account { name } staffMember { name } }
      assignee { name } actions { name allowed } messages(first: 2) { totalCount nodes { text
      author { name account { name } staffMember { name } } attachments { fileName } ticket { number } } } } } }""",
    "supplierDocuments": f"""query($first: Int) {{ supplierDocuments(first: $first) {{ totalCount nodes {{ __typename id
      number kind status total {{ amount }} customer {{ name }} {TICKETS} related {{ __typename id
      ... on SupplierDocument {{ number }} ... on Order {{ number related {{ id }} }} ... on Payment {{ number }} }}
      ... on GoodsReturn {{ rmaRequest {{ number }} }} ... on CreditNote {{ rmaRequest {{ number }} }} }} }} }}""",
    "payments": f"""query($first: Int) {{ payments(first: $first) {{ totalCount nodes {{ number customer {{ name }}
      onAccount {{ amount }} actions {{ name allowed }} related {{ __typename id }} rmaRequest {{ number }} {TICKETS} }} }} }}""",
    "rmaRequests": f"""query($first: Int) {{ rmaRequests(first: $first) {{ totalCount nodes {{ number stage {TICKETS}
      customer {{ name }} invoice {{ number }} account {{ name }} status {{ name }} actions {{ name allowed }}
      attachments {{ fileName download {{ url }} }} lines {{ sku product {{ name }} invoiceLine {{ sku }} state
      receivedQuantity creditedQuantity replacedQuantity }} replacementOrders {{ number }} related {{ __typename id }}
      creditPreview {{ totals {{ total {{ amount }} }} problems {{ code }} lines {{ sku product {{ name }} }} }} }} }} }}""",
    "documentDrafts": """query($first: Int) { documentDrafts(first: $first) { totalCount nodes { kind customer { name }
      madeBy { name } order { number } goodsIssues { number } invoice { number } goodsReturn { number } rmaRequest { number }
      askedLines { goodsIssue { number } } lines { sku product { name } } totals { total { amount } }
      problems { code } actions { name allowed } } } }""",
    "notices": """query($first: Int) { notices(first: $first) { totalCount nodes { subject body state
      account { name customer { name } } node { id } } } }""",
    "trustedDocuments": """query($first: Int) { trustedDocuments(first: $first) { totalCount nodes { documentId name
      operationType uploadedBy { name roles { role portal { slug } } } } } }""",
    "auditLog": """query($first: Int) { auditLog(first: $first) { totalCount nodes { action node { id }
      account { name } staffMember { name roles { role portal { slug } } } onBehalfOf { name }
      changes { field } } } }""",
    "webhookDeliveries": """query($first: Int) { webhookDeliveries(first: $first) { totalCount nodes { event state
      webhook { name createdBy { name } actions { name allowed } } node { id ... on Account { name } }
      attempts { number status } } } }""",
}
STATEMENT = """query($first: Int) { orderStatement { lineCount totals { unit } outstandingAmounts { taxIncluded }
  products(first: $first) { totalCount nodes { sku product { name } orders(first: 5) { number order { number }
    customer { name } } } }
  orders(first: $first) { totalCount nodes { number order { number } customer { name } quantities { unit } lineCount
    lines(first: 5) { sku product { name } } } } } }"""
OF_STAFF = {
    "customers",
    "accounts",
    "contactChanges",
    "files",
    "payments",
    "documentDrafts",
    "auditLog",
    "webhookDeliveries",
    "notices",
    "trustedDocuments",
}
ORDERS = "query($first: Int) { orders(first: $first) { nodes { number lines { sku product { name } } } } }"
NODES = f"query($ids: [ID!]!) {{ nodes(ids: $ids) {{ id ... on Product {{ {PRODUCT} }} }} }}"
COMPARE = f"""query($ids: [ID!]!) {{ compareProducts(ids: $ids, quantity: "100") {{ products {{ {PRODUCT} }}
  prices {{ unitPrice {{ amount }} }} available rows {{ differs attribute {{ name choices {{ name }} }}
  values {{ {SAID} }} }} }} }}"""
CART = """{ cart { version items { sku product { name } warehouse { code } amount { amount } problem { code }
  notice { code } origin { kind quotation { number } order { number } } } totals { total { amount } }
  actions { name allowed reason { code } } } }"""
FILL_LINE = "index sku code reasons { message } suggestion { sku quantity }"
FILL = f"""mutation($input: CartFillInput!) {{ cartFill(input: $input) {{ cart {{ version items {{ sku
  notice {{ code }} origin {{ kind quotation {{ number }} order {{ number }} }} }} }} added {{ {FILL_LINE} }}
  adjusted {{ {FILL_LINE} }} rejected {{ {FILL_LINE} }} errors {{ code }} }} }}"""
ADD = """mutation($input: CartAddItemsInput!) { cartAddItems(input: $input) {
  cart { version items { sku product { name } } } errors { code message } } }"""
PLACE = """mutation { orderPlace(input: {}) { orders { number lines { sku product { name } } }
  errors { code message } } }"""

Run = Callable[..., Awaitable[int]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """`run(client, operation, **variables)`: how many statements it ran; those for the viewer and for budgets aside."""
    ran: list[str] = []
    fetch = Connection.fetch_text

    async def noting(self: Connection, sql: str, *values: Any) -> Sequence[Any]:
        ran.append(sql)
        return await fetch(self, sql, *values)

    monkeypatch.setattr(Connection, "fetch_text", noting)

    async def counted(client: Client, operation: str, **variables: Any) -> int:
        ran.clear()
        answer = await client.ask(operation, **variables)
        assert all(not each.get("errors") for each in answer.values() if isinstance(each, dict)), answer
        aside = (db.sessions._by_token.sql, db.budgets._take.sql)
        return len([sql for sql in ran if sql not in aside])

    return counted


def as_many(long: int, short: int, settings: Settings) -> bool:
    """Whether a long page takes as many statements as a short one. Asked object by object, as graphql-core does, an object
    whose way to a row is longer than another's may ask for it a turn later."""
    return long == short if settings.compiled else abs(long - short) <= 1


async def market(world: World, how_many: int) -> Portal:
    """A portal with a buyer and that many products, each with two prices, in two warehouses."""
    portal = await world.portal()
    await portal.account("bea")
    async with portal.writing() as connection:
        parent_id, tenant_id = portal.category_id, portal.tenant_id
        for sql, *values in (
            (
                """insert into categories (tenant_id, id, code, name, parent_id)
                select $1, gen_random_uuid(), 'C' || n, 'Things', $2 from generate_series(1, $3) n""",
                parent_id,
                how_many,
            ),
            (
                """insert into products (tenant_id, id, sku, name, kind, unit, tax_rate, category_id)
                select $1, gen_random_uuid(), 'P' || substr(code, 2), 'Thing', 'GOODS', 'pcs', 20, id
                from categories where tenant_id = $1 and code ^@ 'C'""",
            ),
            (
                """insert into prices (tenant_id, product_id, price_list_id, currency, min_quantity, unit_price)
                select $1, id, $2, $3, quantity, 10 from products, unnest(array[0.001, 100]) quantity""",
                portal.price_list_id,
                portal.currency,
            ),
            (
                """insert into stock (tenant_id, product_id, warehouse_id, on_hand)
                select $1, p.id, w.id, 1000 from products p, warehouses w""",
            ),
            (
                """insert into attributes (tenant_id, id, code, name_en, name_de, kind)
                select $1, gen_random_uuid(), kind, 'Thing', 'Ding', kind
                from unnest(array['TEXT', 'CHOICE']) kind""",
            ),
            (
                """insert into attribute_choices (tenant_id, attribute_id, code, name_en, name_de)
                select $1, id, 'red', 'Red', 'Rot' from attributes where kind = 'CHOICE'""",
            ),
            (
                """insert into product_attributes (tenant_id, product_id, attribute_id, value)
                select $1, p.id, a.id, 'red' from products p, attributes a""",
            ),
        ):
            await connection.fetch_text(sql, tenant_id, *values)
        found = await connection.fetch_text("select sku, id from products")
    portal.products = dict(tuple(row) for row in found)
    return portal


async def fill_cart(portal: Portal, how_many: int) -> None:
    """Put products into bea's cart, half of them from each warehouse."""
    places = list(portal.warehouse_ids.values())
    async with portal.writing() as connection:
        account_id = (await connection.fetch_text("select id from accounts"))[0][0]
        if not await connection.fetch_text("select from carts"):
            await put(connection, carts, account_id=account_id, version=0)
        for number, product_id in enumerate(list(portal.products.values())[:how_many]):
            await put(
                connection,
                cart_items,
                account_id=account_id,
                product_id=product_id,
                quantity=1,
                warehouse_id=places[number % 2],
            )


def test_every_connection_is_measured() -> None:
    assert set(CONNECTIONS) == {name for name, each in root("query").fields.items() if "after" in each.args}


@pytest.mark.parametrize("name", CONNECTIONS)
async def test_a_long_page_costs_no_more_statements_than_a_short_one(
    name: str, world: World, at: At, run: Run, settings: Settings
) -> None:
    portal = await market(world, 60)
    for number in range(60):
        skus = (f"P{number + 1}", f"P{(number + 7) % 60 + 1}")
        order_id = await portal.order(f"SO-{number}", skus=skus, promised_on=date(2026, 3, 5))
        await portal.goods_issue(f"GI-{number}", order_id, sku=skus[0])
        quotation_id = await portal.quotation(f"QU-{number}", skus=skus)
        async with portal.writing() as connection:
            await put(connection, quotation_orders, quotation_id=quotation_id, order_id=order_id, position=1)
    await crowd(portal, 60)
    for number in range(60):
        group = await portal.group(f"Group {number}")
        named: dict[str, Any] = {"access_groups": [group]} if number % 2 else {"customers": ["C1"]}
        await portal.file(f"File {number}", **named)
    if name == "documentDrafts":
        await draft_all(portal)
    if name == "rmaRequests":
        await return_all(portal)
    if name == "payments":
        for number in range(60):
            bill = await documents.invoice(portal, f"IN-{number}", [documents.Sold(f"P{number + 1}")])
            await documents.payment(portal, f"PA-{number}", 100, settles=bill)
    await ask_about_all(portal)
    asker = await at(portal).sign_in("olga" if name in OF_STAFF else "bea")
    short = await run(asker, CONNECTIONS[name], first=5)
    assert as_many(await run(asker, CONNECTIONS[name], first=50), short, settings)


CHANGES = """query($first: Int) { changes(first: $first) { cursor more latest changes { cursor at type operation event
  customer { name } node { __typename id ... on Product { category { name } } ... on Order { lines { sku } } } } } }"""


async def test_a_long_page_of_mixed_changes_costs_no_more_statements_than_a_short_one(
    world: World, at: At, run: Run
) -> None:
    portal = await market(world, 20)
    await portal.staff_member("olga", role=StaffRole.OWNER)
    for number in range(20):
        order_id = await portal.order(f"SO-{number}", skus=(f"P{number + 1}",))
        await portal.goods_issue(f"GI-{number}", order_id, sku=f"P{number + 1}")
    async with portal.writing() as connection:
        await connection.fetch_text(
            """insert into changes (tenant_id, position, node_type, node_id, operation, subject_id, customer_id)
            select $1, row_number() over (order by nth, kind), kind, id, 'CREATED', id, customer_id from (
                select row_number() over () as nth, 'Product' as kind, id, null as customer_id from products union all
                select row_number() over (), 'Order', id, customer_id from orders union all
                select row_number() over (), 'GoodsIssue', id, customer_id from goods_issues
            ) every""",
            portal.tenant_id,
        )
        await connection.fetch_text(
            "insert into feeds (tenant_id, position) values ($1, 60)", portal.tenant_id
        )
    olga = await at(portal).sign_in("olga")
    page = (await olga.ask(CHANGES, first=50))["changes"]
    assert len(page["changes"]) == 50
    assert all(each["node"] for each in page["changes"])
    short = await run(olga, CHANGES, first=6)
    assert await run(olga, CHANGES, first=50) == short <= 9


async def ask_about_all(portal: Portal) -> None:
    """Three tickets about each object of each kind, each with three messages that have files."""
    about = ("Order", "Quotation", "GoodsIssue", "Invoice", "Product", "Payment", "SharedFile", "RMARequest")
    tables = (
        "orders",
        "quotations",
        "goods_issues",
        "invoices",
        "products",
        "payments",
        "shared_files",
        "rma_requests",
    )
    every = " union all ".join(
        f"(select '{kind}', id from {table} where tenant_id = $1)"
        for kind, table in zip(about, tables, strict=True)
    )
    for sql, *values in (
        (
            f"""insert into support_tickets (tenant_id, id, number, customer_id, account_id, opened_by, subject,
            about_type, about_id, state, assignee_id, opened_at, last_message_at, version, assignments)
            select $1, gen_random_uuid(), 'ST-' || row_number() over (), (select id from customers where code = 'C1'),
            (select id from accounts where user_name = 'bea'), 'Bea', 'Help', kind, key, 'OPEN',
            (select id from staff_members where supplier_id = $2 limit 1), now(),
            now() + row_number() over (partition by kind) * interval '1 s', 1, 0
            from ({every}) of_all (kind, key), generate_series(1, 3)""",
            portal.supplier_id,
        ),
        (
            """insert into ticket_messages (tenant_id, id, ticket_id, account_id, author, text, internal, at)
            select $1, gen_random_uuid(), id, account_id, 'Bea', 'Help', false, now() from support_tickets,
            generate_series(1, 3)""",
        ),
        (
            """insert into attachments (tenant_id, id, upload_id, ticket_message_id)
            select $1, gen_random_uuid(), (select id from uploads limit 1), id from ticket_messages""",
        ),
    ):
        async with portal.writing() as connection:
            await connection.fetch_text(sql, portal.tenant_id, *values)


async def draft_all(portal: Portal) -> None:
    """Drafts of an invoice and of a credit note for each order, in turns, and who began them."""
    olaf_id = await portal.staff_member("olaf")
    async with portal.writing() as connection:
        rows = await connection.fetch_text("select id from orders order by number")
    for number, (order_id,) in enumerate(rows):
        bill = await documents.invoice(portal, f"IN-{number}", (documents.Sold("P1"),), order_id=order_id)
        await documents.draft(portal, "order", order_id, olaf_id)
        await documents.draft(portal, "invoice", bill.id, olaf_id)


async def return_all(portal: Portal) -> None:
    """A request with a photo and what came back for it, or a draft, for an invoice of its own, in turns."""
    upload_id = await portal.upload(state="USED")
    for number in range(60):
        bill = await documents.invoice(portal, f"IN-{number}", (documents.Sold(f"P{number + 1}"),))
        sent = await rma_request(portal, f"RM-{number}", bill)
        await documents.goods_return(portal, f"GR-{number}", bill, rma_request_id=sent.id)
        other = await documents.invoice(portal, f"IO-{number}", (documents.Sold(f"P{number + 1}"),))
        await rma_request(portal, None, other)
        async with portal.writing() as connection:
            await put(connection, attachments, upload_id=upload_id, rma_request_id=sent.id)


RETURNABLE = """query($invoice: ID!) { returnableLines(invoice: $invoice) { returnableQuantity product { name }
  obstacles { code message quantity } } }"""
SEND_BACK = """mutation($input: RmaRequestCreateInput!) { rmaRequestCreate(input: $input) {
  rmaRequest { number lines { sku state } } errors { code message } } }"""
SUBMIT = """mutation($input: RmaRequestSubmitInput!) { rmaRequestSubmit(input: $input) {
  rmaRequest { number lines { sku state } } errors { code message } } }"""


async def test_an_invoice_of_200_lines_is_sent_back_with_as_many_statements_as_one_of_2(
    world: World, at: At, run: Run
) -> None:
    portal = await market(world, 200)
    bea = await at(portal).sign_in("bea")
    costs = []
    for how_many in (2, 200):
        sold = [documents.Sold(f"P{number + 1}", "2") for number in range(how_many)]
        bill = await documents.invoice(portal, f"IN-{how_many}", sold)
        given = {
            "invoice": global_id("Invoice", bill.id),
            "lines": [
                {"invoicePosition": position, "quantity": "1", "problem": "broken"}
                for position in range(1, how_many + 1)
            ],
        }
        at_once = await run(bea, SEND_BACK, input={**given, "submit": True})
        made = await done(bea, "rmaRequestCreate", **given)
        later = await run(bea, SUBMIT, input={"rmaRequest": made["id"]})
        told = await run(bea, RETURNABLE, invoice=given["invoice"])
        costs.append((at_once, later, told))
    assert costs[0] == costs[1]


MIXED = """query($first: Int) { supplierDocuments(first: $first) { edges { cursor node { __typename id number
  related { __typename id ... on SupplierDocument { number } ... on Order { number }
  ... on Payment { number } } } } pageInfo { endCursor } } }"""


async def test_a_page_of_mixed_documents_with_their_chain_costs_few_statements(
    world: World, at: At, run: Run
) -> None:
    portal = await market(world, 1)
    await portal.staff_member("olga")
    for number in range(10):
        order_id = await portal.order(f"SO-{number}", skus=("P1",))
        await documents.one_of_each(portal, str(number), "C1", order_id, "P1")
        await portal.goods_issue(f"GI-{number}", order_id, sku="P1")
    for somebody in ("bea", "olga"):
        asker = await at(portal).sign_in(somebody)
        nodes = [each["node"] for each in (await asker.ask(MIXED, first=50))["supplierDocuments"]["edges"]]
        assert len(nodes) == 50
        assert any(each["related"] for each in nodes)
        short = await run(asker, MIXED, first=20)
        assert await run(asker, MIXED, first=50) == short <= 10


async def crowd(portal: Portal, how_many: int) -> None:
    """Customers with contacts, addresses and accounts in groups of their own, requests, webhooks and a long audit."""
    await portal.staff_member("olga", role=StaffRole.OWNER)
    for sql in (
        """insert into customers (tenant_id, id, code, name, country, currency, email, credit_limit)
        select $1, gen_random_uuid(), 'X' || n, 'Customer', '', 'GBP', '', 100 from generate_series(1, $2) n""",
        """insert into contacts (tenant_id, customer_id, position, name, job_title, email, phone)
        select $1, id, 1, 'Kim', '', '', '' from customers where $2 > 0""",
        """insert into addresses (tenant_id, customer_id, position, kind, name, street, postal_code, city, region,
        country) select $1, id, 1, 'BILLING', '', '', '', 'Hull', '', '' from customers where $2 > 0""",
        """insert into accounts (tenant_id, id, customer_id, user_name, name, email)
        select $1, gen_random_uuid(), id, code, code, '' from customers where code ^@ 'X' and $2 > 0""",
        """insert into access_groups (tenant_id, id, name, profile_id, category_mode)
        select $1, a.id, a.name, p.id, 'ALLOW_EXCEPT' from accounts a, profiles p
        where p.built_in = 'BUYER' and a.user_name ^@ 'X' and $2 > 0""",
        """insert into access_group_categories (tenant_id, access_group_id, category_id)
        select $1, g.id, c.id from access_groups g, categories c where c.code = 'all' and $2 > 0""",
        """insert into access_group_members (tenant_id, access_group_id, account_id)
        select $1, id, id from accounts where user_name ^@ 'X' and $2 > 0""",
        """insert into contact_changes (tenant_id, id, customer_id, account_id, asked)
        select $1, id, customer_id, id, '{"email": "x@y.example", "phone": null, "contacts": null, "addresses": null}'
        from accounts where user_name ^@ 'X' and $2 > 0""",
        """insert into audit_entries (tenant_id, id, action, staff_member_id, customer_id, node_type, node_id, after,
        request_id) select $1, gen_random_uuid(), 'test', (select id from staff_members), customer_id, 'Account', id,
        '{"a": 1}', '' from accounts where $2 > 0""",
        """insert into webhooks (tenant_id, id, name, url, events, permissions, created_by_id, secret)
        select $1, id, user_name, 'https://erp.example', '{account.activated}', '{}', (select id from staff_members), ''
        from accounts where $2 > 0""",
        """insert into webhook_deliveries (tenant_id, id, webhook_id, position, event, happened_at, subject_id, node_type,
        node_id) select $1, id, id, 1, 'account.activated', now(), id, 'Account', id from accounts where $2 > 0""",
        """insert into webhook_attempts (tenant_id, webhook_delivery_id, number) select $1, id, n
        from accounts, generate_series(1, 3) n where $2 > 0""",
        """insert into trusted_documents (tenant_id, id, hash, text, operation_type, uploaded_by_id)
        select $1, id, encode(sha256(id::text::bytea), 'hex'), '', 'QUERY', (select id from staff_members) from accounts
        where $2 > 0""",
        """insert into notices (tenant_id, id, kind, account_id, address, language, subject, body, node_type, node_id)
        select $1, gen_random_uuid(), 'ACTIVATION', id, '', 'en', 'Code', '', 'Account', id from accounts
        where $2 > 0""",
    ):
        async with portal.writing() as connection:
            await connection.fetch_text(sql, portal.tenant_id, how_many)


async def test_orders_with_lines_and_products_cost_few_statements(world: World, at: At, run: Run) -> None:
    portal = await market(world, 60)
    for number in range(60):
        await portal.order(f"SO-{number}", skus=(f"P{number + 1}", "P60" if number < 59 else "P1"))
    bea = await at(portal).sign_in("bea")
    assert await run(bea, ORDERS, first=50) <= 6


async def test_a_long_statement_costs_no_more_statements_than_a_short_one(
    world: World, at: At, run: Run
) -> None:
    portal = await market(world, 60)
    for number in range(60):
        await portal.order(f"SO-{number}", skus=(f"P{number + 1}", f"P{(number + 7) % 60 + 1}"))
    bea = await at(portal).sign_in("bea")
    short = await run(bea, STATEMENT, first=5)
    assert await run(bea, STATEMENT, first=50) == short <= 13


async def test_many_nodes_cost_no_more_statements_than_a_few(world: World, at: At, run: Run) -> None:
    portal = await market(world, 60)
    bea = await at(portal).sign_in("bea")
    found = await bea.ask("{ products(first: 60) { nodes { id } } }")
    ids = [each["id"] for each in found["products"]["nodes"]]
    assert await run(bea, NODES, ids=ids) == await run(bea, NODES, ids=ids[:5])


async def test_ten_products_are_compared_with_as_many_statements_as_two(
    world: World, at: At, run: Run
) -> None:
    portal = await market(world, 10)
    bea = await at(portal).sign_in("bea")
    found = await bea.ask("{ products(first: 10) { nodes { id } } }")
    ids = [each["id"] for each in found["products"]["nodes"]]
    assert len(ids) == 10
    assert await run(bea, COMPARE, ids=ids) == await run(bea, COMPARE, ids=ids[:2])


async def test_a_full_cart_costs_no_more_statements_than_a_small_one(world: World, at: At, run: Run) -> None:
    portal = await market(world, 50)
    bea = await at(portal).sign_in("bea")
    await fill_cart(portal, 2)
    small = await run(bea, CART)
    async with portal.writing() as connection:
        await connection.fetch_text("delete from cart_items")
    await fill_cart(portal, 50)
    assert await run(bea, CART) == small


@pytest.mark.parametrize("by", ["sku", "product"])
async def test_adding_many_items_costs_no_more_statements_than_adding_a_few(
    by: str, world: World, at: At, run: Run
) -> None:
    portal = await market(world, 50)
    bea = await at(portal).sign_in("bea")
    found = await bea.ask("{ products(first: 60) { nodes { sku product: id stock { warehouse { id } } } } }")
    items = [
        {by: each[by], "quantity": "1", "warehouse": each["stock"][0]["warehouse"]["id"]}
        for each in found["products"]["nodes"]
    ]
    few = await run(bea, ADD, input={"items": items[:2]})
    assert await run(bea, ADD, input={"items": items}) == few


async def test_an_order_of_200_lines_costs_as_many_statements_as_one_of_2(
    world: World, at: At, run: Run
) -> None:
    portal = await market(world, 200)
    bea = await at(portal).sign_in("bea")
    await fill_cart(portal, 2)
    small = await run(bea, PLACE)
    await fill_cart(portal, 200)
    assert await run(bea, PLACE) == small


PREVIEW = f"""{{ orderPreview {{ cartVersion previewToken orders {{ warehouse {{ code }} totals {{ total {{ amount }} }}
  lines {{ sku product {{ name }} warehouse {{ code }} amount {{ amount }} }} }} totals {{ total {{ amount }} }}
  unavailable {{ item {{ sku product {{ {PRODUCT} }} }} reason {{ code }} alternatives {{ available
  warehouse {{ code }} }} }} shipTo {{ id }} credit {{ used {{ amount }} }} warnings {{ code }} }} }}"""
PLACE_SHOWN = """mutation($input: OrderPlaceInput!) { orderPlace(input: $input) { orders { number shipTo { city }
  lines { sku product { name } } } warnings { code } errors { code message } } }"""


async def test_previewing_and_placing_200_lines_as_shown_cost_as_many_statements_as_2(
    world: World, at: At, run: Run
) -> None:
    portal = await market(world, 200)
    bea = await at(portal).sign_in("bea")
    async with portal.writing() as connection:
        await connection.fetch_text("update customers set credit_limit = 1")
        await connection.fetch_text(
            """insert into addresses (tenant_id, customer_id, position, kind, name, street, postal_code, city, region,
            country) select tenant_id, id, 1, 'SHIPPING', '', '', '', 'Hull', '', '' from customers"""
        )
    costs = []
    for how_many in (2, 200):
        await fill_cart(portal, how_many)
        shown = await run(bea, PREVIEW)
        given = (await bea.ask(PREVIEW))["orderPreview"]
        assert given["warnings"] == [{"code": "CREDIT_LIMIT_EXCEEDED"}]
        placed = await run(bea, PLACE_SHOWN, input={"previewToken": given["previewToken"]})
        costs.append((shown, placed))
    assert costs[0] == costs[1]


async def test_200_lines_that_cannot_be_ordered_cost_as_many_statements_as_2(
    world: World, at: At, run: Run
) -> None:
    portal = await market(world, 200)
    bea = await at(portal).sign_in("bea")
    async with portal.writing() as connection:
        await connection.fetch_text(
            "update stock set on_hand = 0 where warehouse_id = $1", portal.warehouse_ids["W1"]
        )
    costs = []
    document = PREVIEW.replace("previewToken", "")
    for how_many in (4, 200):
        await fill_cart(portal, how_many)
        costs.append(await run(bea, document))
        shown = (await bea.ask(document))["orderPreview"]
        assert len(shown["unavailable"]) == how_many // 2
        assert all(each["alternatives"] for each in shown["unavailable"])
        async with portal.writing() as connection:
            await connection.fetch_text("delete from cart_items")
    assert costs[0] == costs[1]


SHIP = """mutation($input: OrderShipInput!) { orderShip(input: $input) {
  order { lines { sku shippedQuantity } } goodsIssues { number lines { sku } } errors { code message } } }"""
CLOSE = "mutation($input: OrderCloseInput!) { orderClose(input: $input) { order { version } errors { code message } } }"


async def test_shipping_and_closing_200_lines_cost_as_many_statements_as_2(
    world: World, at: At, run: Run
) -> None:
    portal = await market(world, 200)
    await portal.staff_member("olga")
    olga = await at(portal).sign_in("olga")
    for document in (SHIP, CLOSE):
        costs = []
        for how_many in (2, 200):
            skus = tuple(f"P{number + 1}" for number in range(how_many))
            order_id = await portal.order(f"SO-{len(document)}-{how_many}", skus=skus)
            given: dict[str, Any] = {"order": global_id("Order", order_id)}
            if document is SHIP:  # all but the last line
                given["lines"] = [{"position": position} for position in range(1, how_many)]
            costs.append(await run(olga, document, input=given))
        assert costs[0] == costs[1]


ISSUE = """mutation($input: InvoiceIssueInput!) { invoiceIssue(input: $input) { invoice { id lines { sku product { name } }
  actions { allowed } } errors { code message } } }"""
CREDIT = """mutation($input: CreditNoteIssueInput!) { creditNoteIssue(input: $input) { creditNote { lines { sku }
  actions { allowed } } errors { code message } } }"""
RECEIVE = """mutation($input: GoodsReturnReceiveInput!) { goodsReturnReceive(input: $input) { goodsReturn { id
  lines { sku } actions { allowed } } errors { code message } } }"""
REVERSE = """mutation($input: SupplierDocumentReverseInput!) { supplierDocumentReverse(input: $input) {
  document { status } errors { code message } } }"""
PAY = """mutation($input: PaymentRecordInput!) { paymentRecord(input: $input) { payment { onAccount { amount }
  actions { allowed } } errors { code message } } }"""


async def test_charging_crediting_and_receiving_200_lines_cost_as_many_statements_as_2(
    world: World, at: At, run: Run
) -> None:
    portal = await market(world, 200)
    await portal.staff_member("olga")
    olga = await at(portal).sign_in("olga")
    costs = []
    for how_many in (2, 200):
        skus = tuple(f"P{number + 1}" for number in range(how_many))
        order = global_id("Order", await portal.order(f"SO-{how_many}", skus=skus))
        await olga.ask(SHIP, input={"order": order})
        issued = await run(olga, ISSUE, input={"order": order})
        async with portal.writing() as connection:
            found = await connection.fetch_text("select id from invoices order by issued_at desc limit 1")
        given: dict[str, Any] = {"invoice": global_id("Invoice", found[0][0])}
        back = {
            "lines": [{"position": position} for position in range(1, how_many + 1)],
            "warehouse": global_id("Warehouse", portal.warehouse_ids["W1"]),
        }
        received = await run(olga, RECEIVE, input=given | back)
        async with portal.writing() as connection:
            found = await connection.fetch_text("select id from goods_returns order by number desc limit 1")
        gone = await run(
            olga, REVERSE, input={"document": global_id("GoodsReturn", found[0][0]), "reason": "Wrong"}
        )
        credited = await run(olga, CREDIT, input=given | {"operation": "ADJUSTMENT"})
        costs.append((issued, received, gone, credited))
    assert costs[0] == costs[1]


async def test_settling_50_invoices_costs_as_many_statements_as_2(world: World, at: At, run: Run) -> None:
    portal = await market(world, 2)
    await portal.staff_member("olga")
    olga = await at(portal).sign_in("olga")
    bills = [await documents.invoice(portal, f"IN-{number}") for number in range(52)]
    costs = []
    for some in (bills[:2], bills[2:]):
        settled = [{"invoice": global_id("Invoice", each.id), "amount": "12"} for each in some]
        given = {"customer": global_id("Customer", portal.customers["C1"]), "amount": "600"}
        costs.append(await run(olga, PAY, input=given | {"allocations": settled}))
    assert costs[0] == costs[1]


LISTED = """query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Invoice { actions { name allowed } }
  ... on TaxInvoice { actions { name } } ... on CreditNote { actions { name } } ... on GoodsReturn { actions { name } }
  ... on Payment { onAccount { amount } actions { name reason { code } } } } }"""


async def test_the_actions_of_50_documents_cost_as_many_statements_as_those_of_5(
    world: World, at: At, run: Run, settings: Settings
) -> None:
    portal = await market(world, 2)
    await portal.staff_member("olga")
    olga = await at(portal).sign_in("olga")
    ids = []
    for number in range(10):
        made = await documents.one_of_each(portal, str(number), "C1", None, "P1")
        made.pop("ReconciliationStatement")
        ids += [global_id(kind, key) for kind, (key, _) in made.items()]
    assert as_many(await run(olga, LISTED, ids=ids), await run(olga, LISTED, ids=ids[:5]), settings)


async def sources(portal: Portal, skus: list[str], client: Client) -> dict[str, dict[str, Any]]:
    """The same lines from wherever they can come; the last of a list is unknown."""
    number = str(len(skus))
    await portal.order(f"SO-{number}", skus=tuple(skus))
    await portal.quotation(f"QU-{number}", skus=tuple(skus))
    found = await client.ask(
        "query($order: String, $quotation: String) { order(number: $order) { id } quotation(number: $quotation) { id } }",
        order=f"SO-{number}",
        quotation=f"QU-{number}",
    )
    return {
        "order": {"order": found["order"]["id"]},
        "quotation": {"quotation": found["quotation"]["id"]},
        "csv": {"csv": "\n".join(f"{sku},1,W1" for sku in [*skus, "P-1"])},
        "lines": {"lines": [{"sku": sku, "quantity": "1", "warehouse": "W1"} for sku in [*skus, "P-1"]]},
    }


@pytest.mark.parametrize("kind", ["order", "quotation", "csv", "lines"])
async def test_filling_a_cart_with_500_lines_costs_as_many_statements_as_with_5(
    kind: str, world: World, at: At, run: Run
) -> None:
    portal = await market(world, 500)
    bea = await at(portal).sign_in("bea")
    skus = list(portal.products)
    few = (await sources(portal, skus[:5], bea))[kind]
    many = (await sources(portal, skus, bea))[kind]
    statements = await run(bea, FILL, input={"from": few})
    assert (
        await run(bea, FILL, input={"from": many, "replace": True}) <= statements + 1
    )  # it is cleared first
    assert len((await bea.ask(CART))["cart"]["items"]) == 500
    small = await run(bea, PLACE)
    await run(bea, FILL, input={"from": few})
    assert await run(bea, PLACE) <= small


BALANCE = """query($kind: BalanceReportKind!, $first: Int, $after: String) {
  balanceReport(kind: $kind) { customer { code }
    ... on CustomerBalance { balances { debt { amount } credit { left { amount } }
        ageing { count invoices(first: $first) { number invoice { status } } } }
      openInvoices(first: $first, after: $after) { totalCount pageInfo { endCursor } nodes { invoice { number } } }
      prepayments(first: $first) { nodes { invoice { number } sources { document { id } } } } }
    ... on CustomerBalanceByOrder { totals { debt { amount } } orders(first: $first, after: $after) {
      pageInfo { endCursor } totalCount nodes { order { number } } } }
    ... on ReconciliationReport { balances { closing { amount } movements(first: $first, after: $after) {
      pageInfo { endCursor } totalCount nodes { number document { id } balance { amount } } } } } } }"""
OF_STATEMENTS = """query($ids: [ID!]!, $first: Int) { nodes(ids: $ids) { ... on ReconciliationStatement {
  number actions { allowed } movements(first: $first) { nodes { number document { id } balance { amount } } } } } }"""


@pytest.mark.parametrize(("kind", "most"), [("CUSTOMER", 14), ("BY_ORDER", 6), ("RECONCILIATION", 10)])
async def test_a_long_history_is_reported_with_as_many_statements_as_a_short_one(
    kind: str, most: int, world: World, at: At, run: Run
) -> None:
    portal = await market(world, 5)
    await portal.account("ada", profile=BuiltInProfile.ACCOUNTANT)
    async with portal.writing() as connection:
        await connection.fetch_text("update customers set credit_limit = 1000000")
    ada = await at(portal).sign_in("ada")
    costs = []
    for number in range(60):
        order_id = await portal.order(f"SO-{number}", skus=("P1",))
        bill = await documents.invoice(portal, f"IN-{number}", order_id=order_id)
        over = await documents.invoice(portal, f"IO-{number}")
        await documents.credit_note(portal, f"CN-{number}", bill, (documents.Sold("P1", "0.5"),))
        await documents.payment(portal, f"PA-{number}", 2_000, settles=over)
        await documents.payment(portal, f"PB-{number}", 100)
        if number in (4, 59):
            costs.append(await run(ada, BALANCE, kind=kind, first=50))
    assert costs[0] == costs[1] <= most
    if kind != "CUSTOMER":
        found = (await ada.ask(BALANCE, kind=kind, first=5))["balanceReport"]
        page = found["orders"] if kind == "BY_ORDER" else found["balances"][0]["movements"]
        later = await run(ada, BALANCE, kind=kind, first=50, after=page["pageInfo"]["endCursor"])
        assert later == costs[0]


async def test_many_statements_with_their_movements_cost_as_many_statements_as_a_few(
    world: World, at: At, run: Run
) -> None:
    portal = await market(world, 5)
    await portal.account("ada", profile=BuiltInProfile.ACCOUNTANT)
    ids = []
    for number in range(20):
        bill = await documents.invoice(portal, f"IN-{number}")
        made = await documents.reconciliation_statement(portal, f"RS-{number}", bill)
        ids.append(global_id("ReconciliationStatement", made.id))
    ada = await at(portal).sign_in("ada")
    short = await run(ada, OF_STATEMENTS, ids=ids[:2], first=50)
    assert await run(ada, OF_STATEMENTS, ids=ids, first=50) == short <= 3


async def test_a_statement_of_many_movements_is_issued_with_as_many_statements_as_of_a_few(
    world: World, at: At, run: Run
) -> None:
    portal = await market(world, 5)
    await portal.staff_member("olga", role=StaffRole.OWNER)
    olga = await at(portal).sign_in("olga")
    asked = """mutation($input: ReconciliationStatementIssueInput!) { reconciliationStatementIssue(input: $input) {
      reconciliationStatement { number } errors { code } } }"""
    given = {
        "customer": global_id("Customer", portal.customers["C1"]),
        "periodFrom": "2026-01-01",
        "periodTo": "2026-06-30",
    }
    costs = []
    for number in range(40):
        await documents.invoice(portal, f"IN-{number}")
        if number in (1, 39):
            costs.append(await run(olga, asked, input=given))
    assert costs[0] == costs[1]


async def test_a_request_of_200_lines_is_granted_received_credited_and_replaced_like_one_of_2(
    world: World, at: At, run: Run
) -> None:
    portal = await market(world, 200)
    await portal.staff_member("mia")
    mia = await at(portal).sign_in("mia")
    costs = []
    for how_many in (2, 200):
        sold = [documents.Sold(f"P{number + 1}", "2") for number in range(how_many)]
        bill = await documents.invoice(portal, f"IN-{how_many}", sold)
        asked = [Asked(position) for position in range(1, how_many + 1)]
        sent = await rma_request(portal, f"RM-{how_many}", bill, asked)
        lines = [{"position": each, "resolution": "REPLACE"} for each in range(1, how_many + 1)]
        cost = []
        for mutation, given in (
            ("rmaRequestDecide", {"lines": lines}),
            ("goodsReturnReceive", {}),
            ("creditNoteIssue", {}),
            ("rmaRequestReplace", {}),
        ):
            kind = f"{mutation[0].upper()}{mutation[1:]}Input!"
            document = (
                f"mutation($input: {kind}) {{ {mutation}(input: $input) {{ errors {{ code message }} }} }}"
            )
            this = {"rmaRequest": global_id("RMARequest", sent.id)}
            cost.append(await run(mia, document, input={**this, **given}))
        costs.append(cost)
    assert costs[0] == costs[1]
