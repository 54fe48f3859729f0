"""Placing: the day a customer asks for, where goods go, and what a credit limit means.

Revision ID: 2026_11_25_placing
Revises: 2026_11_25_quotations
"""

from alembic import op

revision = "2026_11_25_placing"
down_revision = "2026_11_25_quotations"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE orders ADD COLUMN requested_on DATE;

ALTER TABLE orders ADD COLUMN ship_to TEXT;

ALTER TABLE portals ADD COLUMN credit_policy TEXT DEFAULT 'WARN' NOT NULL;

ALTER TABLE portals ADD CONSTRAINT portals_credit_policy_check CHECK (credit_policy in ('WARN', 'BLOCK'));
"""

RIGHTS = """
grant update (credit_policy) on portals to app_rw;
"""


def upgrade() -> None:
    for script in (TABLES, RIGHTS):
        for statement in filter(str.strip, script.split(";\n")):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
