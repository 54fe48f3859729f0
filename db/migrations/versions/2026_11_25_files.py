"""Uploads, and the files that the company shares with its customers.

Revision ID: 2026_11_25_files
Revises: 2026_11_25_documents
"""

from alembic import op

revision = "2026_11_25_files"
down_revision = "2026_11_25_documents"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE uploads (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    account_id UUID,
    staff_member_id UUID,
    file_name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 TEXT,
    state TEXT DEFAULT 'AWAITED' NOT NULL,
    announced_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT uploads_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT uploads_account_fkey FOREIGN KEY(tenant_id, account_id) REFERENCES accounts (tenant_id, id),
    CONSTRAINT uploads_state_check CHECK (state in ('AWAITED', 'ARRIVING', 'READY', 'USED', 'GOING')),
    CONSTRAINT uploads_whose_check CHECK (num_nonnulls(account_id, staff_member_id) = 1),
    CONSTRAINT uploads_size_check CHECK (size > 0),
    CONSTRAINT uploads_sha256_check CHECK (state not in ('READY', 'USED') or sha256 is not null),
    CONSTRAINT uploads_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX uploads_account_idx ON uploads (tenant_id, account_id);

CREATE INDEX uploads_state_idx ON uploads (tenant_id, state, announced_at);

CREATE TABLE shared_files (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    audience TEXT NOT NULL,
    visible_from DATE,
    visible_to DATE,
    content_version INTEGER DEFAULT '1' NOT NULL,
    shared_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    unshared_at TIMESTAMP WITH TIME ZONE,
    version INTEGER DEFAULT '1' NOT NULL,
    CONSTRAINT shared_files_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT shared_files_audience_check CHECK (audience in ('ALL_CUSTOMERS', 'ACCESS_GROUPS', 'CUSTOMERS')),
    CONSTRAINT shared_files_visible_check CHECK (visible_to >= visible_from),
    CONSTRAINT shared_files_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX shared_files_shared_at_idx ON shared_files (tenant_id, shared_at, id);

CREATE INDEX shared_files_title_idx ON shared_files (tenant_id, title, id);

CREATE TABLE shared_file_versions (
    tenant_id UUID NOT NULL,
    file_id UUID NOT NULL,
    content_version INTEGER NOT NULL,
    upload_id UUID NOT NULL,
    shared_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    shared_by_id UUID,
    CONSTRAINT shared_file_versions_pkey PRIMARY KEY (tenant_id, file_id, content_version),
    CONSTRAINT shared_file_versions_file_fkey FOREIGN KEY(tenant_id, file_id) REFERENCES shared_files (tenant_id, id),
    CONSTRAINT shared_file_versions_upload_fkey FOREIGN KEY(tenant_id, upload_id) REFERENCES uploads (tenant_id, id),
    CONSTRAINT shared_file_versions_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX shared_file_versions_upload_idx ON shared_file_versions (tenant_id, upload_id);

CREATE TABLE shared_file_access_groups (
    tenant_id UUID NOT NULL,
    file_id UUID NOT NULL,
    access_group_id UUID NOT NULL,
    CONSTRAINT shared_file_access_groups_pkey PRIMARY KEY (tenant_id, file_id, access_group_id),
    CONSTRAINT shared_file_access_groups_file_fkey FOREIGN KEY(tenant_id, file_id) REFERENCES shared_files (tenant_id, id),
    CONSTRAINT shared_file_access_groups_group_fkey FOREIGN KEY(tenant_id, access_group_id) REFERENCES access_groups (tenant_id, id),
    CONSTRAINT shared_file_access_groups_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX shared_file_access_groups_group_idx ON shared_file_access_groups (tenant_id, access_group_id);

CREATE TABLE shared_file_customers (
    tenant_id UUID NOT NULL,
    file_id UUID NOT NULL,
    customer_id UUID NOT NULL,
    CONSTRAINT shared_file_customers_pkey PRIMARY KEY (tenant_id, file_id, customer_id),
    CONSTRAINT shared_file_customers_file_fkey FOREIGN KEY(tenant_id, file_id) REFERENCES shared_files (tenant_id, id),
    CONSTRAINT shared_file_customers_customer_fkey FOREIGN KEY(tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT shared_file_customers_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX shared_file_customers_customer_idx ON shared_file_customers (tenant_id, customer_id);
"""

ISOLATION = """
alter table uploads enable row level security;
alter table uploads force row level security;
create policy uploads_visible on uploads using (true);
create policy uploads_tenant on uploads as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table shared_files enable row level security;
alter table shared_files force row level security;
create policy shared_files_visible on shared_files using (true);
create policy shared_files_tenant on shared_files as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table shared_file_versions enable row level security;
alter table shared_file_versions force row level security;
create policy shared_file_versions_visible on shared_file_versions using (true);
create policy shared_file_versions_tenant on shared_file_versions as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table shared_file_access_groups enable row level security;
alter table shared_file_access_groups force row level security;
create policy shared_file_access_groups_visible on shared_file_access_groups using (true);
create policy shared_file_access_groups_tenant on shared_file_access_groups as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table shared_file_customers enable row level security;
alter table shared_file_customers force row level security;
create policy shared_file_customers_visible on shared_file_customers using (true);
create policy shared_file_customers_tenant on shared_file_customers as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
"""

# A file that was shared, and every content that it had, stays; uploads that nobody used go.
RIGHTS = """
grant select, insert, update, delete on uploads to app_rw;
grant select, insert, update on shared_files to app_rw;
grant select, insert on shared_file_versions to app_rw;
grant select, insert, delete on shared_file_access_groups, shared_file_customers to app_rw;
grant select, insert, update, delete on all tables in schema public to app_migrate;
"""


def upgrade() -> None:
    for script in (TABLES, ISOLATION, RIGHTS):
        for statement in filter(str.strip, script.split(";\n")):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
