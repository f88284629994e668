drop view if exists public.admin_users cascade;
drop function if exists public.keep_a_super_admin() cascade;
drop index public.activity_logs_action_idx;
alter table auth.users drop column ban_reason;

-- The caches' triggers (sql/15_changes.sql and its like) stand on tables of every age.
drop function if exists public.announce_all() cascade;
drop function if exists public.announce_by_id() cascade;
drop function if exists public.announce_by_user() cascade;
drop function if exists public.announce_change(text, text) cascade;
