"""Issuing: in how many days an invoice is to be paid.

Revision ID: 2026_11_25_issuing
Revises: 2026_11_25_documents
"""

from alembic import op

revision = "2026_11_25_issuing"
down_revision = "2026_11_25_documents"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE portals ADD COLUMN payment_days INTEGER DEFAULT '30' NOT NULL;

ALTER TABLE portals ADD CONSTRAINT portals_payment_days_check CHECK (payment_days between 0 and 365);
"""

RIGHTS = """
grant update (payment_days) on portals to app_rw;
"""


def upgrade() -> None:
    for script in (TABLES, RIGHTS):
        for statement in filter(str.strip, script.split(";\n")):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
