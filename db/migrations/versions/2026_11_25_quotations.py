"""Quotations, the orders placed from them, and where the lines of a cart came from.

Revision ID: 2026_11_25_quotations
Revises: 2026_11_25_catalogue
"""

from alembic import op

revision = "2026_11_25_quotations"
down_revision = "2026_11_25_catalogue"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE quotations (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    number TEXT,
    customer_id UUID NOT NULL,
    state TEXT NOT NULL,
    dated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    valid_until DATE NOT NULL,
    currency TEXT NOT NULL,
    tax_included BOOLEAN NOT NULL,
    net BIGINT NOT NULL,
    tax BIGINT NOT NULL,
    total BIGINT NOT NULL,
    comment TEXT,
    decline_reason TEXT,
    version INTEGER DEFAULT '1' NOT NULL,
    CONSTRAINT quotations_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT quotations_number_key UNIQUE (tenant_id, number),
    CONSTRAINT quotations_customer_fkey FOREIGN KEY(tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT quotations_state_check CHECK (state in ('DRAFT', 'ISSUED', 'DECLINED', 'ORDERED')),
    CONSTRAINT quotations_number_check CHECK ((number is null) = (state = 'DRAFT')),
    CONSTRAINT quotations_total_check CHECK (total = net + tax),
    CONSTRAINT quotations_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX quotations_dated_at_idx ON quotations (tenant_id, dated_at, id);

CREATE INDEX quotations_valid_until_idx ON quotations (tenant_id, valid_until, id);

CREATE INDEX quotations_customer_idx ON quotations (tenant_id, customer_id, dated_at, id);

CREATE TABLE quotation_lines (
    tenant_id UUID NOT NULL,
    quotation_id UUID NOT NULL,
    position INTEGER NOT NULL,
    product_id UUID NOT NULL,
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    description TEXT NOT NULL,
    quantity NUMERIC(15, 3) NOT NULL,
    unit_price NUMERIC(18, 6) NOT NULL,
    tax_rate NUMERIC(5, 2) NOT NULL,
    amount BIGINT NOT NULL,
    warehouse_id UUID,
    CONSTRAINT quotation_lines_pkey PRIMARY KEY (tenant_id, quotation_id, position),
    CONSTRAINT quotation_lines_quotation_fkey FOREIGN KEY(tenant_id, quotation_id) REFERENCES quotations (tenant_id, id),
    CONSTRAINT quotation_lines_quantity_check CHECK (quantity > 0),
    CONSTRAINT quotation_lines_unit_price_check CHECK (unit_price >= 0)
);

CREATE TABLE quotation_orders (
    tenant_id UUID NOT NULL,
    quotation_id UUID NOT NULL,
    order_id UUID NOT NULL,
    position INTEGER NOT NULL,
    CONSTRAINT quotation_orders_pkey PRIMARY KEY (tenant_id, quotation_id, order_id),
    CONSTRAINT quotation_orders_quotation_fkey FOREIGN KEY(tenant_id, quotation_id) REFERENCES quotations (tenant_id, id),
    CONSTRAINT quotation_orders_order_fkey FOREIGN KEY(tenant_id, order_id) REFERENCES orders (tenant_id, id),
    CONSTRAINT quotation_orders_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX quotation_orders_order_idx ON quotation_orders (tenant_id, order_id);

ALTER TABLE cart_items ADD COLUMN origin TEXT DEFAULT 'MANUAL' NOT NULL;

ALTER TABLE cart_items ADD COLUMN order_id UUID;

ALTER TABLE cart_items ADD COLUMN quotation_id UUID;

ALTER TABLE cart_items ADD COLUMN quotation_position INTEGER;

ALTER TABLE cart_items ADD CONSTRAINT cart_items_origin_check CHECK (origin in ('MANUAL', 'LINES', 'CSV', 'ORDER', 'QUOTATION'));

ALTER TABLE cart_items ADD CONSTRAINT cart_items_quotation_check CHECK ((quotation_id is null) = (quotation_position is null));

ALTER TABLE counters DROP CONSTRAINT counters_kind_check;

ALTER TABLE counters ADD CONSTRAINT counters_kind_check CHECK (kind in ('SO', 'QU', 'GI'));
"""

ISOLATION = """
alter table quotations enable row level security;
alter table quotations force row level security;
create policy quotations_visible on quotations using (true);
create policy quotations_tenant on quotations as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table quotation_lines enable row level security;
alter table quotation_lines force row level security;
create policy quotation_lines_visible on quotation_lines using (true);
create policy quotation_lines_tenant on quotation_lines as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table quotation_orders enable row level security;
alter table quotation_orders force row level security;
create policy quotation_orders_visible on quotation_orders using (true);
create policy quotation_orders_tenant on quotation_orders as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
"""

# What was issued is never deleted: only drafts are, and nothing refers to them.
RIGHTS = """
grant select, insert, update, delete on quotations to app_rw;
grant select, insert, delete on quotation_lines to app_rw;
grant select, insert on quotation_orders to app_rw;
grant select, insert, update, delete on all tables in schema public to app_migrate;
"""

# A foreign key that is added to a table with rows looks at them: only the migration role sees those of all tenants.
KEYS = """
reset role;
alter table cart_items add constraint cart_items_order_fkey
    foreign key (tenant_id, order_id) references orders (tenant_id, id);
alter table cart_items add constraint cart_items_quotation_fkey
    foreign key (tenant_id, quotation_id) references quotations (tenant_id, id);
set role app_owner;
"""


def upgrade() -> None:
    for script in (TABLES, ISOLATION, RIGHTS, KEYS):
        for statement in filter(str.strip, script.split(";\n")):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
