"""Tickets: what customers ask the company, what is said to it, and by when the company wants to answer.

Revision ID: 2026_11_25_tickets
Revises: 2026_11_25_rma
"""

from alembic import op

revision = "2026_11_25_tickets"
down_revision = "2026_11_25_rma"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE portals ADD COLUMN first_answer_hours INTEGER;

ALTER TABLE portals ADD COLUMN resolution_hours INTEGER;

ALTER TABLE portals ADD CONSTRAINT portals_first_answer_hours_check CHECK (first_answer_hours between 1 and 8760);

ALTER TABLE portals ADD CONSTRAINT portals_resolution_hours_check CHECK (resolution_hours between 1 and 8760);

CREATE TABLE support_tickets (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    number TEXT NOT NULL,
    customer_id UUID NOT NULL,
    account_id UUID,
    staff_member_id UUID,
    opened_by TEXT NOT NULL,
    subject TEXT NOT NULL,
    about_type TEXT,
    about_id UUID,
    state TEXT NOT NULL,
    assignee_id UUID,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_message_at TIMESTAMP WITH TIME ZONE NOT NULL,
    first_answered_at TIMESTAMP WITH TIME ZONE,
    resolved_at TIMESTAMP WITH TIME ZONE,
    first_answer_due_at TIMESTAMP WITH TIME ZONE,
    resolution_due_at TIMESTAMP WITH TIME ZONE,
    version INTEGER NOT NULL,
    assignments INTEGER NOT NULL,
    CONSTRAINT support_tickets_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT support_tickets_number_key UNIQUE (tenant_id, number),
    CONSTRAINT support_tickets_customer_fkey FOREIGN KEY(tenant_id, customer_id) REFERENCES customers (tenant_id, id),
    CONSTRAINT support_tickets_account_fkey FOREIGN KEY(tenant_id, account_id) REFERENCES accounts (tenant_id, id),
    CONSTRAINT support_tickets_state_check CHECK (state in ('OPEN', 'ANSWERED', 'CLOSED')),
    CONSTRAINT support_tickets_about_type_check CHECK (about_type in ('Order', 'Quotation', 'GoodsIssue', 'Invoice', 'TaxInvoice', 'GoodsReturn', 'CreditNote', 'ReconciliationStatement', 'Product', 'RMARequest', 'SharedFile', 'Payment')),
    CONSTRAINT support_tickets_about_check CHECK ((about_type is null) = (about_id is null)),
    CONSTRAINT support_tickets_opened_check CHECK (num_nonnulls(account_id, staff_member_id) = 1),
    CONSTRAINT support_tickets_resolved_check CHECK ((state = 'CLOSED') = (resolved_at is not null)),
    CONSTRAINT support_tickets_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX support_tickets_about_idx ON support_tickets (tenant_id, about_id, last_message_at, id);

CREATE INDEX support_tickets_assignee_idx ON support_tickets (tenant_id, assignee_id, last_message_at, id);

CREATE INDEX support_tickets_customer_idx ON support_tickets (tenant_id, customer_id, last_message_at, id);

CREATE INDEX support_tickets_last_message_at_idx ON support_tickets (tenant_id, last_message_at, id);

CREATE INDEX support_tickets_opened_at_idx ON support_tickets (tenant_id, opened_at, id);

CREATE INDEX support_tickets_state_idx ON support_tickets (tenant_id, state, last_message_at, id);

CREATE TABLE ticket_messages (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    ticket_id UUID NOT NULL,
    account_id UUID,
    staff_member_id UUID,
    author TEXT NOT NULL,
    text TEXT NOT NULL,
    internal BOOLEAN NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT ticket_messages_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT ticket_messages_ticket_fkey FOREIGN KEY(tenant_id, ticket_id) REFERENCES support_tickets (tenant_id, id),
    CONSTRAINT ticket_messages_account_fkey FOREIGN KEY(tenant_id, account_id) REFERENCES accounts (tenant_id, id),
    CONSTRAINT ticket_messages_author_check CHECK (num_nonnulls(account_id, staff_member_id) = 1),
    CONSTRAINT ticket_messages_internal_check CHECK (not internal or staff_member_id is not null),
    CONSTRAINT ticket_messages_tenant_fkey FOREIGN KEY(tenant_id) REFERENCES portals (tenant_id)
);

CREATE INDEX ticket_messages_ticket_idx ON ticket_messages (tenant_id, ticket_id, at, id);
"""

# A foreign key to be checked against rows of all tenants, whom the owner of the tables does not see.
KEYS = """
reset role;
alter table attachments add constraint attachments_ticket_message_fkey foreign key (tenant_id, ticket_message_id)
    references ticket_messages (tenant_id, id);
set role app_owner;
"""

ISOLATION = """
alter table support_tickets enable row level security;
alter table support_tickets force row level security;
create policy support_tickets_visible on support_tickets using (true);
create policy support_tickets_tenant on support_tickets as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));

alter table ticket_messages enable row level security;
alter table ticket_messages force row level security;
create policy ticket_messages_visible on ticket_messages using (true);
create policy ticket_messages_tenant on ticket_messages as restrictive
    using (tenant_id = (select current_setting('app.tenant_id')::uuid))
    with check (tenant_id = (select current_setting('app.tenant_id')::uuid));
"""

RIGHTS = """
grant update (first_answer_hours, resolution_hours) on portals to app_rw;
grant select, insert on support_tickets to app_rw;
grant update (state, assignee_id, last_message_at, first_answered_at, resolved_at, version, assignments)
    on support_tickets to app_rw;
grant select, insert on ticket_messages to app_rw;
grant select, insert, update, delete on support_tickets, ticket_messages to app_migrate;
"""


def upgrade() -> None:
    for script in (TABLES, ISOLATION, RIGHTS, KEYS):
        for statement in filter(str.strip, script.split(";\n")):
            op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("migrations go forward only; restore a backup to go back")
