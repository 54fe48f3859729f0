"""Order statements: orders are found by where they stand.

Revision ID: 2026_11_25_statements
Revises: 2026_11_25_access
"""

from alembic import op

revision = "2026_11_25_statements"
down_revision = "2026_11_25_access"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX orders_lifecycle_status_idx ON orders (tenant_id, lifecycle_status_id, placed_at, id)"
    )


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
