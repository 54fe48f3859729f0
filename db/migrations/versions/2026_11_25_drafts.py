"""Drafts: invoices and credit notes before they are posted.

Revision ID: 2026_11_25_drafts
Revises: 2026_11_25_issuing
"""

from alembic import op

revision = "2026_11_25_drafts"
down_revision = "2026_11_25_issuing"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE document_drafts (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    customer_id UUID NOT NULL,
    asked TEXT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    staff_member_id UUID NOT NULL,
    version INTEGER DEFAULT '1' NOT NULL,
    CONSTRAINT document_drafts_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT document_drafts_customer_fkey FOREIGN KEY(tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT document_drafts_kind_check CHECK (kind in ('INVOICE', 'CREDIT_NOTE')),
    CONSTRAINT document_drafts_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX document_drafts_made_at_idx ON document_drafts (tenant_id, made_at, id);

CREATE INDEX document_drafts_customer_idx ON document_drafts (tenant_id, customer_id, made_at, id);
"""

ISOLATION = """
alter table document_drafts enable row level security;
alter table document_drafts force row level security;
create policy document_drafts_visible on document_drafts using (true);
create policy document_drafts_tenant on document_drafts as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
"""

RIGHTS = """
grant select, insert, update, delete on document_drafts to app_rw;
grant select, insert, update, delete on document_drafts to app_migrate;
"""


def upgrade() -> None:
    for script in (TABLES, ISOLATION, RIGHTS):
        for statement in filter(str.strip, script.split(";\n")):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
