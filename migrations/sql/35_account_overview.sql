-- Who somebody is, with profile, live subscription, plan and credits: one row a person, read on almost every page.

drop view if exists public.account_overview;

create view public.account_overview with (security_invoker = true) as
select
    u.id,
    u.email,
    p.full_name,
    p.company_name,
    p.industry,
    p.country,
    p.phone,
    p.avatar_url,
    p.role,
    p.preferences,
    p.onboarding_completed,
    p.email_verified,
    p.last_login_at,
    p.version,
    p.created_at,
    p.updated_at,
    s.id as subscription_id,
    s.status,
    s.current_period_start,
    s.current_period_end,
    s.cancel_at_period_end,
    s.cancelled_at,
    s.trial_end,
    s.credits_included,
    s.credits_used,
    s.extra_credits,
    s.credits_remaining,
    s.credits_change_at,
    s.storage_used_bytes,
    s.storage_limit_bytes,
    s.created_at as subscription_created_at,
    plan.id as plan_id,
    plan.name as plan_name,
    plan.display_name as plan_display_name,
    plan.description as plan_description,
    plan.price as plan_price,
    plan.currency as plan_currency,
    plan.billing_interval as plan_billing_interval,
    plan.credits_included as plan_credits_included,
    plan.storage_gb as plan_storage_gb,
    plan.features as plan_features
from auth.users u
join public.user_profiles p on p.id = u.id
left join public.user_subscriptions s on s.user_id = u.id and s.status in ('active', 'trialing', 'past_due')
left join public.subscription_plans plan on plan.id = s.plan_id;

revoke all on public.account_overview from public, anon, authenticated, service_role, eyemotion_backup;
grant select on public.account_overview to authenticated, service_role;
