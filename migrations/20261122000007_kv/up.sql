-- Keys sort by bytes: a prefix is then a range that the index serves even under policies.

create table public.kv_store (
    namespace text not null default 'default' check (char_length(namespace) between 1 and 64),
    key text collate "C" not null check (char_length(key) between 1 and 512),
    value jsonb not null check (octet_length(value::text) <= 1048576),
    version bigint not null default 1,
    expires_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (namespace, key)
);
create index kv_store_expires_at_idx on public.kv_store (expires_at) where expires_at is not null;

alter table public.kv_store enable row level security;
alter table public.kv_store force row level security;
