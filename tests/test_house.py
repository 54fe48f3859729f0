"""The laws of the house, asked of the migrated catalogue, of the schema and of the source itself."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    is_introspection_type,
    is_specified_directive,
    is_specified_scalar_type,
)
from sqlalchemy import bindparam, select

import db
import rules
from db import roles
from db.connections import Connection
from db.isolation import Mode
from db.portals import portals
from db.products import products
from db.statements import Statement, TenantForgotten
from resolvers.permissions import Public, SignedIn
from rules.broken import Language, all_rules
from rules.permissions import Permission
from schema.errors import ErrorCode
from schema.fields import NEEDS
from schema.root import schema, sdl
from tests.world import World

ROOT = Path(__file__).parent.parent
FLOORS = ("server", "schema", "execution", "resolvers", "tenants", "db", "rules")

# What the catalogue must not hold: each law is a query for whatever breaks it. `tenant_tables` and
# `supplier_tables` are what is neither in the registry nor alembic's own.
REGISTRY = ("suppliers", "portals", "portal_hosts", "alembic_version")
SUPPLIER_TABLES = ("staff_members", "staff_roles")
POSTED = ("invoices", "invoice_lines", "credit_notes", "credit_note_lines", "payments", "movements")
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
        join columns_of c on c.attrelid = held.oid and c.attnum = i.indkey[0]
        where c.name <> held.first and not (not i.indisunique and exists (
            -- what looks for the rows that refer to a supplier's row, or from a supplier's row to a portal
            select from pg_constraint f where f.contype = 'f' and f.conrelid = held.oid
            and f.conkey = string_to_array(i.indkey::text, ' ')::int2[]
            and (f.confrelid in (select oid from supplier_tables) or held.first = 'supplier_id')))""",
    "every table has a primary key": """
        select name from tables where oid not in (select indrelid from pg_index where indisprimary)""",
    "a foreign key begins with the tenant on both sides, except the one to portals": """
        select k.conname::text from pg_constraint k join held on held.oid = k.conrelid
        join columns_of here on here.attrelid = k.conrelid and here.attnum = k.conkey[1]
        join columns_of there on there.attrelid = k.confrelid and there.attnum = k.confkey[1]
        where k.contype = 'f' and k.confrelid not in ('portals'::regclass, 'suppliers'::regclass)
        and (here.name <> there.name or here.name <> coalesce(
            (select first from held target where target.oid = k.confrelid), 'tenant_id'))""",
    "every tenant table refers to its portal": """
        select name from tenant_tables t where not exists (select from pg_constraint k
            join columns_of c on c.attrelid = k.conrelid and array[c.attnum] = k.conkey
            where k.contype = 'f' and k.conrelid = t.oid and k.confrelid = 'portals'::regclass
            and c.name = 'tenant_id')""",
    "no foreign key deletes or changes the rows that refer": """
        select conname::text from pg_constraint
        where contype = 'f' and not (confdeltype in ('a', 'r') and confupdtype in ('a', 'r'))""",
    "there are no triggers of ours": "select tgname::text from pg_trigger where not tgisinternal",
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
        select name || ' ' || right from tables, unnest(array['truncate', 'references', 'trigger']) "right"
        where has_table_privilege('app_rw', oid, "right")""",
    "app_rw may not change what is posted": f"""
        select name || ' ' || "right" from tables, unnest(array['update', 'delete']) "right"
        where name in {POSTED} and (has_table_privilege('app_rw', oid, "right")
            or "right" = 'update' and has_any_column_privilege('app_rw', oid, 'update'))""",
    "app_rw may not add to the registry or take from it": f"""
        select name || ' ' || "right" from tables, unnest(array['insert', 'delete']) "right"
        where name in {REGISTRY} and has_table_privilege('app_rw', oid, "right")""",
    "nobody else has a right to any table": """
        select name || ' ' || "right" from tables,
            unnest(array['select', 'insert', 'update', 'delete', 'truncate']) "right"
        where has_table_privilege('public', oid, "right")""",
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
