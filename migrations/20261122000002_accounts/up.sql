-- People and how they sign in. E-mail addresses arrive normalised; the check only proves it.

create table auth.users (
    id uuid primary key default gen_random_uuid(),
    email text not null unique
        check (email = lower(email) and char_length(email) between 3 and 254),
    password_hash text check (char_length(password_hash) <= 512),
    email_confirmed_at timestamptz,
    banned_until timestamptz,
    is_anonymous boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    last_sign_in_at timestamptz,
    deleted_at timestamptz
);
create index users_created_at_idx on auth.users (created_at desc, id desc);

-- A refresh token is the session's id, its counter and a MAC over both: nothing to store but the counter.
create table auth.sessions (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references auth.users (id) on delete cascade,
    created_at timestamptz not null default now(),
    refreshed_at timestamptz,
    counter bigint not null default 0 check (counter >= 0),
    rotated_at timestamptz,
    expires_at timestamptz not null,
    idle_expires_at timestamptz not null,
    revoked_at timestamptz,
    revoked_reason text check (char_length(revoked_reason) <= 100),
    ip text check (char_length(ip) <= 64),
    user_agent text check (char_length(user_agent) <= 1024),
    aal smallint not null default 1 check (aal between 1 and 3)
);
create index sessions_user_id_idx on auth.sessions (user_id, created_at desc, id desc);
create index sessions_expires_at_idx on auth.sessions (expires_at);

create table auth.identities (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references auth.users (id) on delete cascade,
    provider text not null check (char_length(provider) between 1 and 64),
    issuer text not null check (char_length(issuer) between 1 and 512),
    subject text not null check (char_length(subject) between 1 and 512),
    email text check (char_length(email) <= 254),
    email_verified boolean not null default false,
    data jsonb not null default '{}' check (octet_length(data::text) <= 65536),
    created_at timestamptz not null default now(),
    last_sign_in_at timestamptz,
    unique (issuer, subject)
);
create index identities_user_id_idx on auth.identities (user_id);

create table auth.factors (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references auth.users (id) on delete cascade,
    kind text not null check (kind in ('totp', 'webauthn', 'recovery_code')),
    friendly_name text check (char_length(friendly_name) <= 100),
    secret bytea not null check (octet_length(secret) <= 16384),
    status text not null default 'unverified' check (status in ('unverified', 'verified')),
    last_used_step bigint,
    created_at timestamptz not null default now(),
    last_used_at timestamptz
);
create index factors_user_id_idx on auth.factors (user_id);

create table auth.one_time_tokens (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null references auth.users (id) on delete cascade,
    purpose text not null check (char_length(purpose) between 1 and 64),
    token_hash bytea not null unique check (octet_length(token_hash) between 16 and 64),
    code_hash bytea check (octet_length(code_hash) between 16 and 64),
    attempts integer not null default 0 check (attempts >= 0),
    expires_at timestamptz not null,
    used_at timestamptz,
    created_at timestamptz not null default now(),
    payload jsonb not null default '{}' check (octet_length(payload::text) <= 16384)
);
create index one_time_tokens_user_id_idx on auth.one_time_tokens (user_id, purpose);
create index one_time_tokens_expires_at_idx on auth.one_time_tokens (expires_at);

create table public.user_profiles (
    id uuid primary key references auth.users (id) on delete cascade,
    full_name text not null check (char_length(full_name) between 1 and 200),
    company_name text check (char_length(company_name) <= 200),
    industry text not null default 'Film Production' check (char_length(industry) <= 100),
    country text not null default 'Thailand' check (char_length(country) <= 100),
    phone text check (char_length(phone) <= 40),
    avatar_url text check (char_length(avatar_url) <= 2048),
    role text not null default 'user' check (role in ('user', 'admin', 'super_admin')),
    preferences jsonb not null default '{}'
        check (jsonb_typeof(preferences) = 'object' and octet_length(preferences::text) <= 65536),
    onboarding_completed boolean not null default false,
    email_verified boolean not null default false,
    last_login_at timestamptz,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index user_profiles_admins_idx on public.user_profiles (role) where role <> 'user';

alter table auth.users enable row level security;
alter table auth.users force row level security;
alter table auth.sessions enable row level security;
alter table auth.sessions force row level security;
alter table auth.identities enable row level security;
alter table auth.identities force row level security;
alter table auth.factors enable row level security;
alter table auth.factors force row level security;
alter table auth.one_time_tokens enable row level security;
alter table auth.one_time_tokens force row level security;
alter table public.user_profiles enable row level security;
alter table public.user_profiles force row level security;
