drop table public.api_keys cascade;
alter table public.kv_store alter column version set default 1;
drop function if exists public.touch_kv() cascade;
drop function if exists public.announce_kv() cascade;
drop function if exists public.announce_api_keys() cascade;
