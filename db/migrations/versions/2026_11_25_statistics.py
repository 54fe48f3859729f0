"""Statistics: whoever imports may have those of the tables taken that it fills.

Revision ID: 2026_11_25_statistics
Revises: 2026_11_25_drafts
"""

from alembic import op

revision = "2026_11_25_statistics"
down_revision = "2026_11_25_drafts"
branch_labels = None
depends_on = None

# The privilege is there from PostgreSQL 17 on. It shows no rows and changes none. Without it an import is warned, which
# it does not hear, and autovacuum takes them in its own time.
RIGHTS = """
do $$
begin
    if current_setting('server_version_num')::int >= 170000 then
        execute 'grant maintain on warehouses, categories, products, attributes, attribute_choices, product_attributes,
            price_lists, prices, stock, customers, orders, order_lines, invoices, invoice_lines, credit_notes,
            credit_note_lines, payments, movements to app_rw';
    end if;
end
$$
"""


def upgrade() -> None:
    op.execute(RIGHTS)


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
