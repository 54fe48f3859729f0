"""Origins: from which other hosts' pages a portal may be asked.

Revision ID: 2026_11_26_origins
Revises: 2026_11_26_trusted_documents
"""

from alembic import op

revision = "2026_11_26_origins"
down_revision = "2026_11_26_trusted_documents"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE portals ADD COLUMN origins TEXT[] DEFAULT '{}' NOT NULL")
    op.execute("grant update (origins) on portals to app_rw")


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
