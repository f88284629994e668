-- What clients know by the old names. Both run with the reader's rights, so the policies below them hold.

-- Dropped first because `create or replace` cannot change the columns of a view.
drop view if exists public.account_overview; -- built on the next one
drop view if exists public.user_subscriptions;
drop view if exists public.credits_usage;

-- credits_included and credits_used speak of the live lots of the plan; extra_credits is what is left of bought and
-- given ones; credits_remaining = included - used + extra - held. A lot past its time counts no more, even if the job
-- that expires it is late; credits_change_at is when the next one goes so, without anybody writing anything.
create view public.user_subscriptions with (security_invoker = true) as
select
    s.id,
    s.user_id,
    s.plan_id,
    s.stripe_customer_id,
    s.stripe_subscription_id,
    s.status,
    s.current_period_start,
    s.current_period_end,
    s.cancel_at_period_end,
    s.cancelled_at,
    s.trial_start,
    s.trial_end,
    credits.included as credits_included,
    credits.used as credits_used,
    credits.extra as extra_credits,
    credits.remaining as credits_remaining,
    credits.change_at as credits_change_at,
    coalesce(q.used_bytes, 0) as storage_used_bytes,
    coalesce(q.limit_bytes, 0) as storage_limit_bytes,
    s.created_at,
    s.updated_at
from public.subscriptions s
left join public.storage_quotas q on q.user_id = s.user_id
cross join lateral (
    select
        coalesce(sum(l.granted) filter (where l.kind in ('included', 'trial')), 0)::bigint as included,
        coalesce(sum(l.granted - l.remaining) filter (where l.kind in ('included', 'trial')), 0)::bigint as used,
        coalesce(sum(l.remaining) filter (where l.kind not in ('included', 'trial')), 0)::bigint as extra,
        coalesce(sum(l.remaining - l.held), 0)::bigint as remaining,
        min(l.expires_at) as change_at
    from public.credit_lots l
    where l.user_id = s.user_id and l.status = 'open' and (l.expires_at is null or l.expires_at > now())
) as credits;

create view public.credits_usage with (security_invoker = true) as
select
    t.id,
    t.user_id,
    t.subscription_id,
    (select coalesce(-sum(e.amount), 0)::bigint from public.credit_entries e
     where e.txn_id = t.id and e.account like 'user:%') as credits_used,
    t.reason as action,
    t.ref_type as resource_type,
    t.ref_id as resource_id,
    t.details,
    t.created_at
from public.credit_txns t
where t.kind in ('spend', 'capture');
