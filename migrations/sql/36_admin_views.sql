-- What admins read of people. With the reader's rights: to anybody else it is empty.

drop view if exists public.admin_users;
drop view if exists public.admin_people;
drop view if exists public.admin_projects;

create view public.admin_users with (security_invoker = true) as
select
    u.id,
    u.email,
    p.full_name,
    p.company_name,
    p.country,
    p.role,
    u.email_confirmed_at,
    u.banned_until,
    u.ban_reason,
    u.deleted_at,
    u.created_at,
    u.last_sign_in_at,
    plan.name as plan_name,
    s.status as subscription_status
from auth.users u
join public.user_profiles p on p.id = u.id
left join public.subscriptions s on s.user_id = u.id and s.status in ('active', 'trialing', 'past_due')
left join public.subscription_plans plan on plan.id = s.plan_id
where (select auth.is_admin());

revoke all on public.admin_users from public, anon, authenticated, service_role, eyemotion_backup;
grant select on public.admin_users to authenticated;

-- Who came when and from where. Those who have left are counted no more.
create view public.admin_people with (security_invoker = true) as
select u.id, p.country, u.created_at
from auth.users u
join public.user_profiles p on p.id = u.id
where u.deleted_at is null and (select auth.is_admin());

create view public.admin_projects with (security_invoker = true) as
select id, user_id, status, created_at from public.projects where (select auth.is_admin());

revoke all on public.admin_people, public.admin_projects
    from public, anon, authenticated, service_role, eyemotion_backup;
grant select on public.admin_people, public.admin_projects to authenticated;
