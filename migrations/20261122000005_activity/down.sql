drop function if exists public.activity_logs_maintain(timestamptz, integer, integer) cascade;
drop table public.activity_logs cascade;
