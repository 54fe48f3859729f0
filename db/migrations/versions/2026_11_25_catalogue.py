"""The catalogue: attributes of products, their choices and their values.

Revision ID: 2026_11_25_catalogue
Revises: 2026_11_25_fulfilment
"""

from alembic import op

revision = "2026_11_25_catalogue"
down_revision = "2026_11_25_fulfilment"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE attributes (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    code TEXT NOT NULL,
    name_en TEXT NOT NULL,
    name_de TEXT NOT NULL,
    kind TEXT NOT NULL,
    unit TEXT,
    position INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT attributes_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT attributes_code_key UNIQUE (tenant_id, code),
    CONSTRAINT attributes_kind_check CHECK (kind in ('TEXT', 'NUMBER', 'BOOLEAN', 'CHOICE')),
    CONSTRAINT attributes_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE TABLE attribute_choices (
    tenant_id UUID NOT NULL,
    attribute_id UUID NOT NULL,
    code TEXT NOT NULL,
    name_en TEXT NOT NULL,
    name_de TEXT NOT NULL,
    position INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT attribute_choices_pkey PRIMARY KEY (tenant_id, attribute_id, code),
    CONSTRAINT attribute_choices_attribute_fkey FOREIGN KEY(tenant_id, attribute_id) REFERENCES attributes (tenant_id, id),
    CONSTRAINT attribute_choices_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE TABLE product_attributes (
    tenant_id UUID NOT NULL,
    product_id UUID NOT NULL,
    attribute_id UUID NOT NULL,
    value TEXT NOT NULL,
    CONSTRAINT product_attributes_pkey PRIMARY KEY (tenant_id, product_id, attribute_id),
    CONSTRAINT product_attributes_product_fkey FOREIGN KEY(tenant_id, product_id) REFERENCES products (tenant_id, id),
    CONSTRAINT product_attributes_attribute_fkey FOREIGN KEY(tenant_id, attribute_id) REFERENCES attributes (tenant_id, id),
    CONSTRAINT product_attributes_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX product_attributes_attribute_idx ON product_attributes (tenant_id, attribute_id, value);
"""

ISOLATION = """
alter table attributes enable row level security;
alter table attributes force row level security;
create policy attributes_visible on attributes using (true);
create policy attributes_tenant on attributes as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table attribute_choices enable row level security;
alter table attribute_choices force row level security;
create policy attribute_choices_visible on attribute_choices using (true);
create policy attribute_choices_tenant on attribute_choices as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
alter table product_attributes enable row level security;
alter table product_attributes force row level security;
create policy product_attributes_visible on product_attributes using (true);
create policy product_attributes_tenant on product_attributes as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
"""

# What choices there are, and what is said of a product, may be taken back.
RIGHTS = """
grant select, insert, update on attributes, attribute_choices, product_attributes to app_rw;
grant delete on attribute_choices, product_attributes to app_rw;
grant select, insert, update, delete on attributes, attribute_choices, product_attributes to app_migrate;
"""


def upgrade() -> None:
    for script in (TABLES, ISOLATION, RIGHTS):
        for statement in filter(str.strip, script.split(";\n")):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
