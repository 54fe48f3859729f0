-- One portal's rows, by the settings bench.*; run by data.py.
create schema if not exists bench;

create or replace function bench.given(name text) returns text language sql stable
as $$ select current_setting('bench.' || name) $$;

create or replace function bench.many(name text) returns integer language sql stable
as $$ select current_setting('bench.' || name)::integer $$;

create or replace function bench.tenant() returns uuid language sql stable
as $$ select current_setting('bench.tenant')::uuid $$;

-- As data.key() makes them: 1 customer, 2 account, 3 product, 4 order, 5 warehouse, 6 price list, 7 category,
-- 8 access group, 9 session, 10 goods issue, 11 invoice, 12 payment, 13 movement.
create or replace function bench.key(kind integer, number bigint, portal bigint) returns uuid language sql immutable
as $$ select (lpad(to_hex(kind), 2, '0') || lpad(to_hex(number), 10, '0') || '70008000' || lpad(to_hex(portal), 12, '0'))::uuid $$;

create or replace function bench.key(kind integer, number bigint) returns uuid language sql stable
as $$ select bench.key(kind, number, current_setting('bench.portal')::bigint) $$;

-- As rules.numbers writes them: six digits, or as many as it takes.
create or replace function bench.number(kind text, value bigint) returns text language sql immutable
as $$ select kind || '-' || lpad(value::text, greatest(6, length(value::text)), '0') $$;

-- What the n-th product costs, in pence.
create or replace function bench.price(product bigint) returns bigint language sql immutable
as $$ select 100 + product * 7919 % 9973 $$;

insert into price_lists (tenant_id, id, code, name)
select bench.tenant(), bench.key(6, n), 'list-' || n, 'Price list ' || n from generate_series(1, 2) n;

update portals set price_list_id = bench.key(6, 1) where tenant_id = bench.tenant();

insert into warehouses (tenant_id, id, code, name)
select bench.tenant(), bench.key(5, n), 'W' || n, 'Warehouse ' || n
from generate_series(1, bench.many('warehouses')) n;

insert into categories (tenant_id, id, code, name)
select bench.tenant(), bench.key(7, n), 'C' || n, 'Category ' || n from generate_series(1, 50) n;

insert into products (tenant_id, id, sku, name, description, kind, unit, tax_rate, category_id)
select bench.tenant(), bench.key(3, n), 'SKU-' || lpad(n::text, 5, '0'), 'Product number ' || n,
    'Something useful of kind ' || n % 17, 'GOODS', 'pcs', 20, bench.key(7, n % 50 + 1)
from generate_series(1, bench.many('products')) n;

-- Each product on each list: a price that has ended, today's from one and from ten pieces, and one of the far future.
insert into prices (tenant_id, product_id, price_list_id, currency, min_quantity, valid_from, valid_to, unit_price)
select bench.tenant(), bench.key(3, n), bench.key(6, list), 'GBP', p.least, p.since, p.until,
    round(bench.price(n) * p.factor * list / 200, 2)
from generate_series(1, bench.many('products')) n, generate_series(1, 2) list,
    (values (1, date '2000-01-01', date '2020-12-31', 0.8), (1, date '2021-01-01', null, 1.0),
        (10, date '2021-01-01', null, 0.9), (1, date '2999-01-01', null, 2.0)) p (least, since, until, factor);

insert into stock (tenant_id, product_id, warehouse_id, on_hand)
select bench.tenant(), bench.key(3, n), bench.key(5, w), 1000000 + n * w % 997
from generate_series(1, bench.many('products')) n, generate_series(1, bench.many('warehouses')) w;

insert into customers (tenant_id, id, code, name, country, currency, email, price_list_id)
select bench.tenant(), bench.key(1, n), 'K' || lpad(n::text, 5, '0'), 'Customer number ' || n, 'GB', 'GBP',
    'customer-' || n || '@customers.example', bench.key(6, 2)
from generate_series(1, bench.many('customers')) n;

-- Account 0 looks, as the first customer; the others order, each as another customer.
insert into accounts (tenant_id, id, customer_id, user_name, name, email)
select bench.tenant(), bench.key(2, n), bench.key(1, 1 + n % bench.many('customers')), 'user-' || n, 'User ' || n,
    'user-' || n || '@customers.example'
from generate_series(0, bench.many('buyers')) n;

insert into access_groups (tenant_id, id, name, profile_id)
select bench.tenant(), bench.key(8, 1), 'Everybody', id from profiles
where tenant_id = bench.tenant() and built_in = bench.given('profile');

insert into access_group_members (tenant_id, access_group_id, account_id)
select bench.tenant(), bench.key(8, 1), bench.key(2, n) from generate_series(0, bench.many('buyers')) n;

insert into sessions (tenant_id, id, token_hash, account_id, expires_at)
select bench.tenant(), bench.key(9, n), decode(hash, 'hex'), bench.key(2, n - 1), now() + interval '1 day'
from unnest(string_to_array(bench.given('tokens'), ',')) with ordinality as t (hash, n);

insert into carts (tenant_id, account_id, version)
select bench.tenant(), bench.key(2, n), 1 from generate_series(0, bench.many('buyers')) n;

insert into order_lines (tenant_id, order_id, position, product_id, sku, name, unit, quantity, shipped_quantity,
    unit_price, tax_rate, amount, warehouse_id)
select bench.tenant(), bench.key(4, n), position, bench.key(3, p), 'SKU-' || lpad(p::text, 5, '0'),
    'Product number ' || p, 'pcs', q, case when n % 2 = 0 and bench.given('documents') = 'True' then q else 0 end,
    bench.price(p) / 100.0, 20, q * bench.price(p), bench.key(5, 1)
from generate_series(1, bench.many('orders')) n, generate_series(1, bench.many('lines')) position,
    lateral (select (n * 37 + position * 401) % bench.many('products') + 1 p, (n + position) % 9 + 1 q) made;

-- Every fourth order is the first customer's; the newest order is of a fixed moment, one comes every half minute.
insert into orders (tenant_id, id, number, customer_id, placement_id, placed_at, lifecycle_status_id, warehouse_id,
    currency, tax_included, net, tax, total, delivery_state)
select bench.tenant(), bench.key(4, n), bench.number('SO', n),
    bench.key(1, case when n % 4 = 0 or bench.many('customers') = 1 then 1 else 2 + n % (bench.many('customers') - 1) end),
    bench.key(4, n), timestamptz '2026-11-01 12:00Z' - (bench.many('orders') - n) * interval '30 seconds',
    (select id from lifecycle_statuses where tenant_id = bench.tenant() and subject = 'ORDER'
        and processing_state = 'IN_PROGRESS' and predefined),
    bench.key(5, 1), 'GBP', false, net, round(net * 0.2), net + round(net * 0.2),
    case when n % 2 = 0 and bench.given('documents') = 'True' then 'FULL' else 'NONE' end
from generate_series(1, bench.many('orders')) n,
    lateral (select sum(((n + position) % 9 + 1) * bench.price((n * 37 + position * 401) % bench.many('products') + 1))::bigint net
        from generate_series(1, bench.many('lines')) position) summed;

insert into counters (tenant_id, kind, last) values (bench.tenant(), 'SO', bench.many('orders'))
on conflict (tenant_id, kind) do update set last = excluded.last;

-- Every second order is shipped and invoiced an hour later, every fourth is paid after a day.
insert into goods_issues (tenant_id, id, number, order_id, customer_id, warehouse_id, shipped_at)
select tenant_id, bench.key(10, n), bench.number('GI', n), id, customer_id, warehouse_id, placed_at + interval '1 hour'
from generate_series(2, bench.many('orders'), 2) n join orders on tenant_id = bench.tenant() and id = bench.key(4, n)
where bench.given('documents') = 'True';

insert into goods_issue_lines (tenant_id, goods_issue_id, position, order_position, product_id, sku, name, unit, quantity)
select tenant_id, bench.key(10, n), position, position, product_id, sku, name, unit, quantity
from generate_series(2, bench.many('orders'), 2) n join order_lines on tenant_id = bench.tenant() and order_id = bench.key(4, n)
where bench.given('documents') = 'True';

insert into invoices (tenant_id, id, number, customer_id, order_id, issued_at, due_on, currency, net, tax, total, customer_name)
select tenant_id, bench.key(11, n), bench.number('IN', n), customer_id, id, placed_at + interval '2 hours',
    (placed_at + interval '30 days')::date, currency, net, tax, total, 'Customer'
from generate_series(2, bench.many('orders'), 2) n join orders on tenant_id = bench.tenant() and id = bench.key(4, n)
where bench.given('documents') = 'True';

insert into invoice_lines (tenant_id, invoice_id, position, product_id, sku, name, unit, quantity, unit_price, tax_rate,
    amount, goods_issue_id, goods_issue_position)
select tenant_id, bench.key(11, n), position, product_id, sku, name, unit, quantity, unit_price, tax_rate, amount,
    bench.key(10, n), position
from generate_series(2, bench.many('orders'), 2) n join order_lines on tenant_id = bench.tenant() and order_id = bench.key(4, n)
where bench.given('documents') = 'True';

insert into payments (tenant_id, id, number, customer_id, invoice_id, paid_at, currency, amount)
select tenant_id, bench.key(12, n), bench.number('PA', n), customer_id, id, issued_at + interval '1 day', currency, total
from generate_series(4, bench.many('orders'), 4) n join invoices on tenant_id = bench.tenant() and id = bench.key(11, n);

insert into movements (tenant_id, id, kind, customer_id, order_id, moved_at, currency, amount, invoice_id, settles_id)
select tenant_id, bench.key(13, n), 'INVOICE', customer_id, order_id, issued_at, currency, total, id, id
from generate_series(2, bench.many('orders'), 2) n join invoices on tenant_id = bench.tenant() and id = bench.key(11, n);

insert into movements (tenant_id, id, kind, customer_id, order_id, moved_at, currency, amount, payment_id, settles_id)
select p.tenant_id, bench.key(13, n + 1), 'PAYMENT', p.customer_id, i.order_id, p.paid_at, p.currency, -p.amount, p.id, i.id
from generate_series(4, bench.many('orders'), 4) n
    join payments p on p.tenant_id = bench.tenant() and p.id = bench.key(12, n)
    join invoices i on i.tenant_id = p.tenant_id and i.id = p.invoice_id;
