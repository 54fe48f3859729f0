"""Returns: requests to return goods, what belongs to them, and the feed of all that changes.

Revision ID: 2026_11_25_returns
Revises: 2026_11_25_statistics
"""

from alembic import op

revision = "2026_11_25_returns"
down_revision = "2026_11_25_statistics"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE feeds (
    tenant_id UUID NOT NULL,
    position BIGINT NOT NULL,
    forgotten BIGINT DEFAULT '0' NOT NULL,
    CONSTRAINT feeds_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT feeds_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE TABLE changes (
    tenant_id UUID NOT NULL,
    position BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    node_type TEXT NOT NULL,
    node_id UUID NOT NULL,
    operation TEXT NOT NULL,
    event TEXT,
    subject_id UUID NOT NULL,
    customer_id UUID,
    CONSTRAINT changes_pkey PRIMARY KEY (tenant_id, position),
    CONSTRAINT changes_operation_check CHECK (operation in ('CREATED', 'UPDATED', 'DELETED')),
    CONSTRAINT changes_event_check CHECK (event in ('order.placed', 'order.cancelled', 'quotation.declined', 'rma_request.submitted', 'statement.confirmed', 'statement.disputed', 'ticket.opened', 'ticket.replied', 'account.activated')),
    CONSTRAINT changes_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE TABLE rma_requests (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    number TEXT,
    customer_id UUID NOT NULL,
    invoice_id UUID NOT NULL,
    account_id UUID NOT NULL,
    stage TEXT DEFAULT 'DRAFT' NOT NULL,
    lifecycle_status_id UUID,
    comment TEXT,
    note TEXT,
    expected_on DATE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    submitted_at TIMESTAMP WITH TIME ZONE,
    decided_at TIMESTAMP WITH TIME ZONE,
    closed_at TIMESTAMP WITH TIME ZONE,
    version INTEGER DEFAULT '1' NOT NULL,
    CONSTRAINT rma_requests_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT rma_requests_number_key UNIQUE (tenant_id, number),
    CONSTRAINT rma_requests_customer_fkey FOREIGN KEY(tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT rma_requests_invoice_fkey FOREIGN KEY(tenant_id, invoice_id) REFERENCES invoices (tenant_id, id),
    CONSTRAINT rma_requests_account_fkey FOREIGN KEY(tenant_id, account_id) REFERENCES accounts (tenant_id, id),
    CONSTRAINT rma_requests_lifecycle_status_fkey FOREIGN KEY(tenant_id, lifecycle_status_id) REFERENCES lifecycle_statuses (tenant_id, id),
    CONSTRAINT rma_requests_stage_check CHECK (stage in ('DRAFT', 'SUBMITTED', 'IN_REVIEW', 'AUTHORISED', 'RECEIVED', 'COMPLETED', 'DECLINED', 'CLOSED')),
    CONSTRAINT rma_requests_submitted_check CHECK ((stage = 'DRAFT') = (submitted_at is null) and (submitted_at is null) = (number is null) and (number is null) = (lifecycle_status_id is null)),
    CONSTRAINT rma_requests_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX rma_requests_created_at_idx ON rma_requests (tenant_id, created_at, id);

CREATE INDEX rma_requests_customer_idx ON rma_requests (tenant_id, customer_id, created_at, id);

CREATE INDEX rma_requests_invoice_idx ON rma_requests (tenant_id, invoice_id);

CREATE INDEX rma_requests_stage_idx ON rma_requests (tenant_id, stage, created_at, id);

CREATE TABLE rma_request_lines (
    tenant_id UUID NOT NULL,
    rma_request_id UUID NOT NULL,
    position INTEGER NOT NULL,
    invoice_position INTEGER NOT NULL,
    product_id UUID,
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    quantity NUMERIC(15, 3) NOT NULL,
    problem TEXT NOT NULL,
    serial_number TEXT,
    wish TEXT,
    resolution TEXT,
    authorised_quantity NUMERIC(15, 3),
    reason TEXT,
    CONSTRAINT rma_request_lines_pkey PRIMARY KEY (tenant_id, rma_request_id, position),
    CONSTRAINT rma_request_lines_rma_request_fkey FOREIGN KEY(tenant_id, rma_request_id) REFERENCES rma_requests (tenant_id, id),
    CONSTRAINT rma_request_lines_invoice_position_key UNIQUE (tenant_id, rma_request_id, invoice_position),
    CONSTRAINT rma_request_lines_quantity_check CHECK (quantity > 0),
    CONSTRAINT rma_request_lines_authorised_check CHECK (authorised_quantity > 0 and authorised_quantity <= quantity),
    CONSTRAINT rma_request_lines_reason_check CHECK (resolution <> 'DECLINED' or reason is not null),
    CONSTRAINT rma_request_lines_wish_check CHECK (wish in ('REPAIR', 'REPLACE', 'RETURN', 'REFUND')),
    CONSTRAINT rma_request_lines_resolution_check CHECK (resolution in ('DIAGNOSE', 'REPAIR', 'REPLACE', 'RETURN', 'REFUND', 'DECLINED'))
);

CREATE TABLE attachments (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    upload_id UUID NOT NULL,
    rma_request_id UUID,
    ticket_message_id UUID,
    attached_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT attachments_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT attachments_upload_fkey FOREIGN KEY(tenant_id, upload_id) REFERENCES uploads (tenant_id, id),
    CONSTRAINT attachments_rma_request_fkey FOREIGN KEY(tenant_id, rma_request_id) REFERENCES rma_requests (tenant_id, id),
    CONSTRAINT attachments_belongs_to_check CHECK (num_nonnulls(rma_request_id, ticket_message_id) = 1),
    CONSTRAINT attachments_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX attachments_rma_request_idx ON attachments (tenant_id, rma_request_id);

CREATE INDEX attachments_ticket_message_idx ON attachments (tenant_id, ticket_message_id);

CREATE INDEX attachments_upload_idx ON attachments (tenant_id, upload_id);

ALTER TABLE goods_returns ADD COLUMN rma_request_id UUID;

ALTER TABLE credit_notes ADD COLUMN rma_request_id UUID;

ALTER TABLE payments ADD COLUMN rma_request_id UUID;

ALTER TABLE orders ADD COLUMN rma_request_id UUID;

ALTER TABLE counters DROP CONSTRAINT counters_kind_check;

ALTER TABLE counters ADD CONSTRAINT counters_kind_check CHECK (kind in ('SO', 'GI', 'QU', 'IN', 'TI', 'GR', 'CN', 'RS', 'PA', 'RM', 'ST'));
"""

# A foreign key to be checked against rows of all tenants, whom the owner of the tables does not see.
KEYS = "reset role;\n" + "".join(
    f"""
alter table {table} add constraint {table}_rma_request_fkey foreign key (tenant_id, rma_request_id)
    references rma_requests (tenant_id, id);
create index {table}_rma_request_idx on {table} (tenant_id, rma_request_id);
"""
    for table in ("goods_returns", "credit_notes", "payments", "orders")
) + "set role app_owner;\n"

ISOLATION = """
alter table feeds enable row level security;
alter table feeds force row level security;
create policy feeds_visible on feeds using (true);
create policy feeds_tenant on feeds as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));

alter table changes enable row level security;
alter table changes force row level security;
create policy changes_visible on changes using (true);
create policy changes_tenant on changes as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));

alter table rma_requests enable row level security;
alter table rma_requests force row level security;
create policy rma_requests_visible on rma_requests using (true);
create policy rma_requests_tenant on rma_requests as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));

alter table rma_request_lines enable row level security;
alter table rma_request_lines force row level security;
create policy rma_request_lines_visible on rma_request_lines using (true);
create policy rma_request_lines_tenant on rma_request_lines as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));

alter table attachments enable row level security;
alter table attachments force row level security;
create policy attachments_visible on attachments using (true);
create policy attachments_tenant on attachments as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
"""

RIGHTS = """
grant select, insert, update, delete on rma_requests, rma_request_lines, attachments to app_rw;
grant select, insert, delete on changes to app_rw;
grant select, insert, update on feeds to app_rw;
grant select, insert, update, delete on feeds, changes, rma_requests, rma_request_lines, attachments to app_migrate;
"""


def upgrade() -> None:
    for script in (TABLES, ISOLATION, RIGHTS, KEYS):
        for statement in filter(str.strip, script.split(";\n")):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
