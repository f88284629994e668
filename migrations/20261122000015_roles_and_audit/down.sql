drop view if exists public.admin_users cascade;
drop function if exists public.keep_a_super_admin() cascade;
drop index public.activity_logs_action_idx;
alter table auth.users drop column ban_reason;
