-- The figures of the business: the history of subscriptions, and the days made of it. A day is one of the report's time
-- zone. What is built depends on the history, the payments and the ledger alone, so that building it again changes nothing.

-- What of a subscription the history keeps.
create or replace function public.subscription_state(s public.subscriptions) returns jsonb
    language sql immutable parallel safe
    return jsonb_build_array((s).status, (s).plan_id, (s).recurring_amount, (s).recurring_currency,
        (s).recurring_interval, (s).recurring_interval_count, (s).cancel_at_period_end, (s).cancelled_at);

-- States follow each other: none begins before the last one.
create or replace function public.date_subscription_state() returns trigger
    language plpgsql set search_path = '' as $$
begin
    if tg_op = 'INSERT' then
        new.state_since := coalesce(new.state_since, new.created_at);
        return new;
    end if;
    if public.subscription_state(new) = public.subscription_state(old) then
        new.state_since := old.state_since;
        return new;
    end if;
    new.state_since := case
        -- What is known exactly goes before the moment at which it was heard of.
        when new.ended_at is distinct from old.ended_at and new.ended_at is not null then new.ended_at
        when new.past_due_since is distinct from old.past_due_since and new.past_due_since is not null
            then new.past_due_since
        when old.status = 'trialing' and new.status = 'active' and new.trial_end is not null
            then least(new.trial_end, coalesce(nullif(new.state_since, old.state_since), now()))
        else coalesce(nullif(new.state_since, old.state_since), now())
    end;
    new.state_since := greatest(new.state_since, old.state_since);
    return new;
end
$$;

create or replace function public.remember_subscription() returns trigger
    language plpgsql set search_path = '' as $$
begin
    if tg_op = 'UPDATE' and public.subscription_state(new) = public.subscription_state(old) then
        return null;
    end if;
    -- The subscription's row is locked, so nobody else counts on.
    insert into public.subscription_history (subscription_id, seq, user_id, plan_id, status, recurring_amount,
        recurring_currency, recurring_interval, recurring_interval_count, cancel_at_period_end, cancelled_at, valid_from)
    values (new.id,
        (select coalesce(max(h.seq), 0) + 1 from public.subscription_history h where h.subscription_id = new.id),
        new.user_id, new.plan_id, new.status, new.recurring_amount, new.recurring_currency, new.recurring_interval,
        new.recurring_interval_count, new.cancel_at_period_end, new.cancelled_at, new.state_since);
    return null;
end
$$;

create or replace trigger date_state before insert or update on public.subscriptions
    for each row execute function public.date_subscription_state();
create or replace trigger remember after insert or update on public.subscriptions
    for each row execute function public.remember_subscription();

-- MRR x 12 x interval_count: a year has 12 months, 52 weeks, 365 days. Nothing unless it is paid: what is on trial or has
-- ended brings none; what is past due still does.
create or replace function public.mrr_numerator(status text, amount bigint, unit text) returns bigint
    language sql immutable parallel safe
    return case when status in ('active', 'past_due') then amount else 0 end
        * case unit when 'year' then 1 when 'month' then 12 when 'week' then 52 when 'day' then 365 end;

-- The first day whose figures are not what history, payments and ledger say now; null: there is nothing to tell of.
create or replace function public.analytics_first_day(zone text, today date) returns date
    language sql stable set search_path = '' as $$
    with known as (
        select last_day, built_at - interval '1 hour' as heard from public.analytics_state where time_zone = zone
    )
    select least(
        (select min((h.valid_from at time zone zone)::date) from public.subscription_history h
         where h.recorded_at >= coalesce((select heard from known), '-infinity')),
        (select min((p.processed_at at time zone zone)::date) from public.payment_transactions p
         where p.updated_at >= coalesce((select heard from known), '-infinity')),
        (select min((d.created_at at time zone zone)::date) from public.payment_disputes d
         where d.updated_at >= coalesce((select heard from known), '-infinity')),
        case when exists (select from known) then (select last_day - 1 from known)
            else (select min((t.created_at at time zone zone)::date) from public.credit_txns t) end,
        today)
$$;

-- Makes the days from first_day to last_day anew. Those before are taken as they are.
create or replace function public.analytics_build(first_day date, last_day date, zone text) returns void
    language plpgsql set search_path = '' as $$
declare
    starts constant timestamptz := first_day::timestamp at time zone zone;
    ends constant timestamptz := (last_day + 1)::timestamp at time zone zone;
begin
    delete from public.mrr_daily where day between first_day and last_day;
    with
    -- The last state of a subscription on each day on which it changed, and the one before that day.
    states as (
        select h.*, (h.valid_from at time zone zone)::date as day,
            lead(h.valid_from) over (partition by h.subscription_id order by h.seq) as valid_to,
            public.mrr_numerator(h.status, h.recurring_amount, h.recurring_interval) as num
        from public.subscription_history h
        where h.subscription_id in (
            select c.subscription_id from public.subscription_history c
            where c.valid_from >= starts and c.valid_from < ends)
    ), steps as (
        select s.day, s.recurring_currency, s.plan_id, s.recurring_interval_count, s.num, 1 as way
        from states s
        where s.num > 0 and s.valid_from >= starts and s.valid_from < ends
            and (s.valid_to is null or (s.valid_to at time zone zone)::date > s.day)
        union all
        select (s.valid_to at time zone zone)::date, s.recurring_currency, s.plan_id, s.recurring_interval_count,
            s.num, -1
        from states s
        where s.num > 0 and s.valid_to >= starts and s.valid_to < ends and (s.valid_to at time zone zone)::date > s.day
        union all
        select first_day, m.currency, m.plan_id, m.mrr_den / 12, m.mrr_num, m.subscribers
        from public.mrr_daily m where m.day = first_day - 1
    ), sums as (
        select s.day, s.recurring_currency as currency, s.plan_id, 12::bigint * s.recurring_interval_count as den,
            sum(case when s.way > 0 then s.num else -s.num end) as num, sum(s.way) as people
        from steps s group by 1, 2, 3, 4
    ), dense as (
        select d.day::date as day, k.currency, k.plan_id, k.den,
            sum(s.num) over each_key as num, sum(s.people) over each_key as people
        from (select distinct currency, plan_id, den from sums) k
        cross join generate_series(first_day::timestamp, last_day::timestamp, interval '1 day') as d (day)
        left join sums s on s.day = d.day::date and s.currency = k.currency and s.plan_id = k.plan_id and s.den = k.den
        window each_key as (partition by k.currency, k.plan_id, k.den order by d.day)
    )
    insert into public.mrr_daily (day, currency, plan_id, mrr_den, mrr_num, subscribers)
    select day, currency, plan_id, den, num, people from dense where num > 0;

    delete from public.subscription_mrr_daily where day between first_day and last_day;
    with
    touched as (
        select distinct h.user_id from public.subscription_history h where h.valid_from >= starts and h.valid_from < ends
    ), days as (
        select distinct h.user_id, (h.valid_from at time zone zone)::date as day
        from public.subscription_history h join touched using (user_id) where h.valid_from < ends
    ), closed as (
        -- What the person paid at the day's end: at most one subscription is live.
        select d.user_id, d.day, l.subscription_id, l.plan_id, l.recurring_currency as currency,
            coalesce(l.num, 0) as num, coalesce(12::bigint * l.recurring_interval_count, 12) as den
        from days d left join lateral (
            select * from (
                select distinct on (h.subscription_id) h.subscription_id, h.plan_id, h.recurring_currency,
                    h.recurring_interval_count, h.valid_from,
                    public.mrr_numerator(h.status, h.recurring_amount, h.recurring_interval) as num
                from public.subscription_history h
                where h.user_id = d.user_id and h.valid_from < (d.day + 1)::timestamp at time zone zone
                order by h.subscription_id, h.seq desc
            ) as latest
            where latest.num > 0 order by latest.valid_from desc, latest.subscription_id limit 1
        ) as l on true
    ), paired as (
        select c.*, lag(c.subscription_id) over each_person as old_subscription, lag(c.plan_id) over each_person as old_plan,
            lag(c.currency) over each_person as old_currency, coalesce(lag(c.num) over each_person, 0) as old_num,
            coalesce(lag(c.den) over each_person, 12) as old_den
        from closed c window each_person as (partition by c.user_id order by c.day)
    ), spells as (
        select p.*, max(p.day) filter (where p.num > 0 and (p.old_num = 0 or p.old_currency <> p.currency))
            over (partition by p.user_id order by p.day) as since
        from paired p
    ), dated as (
        select s.*, lag(s.since) over (partition by s.user_id order by s.day) as old_since,
            count(*) filter (where s.num > 0) over (partition by s.user_id, s.currency order by s.day
                rows between unbounded preceding and 1 preceding) > 0 as has_paid
        from spells s
    )
    insert into public.subscription_mrr_daily (day, user_id, currency, subscription_id, plan_id, mrr_num, mrr_den,
        previous_num, previous_den, movement, paying_since)
    -- Who changes the currency leaves the one and comes to the other.
    select day, user_id, old_currency, old_subscription, old_plan, 0, 12, old_num, old_den, 'churn', old_since
    from dated
    where old_num > 0 and (num = 0 or currency <> old_currency) and day between first_day and last_day
    union all
    select day, user_id, currency, subscription_id, plan_id, num, den, 0, 12,
        case when has_paid then 'reactivation' else 'new' end, since
    from dated
    where num > 0 and (old_num = 0 or currency <> old_currency) and day between first_day and last_day
    union all
    select day, user_id, currency, subscription_id, plan_id, num, den, old_num, old_den,
        case sign(num::numeric * old_den - old_num::numeric * den)
            when 1 then 'expansion' when -1 then 'contraction' end, since
    from dated
    where num > 0 and old_num > 0 and currency = old_currency and day between first_day and last_day
        and (num, den, subscription_id, plan_id) is distinct from (old_num, old_den, old_subscription, old_plan);

    delete from public.revenue_daily where day between first_day and last_day;
    with
    -- What goes back of a payment takes its share of the tax with it, so that all of it takes all of the tax.
    back as (
        select r.payment_id, r.processed_at as at, r.id::text as id, r.amount, 'refund' as kind
        from public.payment_transactions r
        where r.transaction_type = 'refund' and r.status in ('completed', 'refunded') and r.processed_at is not null
        union all
        select d.payment_id, d.created_at, d.stripe_dispute_id, d.amount, 'dispute'
        from public.payment_disputes d where d.status = 'lost'
    ), summed as (
        select b.*, sum(b.amount) over (partition by b.payment_id order by b.at, b.id) as until
        from back b
        where b.payment_id in (select i.payment_id from back i where i.at >= starts and i.at < ends)
    ), shared as (
        select s.at, s.kind, p.currency, p.transaction_type, p.plan_id,
            least(s.until, p.amount) - least(s.until - s.amount, p.amount) as amount,
            div(p.tax_amount::numeric * least(s.until, p.amount), p.amount)
                - div(p.tax_amount::numeric * least(s.until - s.amount, p.amount), p.amount) as tax
        from summed s join public.payment_transactions p on p.id = s.payment_id
        where s.at >= starts and s.at < ends and p.amount > 0
    ), moved as (
        select p.processed_at as at, p.currency, p.transaction_type, p.plan_id, 'payment' as kind, p.amount,
            p.tax_amount as tax
        from public.payment_transactions p
        where p.transaction_type <> 'refund' and p.status in ('completed', 'refunded') and p.amount > 0
            and p.processed_at >= starts and p.processed_at < ends
        union all
        select s.at, s.currency, s.transaction_type, s.plan_id, s.kind, s.amount, s.tax from shared s
    )
    insert into public.revenue_daily (day, currency, kind, plan_id, payments, gross, tax, refunds, refunded, refunded_tax,
        disputes, disputed, disputed_tax)
    select (m.at at time zone zone)::date, m.currency, m.transaction_type, m.plan_id,
        count(*) filter (where m.kind = 'payment'),
        coalesce(sum(m.amount) filter (where m.kind = 'payment'), 0),
        coalesce(sum(m.tax) filter (where m.kind = 'payment'), 0),
        count(*) filter (where m.kind = 'refund'),
        coalesce(sum(m.amount) filter (where m.kind = 'refund'), 0),
        coalesce(sum(m.tax) filter (where m.kind = 'refund'), 0),
        count(*) filter (where m.kind = 'dispute'),
        coalesce(sum(m.amount) filter (where m.kind = 'dispute'), 0),
        coalesce(sum(m.tax) filter (where m.kind = 'dispute'), 0)
    from moved m group by 1, 2, 3, 4;

    delete from public.credits_daily where day between first_day and last_day;
    insert into public.credits_daily (day, account, amount)
    select (t.created_at at time zone zone)::date, substr(e.account, 8), sum(e.amount)
    from public.credit_txns t join public.credit_entries e on e.txn_id = t.id
    where t.created_at >= starts and t.created_at < ends and e.account like 'system:%'
    group by 1, 2;
end
$$;

revoke all on function public.subscription_state(public.subscriptions), public.date_subscription_state(), public.remember_subscription(),
    public.mrr_numerator(text, bigint, text), public.analytics_first_day(text, date),
    public.analytics_build(date, date, text) from public;
grant execute on function public.subscription_state(public.subscriptions), public.mrr_numerator(text, bigint, text), public.analytics_first_day(text, date),
    public.analytics_build(date, date, text) to service_role;
