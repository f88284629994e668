-- Subscriptions from before there was a history of them: it begins with what they are. Every other one has its rows already.
-- As service_role, for the owner is under the policies too.
do $$
begin
    perform set_config('role', 'service_role', true);
    perform set_config('request.jwt.claim.role', 'service_role', true);
    perform set_config('request.jwt.claim.sub', '', true);
    perform set_config('request.jwt.claims', '', true);

    insert into public.subscription_history (subscription_id, seq, user_id, plan_id, status, recurring_amount,
        recurring_currency, recurring_interval, recurring_interval_count, cancel_at_period_end, cancelled_at, valid_from)
    select s.id, 1, s.user_id, s.plan_id, s.status, s.recurring_amount, s.recurring_currency, s.recurring_interval,
        s.recurring_interval_count, s.cancel_at_period_end, s.cancelled_at,
        case s.status when 'cancelled' then greatest(s.created_at, s.cancelled_at) else s.created_at end
    from public.subscriptions s
    where s.state_since is null;
    update public.subscriptions s
    set state_since = case s.status when 'cancelled' then greatest(s.created_at, s.cancelled_at) else s.created_at end
    where s.state_since is null;

    perform set_config('request.jwt.claim.role', '', true);
    perform set_config('role', 'none', true);
end
$$;
