"""The laws of the house that the migrated database's catalogue is asked for, and proof that each can fail."""

import pytest

from db import roles
from db.connections import Connection
from db.isolation import Mode
from tests.world import World

# What the catalogue must not hold: each law is a query for whatever breaks it. `tenant_tables` and
# `supplier_tables` are what is neither in the registry nor alembic's own.
REGISTRY = ("suppliers", "portals", "portal_hosts", "alembic_version")
SUPPLIER_TABLES = ("staff_members", "staff_roles")
POSTED = (
    "invoices",
    "invoice_lines",
    "credit_notes",
    "credit_note_lines",
    "payments",
    "movements",
    "audit_entries",
    "goods_issues",
    "goods_issue_lines",
    "tax_invoices",
    "ticket_messages",
    "goods_returns",
    "goods_return_lines",
    "reconciliation_statement_lines",
    "reversals",
)
# What the staff of a supplier adds to the registry and takes from it, held by policies of their own.
OWN = ("portals insert", "portal_hosts insert", "portal_hosts delete")
TENANT = "(tenant_id = ( SELECT (current_setting('app.tenant_id'::text))::uuid AS current_setting))"
SUPPLIER = (
    "(supplier_id = ( SELECT portals.supplier_id FROM portals"
    " WHERE (portals.tenant_id = (current_setting('app.tenant_id'::text))::uuid)))"
)
BEGINNING = f"""
with tables as (
    select oid, relname::text as name, relrowsecurity, relforcerowsecurity, relowner
    from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
), supplier_tables as (
    select *, 'supplier_id' as first, '{SUPPLIER.replace("'", "''")}' as comparison
    from tables where name in {SUPPLIER_TABLES}
), tenant_tables as (
    select *, 'tenant_id' as first, '{TENANT.replace("'", "''")}' as comparison
    from tables where name not in {REGISTRY + SUPPLIER_TABLES}
), held as (select * from tenant_tables union all select * from supplier_tables
), columns_of as (select attrelid, attnum, attname::text as name, atttypid, attnotnull from pg_attribute)
"""
LAWS = {
    "the registry and the suppliers' tables are those of the list": f"""
        select name from unnest(array{list(REGISTRY + SUPPLIER_TABLES)}) name
        where name not in (select name from tables)""",
    "every other table belongs to a tenant, every supplier's table to a supplier, by its first column": """
        select held.name from held left join columns_of c on c.attrelid = held.oid and c.attnum = 1
        where c.name <> held.first or c.atttypid <> 'uuid'::regtype or not c.attnotnull""",
    "row-level security is enabled and forced": """
        select name from held where not (relrowsecurity and relforcerowsecurity)""",
    "one permissive policy lets all through and one restrictive policy compares the tenant": """
        select held.name from held where array(
            select (polpermissive, polcmd, polroles::oid[],
                regexp_replace(pg_get_expr(polqual, polrelid), '\\s+', ' ', 'g'),
                regexp_replace(pg_get_expr(polwithcheck, polrelid), '\\s+', ' ', 'g'))::text
            from pg_policy where polrelid = held.oid order by polpermissive
        ) <> array[(false, '*', '{0}'::oid[], held.comparison, held.comparison)::text,
                   (true, '*', '{0}'::oid[], 'true', null::text)::text]""",
    "the first column of every primary key, unique index and index is the tenant": """
        select i.indexrelid::regclass::text from held join pg_index i on i.indrelid = held.oid
        left join columns_of c on c.attrelid = held.oid and c.attnum = i.indkey[0]
        where c.name is distinct from held.first and not (not i.indisunique and exists (
            -- what looks for the rows that refer to a supplier's row, or from a supplier's row to a portal
            select from pg_constraint f where f.contype = 'f' and f.conrelid = held.oid
            and f.conkey = string_to_array(i.indkey::text, ' ')::int2[]
            and (f.confrelid in (select oid from supplier_tables) or held.first = 'supplier_id')))""",
    "every table has a primary key": """
        select name from tables where oid not in (select indrelid from pg_index where indisprimary)""",
    "a foreign key begins with the tenant on both sides, except the one to portals": """
        select k.conname::text from pg_constraint k left join held on held.oid = k.confrelid
        join columns_of here on here.attrelid = k.conrelid and here.attnum = k.conkey[1]
        join columns_of there on there.attrelid = k.confrelid and there.attnum = k.confkey[1]
        where k.contype = 'f' and k.confrelid not in ('portals'::regclass, 'suppliers'::regclass)
        and (here.name, there.name) is distinct from (held.first, held.first)""",
    "every tenant table refers to its portal, a line of a document through the document": """
        select name from tenant_tables t where not exists (select from pg_constraint k
            join pg_constraint p on p.conrelid = k.conrelid and p.contype = 'p' and k.conkey <@ p.conkey
            where k.contype = 'f' and k.conrelid = t.oid
            and (k.confrelid = 'portals'::regclass or k.confrelid in (select oid from tenant_tables)))""",
    "no foreign key deletes or changes the rows that refer": """
        select conname::text from pg_constraint
        where contype = 'f' and not (confdeltype in ('a', 'r') and confupdtype in ('a', 'r'))""",
    "there are no triggers of ours, but pgqueuer's own": """
        select tgname::text from pg_trigger where not tgisinternal and tgrelid <> 'jobs.pgqueuer'::regclass""",
    "the schema `jobs` is pgqueuer's alone": """
        select relname::text from pg_class where relnamespace = 'jobs'::regnamespace
        and (relname !~ '^pgqueuer' or relowner <> 'app_owner'::regrole)
        union all select relname || ' ' || privilege from pg_class,
            unnest(array['select', 'insert', 'update', 'delete', 'truncate']) privilege
        where relnamespace = 'jobs'::regnamespace and relkind = 'r'
        and (has_table_privilege('public', oid, privilege)
            or privilege = 'truncate' and has_table_privilege('app_rw', oid, privilege))""",
    "there are no views": """
        select relname::text from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')""",
    "no function runs with its owner's rights": """
        select proname::text from pg_proc where prosecdef and pronamespace = 'public'::regnamespace""",
    "everything is app_owner's, who never logs in": """
        select relname::text from pg_class
        where relnamespace = 'public'::regnamespace and relowner <> 'app_owner'::regrole
        union all select rolname from pg_roles
        where rolname = 'app_owner' and (rolcanlogin or rolsuper or rolbypassrls)""",
    "app_rw has no power over roles, databases or row-level security": """
        select rolname::text from pg_roles where rolname = 'app_rw'
        and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)
        union all select roleid::regrole::text from pg_auth_members where member = 'app_rw'::regrole""",
    "app_rw owns nothing": """
        select classid::regclass || ' ' || objid from pg_shdepend
        where deptype = 'o' and refclassid = 'pg_authid'::regclass and refobjid = 'app_rw'::regrole""",
    "app_rw can make nothing here": """
        select 'schema' where has_schema_privilege('app_rw', 'public', 'create')""",
    "app_rw may not truncate, refer to or put triggers on a table": """
        select name || ' ' || privilege from tables,
            unnest(array['truncate', 'references', 'trigger']) privilege
        where has_table_privilege('app_rw', oid, privilege)""",
    "app_rw may not change what is posted": f"""
        select name || ' ' || privilege from tables, unnest(array['update', 'delete']) privilege
        where name in {POSTED} and (has_table_privilege('app_rw', oid, privilege)
            or privilege = 'update' and has_any_column_privilege('app_rw', oid, 'update'))""",
    "app_rw may not add to the registry or take from it, but for portals and hosts of its own": f"""
        select name || ' ' || privilege from tables, unnest(array['insert', 'delete']) privilege
        where name in {REGISTRY} and name || ' ' || privilege not in {OWN}
        and has_table_privilege('app_rw', oid, privilege)""",
    "what app_rw adds to the registry and takes from it is held to its own": """
        select name from tables where name in ('portals', 'portal_hosts') and (
            not (relrowsecurity and relforcerowsecurity) or exists (select from pg_policy
            where polrelid = tables.oid and polcmd <> 'r' and (not polpermissive or polroles <> '{0}'
                or coalesce(pg_get_expr(polqual, polrelid), '') || coalesce(pg_get_expr(polwithcheck, polrelid), '')
                    not like '%tenant_id = %current_setting(''app.tenant_id''::text)%')))""",
    "nobody else has a right to any table": """
        select name || ' ' || privilege from tables,
            unnest(array['select', 'insert', 'update', 'delete', 'truncate']) privilege
        where has_table_privilege('public', oid, privilege)""",
    "constraints and indexes are named <table>_..._<kind>": """
        select k.conname::text from pg_constraint k join tables t on t.oid = k.conrelid
        where t.name <> 'alembic_version' and k.contype <> 'n' and k.conname !~ case k.contype
            when 'p' then '^' || t.name || '_pkey$' when 'u' then '^' || t.name || '_.+_key$'
            when 'f' then '^' || t.name || '_.+_fkey$' when 'c' then '^' || t.name || '_.+_check$' end
        union all
        select i.indexrelid::regclass::text from pg_index i join tables t on t.oid = i.indrelid
        where t.name <> 'alembic_version' and not i.indisprimary and i.indexrelid::regclass::text !~
            ('^' || t.name || '_.+_' || case when i.indisunique then 'key$' else 'idx$' end)""",
}

# A change to the catalogue, and what the law that it breaks has to report.
CRIMES = {
    "create table notes (tenant_id uuid, id uuid)": {
        "every other table belongs to": "notes",
        "row-level security is": "notes",
        "one permissive policy": "notes",
        "every table has a primary key": "notes",
        "every tenant table refers": "notes",
    },
    "drop policy orders_tenant on orders": {"one permissive policy": "orders"},
    "create policy orders_more on orders using (true)": {"one permissive policy": "orders"},
    "alter policy orders_tenant on orders using (true)": {"one permissive policy": "orders"},
    "alter table orders no force row level security": {"row-level security is": "orders"},
    "alter table orders disable row level security": {"row-level security is": "orders"},
    "alter table orders drop constraint orders_tenant_fkey": {"every tenant table refers": "orders"},
    "create index orders_total_idx on orders (total)": {"the first column of": "orders_total_idx"},
    "create unique index orders_id_key on orders (id)": {"the first column of": "orders_id_key"},
    "create index orders_sum_idx on orders ((net + tax), tenant_id)": {
        "the first column of": "orders_sum_idx"
    },
    "create index orders_by_total on orders (tenant_id, total)": {"constraints and": "orders_by_total"},
    "alter table orders add constraint total check (total > -1) not valid": {"constraints and": "total"},
    """alter table products add constraint products_id_key unique (id);
       alter table prices add constraint prices_plain_fkey foreign key (product_id) references products (id)
       not valid""": {"the first column of": "products_id_key", "a foreign key begins": "prices_plain_fkey"},
    """alter table prices add constraint prices_more_fkey foreign key (tenant_id, product_id)
       references products (tenant_id, id) on delete cascade not valid""": {
        "no foreign key deletes": "prices_more_fkey"
    },
    """create function noted() returns trigger language plpgsql as 'begin return new; end';
       create trigger noting before insert on orders execute function noted()""": {
        "there are no triggers": "noting"
    },
    "create view all_orders as select * from orders": {"there are no views": "all_orders"},
    "create function everything() returns int security definer language sql return 1": {
        "no function runs": "everything"
    },
    "grant truncate on orders to app_rw": {"app_rw may not truncate": "orders truncate"},
    "grant update (amount) on movements to app_rw": {"app_rw may not change": "movements update"},
    "grant insert on suppliers to app_rw": {"app_rw may not add to": "suppliers insert"},
    "grant delete on portals to app_rw": {"app_rw may not add to": "portals delete"},
    "alter table portal_hosts no force row level security": {"what app_rw adds": "portal_hosts"},
    "create policy portals_any on portals for insert with check (true)": {"what app_rw adds": "portals"},
    "grant delete on audit_entries to app_rw": {"app_rw may not change": "audit_entries delete"},
    "grant select on orders to public": {"nobody else has": "orders select"},
    "create table jobs.orders (id uuid)": {"the schema `jobs`": "orders"},
    "grant truncate on jobs.pgqueuer to app_rw": {"the schema `jobs`": "pgqueuer truncate"},
    "grant create on schema public to app_rw": {"app_rw can make": "schema"},
}


async def breaches(connection: Connection, law: str) -> list[str]:
    """What in the catalogue breaks a law."""
    return sorted(record[0] for record in await connection.fetch_text(BEGINNING + LAWS[law]))


@pytest.mark.parametrize("law", LAWS)
async def test_of_the_catalogue(law: str, world: World) -> None:
    async with world.registry.transaction(Mode.SNAPSHOT, None) as connection:
        assert await breaches(connection, law) == []


@pytest.mark.parametrize("crime", CRIMES)
async def test_a_crime_is_reported(crime: str, world: World) -> None:
    async with world.registry.connect(None) as connection:
        await connection.begin(Mode.WRITE)
        await connection.execute_text(f"set local role {roles.OWNER}")
        await connection.execute_text(crime)
        reported = {law: found for law in LAWS if (found := await breaches(connection, law))}
    expected = {
        law: [found]
        for beginning, found in CRIMES[crime].items()
        for law in LAWS
        if law.startswith(beginning)
    }
    assert reported == expected
