-- What a request with an Idempotency-Key answered. The key is the person's own, so it leads with the person.

create table public.idempotency_keys (
    user_id uuid not null references auth.users (id) on delete cascade,
    operation text not null check (char_length(operation) between 1 and 100),
    key text not null check (char_length(key) between 1 and 255),
    request_hash bytea not null check (octet_length(request_hash) = 32),
    response jsonb check (octet_length(response::text) <= 262144),
    created_at timestamptz not null default now(),
    primary key (user_id, operation, key)
);
create index idempotency_keys_created_at_idx on public.idempotency_keys (created_at);

alter table public.idempotency_keys enable row level security;
alter table public.idempotency_keys force row level security;
