"""Notices: what people are told by mail.

Revision ID: 2026_11_25_notices
Revises: 2026_11_25_webhooks
"""

from alembic import op

revision = "2026_11_25_notices"
down_revision = "2026_11_25_webhooks"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE notices (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    account_id UUID NOT NULL,
    address TEXT NOT NULL,
    language TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    node_type TEXT NOT NULL,
    node_id UUID NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    state TEXT DEFAULT 'WAITING' NOT NULL,
    tries INTEGER DEFAULT '0' NOT NULL,
    next_try_at TIMESTAMP WITH TIME ZONE DEFAULT now(),
    last_error TEXT,
    sent_at TIMESTAMP WITH TIME ZONE,
    version INTEGER DEFAULT '1' NOT NULL,
    CONSTRAINT notices_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT notices_account_fkey FOREIGN KEY(tenant_id, account_id) REFERENCES accounts (tenant_id, id),
    CONSTRAINT notices_kind_check CHECK (kind in ('ACTIVATION', 'ORDER_RECEIVED', 'RMA_DECIDED', 'TICKET_ANSWERED')),
    CONSTRAINT notices_language_check CHECK (language in ('en', 'de')),
    CONSTRAINT notices_state_check CHECK (state in ('WAITING', 'SENT', 'FAILED')),
    CONSTRAINT notices_sent_check CHECK ((state = 'SENT') = (sent_at is not null)),
    CONSTRAINT notices_waiting_check CHECK ((state = 'WAITING') = (next_try_at is not null)),
    CONSTRAINT notices_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX notices_account_idx ON notices (tenant_id, account_id, at, id);

CREATE INDEX notices_at_idx ON notices (tenant_id, at, id);

CREATE INDEX notices_state_idx ON notices (tenant_id, state, at, id);
"""

ISOLATION = """
alter table notices enable row level security;
alter table notices force row level security;
create policy notices_visible on notices using (true);
create policy notices_tenant on notices as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
"""

RIGHTS = """
grant select, insert, update, delete on notices to app_rw, app_migrate;
"""


def upgrade() -> None:
    for script in (TABLES, ISOLATION, RIGHTS):
        for statement in filter(str.strip, script.split(";\n")):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
