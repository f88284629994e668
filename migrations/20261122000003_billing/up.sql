-- Plans, subscriptions, the credit ledger, payments. Money in satang, credits whole. Nothing here is the user's to
-- write, and what happened stays: a person with such rows is anonymised, not deleted (on delete restrict).

create table public.subscription_plans (
    id uuid primary key default gen_random_uuid(),
    name text not null check (char_length(name) between 1 and 64),
    display_name text not null check (char_length(display_name) between 1 and 100),
    description text not null default '' check (char_length(description) <= 2000),
    price bigint not null check (price >= 0),
    currency text not null default 'THB' check (currency ~ '^[A-Z]{3}$'),
    billing_interval text not null default 'month' check (billing_interval in ('month', 'year')),
    credits_included bigint not null check (credits_included >= 0),
    storage_gb integer not null check (storage_gb >= 0),
    features jsonb not null default '[]' check (jsonb_typeof(features) = 'array'),
    stripe_price_id text unique check (char_length(stripe_price_id) <= 255),
    is_active boolean not null default true,
    sort_order integer not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (name, billing_interval)
);

create table public.subscriptions (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references auth.users (id) on delete restrict,
    plan_id uuid not null references public.subscription_plans (id) on delete restrict,
    status text not null check (status in ('active', 'trialing', 'past_due', 'incomplete', 'cancelled')),
    stripe_customer_id text check (char_length(stripe_customer_id) <= 255),
    stripe_subscription_id text unique check (char_length(stripe_subscription_id) <= 255),
    current_period_start timestamptz not null,
    current_period_end timestamptz not null,
    cancel_at_period_end boolean not null default false,
    cancelled_at timestamptz,
    trial_start timestamptz,
    trial_end timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    check (current_period_end >= current_period_start),
    check (trial_end >= trial_start)
);
-- An incomplete one is not live yet: a person keeps the old plan until the new one's first payment.
create unique index subscriptions_one_live_idx on public.subscriptions (user_id)
    where status in ('active', 'trialing', 'past_due');
create index subscriptions_user_id_idx on public.subscriptions (user_id, created_at desc);
create index subscriptions_plan_id_idx on public.subscriptions (plan_id);
create index subscriptions_stripe_customer_id_idx on public.subscriptions (stripe_customer_id);
create index subscriptions_period_end_idx on public.subscriptions (current_period_end)
    where status in ('active', 'trialing', 'past_due');

-- The sums, one row a person: the lock on this row serialises a person's spending.
create table public.credit_wallets (
    user_id uuid primary key references auth.users (id) on delete restrict,
    posted bigint not null default 0 check (posted >= 0),
    held bigint not null default 0 check (held >= 0),
    frozen bigint not null default 0 check (frozen >= 0),
    debt bigint not null default 0 check (debt >= 0),
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    check (posted - held - frozen >= 0)
);

create table public.credit_lots (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references auth.users (id) on delete restrict,
    kind text not null check (kind in ('included', 'trial', 'purchased', 'bonus', 'adjustment')),
    granted bigint not null check (granted > 0),
    remaining bigint not null,
    held bigint not null default 0,
    expires_at timestamptz,
    source_type text not null check (char_length(source_type) between 1 and 64),
    source_id text not null check (char_length(source_id) between 1 and 255),
    status text not null default 'open' check (status in ('open', 'frozen', 'expired', 'revoked')),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    check (0 <= held and held <= remaining and remaining <= granted),
    -- One source grants exactly once.
    unique (source_type, source_id),
    unique (id, user_id)
);
create index credit_lots_user_id_idx on public.credit_lots (user_id, status);
create index credit_lots_spendable_idx on public.credit_lots (user_id, expires_at nulls last, kind, id)
    where remaining > held and status = 'open';
create index credit_lots_expiry_idx on public.credit_lots (expires_at) where status = 'open';

create table public.credit_txns (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references auth.users (id) on delete restrict,
    kind text not null check (kind in
        ('grant', 'spend', 'hold', 'capture', 'release', 'expire', 'refund', 'clawback', 'reinstate', 'adjust')),
    idem_key text not null check (char_length(idem_key) between 1 and 255),
    request_hash bytea not null check (octet_length(request_hash) = 32),
    reason text not null check (char_length(reason) between 1 and 200),
    actor text not null check (char_length(actor) between 1 and 200),
    ref_type text check (char_length(ref_type) <= 64),
    ref_id text check (char_length(ref_id) <= 255),
    subscription_id uuid references public.subscriptions (id) on delete restrict,
    details jsonb not null default '{}' check (octet_length(details::text) <= 16384),
    created_at timestamptz not null default now(),
    unique (user_id, idem_key),
    unique (id, user_id)
);
create index credit_txns_user_id_idx on public.credit_txns (user_id, created_at desc, id desc);
create index credit_txns_ref_idx on public.credit_txns (ref_type, ref_id);
create index credit_txns_subscription_id_idx on public.credit_txns (subscription_id);

-- user_id repeats the transaction's, so that a policy needs no join; the foreign key keeps them equal.
create table public.credit_entries (
    txn_id uuid not null,
    seq smallint not null,
    user_id uuid not null,
    account text not null,
    amount bigint not null check (amount <> 0),
    primary key (txn_id, seq),
    foreign key (txn_id, user_id) references public.credit_txns (id, user_id) on delete restrict,
    check (account in ('system:issued', 'system:consumed', 'system:expired', 'system:revoked', 'system:debt',
        'user:' || user_id::text || ':available', 'user:' || user_id::text || ':held'))
);
create index credit_entries_user_id_idx on public.credit_entries (user_id);

-- Which lot gave or took: positive into the lot, negative out of it.
create table public.credit_lot_moves (
    txn_id uuid not null,
    lot_id uuid not null,
    user_id uuid not null,
    amount bigint not null check (amount <> 0),
    primary key (txn_id, lot_id),
    foreign key (txn_id, user_id) references public.credit_txns (id, user_id) on delete restrict,
    foreign key (lot_id, user_id) references public.credit_lots (id, user_id) on delete restrict
);
create index credit_lot_moves_lot_id_idx on public.credit_lot_moves (lot_id);
create index credit_lot_moves_user_id_idx on public.credit_lot_moves (user_id);

create table public.payment_transactions (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references auth.users (id) on delete restrict,
    subscription_id uuid references public.subscriptions (id) on delete restrict,
    stripe_payment_intent_id text check (char_length(stripe_payment_intent_id) <= 255),
    stripe_invoice_id text check (char_length(stripe_invoice_id) <= 255),
    stripe_checkout_session_id text unique check (char_length(stripe_checkout_session_id) <= 255),
    stripe_charge_id text check (char_length(stripe_charge_id) <= 255),
    stripe_refund_id text unique check (char_length(stripe_refund_id) <= 255),
    amount bigint not null check (amount >= 0),
    currency text not null default 'THB' check (currency ~ '^[A-Z]{3}$'),
    status text not null default 'pending'
        check (status in ('pending', 'completed', 'failed', 'refunded', 'cancelled')),
    transaction_type text not null
        check (transaction_type in ('subscription', 'credit_purchase', 'one_time', 'refund')),
    description text not null default '' check (char_length(description) <= 1000),
    invoice_url text check (char_length(invoice_url) <= 2048),
    receipt_url text check (char_length(receipt_url) <= 2048),
    metadata jsonb not null default '{}' check (octet_length(metadata::text) <= 65536),
    processed_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index payment_transactions_user_id_idx on public.payment_transactions (user_id, created_at desc, id desc);
create index payment_transactions_subscription_id_idx on public.payment_transactions (subscription_id);
create unique index payment_transactions_intent_idx on public.payment_transactions (stripe_payment_intent_id)
    where transaction_type <> 'refund';
create index payment_transactions_created_at_idx on public.payment_transactions (created_at desc, id desc);

alter table public.subscription_plans enable row level security;
alter table public.subscription_plans force row level security;
alter table public.subscriptions enable row level security;
alter table public.subscriptions force row level security;
alter table public.credit_wallets enable row level security;
alter table public.credit_wallets force row level security;
alter table public.credit_lots enable row level security;
alter table public.credit_lots force row level security;
alter table public.credit_txns enable row level security;
alter table public.credit_txns force row level security;
alter table public.credit_entries enable row level security;
alter table public.credit_entries force row level security;
alter table public.credit_lot_moves enable row level security;
alter table public.credit_lot_moves force row level security;
alter table public.payment_transactions enable row level security;
alter table public.payment_transactions force row level security;
