-- What somebody asked of a paid subscription: written before Stripe is called, whose idempotency key is made of the
-- row's id. A change that crashed in the middle is asked for again: each leads to the same end.
create table public.subscription_changes (
    id uuid primary key,
    user_id uuid not null references auth.users (id) on update cascade on delete restrict,
    subscription_id uuid not null references public.subscriptions (id) on delete restrict,
    kind text not null check (kind in ('cancel', 'resume', 'upgrade', 'downgrade', 'undo_downgrade')),
    plan_id uuid references public.subscription_plans (id) on delete restrict,
    status text not null default 'asked' check (status in ('asked', 'done', 'refused')),
    created_at timestamptz not null default now(),
    settled_at timestamptz,
    check ((status = 'asked') = (settled_at is null)),
    check ((kind in ('upgrade', 'downgrade')) = (plan_id is not null))
);
create index subscription_changes_user_id_idx on public.subscription_changes (user_id, created_at desc);
create index subscription_changes_subscription_id_idx on public.subscription_changes (subscription_id);
create index subscription_changes_plan_id_idx on public.subscription_changes (plan_id);

alter table public.subscription_changes enable row level security;
alter table public.subscription_changes force row level security;
