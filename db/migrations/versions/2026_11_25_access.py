"""Accounts and access: profiles, restrictions, activation, contacts, throttles, the audit; portals of one's own.

Revision ID: 2026_11_25_access
Revises: 2026_11_24_first_tables
"""

from alembic import op

revision = "2026_11_25_access"
down_revision = "2026_11_24_first_tables"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE profiles (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    built_in TEXT,
    name TEXT,
    permissions TEXT[] DEFAULT '{}' NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    CONSTRAINT profiles_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT profiles_name_key UNIQUE (tenant_id, name),
    CONSTRAINT profiles_built_in_check CHECK (built_in in ('CUSTOMER', 'BUYER', 'ACCOUNTANT', 'VIEWER')),
    CONSTRAINT profiles_name_check CHECK ((built_in is null) <> (name is null)),
    CONSTRAINT profiles_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE UNIQUE INDEX profiles_built_in_key ON profiles (tenant_id, built_in) WHERE built_in is not null;

CREATE TABLE access_group_categories (
    tenant_id UUID NOT NULL,
    access_group_id UUID NOT NULL,
    category_id UUID NOT NULL,
    CONSTRAINT access_group_categories_pkey PRIMARY KEY (tenant_id, access_group_id, category_id),
    CONSTRAINT access_group_categories_category_fkey FOREIGN KEY(tenant_id, category_id) REFERENCES categories (tenant_id, id),
    CONSTRAINT access_group_categories_group_fkey FOREIGN KEY(tenant_id, access_group_id) REFERENCES access_groups (tenant_id, id),
    CONSTRAINT access_group_categories_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE TABLE access_group_products (
    tenant_id UUID NOT NULL,
    access_group_id UUID NOT NULL,
    product_id UUID NOT NULL,
    CONSTRAINT access_group_products_pkey PRIMARY KEY (tenant_id, access_group_id, product_id),
    CONSTRAINT access_group_products_product_fkey FOREIGN KEY(tenant_id, product_id) REFERENCES products (tenant_id, id),
    CONSTRAINT access_group_products_group_fkey FOREIGN KEY(tenant_id, access_group_id) REFERENCES access_groups (tenant_id, id),
    CONSTRAINT access_group_products_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE TABLE access_group_warehouses (
    tenant_id UUID NOT NULL,
    access_group_id UUID NOT NULL,
    warehouse_id UUID NOT NULL,
    CONSTRAINT access_group_warehouses_pkey PRIMARY KEY (tenant_id, access_group_id, warehouse_id),
    CONSTRAINT access_group_warehouses_warehouse_fkey FOREIGN KEY(tenant_id, warehouse_id) REFERENCES warehouses (tenant_id, id),
    CONSTRAINT access_group_warehouses_group_fkey FOREIGN KEY(tenant_id, access_group_id) REFERENCES access_groups (tenant_id, id),
    CONSTRAINT access_group_warehouses_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE TABLE access_group_document_kinds (
    tenant_id UUID NOT NULL,
    access_group_id UUID NOT NULL,
    document_kind TEXT NOT NULL,
    CONSTRAINT access_group_document_kinds_pkey PRIMARY KEY (tenant_id, access_group_id, document_kind),
    CONSTRAINT access_group_document_kinds_kind_check CHECK (document_kind in ('QUOTATION', 'GOODS_ISSUE', 'INVOICE', 'TAX_INVOICE', 'GOODS_RETURN', 'CREDIT_NOTE', 'RECONCILIATION_STATEMENT')),
    CONSTRAINT access_group_document_kinds_group_fkey FOREIGN KEY(tenant_id, access_group_id) REFERENCES access_groups (tenant_id, id),
    CONSTRAINT access_group_document_kinds_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE TABLE contacts (
    tenant_id UUID NOT NULL,
    customer_id UUID NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    job_title TEXT NOT NULL,
    email TEXT NOT NULL,
    phone TEXT NOT NULL,
    CONSTRAINT contacts_pkey PRIMARY KEY (tenant_id, customer_id, position),
    CONSTRAINT contacts_customer_fkey FOREIGN KEY(tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT contacts_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE TABLE addresses (
    tenant_id UUID NOT NULL,
    customer_id UUID NOT NULL,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    street TEXT NOT NULL,
    postal_code TEXT NOT NULL,
    city TEXT NOT NULL,
    region TEXT NOT NULL,
    country TEXT NOT NULL,
    CONSTRAINT addresses_pkey PRIMARY KEY (tenant_id, customer_id, position),
    CONSTRAINT addresses_customer_fkey FOREIGN KEY(tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT addresses_kind_check CHECK (kind in ('BILLING', 'SHIPPING')),
    CONSTRAINT addresses_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE TABLE contact_changes (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    customer_id UUID NOT NULL,
    account_id UUID NOT NULL,
    asked TEXT NOT NULL,
    comment TEXT,
    state TEXT DEFAULT 'OPEN' NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_by_id UUID,
    answer TEXT,
    version INTEGER DEFAULT '1' NOT NULL,
    CONSTRAINT contact_changes_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT contact_changes_customer_fkey FOREIGN KEY(tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT contact_changes_account_fkey FOREIGN KEY(tenant_id, account_id) REFERENCES accounts (tenant_id, id),
    CONSTRAINT contact_changes_state_check CHECK (state in ('OPEN', 'ACCEPTED', 'REFUSED', 'WITHDRAWN')),
    CONSTRAINT contact_changes_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX contact_changes_asked_at_idx ON contact_changes (tenant_id, asked_at, id);

CREATE INDEX contact_changes_customer_idx ON contact_changes (tenant_id, customer_id, asked_at, id);

CREATE INDEX contact_changes_state_idx ON contact_changes (tenant_id, state);

CREATE TABLE throttles (
    tenant_id UUID NOT NULL,
    subject BYTEA NOT NULL,
    capacity INTEGER NOT NULL,
    refill_seconds INTEGER NOT NULL,
    tokens FLOAT NOT NULL,
    refreshed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    known_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT throttles_pkey PRIMARY KEY (tenant_id, subject),
    CONSTRAINT throttles_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX throttles_refreshed_at_idx ON throttles (tenant_id, refreshed_at);

CREATE TABLE audit_entries (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    action TEXT NOT NULL,
    account_id UUID,
    staff_member_id UUID,
    customer_id UUID,
    node_type TEXT NOT NULL,
    node_id UUID NOT NULL,
    before TEXT,
    after TEXT,
    request_id TEXT NOT NULL,
    CONSTRAINT audit_entries_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT audit_entries_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX audit_entries_account_idx ON audit_entries (tenant_id, account_id, at, id);

CREATE INDEX audit_entries_at_idx ON audit_entries (tenant_id, at, id);

CREATE INDEX audit_entries_customer_idx ON audit_entries (tenant_id, customer_id, at, id);

CREATE INDEX audit_entries_node_idx ON audit_entries (tenant_id, node_id, at, id);

CREATE INDEX audit_entries_staff_member_idx ON audit_entries (tenant_id, staff_member_id, at, id);

ALTER TABLE access_groups ADD COLUMN profile_id UUID;

ALTER TABLE access_groups ADD COLUMN category_mode TEXT;

ALTER TABLE access_groups ADD COLUMN product_mode TEXT;

ALTER TABLE access_groups ADD COLUMN warehouse_mode TEXT;

ALTER TABLE access_groups ADD COLUMN document_kind_mode TEXT;

ALTER TABLE access_groups ADD COLUMN version INTEGER DEFAULT '1' NOT NULL;

ALTER TABLE access_groups ADD CONSTRAINT access_groups_category_mode_check CHECK (category_mode in ('ALLOW_EXCEPT', 'DENY_EXCEPT'));

ALTER TABLE access_groups ADD CONSTRAINT access_groups_product_mode_check CHECK (product_mode in ('ALLOW_EXCEPT', 'DENY_EXCEPT'));

ALTER TABLE access_groups ADD CONSTRAINT access_groups_warehouse_mode_check CHECK (warehouse_mode in ('ALLOW_EXCEPT', 'DENY_EXCEPT'));

ALTER TABLE access_groups ADD CONSTRAINT access_groups_document_kind_mode_check CHECK (document_kind_mode in ('ALLOW_EXCEPT', 'DENY_EXCEPT'));

CREATE INDEX access_groups_profile_idx ON access_groups (tenant_id, profile_id);

ALTER TABLE accounts ALTER COLUMN password_hash DROP NOT NULL;

ALTER TABLE accounts ADD COLUMN activation_code_hash BYTEA;

ALTER TABLE accounts ADD COLUMN activation_expires_at TIMESTAMP WITH TIME ZONE;

ALTER TABLE accounts ADD COLUMN activation_used_at TIMESTAMP WITH TIME ZONE;

ALTER TABLE accounts ADD COLUMN version INTEGER DEFAULT '1' NOT NULL;

CREATE INDEX accounts_name_idx ON accounts (tenant_id, name, id);

ALTER TABLE staff_members ALTER COLUMN password_hash DROP NOT NULL;

ALTER TABLE staff_members ADD COLUMN activation_code_hash BYTEA;

ALTER TABLE staff_members ADD COLUMN activation_expires_at TIMESTAMP WITH TIME ZONE;

ALTER TABLE staff_members ADD COLUMN activation_used_at TIMESTAMP WITH TIME ZONE;

ALTER TABLE staff_members ADD COLUMN version INTEGER DEFAULT '1' NOT NULL;

ALTER TABLE portals ADD COLUMN restriction_kinds TEXT[] DEFAULT '{}' NOT NULL;

ALTER TABLE portals ADD CONSTRAINT portals_restriction_kinds_check CHECK (restriction_kinds <@ array['PRODUCT_CATEGORY', 'PRODUCT', 'WAREHOUSE', 'DOCUMENT_KIND']::text[]);

ALTER TABLE customers ADD COLUMN phone TEXT DEFAULT '' NOT NULL;

ALTER TABLE customers ADD COLUMN credit_limit BIGINT;

ALTER TABLE customers ADD COLUMN version INTEGER DEFAULT '1' NOT NULL;

ALTER TABLE customers ADD CONSTRAINT customers_credit_limit_check CHECK (credit_limit >= 0);

CREATE INDEX customers_name_idx ON customers (tenant_id, name, id);

ALTER TABLE sessions ADD COLUMN viewing_account_id UUID;

ALTER TABLE sessions ADD COLUMN address TEXT DEFAULT '' NOT NULL;

ALTER TABLE sessions ADD COLUMN user_agent TEXT DEFAULT '' NOT NULL;

ALTER TABLE sessions ADD CONSTRAINT sessions_viewing_check CHECK (viewing_account_id is null or staff_member_id is not null);

CREATE INDEX sessions_viewing_account_idx ON sessions (tenant_id, viewing_account_id);

CREATE INDEX sessions_of_staff_idx ON sessions (tenant_id, staff_member_id);
"""

ISOLATION = """
alter table profiles enable row level security;
alter table profiles force row level security;
create policy profiles_visible on profiles using (true);
create policy profiles_tenant on profiles as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table access_group_categories enable row level security;
alter table access_group_categories force row level security;
create policy access_group_categories_visible on access_group_categories using (true);
create policy access_group_categories_tenant on access_group_categories as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table access_group_products enable row level security;
alter table access_group_products force row level security;
create policy access_group_products_visible on access_group_products using (true);
create policy access_group_products_tenant on access_group_products as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table access_group_warehouses enable row level security;
alter table access_group_warehouses force row level security;
create policy access_group_warehouses_visible on access_group_warehouses using (true);
create policy access_group_warehouses_tenant on access_group_warehouses as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table access_group_document_kinds enable row level security;
alter table access_group_document_kinds force row level security;
create policy access_group_document_kinds_visible on access_group_document_kinds using (true);
create policy access_group_document_kinds_tenant on access_group_document_kinds as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table contacts enable row level security;
alter table contacts force row level security;
create policy contacts_visible on contacts using (true);
create policy contacts_tenant on contacts as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table addresses enable row level security;
alter table addresses force row level security;
create policy addresses_visible on addresses using (true);
create policy addresses_tenant on addresses as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table contact_changes enable row level security;
alter table contact_changes force row level security;
create policy contact_changes_visible on contact_changes using (true);
create policy contact_changes_tenant on contact_changes as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table throttles enable row level security;
alter table throttles force row level security;
create policy throttles_visible on throttles using (true);
create policy throttles_tenant on throttles as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table audit_entries enable row level security;
alter table audit_entries force row level security;
create policy audit_entries_visible on audit_entries using (true);
create policy audit_entries_tenant on audit_entries as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table portal_hosts enable row level security;
alter table portal_hosts force row level security;
create policy portal_hosts_registry on portal_hosts for select using (true);
create policy portal_hosts_added on portal_hosts for insert
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy portal_hosts_removed on portal_hosts for delete
    using (tenant_id = (select current_setting('app.tenant_id')::uuid));
create policy portals_founded on portals for insert
    with check (supplier_id = (select sister.supplier_id from portals sister
        where sister.tenant_id = current_setting('app.tenant_id')::uuid));
"""

# An account is bound to its customer for ever: nobody may change that column. What the audit says, stays.
RIGHTS = """
revoke update on accounts from app_rw;
grant update (name, email, password_hash, active, activation_code_hash, activation_expires_at, activation_used_at, version) on accounts to app_rw;
grant update (currency, restriction_kinds) on portals to app_rw;
grant insert on portals to app_rw;
grant insert, delete on portal_hosts to app_rw;
grant select, insert on audit_entries to app_rw;
grant select, insert, update on contact_changes, profiles, throttles to app_rw;
grant select, insert on
    access_group_categories,
    access_group_products,
    access_group_warehouses,
    access_group_document_kinds,
    contacts,
    addresses
to app_rw;
grant delete on
    access_group_categories,
    access_group_products,
    access_group_warehouses,
    access_group_document_kinds,
    contacts,
    addresses,
    profiles,
    throttles
to app_rw;
grant select, insert, update, delete on all tables in schema public to app_migrate;
"""

# Every company has the four built-in profiles; a group's profile was a word, and is one of these now.
# Rows of all tenants are seen by the migration role alone, not by the owner of the tables; a foreign key that
# is added to a table with rows looks at them.
ROWS = """
reset role;
insert into profiles (tenant_id, id, built_in)
    select tenant_id, gen_random_uuid(), built_in
    from portals, unnest(array['CUSTOMER', 'BUYER', 'ACCOUNTANT', 'VIEWER']) built_in;
update access_groups g set profile_id = p.id
    from profiles p where p.tenant_id = g.tenant_id and p.built_in = g.profile;
alter table access_groups add constraint access_groups_profile_fkey
    foreign key (tenant_id, profile_id) references profiles (tenant_id, id);
alter table sessions add constraint sessions_viewing_account_fkey
    foreign key (tenant_id, viewing_account_id) references accounts (tenant_id, id);
alter table access_groups alter column profile_id set not null;
alter table access_groups drop column profile;
set role app_owner;
"""


def upgrade() -> None:
    for script in (TABLES, ISOLATION, RIGHTS, ROWS):
        for statement in filter(str.strip, script.split(";\n")):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
