"""The first tables: registry, people, catalogue, carts, orders, documents, ledger.

Revision ID: 2026_11_24_first_tables
Revises:
"""

from alembic import op

revision = "2026_11_24_first_tables"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE suppliers (
    id UUID NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT suppliers_code_key UNIQUE (code)
);

CREATE TABLE portals (
    tenant_id UUID NOT NULL,
    supplier_id UUID NOT NULL,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    legal_name TEXT NOT NULL,
    currency TEXT NOT NULL,
    locale TEXT NOT NULL,
    support_email TEXT NOT NULL,
    open BOOLEAN DEFAULT 'true' NOT NULL,
    stock_policy TEXT DEFAULT 'REQUIRE_STOCK' NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    price_list_id UUID,
    CONSTRAINT portals_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT portals_supplier_fkey FOREIGN KEY(supplier_id) REFERENCES suppliers (id),
    CONSTRAINT portals_slug_key UNIQUE (slug),
    CONSTRAINT portals_locale_check CHECK (locale in ('en', 'de')),
    CONSTRAINT portals_stock_policy_check CHECK (stock_policy in ('REQUIRE_STOCK', 'ALLOW_BACKORDER'))
);

CREATE INDEX portals_supplier_idx ON portals (supplier_id);

CREATE TABLE staff_members (
    supplier_id UUID NOT NULL,
    id UUID NOT NULL,
    user_name TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    active BOOLEAN DEFAULT 'true' NOT NULL,
    CONSTRAINT staff_members_pkey PRIMARY KEY (supplier_id, id),
    CONSTRAINT staff_members_supplier_fkey FOREIGN KEY(supplier_id) REFERENCES suppliers (id),
    CONSTRAINT staff_members_user_name_key UNIQUE (supplier_id, user_name)
);

CREATE TABLE access_groups (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    profile TEXT NOT NULL,
    CONSTRAINT access_groups_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT access_groups_name_key UNIQUE (tenant_id, name),
    CONSTRAINT access_groups_profile_check CHECK (profile in ('CUSTOMER', 'BUYER', 'ACCOUNTANT', 'VIEWER')),
    CONSTRAINT access_groups_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE TABLE categories (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    parent_id UUID,
    CONSTRAINT categories_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT categories_code_key UNIQUE (tenant_id, code),
    CONSTRAINT categories_parent_fkey FOREIGN KEY(tenant_id, parent_id) REFERENCES categories (tenant_id, id),
    CONSTRAINT categories_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX categories_parent_idx ON categories (tenant_id, parent_id);

CREATE TABLE counters (
    tenant_id UUID NOT NULL,
    kind TEXT NOT NULL,
    last BIGINT NOT NULL,
    CONSTRAINT counters_pkey PRIMARY KEY (tenant_id, kind),
    CONSTRAINT counters_kind_check CHECK (kind in ('SO')),
    CONSTRAINT counters_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE TABLE idempotency_keys (
    tenant_id UUID NOT NULL,
    actor_id UUID NOT NULL,
    key TEXT NOT NULL,
    input_hash BYTEA NOT NULL,
    answer TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (tenant_id, actor_id, key),
    CONSTRAINT idempotency_keys_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (tenant_id, created_at);

CREATE TABLE lifecycle_statuses (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    subject TEXT NOT NULL,
    code TEXT NOT NULL,
    name_en TEXT NOT NULL,
    name_de TEXT NOT NULL,
    processing_state TEXT NOT NULL,
    predefined BOOLEAN NOT NULL,
    position INTEGER NOT NULL,
    CONSTRAINT lifecycle_statuses_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT lifecycle_statuses_code_key UNIQUE (tenant_id, subject, code),
    CONSTRAINT lifecycle_statuses_subject_check CHECK (subject in ('ORDER', 'RMA_REQUEST')),
    CONSTRAINT lifecycle_statuses_state_check CHECK (processing_state in ('NOT_STARTED', 'IN_PROGRESS', 'COMPLETED', 'CANCELLED')),
    CONSTRAINT lifecycle_statuses_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE UNIQUE INDEX lifecycle_statuses_predefined_key ON lifecycle_statuses (tenant_id, subject, processing_state) WHERE predefined;

CREATE TABLE portal_hosts (
    tenant_id UUID NOT NULL,
    host TEXT NOT NULL,
    CONSTRAINT portal_hosts_pkey PRIMARY KEY (tenant_id, host),
    CONSTRAINT portal_hosts_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id),
    CONSTRAINT portal_hosts_host_key UNIQUE (host)
);

CREATE TABLE price_lists (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    tax_included BOOLEAN DEFAULT 'false' NOT NULL,
    CONSTRAINT price_lists_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT price_lists_code_key UNIQUE (tenant_id, code),
    CONSTRAINT price_lists_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE TABLE staff_roles (
    supplier_id UUID NOT NULL,
    id UUID NOT NULL,
    staff_member_id UUID NOT NULL,
    at_tenant_id UUID,
    role TEXT NOT NULL,
    CONSTRAINT staff_roles_pkey PRIMARY KEY (supplier_id, id),
    CONSTRAINT staff_roles_staff_member_fkey FOREIGN KEY(supplier_id, staff_member_id) REFERENCES staff_members (supplier_id, id),
    CONSTRAINT staff_roles_portal_fkey FOREIGN KEY(at_tenant_id) REFERENCES portals (tenant_id),
    CONSTRAINT staff_roles_role_key UNIQUE NULLS NOT DISTINCT (supplier_id, staff_member_id, at_tenant_id, role),
    CONSTRAINT staff_roles_role_check CHECK (role in ('OWNER', 'MANAGER', 'AGENT', 'ACCOUNTANT'))
);

CREATE INDEX staff_roles_at_tenant_idx ON staff_roles (at_tenant_id);

CREATE TABLE warehouses (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT warehouses_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT warehouses_code_key UNIQUE (tenant_id, code),
    CONSTRAINT warehouses_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE TABLE customers (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    currency TEXT NOT NULL,
    email TEXT NOT NULL,
    price_list_id UUID,
    CONSTRAINT customers_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT customers_code_key UNIQUE (tenant_id, code),
    CONSTRAINT customers_price_list_fkey FOREIGN KEY(tenant_id, price_list_id) REFERENCES price_lists (tenant_id, id),
    CONSTRAINT customers_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE TABLE products (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT DEFAULT '' NOT NULL,
    kind TEXT NOT NULL,
    category_id UUID,
    unit TEXT NOT NULL,
    tax_rate NUMERIC(5, 2) NOT NULL,
    active BOOLEAN DEFAULT 'true' NOT NULL,
    search TSVECTOR GENERATED ALWAYS AS (to_tsvector('english', name) || to_tsvector('german', name) || to_tsvector('simple', sku || ' ' || name || ' ' || description)) STORED,
    CONSTRAINT products_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT products_sku_key UNIQUE (tenant_id, sku),
    CONSTRAINT products_category_fkey FOREIGN KEY(tenant_id, category_id) REFERENCES categories (tenant_id, id),
    CONSTRAINT products_kind_check CHECK (kind in ('GOODS', 'SERVICE')),
    CONSTRAINT products_tax_rate_check CHECK (tax_rate between 0 and 100),
    CONSTRAINT products_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX products_category_idx ON products (tenant_id, category_id);

CREATE INDEX products_name_idx ON products (tenant_id, name, id);

CREATE TABLE accounts (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    customer_id UUID NOT NULL,
    user_name TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    active BOOLEAN DEFAULT 'true' NOT NULL,
    CONSTRAINT accounts_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT accounts_user_name_key UNIQUE (tenant_id, user_name),
    CONSTRAINT accounts_customer_fkey FOREIGN KEY(tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT accounts_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX accounts_customer_idx ON accounts (tenant_id, customer_id);

CREATE TABLE prices (
    tenant_id UUID NOT NULL,
    product_id UUID NOT NULL,
    price_list_id UUID NOT NULL,
    currency TEXT NOT NULL,
    min_quantity NUMERIC(15, 3) NOT NULL,
    valid_from DATE DEFAULT '2000-01-01' NOT NULL,
    valid_to DATE,
    unit_price NUMERIC(18, 6) NOT NULL,
    CONSTRAINT prices_pkey PRIMARY KEY (tenant_id, product_id, price_list_id, currency, min_quantity, valid_from),
    CONSTRAINT prices_product_fkey FOREIGN KEY(tenant_id, product_id) REFERENCES products (tenant_id, id),
    CONSTRAINT prices_price_list_fkey FOREIGN KEY(tenant_id, price_list_id) REFERENCES price_lists (tenant_id, id),
    CONSTRAINT prices_min_quantity_check CHECK (min_quantity > 0),
    CONSTRAINT prices_unit_price_check CHECK (unit_price >= 0),
    CONSTRAINT prices_valid_check CHECK (valid_to >= valid_from),
    CONSTRAINT prices_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX prices_price_list_idx ON prices (tenant_id, price_list_id);

CREATE TABLE stock (
    tenant_id UUID NOT NULL,
    product_id UUID NOT NULL,
    warehouse_id UUID NOT NULL,
    on_hand NUMERIC(15, 3) NOT NULL,
    reserved NUMERIC(15, 3) DEFAULT '0' NOT NULL,
    CONSTRAINT stock_pkey PRIMARY KEY (tenant_id, product_id, warehouse_id),
    CONSTRAINT stock_product_fkey FOREIGN KEY(tenant_id, product_id) REFERENCES products (tenant_id, id),
    CONSTRAINT stock_warehouse_fkey FOREIGN KEY(tenant_id, warehouse_id) REFERENCES warehouses (tenant_id, id),
    CONSTRAINT stock_reserved_check CHECK (reserved >= 0),
    CONSTRAINT stock_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX stock_warehouse_idx ON stock (tenant_id, warehouse_id);

CREATE TABLE access_group_members (
    tenant_id UUID NOT NULL,
    access_group_id UUID NOT NULL,
    account_id UUID NOT NULL,
    ends_on DATE,
    CONSTRAINT access_group_members_pkey PRIMARY KEY (tenant_id, access_group_id, account_id),
    CONSTRAINT access_group_members_group_fkey FOREIGN KEY(tenant_id, access_group_id) REFERENCES access_groups (tenant_id, id),
    CONSTRAINT access_group_members_account_fkey FOREIGN KEY(tenant_id, account_id) REFERENCES accounts (tenant_id, id),
    CONSTRAINT access_group_members_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX access_group_members_account_idx ON access_group_members (tenant_id, account_id);

CREATE TABLE carts (
    tenant_id UUID NOT NULL,
    account_id UUID NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT carts_pkey PRIMARY KEY (tenant_id, account_id),
    CONSTRAINT carts_account_fkey FOREIGN KEY(tenant_id, account_id) REFERENCES accounts (tenant_id, id),
    CONSTRAINT carts_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE TABLE orders (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    number TEXT NOT NULL,
    customer_id UUID NOT NULL,
    account_id UUID,
    placement_id UUID NOT NULL,
    placed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    lifecycle_status_id UUID NOT NULL,
    warehouse_id UUID,
    currency TEXT NOT NULL,
    tax_included BOOLEAN NOT NULL,
    net BIGINT NOT NULL,
    tax BIGINT NOT NULL,
    total BIGINT NOT NULL,
    purchase_order_number TEXT,
    comment TEXT,
    version INTEGER DEFAULT '1' NOT NULL,
    CONSTRAINT orders_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT orders_number_key UNIQUE (tenant_id, number),
    CONSTRAINT orders_customer_fkey FOREIGN KEY(tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT orders_account_fkey FOREIGN KEY(tenant_id, account_id) REFERENCES accounts (tenant_id, id),
    CONSTRAINT orders_lifecycle_status_fkey FOREIGN KEY(tenant_id, lifecycle_status_id) REFERENCES lifecycle_statuses (tenant_id, id),
    CONSTRAINT orders_warehouse_fkey FOREIGN KEY(tenant_id, warehouse_id) REFERENCES warehouses (tenant_id, id),
    CONSTRAINT orders_total_check CHECK (total = net + tax),
    CONSTRAINT orders_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX orders_customer_number_idx ON orders (tenant_id, customer_id, number);

CREATE INDEX orders_customer_placed_at_idx ON orders (tenant_id, customer_id, placed_at, id);

CREATE INDEX orders_placed_at_idx ON orders (tenant_id, placed_at, id);

CREATE INDEX orders_placement_idx ON orders (tenant_id, placement_id);

CREATE TABLE sessions (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    token_hash BYTEA NOT NULL,
    account_id UUID,
    supplier_id UUID,
    staff_member_id UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT sessions_token_hash_key UNIQUE (tenant_id, token_hash),
    CONSTRAINT sessions_account_fkey FOREIGN KEY(tenant_id, account_id) REFERENCES accounts (tenant_id, id),
    CONSTRAINT sessions_staff_member_fkey FOREIGN KEY(supplier_id, staff_member_id) REFERENCES staff_members (supplier_id, id),
    CONSTRAINT sessions_actor_check CHECK ((account_id is null) <> (staff_member_id is null)),
    CONSTRAINT sessions_supplier_check CHECK ((supplier_id is null) = (staff_member_id is null)),
    CONSTRAINT sessions_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX sessions_account_idx ON sessions (tenant_id, account_id);

CREATE INDEX sessions_expires_at_idx ON sessions (tenant_id, expires_at);

CREATE INDEX sessions_staff_member_idx ON sessions (supplier_id, staff_member_id);

CREATE TABLE cart_items (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    product_id UUID NOT NULL,
    quantity NUMERIC(15, 3) NOT NULL,
    warehouse_id UUID,
    position BIGINT GENERATED ALWAYS AS IDENTITY,
    CONSTRAINT cart_items_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT cart_items_product_key UNIQUE (tenant_id, account_id, product_id),
    CONSTRAINT cart_items_cart_fkey FOREIGN KEY(tenant_id, account_id) REFERENCES carts (tenant_id, account_id),
    CONSTRAINT cart_items_product_fkey FOREIGN KEY(tenant_id, product_id) REFERENCES products (tenant_id, id),
    CONSTRAINT cart_items_warehouse_fkey FOREIGN KEY(tenant_id, warehouse_id) REFERENCES warehouses (tenant_id, id),
    CONSTRAINT cart_items_quantity_check CHECK (quantity > 0),
    CONSTRAINT cart_items_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX cart_items_product_idx ON cart_items (tenant_id, product_id);

CREATE TABLE invoices (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    number TEXT NOT NULL,
    customer_id UUID NOT NULL,
    order_id UUID,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_on DATE NOT NULL,
    currency TEXT NOT NULL,
    net BIGINT NOT NULL,
    tax BIGINT NOT NULL,
    total BIGINT NOT NULL,
    CONSTRAINT invoices_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT invoices_number_key UNIQUE (tenant_id, number),
    CONSTRAINT invoices_customer_fkey FOREIGN KEY(tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT invoices_order_fkey FOREIGN KEY(tenant_id, order_id) REFERENCES orders (tenant_id, id),
    CONSTRAINT invoices_total_check CHECK (total = net + tax),
    CONSTRAINT invoices_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX invoices_customer_idx ON invoices (tenant_id, customer_id, issued_at, id);

CREATE INDEX invoices_order_idx ON invoices (tenant_id, order_id);

CREATE TABLE order_lines (
    tenant_id UUID NOT NULL,
    order_id UUID NOT NULL,
    position INTEGER NOT NULL,
    product_id UUID,
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    quantity NUMERIC(15, 3) NOT NULL,
    shipped_quantity NUMERIC(15, 3) DEFAULT '0' NOT NULL,
    unit_price NUMERIC(18, 6) NOT NULL,
    tax_rate NUMERIC(5, 2) NOT NULL,
    amount BIGINT NOT NULL,
    warehouse_id UUID,
    CONSTRAINT order_lines_pkey PRIMARY KEY (tenant_id, order_id, position),
    CONSTRAINT order_lines_order_fkey FOREIGN KEY(tenant_id, order_id) REFERENCES orders (tenant_id, id),
    CONSTRAINT order_lines_quantity_check CHECK (quantity > 0),
    CONSTRAINT order_lines_shipped_quantity_check CHECK (shipped_quantity between 0 and quantity)
);

CREATE TABLE credit_notes (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    number TEXT NOT NULL,
    customer_id UUID NOT NULL,
    invoice_id UUID,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    currency TEXT NOT NULL,
    net BIGINT NOT NULL,
    tax BIGINT NOT NULL,
    total BIGINT NOT NULL,
    CONSTRAINT credit_notes_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT credit_notes_number_key UNIQUE (tenant_id, number),
    CONSTRAINT credit_notes_customer_fkey FOREIGN KEY(tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT credit_notes_invoice_fkey FOREIGN KEY(tenant_id, invoice_id) REFERENCES invoices (tenant_id, id),
    CONSTRAINT credit_notes_total_check CHECK (total = net + tax),
    CONSTRAINT credit_notes_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX credit_notes_customer_idx ON credit_notes (tenant_id, customer_id, issued_at, id);

CREATE INDEX credit_notes_invoice_idx ON credit_notes (tenant_id, invoice_id);

CREATE TABLE invoice_lines (
    tenant_id UUID NOT NULL,
    invoice_id UUID NOT NULL,
    position INTEGER NOT NULL,
    product_id UUID,
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    quantity NUMERIC(15, 3) NOT NULL,
    unit_price NUMERIC(18, 6) NOT NULL,
    tax_rate NUMERIC(5, 2) NOT NULL,
    amount BIGINT NOT NULL,
    CONSTRAINT invoice_lines_pkey PRIMARY KEY (tenant_id, invoice_id, position),
    CONSTRAINT invoice_lines_invoice_fkey FOREIGN KEY(tenant_id, invoice_id) REFERENCES invoices (tenant_id, id)
);

CREATE TABLE payments (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    number TEXT NOT NULL,
    customer_id UUID NOT NULL,
    invoice_id UUID,
    paid_at TIMESTAMP WITH TIME ZONE NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    CONSTRAINT payments_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT payments_number_key UNIQUE (tenant_id, number),
    CONSTRAINT payments_customer_fkey FOREIGN KEY(tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT payments_invoice_fkey FOREIGN KEY(tenant_id, invoice_id) REFERENCES invoices (tenant_id, id),
    CONSTRAINT payments_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX payments_customer_idx ON payments (tenant_id, customer_id, paid_at, id);

CREATE INDEX payments_invoice_idx ON payments (tenant_id, invoice_id);

CREATE TABLE credit_note_lines (
    tenant_id UUID NOT NULL,
    credit_note_id UUID NOT NULL,
    position INTEGER NOT NULL,
    product_id UUID,
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    quantity NUMERIC(15, 3) NOT NULL,
    unit_price NUMERIC(18, 6) NOT NULL,
    tax_rate NUMERIC(5, 2) NOT NULL,
    amount BIGINT NOT NULL,
    invoice_id UUID,
    invoice_position INTEGER,
    CONSTRAINT credit_note_lines_pkey PRIMARY KEY (tenant_id, credit_note_id, position),
    CONSTRAINT credit_note_lines_credit_note_fkey FOREIGN KEY(tenant_id, credit_note_id) REFERENCES credit_notes (tenant_id, id)
);

CREATE INDEX credit_note_lines_invoice_line_idx ON credit_note_lines (tenant_id, invoice_id, invoice_position);

CREATE TABLE movements (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    customer_id UUID NOT NULL,
    order_id UUID,
    moved_at TIMESTAMP WITH TIME ZONE NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    invoice_id UUID,
    credit_note_id UUID,
    payment_id UUID,
    reverses_id UUID,
    CONSTRAINT movements_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT movements_kind_check CHECK (kind in ('INVOICE', 'CREDIT_NOTE', 'PAYMENT', 'REFUND')),
    CONSTRAINT movements_document_check CHECK (num_nonnulls(invoice_id, credit_note_id, payment_id) = 1),
    CONSTRAINT movements_customer_fkey FOREIGN KEY(tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT movements_order_fkey FOREIGN KEY(tenant_id, order_id) REFERENCES orders (tenant_id, id),
    CONSTRAINT movements_invoice_fkey FOREIGN KEY(tenant_id, invoice_id) REFERENCES invoices (tenant_id, id),
    CONSTRAINT movements_credit_note_fkey FOREIGN KEY(tenant_id, credit_note_id) REFERENCES credit_notes (tenant_id, id),
    CONSTRAINT movements_payment_fkey FOREIGN KEY(tenant_id, payment_id) REFERENCES payments (tenant_id, id),
    CONSTRAINT movements_reverses_fkey FOREIGN KEY(tenant_id, reverses_id) REFERENCES movements (tenant_id, id),
    CONSTRAINT movements_reverses_key UNIQUE (tenant_id, reverses_id),
    CONSTRAINT movements_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX movements_credit_note_idx ON movements (tenant_id, credit_note_id);

CREATE INDEX movements_customer_idx ON movements (tenant_id, customer_id, currency, moved_at, id);

CREATE INDEX movements_invoice_idx ON movements (tenant_id, invoice_id);

CREATE INDEX movements_order_idx ON movements (tenant_id, order_id);

CREATE INDEX movements_payment_idx ON movements (tenant_id, payment_id);

ALTER TABLE portals ADD CONSTRAINT portals_price_list_fkey FOREIGN KEY(tenant_id, price_list_id) REFERENCES price_lists (tenant_id, id);
"""

# A setting that is missing makes current_setting() fail, and one left empty makes the cast fail: code
# that forgets the tenant gets an error, not an empty list.
ISOLATION = """
alter table access_groups enable row level security;
alter table access_groups force row level security;
create policy access_groups_visible on access_groups using (true);
create policy access_groups_tenant on access_groups as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table categories enable row level security;
alter table categories force row level security;
create policy categories_visible on categories using (true);
create policy categories_tenant on categories as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table counters enable row level security;
alter table counters force row level security;
create policy counters_visible on counters using (true);
create policy counters_tenant on counters as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table idempotency_keys enable row level security;
alter table idempotency_keys force row level security;
create policy idempotency_keys_visible on idempotency_keys using (true);
create policy idempotency_keys_tenant on idempotency_keys as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table lifecycle_statuses enable row level security;
alter table lifecycle_statuses force row level security;
create policy lifecycle_statuses_visible on lifecycle_statuses using (true);
create policy lifecycle_statuses_tenant on lifecycle_statuses as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table price_lists enable row level security;
alter table price_lists force row level security;
create policy price_lists_visible on price_lists using (true);
create policy price_lists_tenant on price_lists as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table warehouses enable row level security;
alter table warehouses force row level security;
create policy warehouses_visible on warehouses using (true);
create policy warehouses_tenant on warehouses as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table customers enable row level security;
alter table customers force row level security;
create policy customers_visible on customers using (true);
create policy customers_tenant on customers as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table products enable row level security;
alter table products force row level security;
create policy products_visible on products using (true);
create policy products_tenant on products as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table accounts enable row level security;
alter table accounts force row level security;
create policy accounts_visible on accounts using (true);
create policy accounts_tenant on accounts as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table prices enable row level security;
alter table prices force row level security;
create policy prices_visible on prices using (true);
create policy prices_tenant on prices as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table stock enable row level security;
alter table stock force row level security;
create policy stock_visible on stock using (true);
create policy stock_tenant on stock as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table access_group_members enable row level security;
alter table access_group_members force row level security;
create policy access_group_members_visible on access_group_members using (true);
create policy access_group_members_tenant on access_group_members as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table carts enable row level security;
alter table carts force row level security;
create policy carts_visible on carts using (true);
create policy carts_tenant on carts as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table orders enable row level security;
alter table orders force row level security;
create policy orders_visible on orders using (true);
create policy orders_tenant on orders as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table sessions enable row level security;
alter table sessions force row level security;
create policy sessions_visible on sessions using (true);
create policy sessions_tenant on sessions as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table cart_items enable row level security;
alter table cart_items force row level security;
create policy cart_items_visible on cart_items using (true);
create policy cart_items_tenant on cart_items as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table invoices enable row level security;
alter table invoices force row level security;
create policy invoices_visible on invoices using (true);
create policy invoices_tenant on invoices as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table order_lines enable row level security;
alter table order_lines force row level security;
create policy order_lines_visible on order_lines using (true);
create policy order_lines_tenant on order_lines as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table credit_notes enable row level security;
alter table credit_notes force row level security;
create policy credit_notes_visible on credit_notes using (true);
create policy credit_notes_tenant on credit_notes as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table invoice_lines enable row level security;
alter table invoice_lines force row level security;
create policy invoice_lines_visible on invoice_lines using (true);
create policy invoice_lines_tenant on invoice_lines as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table payments enable row level security;
alter table payments force row level security;
create policy payments_visible on payments using (true);
create policy payments_tenant on payments as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table credit_note_lines enable row level security;
alter table credit_note_lines force row level security;
create policy credit_note_lines_visible on credit_note_lines using (true);
create policy credit_note_lines_tenant on credit_note_lines as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table movements enable row level security;
alter table movements force row level security;
create policy movements_visible on movements using (true);
create policy movements_tenant on movements as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table staff_members enable row level security;
alter table staff_members force row level security;
create policy staff_members_visible on staff_members using (true);
create policy staff_members_supplier on staff_members as restrictive
    using (supplier_id = (select supplier_id from portals where tenant_id = current_setting('app.tenant_id')::uuid))
    with check (supplier_id = (select supplier_id from portals where tenant_id = current_setting('app.tenant_id')::uuid));
alter table staff_roles enable row level security;
alter table staff_roles force row level security;
create policy staff_roles_visible on staff_roles using (true);
create policy staff_roles_supplier on staff_roles as restrictive
    using (supplier_id = (select supplier_id from portals where tenant_id = current_setting('app.tenant_id')::uuid))
    with check (supplier_id = (select supplier_id from portals where tenant_id = current_setting('app.tenant_id')::uuid));
alter table portals enable row level security;
alter table portals force row level security;
create policy portals_registry on portals for select using (true);
create policy portals_tenant on portals for update
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
"""

# Posted documents and ledger movements can be added and read, never changed. What others refer to, with or
# without a foreign key, is never deleted.
RIGHTS = """
grant select on suppliers, portals, portal_hosts, alembic_version to app_rw;
grant update (name, legal_name, locale, support_email, open, stock_policy, price_list_id, version) on portals to app_rw;
grant select, insert on
    invoices,
    invoice_lines,
    credit_notes,
    credit_note_lines,
    payments,
    movements
to app_rw;
grant select, insert, update on
    access_groups,
    categories,
    counters,
    idempotency_keys,
    lifecycle_statuses,
    price_lists,
    warehouses,
    customers,
    products,
    accounts,
    prices,
    stock,
    access_group_members,
    carts,
    orders,
    sessions,
    cart_items,
    order_lines,
    staff_members,
    staff_roles
to app_rw;
grant delete on
    access_group_members,
    access_groups,
    cart_items,
    idempotency_keys,
    order_lines,
    prices,
    sessions,
    staff_roles
to app_rw;
grant select, insert, update, delete on all tables in schema public to app_migrate;
"""


def upgrade() -> None:
    for script in (TABLES, ISOLATION, RIGHTS):
        for statement in filter(str.strip, script.split(";\n")):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
