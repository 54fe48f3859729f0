"""Fulfilment: goods issues, what was cancelled, promised days, and lifecycle statuses that a company changes.

Revision ID: 2026_11_25_fulfilment
Revises: 2026_11_25_statements
"""

from alembic import op

revision = "2026_11_25_fulfilment"
down_revision = "2026_11_25_statements"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE lifecycle_statuses ADD COLUMN version INTEGER DEFAULT '1' NOT NULL;

ALTER TABLE portals ADD COLUMN lead_days INTEGER DEFAULT '2' NOT NULL;

ALTER TABLE portals ADD COLUMN cancellation_policy TEXT DEFAULT 'UNTIL_SHIPPED' NOT NULL;

ALTER TABLE portals ADD CONSTRAINT portals_lead_days_check CHECK (lead_days between 0 and 365);

ALTER TABLE portals ADD CONSTRAINT portals_cancellation_policy_check CHECK (cancellation_policy in ('NOT_ALLOWED', 'UNTIL_SHIPPED'));

ALTER TABLE orders ADD COLUMN promised_on DATE;

ALTER TABLE orders ADD COLUMN delivery_state TEXT DEFAULT 'NONE' NOT NULL;

ALTER TABLE orders ADD COLUMN note TEXT;

ALTER TABLE orders ADD COLUMN cancellation_reason TEXT;

ALTER TABLE orders ADD CONSTRAINT orders_delivery_state_check CHECK (delivery_state in ('NONE', 'PARTIAL', 'FULL'));

CREATE INDEX orders_delivery_idx ON orders (tenant_id, delivery_state, placed_at, id);

CREATE INDEX orders_promised_on_idx ON orders (tenant_id, promised_on) WHERE delivery_state <> 'FULL';

ALTER TABLE order_lines ADD COLUMN cancelled_quantity NUMERIC(15, 3) DEFAULT '0' NOT NULL;

ALTER TABLE counters DROP CONSTRAINT counters_kind_check;

ALTER TABLE counters ADD CONSTRAINT counters_kind_check CHECK (kind in ('SO', 'GI'));

CREATE TABLE goods_issues (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    number TEXT NOT NULL,
    order_id UUID NOT NULL,
    customer_id UUID NOT NULL,
    warehouse_id UUID,
    shipped_at TIMESTAMP WITH TIME ZONE NOT NULL,
    comment TEXT,
    CONSTRAINT goods_issues_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT goods_issues_number_key UNIQUE (tenant_id, number),
    CONSTRAINT goods_issues_order_fkey FOREIGN KEY(tenant_id, order_id) REFERENCES orders (tenant_id, id),
    CONSTRAINT goods_issues_customer_fkey FOREIGN KEY(tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT goods_issues_warehouse_fkey FOREIGN KEY(tenant_id, warehouse_id) REFERENCES warehouses (tenant_id, id),
    CONSTRAINT goods_issues_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX goods_issues_customer_idx ON goods_issues (tenant_id, customer_id, shipped_at, id);

CREATE INDEX goods_issues_order_idx ON goods_issues (tenant_id, order_id);

CREATE TABLE goods_issue_lines (
    tenant_id UUID NOT NULL,
    goods_issue_id UUID NOT NULL,
    position INTEGER NOT NULL,
    order_position INTEGER NOT NULL,
    product_id UUID,
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    quantity NUMERIC(15, 3) NOT NULL,
    CONSTRAINT goods_issue_lines_pkey PRIMARY KEY (tenant_id, goods_issue_id, position),
    CONSTRAINT goods_issue_lines_quantity_check CHECK (quantity > 0),
    CONSTRAINT goods_issue_lines_goods_issue_fkey FOREIGN KEY(tenant_id, goods_issue_id) REFERENCES goods_issues (tenant_id, id)
);
"""

ISOLATION = """
alter table goods_issues enable row level security;
alter table goods_issues force row level security;
create policy goods_issues_visible on goods_issues using (true);
create policy goods_issues_tenant on goods_issues as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table goods_issue_lines enable row level security;
alter table goods_issue_lines force row level security;
create policy goods_issue_lines_visible on goods_issue_lines using (true);
create policy goods_issue_lines_tenant on goods_issue_lines as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
"""

# What was shipped stays written.
RIGHTS = """
grant update (lead_days, cancellation_policy) on portals to app_rw;
grant select, insert on goods_issues, goods_issue_lines to app_rw;
grant select, insert, update, delete on all tables in schema public to app_migrate;
"""

# What orders that have ended were not shipped is cancelled from now on; how far an order is delivered was
# nowhere. Rows of all tenants are seen by the migration role alone, not by the owner of the tables.
ROWS = """
reset role;
update order_lines l set cancelled_quantity = l.quantity - l.shipped_quantity
    from orders o, lifecycle_statuses s
    where o.tenant_id = l.tenant_id and o.id = l.order_id
    and s.tenant_id = o.tenant_id and s.id = o.lifecycle_status_id
    and s.processing_state in ('COMPLETED', 'CANCELLED') and l.quantity > l.shipped_quantity;
update orders o set delivery_state = d.delivery_state
    from (
        select tenant_id, order_id,
            case when bool_and(shipped_quantity = quantity) then 'FULL' else 'PARTIAL' end as delivery_state
        from order_lines group by tenant_id, order_id having sum(shipped_quantity) > 0
    ) d
    where d.tenant_id = o.tenant_id and d.order_id = o.id;
alter table order_lines drop constraint order_lines_shipped_quantity_check;
alter table order_lines add constraint order_lines_cancelled_quantity_check check (cancelled_quantity >= 0);
alter table order_lines add constraint order_lines_shipped_quantity_check
    check (shipped_quantity >= 0 and shipped_quantity + cancelled_quantity <= quantity);
set role app_owner;
"""


def upgrade() -> None:
    for script in (TABLES, ISOLATION, RIGHTS, ROWS):
        for statement in filter(str.strip, script.split(";\n")):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
