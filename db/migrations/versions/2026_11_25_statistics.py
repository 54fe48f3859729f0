"""Statistics: whoever imports may have the planner's taken of the tables that it filled, and nothing else of an owner.

Revision ID: 2026_11_25_statistics
Revises: 2026_11_25_issuing
"""

from alembic import op

revision = "2026_11_25_statistics"
down_revision = "2026_11_25_issuing"
branch_labels = None
depends_on = None

# The privilege MAINTAIN would do as well, from PostgreSQL 17 on; it would also let the server lock and rewrite tables.
FUNCTION = """
create function take_statistics() returns void language plpgsql security definer
set search_path = pg_catalog, pg_temp set default_statistics_target = 100 as $$
begin
    analyze public.warehouses, public.categories, public.products, public.attributes, public.attribute_choices,
        public.product_attributes, public.price_lists, public.prices, public.stock, public.customers, public.orders, public.order_lines,
        public.invoices, public.invoice_lines, public.credit_notes, public.credit_note_lines, public.payments,
        public.movements;
end
$$
"""

RIGHTS = (
    "revoke all on function take_statistics() from public",
    "grant execute on function take_statistics() to app_rw",
)


def upgrade() -> None:
    for statement in (FUNCTION, *RIGHTS):
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
