-- What the figures of the business are made of. First what subscriptions were at each moment; then, made of that, of
-- the payments and of the ledger, a few rows for each day, which are thrown away and made anew at will.

alter table public.subscriptions
    -- Since when it is as it is now. A writer that changes status, plan or price says it, by the clock given to it; who
    -- does not, means the transaction's moment. What ended_at, past_due_since or trial_end has just told goes before.
    add column state_since timestamptz;

-- Each state that a subscription was in, until its next row. Written by a trigger, whoever writes the subscription.
create table public.subscription_history (
    subscription_id uuid not null references public.subscriptions (id) on delete restrict,
    -- 1, 2, 3 ... of each subscription.
    seq integer not null check (seq > 0),
    user_id uuid not null references auth.users (id) on update cascade on delete restrict,
    plan_id uuid not null references public.subscription_plans (id) on delete restrict,
    status text not null,
    recurring_amount bigint not null,
    recurring_currency text not null,
    recurring_interval text not null,
    recurring_interval_count integer not null,
    cancel_at_period_end boolean not null,
    cancelled_at timestamptz,
    valid_from timestamptz not null,
    -- When it was written, by the database's clock: late news make the figures of past days anew.
    recorded_at timestamptz not null default now(),
    primary key (subscription_id, seq)
);
create index subscription_history_user_id_idx on public.subscription_history (user_id, valid_from);
create index subscription_history_plan_id_idx on public.subscription_history (plan_id);
create index subscription_history_valid_from_idx on public.subscription_history (valid_from);
create index subscription_history_recorded_at_idx on public.subscription_history (recorded_at);

-- The days on which somebody's monthly recurring revenue (MRR) in a currency became another, as it was at the day's end;
-- on days without a row it was what it had been. MRR is the fraction mrr_num / mrr_den in minor units: exact, for a
-- twelfth of a yearly price is rarely whole. The denominator is 12 x interval_count.
create table public.subscription_mrr_daily (
    day date not null,
    user_id uuid not null references auth.users (id) on update cascade on delete restrict,
    currency text not null,
    subscription_id uuid not null references public.subscriptions (id) on delete restrict,
    plan_id uuid not null references public.subscription_plans (id) on delete restrict,
    mrr_num bigint not null check (mrr_num >= 0),
    mrr_den bigint not null check (mrr_den > 0),
    previous_num bigint not null check (previous_num >= 0),
    previous_den bigint not null check (previous_den > 0),
    -- None where only the plan or the subscription became another.
    movement text check (movement in ('new', 'reactivation', 'expansion', 'contraction', 'churn')),
    -- The day on which they began to pay, for the last time until then.
    paying_since date not null,
    primary key (user_id, currency, day)
);
create index subscription_mrr_daily_day_idx on public.subscription_mrr_daily (day);
create index subscription_mrr_daily_subscription_id_idx on public.subscription_mrr_daily (subscription_id);
create index subscription_mrr_daily_plan_id_idx on public.subscription_mrr_daily (plan_id);

-- MRR and who pays it at the end of each day. Fractions of one denominator are added up; those of others never.
create table public.mrr_daily (
    day date not null,
    currency text not null,
    plan_id uuid not null references public.subscription_plans (id) on delete restrict,
    mrr_den bigint not null check (mrr_den > 0),
    mrr_num bigint not null check (mrr_num > 0),
    subscribers bigint not null check (subscribers > 0),
    primary key (day, currency, plan_id, mrr_den)
);
create index mrr_daily_plan_id_idx on public.mrr_daily (plan_id);

-- Money that came and went, by the day on which it did. Tax is part of each amount and stands beside it.
create table public.revenue_daily (
    day date not null,
    currency text not null,
    kind text not null check (kind in ('subscription', 'credit_purchase', 'one_time')),
    plan_id uuid references public.subscription_plans (id) on delete restrict,
    payments bigint not null,
    gross bigint not null,
    tax bigint not null,
    refunds bigint not null,
    refunded bigint not null,
    refunded_tax bigint not null,
    disputes bigint not null,
    disputed bigint not null,
    disputed_tax bigint not null,
    unique nulls not distinct (day, currency, kind, plan_id)
);
create index revenue_daily_plan_id_idx on public.revenue_daily (plan_id);

-- What the ledger's own accounts took in on each day.
create table public.credits_daily (
    day date not null,
    account text not null check (account in ('issued', 'consumed', 'expired', 'revoked', 'debt')),
    amount bigint not null,
    primary key (day, account)
);
create index credit_txns_created_at_idx on public.credit_txns using brin (created_at);
create index payment_transactions_updated_at_idx on public.payment_transactions (updated_at);

-- Up to when the daily rows are made: one row.
create table public.analytics_state (
    id smallint primary key default 1 check (id = 1),
    time_zone text not null,
    -- The last day that has rows: it was not over, so it is made again.
    last_day date not null,
    -- Until when they speak, by the clock given to us.
    as_of timestamptz not null,
    -- The same by the database's clock.
    built_at timestamptz not null
);

alter table public.subscription_history enable row level security;
alter table public.subscription_history force row level security;
alter table public.subscription_mrr_daily enable row level security;
alter table public.subscription_mrr_daily force row level security;
alter table public.mrr_daily enable row level security;
alter table public.mrr_daily force row level security;
alter table public.revenue_daily enable row level security;
alter table public.revenue_daily force row level security;
alter table public.credits_daily enable row level security;
alter table public.credits_daily force row level security;
alter table public.analytics_state enable row level security;
alter table public.analytics_state force row level security;
