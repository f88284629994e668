-- Why somebody is banned, in the operator's words.
alter table auth.users add column ban_reason text check (char_length(ban_reason) between 1 and 500);

-- The log by what was done.
create index activity_logs_action_idx on public.activity_logs (action, created_at desc, id desc);
