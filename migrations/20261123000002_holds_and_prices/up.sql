-- Credits set aside for work under way, and what each action costs.

-- A hold is resolved once: captured (what is not, is released with it), released, or expired by its time.
create table public.credit_holds (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references auth.users (id) on update cascade on delete restrict,
    amount bigint not null check (amount > 0),
    captured bigint not null default 0,
    status text not null default 'pending' check (status in ('pending', 'captured', 'released', 'expired')),
    action text not null check (char_length(action) between 1 and 64),
    ref_type text not null check (char_length(ref_type) <= 64),
    ref_id text not null check (char_length(ref_id) <= 255),
    -- The name by which its owner resolves it.
    idem_key text not null check (char_length(idem_key) between 1 and 200),
    price_id uuid,
    quantity bigint check (quantity >= 0),
    expires_at timestamptz not null,
    resolved_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    check (captured between 0 and amount),
    check ((status = 'captured') = (captured > 0)),
    check ((status = 'pending') = (resolved_at is null)),
    unique (user_id, idem_key),
    unique (id, user_id)
);
create index credit_holds_expiry_idx on public.credit_holds (expires_at) where status = 'pending';
create index credit_holds_pending_idx on public.credit_holds (user_id, ref_type, ref_id) where status = 'pending';

-- How much of it lies in which lot.
create table public.credit_hold_lines (
    hold_id uuid not null,
    lot_id uuid not null,
    user_id uuid not null,
    amount bigint not null check (amount > 0),
    primary key (hold_id, lot_id),
    foreign key (hold_id, user_id) references public.credit_holds (id, user_id) on update cascade on delete restrict,
    foreign key (lot_id, user_id) references public.credit_lots (id, user_id) on update cascade on delete restrict
);
create index credit_hold_lines_lot_id_idx on public.credit_hold_lines (lot_id);

-- A price holds from valid_from until valid_to, the end excluded. What was paid keeps its price's id.
create table public.action_prices (
    id uuid primary key default gen_random_uuid(),
    action text not null check (char_length(action) between 1 and 64),
    unit text not null check (unit in ('gib', 'item', 'minute')),
    credits_per_unit bigint not null check (credits_per_unit >= 0),
    -- At least so much, however little it is.
    min bigint not null default 0 check (min >= 0),
    valid_from timestamptz not null,
    valid_to timestamptz,
    created_at timestamptz not null default now(),
    check (valid_to > valid_from),
    -- Equality by way of ranges: btree_gist, which would compare texts here, is not on every managed server.
    -- Two actions of one 64-bit hash could not have prices at once; nothing worse.
    constraint action_prices_no_overlap exclude using gist (
        numrange(hashtextextended(action, 0)::numeric, hashtextextended(action, 0)::numeric, '[]') with &&,
        tstzrange(valid_from, valid_to) with &&)
);

-- No foreign key to the price: every spending of the platform would lock the same row of it, and no price is deleted.
alter table public.credit_txns
    add column price_id uuid,
    add column quantity bigint check (quantity >= 0);

alter table public.credit_holds enable row level security;
alter table public.credit_holds force row level security;
alter table public.credit_hold_lines enable row level security;
alter table public.credit_hold_lines force row level security;
alter table public.action_prices enable row level security;
alter table public.action_prices force row level security;
