-- A version is never used twice for a key, even if the key was deleted in between: microseconds since 1970.
alter table public.kv_store alter column version
    set default (extract(epoch from clock_timestamp()) * 1000000)::bigint;

-- Keys for programs. The secret itself is nowhere: only its SHA-256, and its first characters to know it by.
create table public.api_keys (
    id uuid primary key default gen_random_uuid(),
    -- The admin who answers for it: it works for as long as that person is one.
    user_id uuid not null references auth.users (id) on delete cascade,
    name text not null check (char_length(name) between 1 and 100),
    prefix text not null check (char_length(prefix) between 8 and 32),
    token_hash bytea not null unique check (octet_length(token_hash) = 32),
    scopes text[] not null check (cardinality(scopes) between 1 and 32),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    created_at timestamptz not null default now()
);
create index api_keys_user_id_idx on public.api_keys (user_id);

alter table public.api_keys enable row level security;
alter table public.api_keys force row level security;
