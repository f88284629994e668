-- From sql/20_triggers.sql, which stands on tables of every age.
drop function if exists public.bound_ban() cascade;
