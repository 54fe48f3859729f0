"""Returns by customers: in how many days goods of an invoice can be returned.

Revision ID: 2026_11_25_rma
Revises: 2026_11_25_returns
"""

from alembic import op

revision = "2026_11_25_rma"
down_revision = "2026_11_25_returns"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE portals ADD COLUMN return_days INTEGER;

ALTER TABLE portals ADD CONSTRAINT portals_return_days_check CHECK (return_days between 0 and 3650);
"""

RIGHTS = """
grant update (return_days) on portals to app_rw;
"""


def upgrade() -> None:
    for script in (TABLES, RIGHTS):
        for statement in filter(str.strip, script.split(";\n")):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
