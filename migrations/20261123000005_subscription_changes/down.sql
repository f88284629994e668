drop table public.subscription_changes;
