-- Work to do later, enqueued in the transaction that wants it. A finished job is deleted, a hopeless one is dead.

create table jobs.jobs (
    id uuid primary key default gen_random_uuid(),
    queue text not null default 'default' check (char_length(queue) between 1 and 64),
    kind text not null check (char_length(kind) between 1 and 100),
    payload jsonb not null default '{}' check (octet_length(payload::text) <= 262144),
    priority smallint not null default 0,
    run_at timestamptz not null default now(),
    state text not null default 'queued' check (state in ('queued', 'running', 'dead')),
    attempts integer not null default 0 check (attempts >= 0),
    max_attempts integer not null default 5 check (max_attempts >= 1),
    lease_until timestamptz,
    worker text check (char_length(worker) <= 200),
    unique_key text check (char_length(unique_key) between 1 and 255),
    owner_id uuid,
    last_error text check (char_length(last_error) <= 10000),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index jobs_claim_idx on jobs.jobs (queue, priority desc, run_at, id) where state = 'queued';
create index jobs_lease_idx on jobs.jobs (lease_until) where state = 'running';
create index jobs_dead_idx on jobs.jobs (updated_at desc, id desc) where state = 'dead';
create unique index jobs_unique_key_idx on jobs.jobs (unique_key) where state in ('queued', 'running');
create index jobs_owner_id_idx on jobs.jobs (owner_id);

create table jobs.schedules (
    name text primary key check (char_length(name) between 1 and 100),
    cron text not null check (char_length(cron) between 1 and 100),
    kind text not null check (char_length(kind) between 1 and 100),
    payload jsonb not null default '{}' check (octet_length(payload::text) <= 262144),
    next_run_at timestamptz not null,
    last_run_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index schedules_next_run_at_idx on jobs.schedules (next_run_at);

alter table jobs.jobs enable row level security;
alter table jobs.jobs force row level security;
alter table jobs.schedules enable row level security;
alter table jobs.schedules force row level security;
