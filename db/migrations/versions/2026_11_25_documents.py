"""Documents: tax invoices, goods returns, reconciliation statements, reversals; which invoice a movement settles.

Revision ID: 2026_11_25_documents
Revises: 2026_11_25_placing
"""

from alembic import op

revision = "2026_11_25_documents"
down_revision = "2026_11_25_placing"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE tax_invoices (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    number TEXT NOT NULL,
    customer_id UUID NOT NULL,
    invoice_id UUID NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    currency TEXT NOT NULL,
    tax_included BOOLEAN NOT NULL,
    net BIGINT NOT NULL,
    tax BIGINT NOT NULL,
    total BIGINT NOT NULL,
    CONSTRAINT tax_invoices_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT tax_invoices_number_key UNIQUE (tenant_id, number),
    CONSTRAINT tax_invoices_customer_fkey FOREIGN KEY(tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT tax_invoices_invoice_fkey FOREIGN KEY(tenant_id, invoice_id) REFERENCES invoices (tenant_id, id),
    CONSTRAINT tax_invoices_total_check CHECK (total = net + tax),
    CONSTRAINT tax_invoices_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX tax_invoices_customer_idx ON tax_invoices (tenant_id, customer_id, issued_at, id);

CREATE INDEX tax_invoices_invoice_idx ON tax_invoices (tenant_id, invoice_id);

CREATE INDEX tax_invoices_issued_at_idx ON tax_invoices (tenant_id, issued_at, id);

CREATE TABLE goods_returns (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    number TEXT NOT NULL,
    customer_id UUID NOT NULL,
    invoice_id UUID NOT NULL,
    warehouse_id UUID,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    comment TEXT,
    CONSTRAINT goods_returns_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT goods_returns_number_key UNIQUE (tenant_id, number),
    CONSTRAINT goods_returns_customer_fkey FOREIGN KEY(tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT goods_returns_invoice_fkey FOREIGN KEY(tenant_id, invoice_id) REFERENCES invoices (tenant_id, id),
    CONSTRAINT goods_returns_warehouse_fkey FOREIGN KEY(tenant_id, warehouse_id) REFERENCES warehouses (tenant_id, id),
    CONSTRAINT goods_returns_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX goods_returns_customer_idx ON goods_returns (tenant_id, customer_id, received_at, id);

CREATE INDEX goods_returns_invoice_idx ON goods_returns (tenant_id, invoice_id);

CREATE INDEX goods_returns_received_at_idx ON goods_returns (tenant_id, received_at, id);

CREATE TABLE goods_return_lines (
    tenant_id UUID NOT NULL,
    goods_return_id UUID NOT NULL,
    position INTEGER NOT NULL,
    invoice_position INTEGER NOT NULL,
    product_id UUID,
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    quantity NUMERIC(15, 3) NOT NULL,
    CONSTRAINT goods_return_lines_pkey PRIMARY KEY (tenant_id, goods_return_id, position),
    CONSTRAINT goods_return_lines_goods_return_fkey FOREIGN KEY(tenant_id, goods_return_id) REFERENCES goods_returns (tenant_id, id),
    CONSTRAINT goods_return_lines_quantity_check CHECK (quantity > 0)
);

CREATE TABLE reconciliation_statements (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    number TEXT NOT NULL,
    customer_id UUID NOT NULL,
    issued_at TIMESTAMP WITH TIME ZONE NOT NULL,
    period_from DATE NOT NULL,
    period_to DATE NOT NULL,
    currency TEXT NOT NULL,
    opening BIGINT NOT NULL,
    debit BIGINT NOT NULL,
    credit BIGINT NOT NULL,
    closing BIGINT NOT NULL,
    comment TEXT,
    state TEXT NOT NULL,
    dispute_reason TEXT,
    answered_at TIMESTAMP WITH TIME ZONE,
    account_id UUID,
    version INTEGER DEFAULT '1' NOT NULL,
    CONSTRAINT reconciliation_statements_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT reconciliation_statements_number_key UNIQUE (tenant_id, number),
    CONSTRAINT reconciliation_statements_customer_fkey FOREIGN KEY(tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT reconciliation_statements_account_fkey FOREIGN KEY(tenant_id, account_id) REFERENCES accounts (tenant_id, id),
    CONSTRAINT reconciliation_statements_state_check CHECK (state in ('ISSUED', 'CONFIRMED', 'DISPUTED')),
    CONSTRAINT reconciliation_statements_period_check CHECK (period_from <= period_to),
    CONSTRAINT reconciliation_statements_closing_check CHECK (closing = opening + debit - credit),
    CONSTRAINT reconciliation_statements_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX reconciliation_statements_customer_idx ON reconciliation_statements (tenant_id, customer_id, issued_at, id);

CREATE INDEX reconciliation_statements_issued_at_idx ON reconciliation_statements (tenant_id, issued_at, id);

CREATE TABLE reconciliation_statement_lines (
    tenant_id UUID NOT NULL,
    reconciliation_statement_id UUID NOT NULL,
    position INTEGER NOT NULL,
    moved_at TIMESTAMP WITH TIME ZONE NOT NULL,
    kind TEXT NOT NULL,
    document_type TEXT NOT NULL,
    document_id UUID NOT NULL,
    document_number TEXT NOT NULL,
    amount BIGINT NOT NULL,
    balance BIGINT NOT NULL,
    CONSTRAINT reconciliation_statement_lines_pkey PRIMARY KEY (tenant_id, reconciliation_statement_id, position),
    CONSTRAINT reconciliation_statement_lines_statement_fkey FOREIGN KEY(tenant_id, reconciliation_statement_id) REFERENCES reconciliation_statements (tenant_id, id),
    CONSTRAINT reconciliation_statement_lines_kind_check CHECK (kind in ('INVOICE', 'CREDIT_NOTE', 'PAYMENT', 'REFUND'))
);

CREATE TABLE reversals (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    invoice_id UUID,
    tax_invoice_id UUID,
    goods_return_id UUID,
    credit_note_id UUID,
    payment_id UUID,
    reversed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    reason TEXT NOT NULL,
    CONSTRAINT reversals_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT reversals_document_check CHECK (num_nonnulls(invoice_id, tax_invoice_id, goods_return_id, credit_note_id, payment_id) = 1),
    CONSTRAINT reversals_invoice_fkey FOREIGN KEY(tenant_id, invoice_id) REFERENCES invoices (tenant_id, id),
    CONSTRAINT reversals_tax_invoice_fkey FOREIGN KEY(tenant_id, tax_invoice_id) REFERENCES tax_invoices (tenant_id, id),
    CONSTRAINT reversals_goods_return_fkey FOREIGN KEY(tenant_id, goods_return_id) REFERENCES goods_returns (tenant_id, id),
    CONSTRAINT reversals_credit_note_fkey FOREIGN KEY(tenant_id, credit_note_id) REFERENCES credit_notes (tenant_id, id),
    CONSTRAINT reversals_payment_fkey FOREIGN KEY(tenant_id, payment_id) REFERENCES payments (tenant_id, id),
    CONSTRAINT reversals_invoice_key UNIQUE (tenant_id, invoice_id),
    CONSTRAINT reversals_tax_invoice_key UNIQUE (tenant_id, tax_invoice_id),
    CONSTRAINT reversals_goods_return_key UNIQUE (tenant_id, goods_return_id),
    CONSTRAINT reversals_credit_note_key UNIQUE (tenant_id, credit_note_id),
    CONSTRAINT reversals_payment_key UNIQUE (tenant_id, payment_id),
    CONSTRAINT reversals_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

ALTER TABLE invoices ADD COLUMN tax_included BOOLEAN DEFAULT 'false' NOT NULL;

ALTER TABLE invoices ADD COLUMN customer_name TEXT;

ALTER TABLE invoices ADD COLUMN bill_to TEXT;

ALTER TABLE invoices ADD COLUMN comment TEXT;

CREATE INDEX invoices_issued_at_idx ON invoices (tenant_id, issued_at, id);

ALTER TABLE invoice_lines ADD COLUMN unit TEXT DEFAULT '' NOT NULL;

ALTER TABLE invoice_lines ADD COLUMN goods_issue_id UUID;

ALTER TABLE invoice_lines ADD COLUMN goods_issue_position INTEGER;

CREATE INDEX invoice_lines_goods_issue_idx ON invoice_lines (tenant_id, goods_issue_id, goods_issue_position);

ALTER TABLE credit_notes ADD COLUMN goods_return_id UUID;

ALTER TABLE credit_notes ADD COLUMN operation TEXT DEFAULT 'SALES_RETURN' NOT NULL;

ALTER TABLE credit_notes ADD COLUMN tax_included BOOLEAN DEFAULT 'false' NOT NULL;

ALTER TABLE credit_notes ADD COLUMN customer_name TEXT;

ALTER TABLE credit_notes ADD COLUMN bill_to TEXT;

ALTER TABLE credit_notes ADD COLUMN comment TEXT;

ALTER TABLE credit_notes ADD CONSTRAINT credit_notes_operation_check CHECK (operation in ('SALES_RETURN', 'DISCOUNT', 'ADJUSTMENT'));

CREATE INDEX credit_notes_issued_at_idx ON credit_notes (tenant_id, issued_at, id);

CREATE INDEX credit_notes_goods_return_idx ON credit_notes (tenant_id, goods_return_id);

ALTER TABLE credit_note_lines ADD COLUMN unit TEXT DEFAULT '' NOT NULL;

ALTER TABLE payments ADD COLUMN kind TEXT DEFAULT 'PAYMENT' NOT NULL;

ALTER TABLE payments ADD COLUMN reference TEXT;

ALTER TABLE payments ADD CONSTRAINT payments_kind_check CHECK (kind in ('PAYMENT', 'REFUND'));

CREATE INDEX payments_paid_at_idx ON payments (tenant_id, paid_at, id);

CREATE INDEX goods_issues_shipped_at_idx ON goods_issues (tenant_id, shipped_at, id);

ALTER TABLE movements ADD COLUMN settles_id UUID;

CREATE INDEX movements_settled_idx ON movements (tenant_id, settles_id);

ALTER TABLE counters DROP CONSTRAINT counters_kind_check;

ALTER TABLE counters ADD CONSTRAINT counters_kind_check CHECK (kind in ('SO', 'GI', 'QU', 'IN', 'TI', 'GR', 'CN', 'RS', 'PA'));
"""

ISOLATION = """
alter table tax_invoices enable row level security;
alter table tax_invoices force row level security;
create policy tax_invoices_visible on tax_invoices using (true);
create policy tax_invoices_tenant on tax_invoices as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table goods_returns enable row level security;
alter table goods_returns force row level security;
create policy goods_returns_visible on goods_returns using (true);
create policy goods_returns_tenant on goods_returns as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table goods_return_lines enable row level security;
alter table goods_return_lines force row level security;
create policy goods_return_lines_visible on goods_return_lines using (true);
create policy goods_return_lines_tenant on goods_return_lines as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table reconciliation_statements enable row level security;
alter table reconciliation_statements force row level security;
create policy reconciliation_statements_visible on reconciliation_statements using (true);
create policy reconciliation_statements_tenant on reconciliation_statements as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table reconciliation_statement_lines enable row level security;
alter table reconciliation_statement_lines force row level security;
create policy reconciliation_statement_lines_visible on reconciliation_statement_lines using (true);
create policy reconciliation_statement_lines_tenant on reconciliation_statement_lines as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table reversals enable row level security;
alter table reversals force row level security;
create policy reversals_visible on reversals using (true);
create policy reversals_tenant on reversals as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
"""

# What was posted stays written; of a statement only the customer's answer is added.
RIGHTS = """
grant select, insert on tax_invoices, goods_returns, goods_return_lines, reconciliation_statements,
    reconciliation_statement_lines, reversals to app_rw;
grant update (state, dispute_reason, answered_at, account_id, version) on reconciliation_statements to app_rw;
grant select, insert, update, delete on all tables in schema public to app_migrate;
"""

# Movements name the invoice that they settle from now on. Rows of all tenants are seen by the migration role alone,
# not by the owner of the tables.
ROWS = """
reset role;
update movements set settles_id = invoice_id where invoice_id is not null;
update movements m set settles_id = n.invoice_id from credit_notes n
    where n.tenant_id = m.tenant_id and n.id = m.credit_note_id and n.invoice_id is not null;
update movements m set settles_id = p.invoice_id from payments p
    where p.tenant_id = m.tenant_id and p.id = m.payment_id and p.invoice_id is not null;
alter table movements add constraint movements_settles_check check (kind <> 'INVOICE' or settles_id is not distinct from invoice_id);
alter table movements add constraint movements_settled_fkey foreign key (tenant_id, settles_id)
    references invoices (tenant_id, id);
alter table credit_notes add constraint credit_notes_goods_return_fkey foreign key (tenant_id, goods_return_id)
    references goods_returns (tenant_id, id);
set role app_owner;
"""


def upgrade() -> None:
    for script in (TABLES, ISOLATION, RIGHTS, ROWS):
        for statement in filter(str.strip, script.split(";\n")):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
