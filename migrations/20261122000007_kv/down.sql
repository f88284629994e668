drop table public.kv_store cascade;
