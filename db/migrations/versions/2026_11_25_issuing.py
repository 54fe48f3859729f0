"""Issuing: in how many days an invoice is to be paid, and where numbers go on.

Revision ID: 2026_11_25_issuing
Revises: 2026_11_25_letterheads
"""

from alembic import op

revision = "2026_11_25_issuing"
down_revision = "2026_11_25_letterheads"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE portals ADD COLUMN payment_days INTEGER DEFAULT '30' NOT NULL;

ALTER TABLE portals ADD CONSTRAINT portals_payment_days_check CHECK (payment_days between 0 and 365);
"""

RIGHTS = """
grant update (payment_days) on portals to app_rw;
"""


# Numbers given from now on go on behind those that imports have brought. Rows of all tenants are seen by the migration
# role alone, not by the owner of the tables.
ROWS = "reset role;\n" + "".join(
    f"""
insert into counters (tenant_id, kind, last)
    select tenant_id, '{kind}', max(substring(number from '^{kind}-([0-9]{{1,18}})$')::bigint) from {table}
    where number ~ '^{kind}-[0-9]{{1,18}}$' group by tenant_id
    on conflict (tenant_id, kind) do update set last = greatest(counters.last, excluded.last);
"""
    for kind, table in (("IN", "invoices"), ("CN", "credit_notes"), ("PA", "payments"))
) + "set role app_owner;\n"


def upgrade() -> None:
    for script in (TABLES, RIGHTS, ROWS):
        for statement in filter(str.strip, script.split(";\n")):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
