drop table public.user_profiles cascade;
drop table auth.one_time_tokens cascade;
drop table auth.factors cascade;
drop table auth.identities cascade;
drop table auth.sessions cascade;
drop table auth.users cascade;
