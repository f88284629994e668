-- An early release: identities are keyed by the provider's id, the address's confirmation is everybody's, nobody can
-- be banned, deleted or anonymous, and profiles are those of Supabase's own guide with a role of a type of its own.
create schema auth;
create table auth.users (
    id uuid primary key,
    email varchar(255) unique,
    encrypted_password varchar(255),
    confirmed_at timestamptz,
    raw_user_meta_data json,
    created_at timestamptz,
    last_sign_in_at timestamptz
);
create table auth.identities (
    id text not null,
    user_id uuid not null references auth.users (id) on delete cascade,
    identity_data jsonb not null,
    provider text not null,
    last_sign_in_at timestamptz,
    created_at timestamptz,
    primary key (provider, id)
);
create type public.standing as enum ('user', 'admin');
create table public.profiles (
    id uuid primary key references auth.users (id),
    updated_at timestamptz,
    username text unique,
    full_name text,
    avatar_url text,
    website text,
    role public.standing
);
insert into auth.users values
    ('00000000-0000-4000-8000-000000000001', 'old@example.com',
        '$2a$06$abcdefghijklmnopqrstuud/5IuQmqhVO0kfNEbHJM.fJkPiliBzC', '2021-01-01',
        '{"full_name": "From Sign-up", "country": "Japan"}', '2021-01-01', null),
    ('00000000-0000-4000-8000-000000000002', 'older@example.com', '', null, null, null, null);
insert into auth.identities values
    ('583231', '00000000-0000-4000-8000-000000000002', '{"sub": "583231"}', 'github', null, '2021-01-01');
insert into public.profiles (id, full_name, role) values
    ('00000000-0000-4000-8000-000000000001', 'From Profile', 'admin');
