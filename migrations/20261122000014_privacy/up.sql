-- How accounts end. What has to stay of a person stays under a pseudonym: the account takes it in the end, and the
-- books follow (on update cascade). A foreign key that is not listed here refuses that while its rows are there.

-- A deletion that waits, runs, or is done. A done one is a tombstone: it knows the person only by a hash, so that
-- somebody whom an old backup brings back is known and deleted again.
create table auth.account_deletions (
    id uuid primary key default gen_random_uuid(),
    user_id uuid unique references auth.users (id) on delete cascade,
    id_hash bytea not null unique check (octet_length(id_hash) = 32),
    pseudonym uuid unique,
    state text not null default 'scheduled' check (state in ('scheduled', 'erasing', 'erased')),
    step text check (char_length(step) <= 100),
    undo_hash bytea unique check (octet_length(undo_hash) = 32),
    -- Of the last mail, which is written when the profile is gone.
    language text check (char_length(language) <= 16),
    requested_at timestamptz not null default now(),
    due_at timestamptz not null,
    started_at timestamptz,
    erased_at timestamptz,
    check ((user_id is null) = (state = 'erased')),
    check ((pseudonym is null) = (state <> 'erasing'))
);
create index account_deletions_due_at_idx on auth.account_deletions (due_at) where state <> 'erased';
alter table auth.account_deletions enable row level security;
alter table auth.account_deletions force row level security;

alter table public.subscriptions
    drop constraint subscriptions_user_id_fkey,
    add constraint subscriptions_user_id_fkey foreign key (user_id)
        references auth.users (id) on update cascade on delete restrict;
alter table public.credit_wallets
    drop constraint credit_wallets_user_id_fkey,
    add constraint credit_wallets_user_id_fkey foreign key (user_id)
        references auth.users (id) on update cascade on delete restrict;
alter table public.credit_lots
    drop constraint credit_lots_user_id_fkey,
    add constraint credit_lots_user_id_fkey foreign key (user_id)
        references auth.users (id) on update cascade on delete restrict;
alter table public.credit_txns
    drop constraint credit_txns_user_id_fkey,
    add constraint credit_txns_user_id_fkey foreign key (user_id)
        references auth.users (id) on update cascade on delete restrict;
alter table public.credit_entries
    drop constraint credit_entries_txn_id_user_id_fkey,
    add constraint credit_entries_txn_id_user_id_fkey foreign key (txn_id, user_id)
        references public.credit_txns (id, user_id) on update cascade on delete restrict;
alter table public.credit_lot_moves
    drop constraint credit_lot_moves_txn_id_user_id_fkey,
    add constraint credit_lot_moves_txn_id_user_id_fkey foreign key (txn_id, user_id)
        references public.credit_txns (id, user_id) on update cascade on delete restrict,
    drop constraint credit_lot_moves_lot_id_user_id_fkey,
    add constraint credit_lot_moves_lot_id_user_id_fkey foreign key (lot_id, user_id)
        references public.credit_lots (id, user_id) on update cascade on delete restrict;
alter table public.payment_transactions
    drop constraint payment_transactions_user_id_fkey,
    add constraint payment_transactions_user_id_fkey foreign key (user_id)
        references auth.users (id) on update cascade on delete restrict;

-- Where people are named in what belongs to others.
create index credit_txns_actor_idx on public.credit_txns (actor) where actor like 'user:%';
create index activity_logs_about_idx on public.activity_logs (resource_id) where resource_type = 'user';
create index activity_logs_actor_idx on public.activity_logs ((details ->> 'actor')) where details ? 'actor';
