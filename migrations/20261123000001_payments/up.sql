-- Payments through Stripe. Its objects are Stripe's to change: what stands here of them is a copy that is fetched anew
-- whenever an event names the object. What is ours is written before Stripe is called.

-- Which of Stripe's customers a person is.
create table public.stripe_customers (
    user_id uuid primary key references auth.users (id) on update cascade on delete restrict,
    -- Null until Stripe has answered; the call's idempotency key is made of the person's id.
    stripe_customer_id text unique check (char_length(stripe_customer_id) <= 255),
    -- Brand, last four digits, expiry: what a page shows of the default card.
    card jsonb check (jsonb_typeof(card) = 'object' and octet_length(card::text) <= 4096),
    deleted_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

-- What somebody set out to buy: written before Stripe is called, and what is granted is what stands here.
create table public.payment_orders (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references auth.users (id) on update cascade on delete restrict,
    kind text not null check (kind in ('subscription', 'credits')),
    plan_id uuid references public.subscription_plans (id) on delete restrict,
    credits bigint check (credits > 0),
    amount bigint not null check (amount > 0),
    currency text not null default 'THB' check (currency ~ '^[A-Z]{3}$'),
    status text not null default 'created' check (status in ('created', 'open', 'processing', 'paid', 'failed', 'expired')),
    success_url text not null check (char_length(success_url) <= 2048),
    cancel_url text not null check (char_length(cancel_url) <= 2048),
    stripe_checkout_session_id text unique check (char_length(stripe_checkout_session_id) <= 255),
    checkout_url text check (char_length(checkout_url) <= 4096),
    stripe_payment_intent_id text unique check (char_length(stripe_payment_intent_id) <= 255),
    expires_at timestamptz not null,
    paid_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    check ((kind = 'subscription') = (plan_id is not null)),
    check ((kind = 'credits') = (credits is not null)),
    check ((status = 'paid') = (paid_at is not null))
);
create index payment_orders_user_id_idx on public.payment_orders (user_id, created_at desc, id desc);
create index payment_orders_plan_id_idx on public.payment_orders (plan_id);
create index payment_orders_unsettled_idx on public.payment_orders (expires_at)
    where status in ('created', 'open', 'processing');
-- Two clicks make one order: a person has at most one unpaid order for the same thing.
create unique index payment_orders_one_unpaid_plan_idx on public.payment_orders (user_id)
    where kind = 'subscription' and status in ('created', 'open');
create unique index payment_orders_one_unpaid_pack_idx on public.payment_orders (user_id, credits)
    where kind = 'credits' and status in ('created', 'open');

alter table public.subscriptions
    add column ended_at timestamptz,
    -- Since when a payment is owed; the grace counts from it.
    add column past_due_since timestamptz,
    -- The plan that a change at the period's end leads to.
    add column pending_plan_id uuid references public.subscription_plans (id) on delete restrict,
    add column stripe_schedule_id text unique check (char_length(stripe_schedule_id) <= 255),
    add column stripe_price_id text check (char_length(stripe_price_id) <= 255),
    add column latest_invoice_id text check (char_length(latest_invoice_id) <= 255),
    -- What it is really billed: quantity included, discounts that last for ever taken off, no tax. Whoever subscribed
    -- before a price change keeps the old price.
    add column recurring_amount bigint not null default 0 check (recurring_amount >= 0),
    add column recurring_currency text not null default 'THB' check (recurring_currency ~ '^[A-Z]{3}$'),
    add column recurring_interval text not null default 'month'
        check (recurring_interval in ('day', 'week', 'month', 'year')),
    add column recurring_interval_count integer not null default 1 check (recurring_interval_count > 0);
create index subscriptions_pending_plan_id_idx on public.subscriptions (pending_plan_id);
create index subscriptions_past_due_idx on public.subscriptions (past_due_since) where status = 'past_due';

-- amount is what was paid, tax included; refunded_amount what of it went back.
alter table public.payment_transactions
    add column order_id uuid unique references public.payment_orders (id) on delete restrict,
    add column plan_id uuid references public.subscription_plans (id) on delete restrict,
    -- Of a refund: the payment that it gives back.
    add column payment_id uuid references public.payment_transactions (id) on delete restrict,
    add column tax_amount bigint not null default 0 check (tax_amount >= 0),
    add column refunded_amount bigint not null default 0,
    add column disputed_amount bigint not null default 0,
    add column invoice_pdf text check (char_length(invoice_pdf) <= 2048),
    add column failure_message text check (char_length(failure_message) <= 1000),
    add constraint payment_transactions_tax_check check (tax_amount <= amount),
    add constraint payment_transactions_refunded_check check (refunded_amount between 0 and amount),
    add constraint payment_transactions_disputed_check check (disputed_amount between 0 and amount),
    add constraint payment_transactions_payment_check check ((payment_id is not null) = (transaction_type = 'refund'));
create index payment_transactions_plan_id_idx on public.payment_transactions (plan_id);
create index payment_transactions_payment_id_idx on public.payment_transactions (payment_id);
create index payment_transactions_charge_idx on public.payment_transactions (stripe_charge_id);
create index payment_transactions_processed_at_idx on public.payment_transactions (processed_at)
    where status in ('completed', 'refunded');
-- An invoice is paid once, however many events tell of it.
create unique index payment_transactions_invoice_idx on public.payment_transactions (stripe_invoice_id)
    where transaction_type <> 'refund';

-- Money that the card's owner wants back by way of the bank.
create table public.payment_disputes (
    stripe_dispute_id text primary key check (char_length(stripe_dispute_id) <= 255),
    user_id uuid not null references auth.users (id) on update cascade on delete restrict,
    payment_id uuid not null references public.payment_transactions (id) on delete restrict,
    amount bigint not null check (amount >= 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    status text not null check (char_length(status) between 1 and 64),
    reason text not null default '' check (char_length(reason) <= 255),
    evidence_due_at timestamptz,
    -- Whether the money is gone from the platform.
    withdrawn boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index payment_disputes_user_id_idx on public.payment_disputes (user_id);
create index payment_disputes_payment_id_idx on public.payment_disputes (payment_id);

-- Stripe's early fraud warnings and reviews: the operators' queue.
create table public.fraud_warnings (
    stripe_id text primary key check (char_length(stripe_id) <= 255),
    user_id uuid not null references auth.users (id) on update cascade on delete restrict,
    payment_id uuid references public.payment_transactions (id) on delete restrict,
    kind text not null check (kind in ('early_fraud_warning', 'review')),
    open boolean not null,
    reason text not null default '' check (char_length(reason) <= 255),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index fraud_warnings_user_id_idx on public.fraud_warnings (user_id);
create index fraud_warnings_payment_id_idx on public.fraud_warnings (payment_id);

-- Every event that Stripe told of, as it came. Kept without an owner: it is Stripe's letter to the platform.
create table public.stripe_events (
    id text primary key check (char_length(id) between 1 and 255),
    type text not null check (char_length(type) between 1 and 255),
    livemode boolean not null,
    object_type text check (char_length(object_type) <= 255),
    object_id text check (char_length(object_id) <= 255),
    body bytea not null check (octet_length(body) <= 1048576),
    source text not null check (source in ('webhook', 'events_api')),
    status text not null default 'pending' check (status in ('pending', 'processed', 'ignored', 'dead')),
    attempts integer not null default 0 check (attempts >= 0),
    last_error text check (char_length(last_error) <= 4000),
    occurred_at timestamptz not null,
    received_at timestamptz not null default now(),
    processed_at timestamptz
);
create index stripe_events_received_at_idx on public.stripe_events (received_at desc, id desc);
create index stripe_events_occurred_at_idx on public.stripe_events (occurred_at desc);
create index stripe_events_waiting_idx on public.stripe_events (received_at) where status in ('pending', 'dead');
create index stripe_events_object_id_idx on public.stripe_events (object_id);

alter table public.stripe_customers enable row level security;
alter table public.stripe_customers force row level security;
alter table public.payment_orders enable row level security;
alter table public.payment_orders force row level security;
alter table public.payment_disputes enable row level security;
alter table public.payment_disputes force row level security;
alter table public.fraud_warnings enable row level security;
alter table public.fraud_warnings force row level security;
alter table public.stripe_events enable row level security;
alter table public.stripe_events force row level security;
