"""Letterheads and logos of companies.

Revision ID: 2026_11_25_letterheads
Revises: 2026_11_25_files
"""

from alembic import op

revision = "2026_11_25_letterheads"
down_revision = "2026_11_25_files"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE letterheads (
    tenant_id UUID NOT NULL,
    address TEXT[] NOT NULL,
    vat_id TEXT NOT NULL,
    registration TEXT NOT NULL,
    phone TEXT NOT NULL,
    email TEXT NOT NULL,
    web TEXT NOT NULL,
    account_holder TEXT NOT NULL,
    iban TEXT NOT NULL,
    bic TEXT NOT NULL,
    bank TEXT NOT NULL,
    payment_terms_en TEXT NOT NULL,
    payment_terms_de TEXT NOT NULL,
    footer_en TEXT NOT NULL,
    footer_de TEXT NOT NULL,
    CONSTRAINT letterheads_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT letterheads_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE TABLE portal_logos (
    tenant_id UUID NOT NULL,
    type TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    image BYTEA NOT NULL,
    CONSTRAINT portal_logos_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT portal_logos_type_check CHECK (type in ('PNG', 'JPEG')),
    CONSTRAINT portal_logos_image_check CHECK (octet_length(image) between 1 and 262144),
    CONSTRAINT portal_logos_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);
"""

ISOLATION = """
alter table letterheads enable row level security;
alter table letterheads force row level security;
create policy letterheads_visible on letterheads using (true);
create policy letterheads_tenant on letterheads as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table portal_logos enable row level security;
alter table portal_logos force row level security;
create policy portal_logos_visible on portal_logos using (true);
create policy portal_logos_tenant on portal_logos as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
"""

RIGHTS = """
grant select, insert, update on letterheads to app_rw;
grant select, insert, update, delete on portal_logos to app_rw;
grant select, insert, update, delete on all tables in schema public to app_migrate;
"""


def upgrade() -> None:
    for script in (TABLES, ISOLATION, RIGHTS):
        for statement in filter(str.strip, script.split(";\n")):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
