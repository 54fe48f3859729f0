"""Budgets: how much each portal and each viewer may ask for.

Revision ID: 2026_11_26_budgets
Revises: 2026_11_25_notices
"""

from alembic import op

revision = "2026_11_26_budgets"
down_revision = "2026_11_26_origins"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE budgets (
    tenant_id UUID NOT NULL,
    holder BYTEA NOT NULL,
    capacity BIGINT NOT NULL,
    per_second BIGINT NOT NULL,
    units FLOAT NOT NULL,
    granted BIGINT NOT NULL,
    refreshed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT budgets_pkey PRIMARY KEY (tenant_id, holder),
    CONSTRAINT budgets_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);
"""

ISOLATION = """
alter table budgets enable row level security;
alter table budgets force row level security;
create policy budgets_visible on budgets using (true);
create policy budgets_tenant on budgets as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
"""

# Every request of a portal may come by here: room on the page for the next version of a row keeps the index out of it.
ROOM = "alter table budgets set (fillfactor = 50)"

RIGHTS = "grant select, insert, update, delete on budgets to app_rw"


def upgrade() -> None:
    for script in (TABLES, ISOLATION, ROOM, RIGHTS):
        for statement in filter(str.strip, script.split(";\n")):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
