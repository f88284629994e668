-- When the person behind a session last proved who they are. Sessions from before have to prove it again.
alter table auth.sessions add column authenticated_at timestamptz not null default 'epoch';
alter table auth.sessions alter column authenticated_at set default now();

-- How often something was tried: failed sign-ins, mails asked for. Kept here and not in memory, so that it holds across
-- replicas and restarts. The key is a MAC over the rule and what it counts (an address, say), so the table names nobody.
create table auth.throttles (
    key bytea primary key check (octet_length(key) = 32),
    rule text not null check (char_length(rule) between 1 and 64),
    spent integer not null check (spent >= 0),
    free_at timestamptz not null,
    resets_at timestamptz not null
);
create index throttles_resets_at_idx on auth.throttles (resets_at);

alter table auth.throttles enable row level security;
alter table auth.throttles force row level security;
