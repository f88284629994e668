-- What people did. One partition a month; a month past its time is dropped whole. No foreign key: the log
-- outlives the person. Partitions are made by public.activity_logs_maintain (sql/), which runs with every migration.

create table public.activity_logs (
    id uuid not null default gen_random_uuid(),
    user_id uuid,
    action text not null check (char_length(action) between 1 and 100),
    resource_type text check (char_length(resource_type) <= 64),
    resource_id text check (char_length(resource_id) <= 255),
    details jsonb not null default '{}' check (octet_length(details::text) <= 16384),
    ip_address text check (char_length(ip_address) <= 64),
    user_agent text check (char_length(user_agent) <= 1024),
    session_id uuid,
    request_id text check (char_length(request_id) <= 200),
    created_at timestamptz not null default now(),
    primary key (created_at, id)
) partition by range (created_at);
create index activity_logs_user_id_idx on public.activity_logs (user_id, created_at desc, id desc);

alter table public.activity_logs enable row level security;
alter table public.activity_logs force row level security;
