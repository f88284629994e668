-- Supabase's auth schema as it is today, as far as it matters here, and EyeMotion's table of old.
create schema auth;
create table auth.users (
    instance_id uuid,
    id uuid primary key,
    aud varchar(255),
    role varchar(255),
    email varchar(255),
    encrypted_password varchar(255),
    email_confirmed_at timestamptz,
    raw_app_meta_data jsonb,
    raw_user_meta_data jsonb,
    is_super_admin boolean,
    created_at timestamptz,
    updated_at timestamptz,
    last_sign_in_at timestamptz,
    phone text unique,
    phone_confirmed_at timestamptz,
    confirmed_at timestamptz generated always as (least(email_confirmed_at, phone_confirmed_at)) stored,
    banned_until timestamptz,
    is_sso_user boolean not null default false,
    deleted_at timestamptz,
    is_anonymous boolean not null default false
);
create unique index users_email_partial_key on auth.users (email) where is_sso_user = false;
create table auth.identities (
    provider_id text not null,
    user_id uuid not null references auth.users (id) on delete cascade,
    identity_data jsonb not null,
    provider text not null,
    last_sign_in_at timestamptz,
    created_at timestamptz,
    updated_at timestamptz,
    email text generated always as (lower(identity_data ->> 'email')) stored,
    id uuid primary key default gen_random_uuid(),
    unique (provider_id, provider)
);
create table public.user_profiles (
    id uuid primary key references auth.users (id) on delete cascade,
    full_name text not null,
    company_name text,
    industry text default 'Film Production',
    country text default 'Thailand',
    phone text,
    avatar_url text,
    role text default 'user',
    preferences jsonb default '{}',
    onboarding_completed boolean default false
);
alter table auth.users enable row level security;
alter table auth.identities enable row level security;
alter table public.user_profiles enable row level security;

create function pg_temp.person(n integer) returns uuid language sql as
    $$ select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid $$;

-- 1 to 24: ordinary people, whose hashes are of six makes; the password is always "correct horse".
insert into auth.users (id, email, encrypted_password, email_confirmed_at, raw_user_meta_data, created_at,
    last_sign_in_at)
select pg_temp.person(n), 'Person' || n || '@Example.com',
    (array[
        '$2a$06$abcdefghijklmnopqrstuud/5IuQmqhVO0kfNEbHJM.fJkPiliBzC',
        '$2b$06$abcdefghijklmnopqrstuud/5IuQmqhVO0kfNEbHJM.fJkPiliBzC',
        '$2y$06$abcdefghijklmnopqrstuud/5IuQmqhVO0kfNEbHJM.fJkPiliBzC',
        '$argon2id$v=19$m=4096,t=3,p=2$MDEyMzQ1Njc4OWFiY2RlZg$ghZU2jG2HwKr61aDwDT+EYylq2XFs7/BTA4T5+itnPY',
        '$argon2id$v=16$m=8192,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$yUbI+qzSdvWFLiYkZZaoAW7zEzu1ez5aGEvopJqNoDg',
        '$argon2i$v=19$m=8192,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$1VTdsp4ZdY2IQ/bDym4XUHlBhQyuy6F0kplKu6VKZe4'
    ])[n % 6 + 1],
    '2024-05-01 10:00+07', '{"full_name": "Not asked"}', '2024-04-30 10:00+07', '2026-01-02 03:04:05.678+00'
from generate_series(1, 24) as n;
insert into public.user_profiles (id, full_name, company_name, industry, country, phone, avatar_url, preferences,
    onboarding_completed)
select pg_temp.person(n), 'Person No. ' || n, 'Studio ' || n, 'Animation', 'Laos', '+856 20 ' || n,
    'https://example.com/' || n || '.png', jsonb_build_object('theme', 'dark', 'n', n), true
from generate_series(1, 24) as n;

-- Each of the rest is a case of its own.
insert into auth.users (id, email, encrypted_password, email_confirmed_at, raw_user_meta_data, created_at, phone,
    banned_until, is_sso_user, deleted_at, is_anonymous)
select pg_temp.person(n), email, hash, '2024-05-01', meta::jsonb, '2024-04-30', phone, banned_until::timestamptz,
    coalesce(sso, false), deleted_at::timestamptz, coalesce(anonymous, false)
from (values
    -- No password: Supabase writes an empty one, or none.
    (31, 'google@example.com', '', '{"name": "Goo Gle", "picture": "https://example.com/g.png"}', null, null, null, null, null),
    (32, 'github@example.com', null, '{"full_name": "Git Hub"}', null, null, null, null, null),
    (33, 'both@example.com', 'HASH', null, null, null, null, null, null),
    (34, 'banned@example.com', 'HASH', null, null, '2099-01-01', null, null, null),
    (35, 'forever@example.com', 'HASH', null, null, 'infinity', null, null, null),
    (36, 'forgiven@example.com', 'HASH', null, null, '2020-01-01', null, null, null),
    (37, 'deleted@example.com', 'HASH', null, null, null, null, '2025-01-01', null),
    (38, null, null, null, null, null, null, null, true),
    (39, null, 'HASH', null, '66812345678', null, null, null, null),
    (40, 'not an address', 'HASH', null, null, null, null, null, null),
    (41, 'firebase@example.com', '$fbscrypt$v=1,n=14,r=8,p=1$a$b', null, null, null, null, null, null),
    (42, 'costly@example.com', '$2b$15$abcdefghijklmnopqrstuud/5IuQmqhVO0kfNEbHJM.fJkPiliBzC', null, null, null, null, null, null),
    (43, 'here@example.com', 'HASH', null, null, null, null, null, null),
    (44, 'admin@example.com', 'HASH', null, null, null, null, null, null),
    (45, 'root@example.com', 'HASH', null, null, null, null, null, null),
    (46, 'twice@example.com', 'HASH', null, null, null, null, null, null),
    (47, 'Twice@example.com', null, null, null, null, true, null, null)
) as cases (n, email, hash, meta, phone, banned_until, sso, deleted_at, anonymous);
update auth.users set encrypted_password = '$2a$06$abcdefghijklmnopqrstuud/5IuQmqhVO0kfNEbHJM.fJkPiliBzC'
where encrypted_password = 'HASH';
insert into public.user_profiles (id, full_name, role)
values (pg_temp.person(44), 'An Admin', 'admin'), (pg_temp.person(45), 'A Root', 'super_admin');
insert into auth.identities (provider_id, user_id, identity_data, provider, created_at)
select subject, pg_temp.person(n), jsonb_build_object('sub', subject, 'email', email, 'email_verified', verified),
    provider, '2024-04-30'
from (values
    (31, 'google', '109876543210987654321', 'Google@Example.com', true),
    (32, 'github', '583231', 'github@example.com', false),
    (33, 'google', '109876543210987654322', 'other@example.com', true),
    (33, 'email', '00000000-0000-4000-8000-000000000033', 'both@example.com', true),
    (33, 'apple', '001234.abc', 'both@example.com', true),
    (47, 'sso:21648a9d-8d5a-4555-a9d1-d6375dc14e92', 'twice@example.com', 'twice@example.com', true)
) as given (n, provider, subject, email, verified);
