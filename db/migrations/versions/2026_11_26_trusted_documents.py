"""Trusted documents: what a portal lists, and whether it runs anything else.

Revision ID: 2026_11_26_trusted_documents
Revises: 2026_11_25_notices
"""

from alembic import op

revision = "2026_11_26_trusted_documents"
down_revision = "2026_11_25_notices"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE trusted_documents (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    hash TEXT NOT NULL,
    text TEXT NOT NULL,
    name TEXT,
    operation_type TEXT NOT NULL,
    uploaded_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    uploaded_by_id UUID NOT NULL,
    CONSTRAINT trusted_documents_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT trusted_documents_hash_key UNIQUE (tenant_id, hash),
    CONSTRAINT trusted_documents_hash_check CHECK (hash ~ '^[0-9a-f]{64}$'),
    CONSTRAINT trusted_documents_operation_type_check CHECK (operation_type in ('QUERY', 'MUTATION', 'SUBSCRIPTION')),
    CONSTRAINT trusted_documents_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX trusted_documents_uploaded_at_idx ON trusted_documents (tenant_id, uploaded_at, id);

ALTER TABLE portals ADD COLUMN operation_policy TEXT DEFAULT 'ANY_DOCUMENT' NOT NULL;

ALTER TABLE portals ADD CONSTRAINT portals_operation_policy_check CHECK (operation_policy in ('ANY_DOCUMENT', 'TRUSTED_DOCUMENTS'));
"""

ISOLATION = """
alter table trusted_documents enable row level security;
alter table trusted_documents force row level security;
create policy trusted_documents_visible on trusted_documents using (true);
create policy trusted_documents_tenant on trusted_documents as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
"""

# What is on a list stays as it is: it is put there, and taken away.
RIGHTS = """
grant select, insert, delete on trusted_documents to app_rw, app_migrate;
grant update (operation_policy) on portals to app_rw;
"""


def upgrade() -> None:
    for script in (TABLES, ISOLATION, RIGHTS):
        for statement in filter(str.strip, script.split(";\n")):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
