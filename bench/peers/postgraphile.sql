-- What PostGraphile needs to answer as this server does; only on the bench's database.

-- The price of one piece on the price list of whoever asks, in its currency, today. One expression, so that PostgreSQL
-- makes it part of the statement that asks; the currency and the list come with the request.
create function products_price_today(product products) returns numeric language sql stable
as $$
    select (
        select p.unit_price from prices p
        where p.tenant_id = product.tenant_id and p.product_id = product.id
            and p.price_list_id = (select current_setting('app.price_list_id')::uuid)
            and p.currency = (select current_setting('app.currency'))
            and p.min_quantity <= 1 and p.valid_from <= current_date and (p.valid_to is null or p.valid_to >= current_date)
        order by p.min_quantity desc, p.valid_from desc limit 1
    )
$$;

-- Who is signed in, by the portal and the token's hash. It runs as its owner, so that one round trip is enough: nothing
-- is known of the tenant before.
create function bench.session_of(tenant uuid, hash bytea, out tenant_id uuid, out price_list_id uuid, out currency text)
returns setof record language sql stable security definer set search_path = public
as $$
    select s.tenant_id, coalesce(c.price_list_id, p.price_list_id), c.currency
    from sessions s
        join portals p on p.tenant_id = s.tenant_id
        join accounts a on a.tenant_id = s.tenant_id and a.id = s.account_id
        join customers c on c.tenant_id = a.tenant_id and c.id = a.customer_id
    where s.tenant_id = $1 and s.token_hash = $2 and s.expires_at > now() and a.active and p.open
$$;

grant usage on schema bench to app_rw;
