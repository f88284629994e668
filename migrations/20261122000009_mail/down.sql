drop table public.mail_outbox cascade;
