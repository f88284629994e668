-- service_role and eyemotion_backup: policies and grants, from one list of every table. Starts from nothing, so that what
-- is no longer listed here or in 60_people_access.sql is no longer allowed.
--
-- service_role acts two ways: as the system (no sub: all rows) or for a person (sub set: that person's rows only).
-- A table without an owner column is the system's alone; a catalogue may be read for a person as well.

do $$
declare
    known record;
    verb text;
    stale name;
    system constant text := '(select auth.is_system())';
    rule text;
begin
    for known in
        select tab::regclass, owner, verbs from (values
            ('auth.users', 'id', 'select, insert, update, delete'),
            ('auth.sessions', 'user_id', 'select, insert, update, delete'),
            ('auth.throttles', null, 'select, insert, update, delete'),
            ('auth.identities', 'user_id', 'select, insert, update, delete'),
            ('auth.factors', 'user_id', 'select, insert, update, delete'),
            ('auth.one_time_tokens', 'user_id', 'select, insert, update, delete'),
            ('auth.oauth_flows', null, 'select, insert, delete'),
            ('auth.account_deletions', 'user_id', 'select, insert, update, delete'),
            ('public.user_profiles', 'id', 'select, insert, update, delete'),
            ('public.subscription_plans', 'catalogue', 'select, insert, update'),
            ('public.subscriptions', 'user_id', 'select, insert, update'),
            ('public.credit_wallets', 'user_id', 'select, insert, update'),
            ('public.credit_lots', 'user_id', 'select, insert, update'),
            ('public.credit_txns', 'user_id', 'select, insert'),
            ('public.credit_entries', 'user_id', 'select, insert'),
            ('public.credit_lot_moves', 'user_id', 'select, insert'),
            ('public.credit_holds', 'user_id', 'select, insert, update'),
            ('public.credit_hold_lines', 'user_id', 'select, insert'),
            ('public.action_prices', 'catalogue', 'select, insert, update'),
            ('public.payment_transactions', 'user_id', 'select, insert, update'),
            ('public.stripe_customers', 'user_id', 'select, insert, update'),
            ('public.payment_orders', 'user_id', 'select, insert, update'),
            ('public.subscription_changes', 'user_id', 'select, insert, update'),
            ('public.payment_disputes', 'user_id', 'select, insert, update'),
            ('public.fraud_warnings', 'user_id', 'select, insert, update'),
            ('public.stripe_events', null, 'select, insert, update, delete'),
            ('public.subscription_history', 'user_id', 'select, insert'),
            ('public.subscription_mrr_daily', 'user_id', 'select, insert, delete'),
            ('public.mrr_daily', null, 'select, insert, delete'),
            ('public.revenue_daily', null, 'select, insert, delete'),
            ('public.credits_daily', null, 'select, insert, delete'),
            ('public.analytics_state', null, 'select, insert, update, delete'),
            ('public.projects', 'user_id', 'select, insert, update, delete'),
            ('public.project_files', 'user_id', 'select, insert, update, delete'),
            ('public.storage_buckets', 'catalogue', 'select, insert, update'),
            ('public.storage_quotas', 'user_id', 'select, insert, update, delete'),
            ('public.storage_reservations', 'user_id', 'select, insert, update, delete'),
            ('public.idempotency_keys', 'user_id', 'select, insert, update, delete'),
            ('public.activity_logs', 'user_id', 'select, insert'),
            ('public.api_keys', 'user_id', 'select, insert, update, delete'),
            ('public.kv_store', null, 'select, insert, update, delete'),
            ('public.mail_outbox', 'user_id', 'select, insert, update, delete'),
            ('jobs.jobs', 'owner_id', 'select, insert, update, delete'),
            ('jobs.schedules', null, 'select, insert, update, delete')
        ) as access (tab, owner, verbs)
    loop
        for stale in select polname from pg_policy where polrelid = known.tab loop
            execute format('drop policy %I on %s', stale, known.tab);
        end loop;
        execute format(
            'revoke all on table %s from public, anon, authenticated, service_role, eyemotion_backup', known.tab);
        execute format('grant %s on table %s to service_role', known.verbs, known.tab);
        execute format('grant select on table %s to eyemotion_backup', known.tab);
        execute format(
            'create policy backup_select on %s for select to eyemotion_backup
             using ((select auth.role()) = ''eyemotion_backup'')', known.tab);

        foreach verb in array string_to_array(known.verbs, ', ') loop
            rule := case
                when known.owner is null then system
                when known.owner <> 'catalogue'
                    then format('%s or %I = (select auth.served_user())', system, known.owner)
                when verb = 'select' then '(select auth.role()) = ''service_role'''
                else system
            end;
            execute format('create policy service_%s on %s for %s to service_role', verb, known.tab, verb)
                || case when verb = 'insert' then '' else format(' using (%s)', rule) end
                || case when verb in ('insert', 'update') then format(' with check (%s)', rule) else '' end;
        end loop;
    end loop;
end
$$;

revoke all on public.user_subscriptions, public.credits_usage
    from public, anon, authenticated, service_role, eyemotion_backup;
grant select on public.user_subscriptions, public.credits_usage to service_role;

-- The migration tool writes its own ledger as the owner, which is why this one table is not forced.
do $$
begin
    if to_regclass('public.__diesel_schema_migrations') is not null then
        alter table public.__diesel_schema_migrations enable row level security;
        revoke all on public.__diesel_schema_migrations from public, anon, authenticated, service_role;
        grant select on public.__diesel_schema_migrations to service_role, eyemotion_backup;
        drop policy if exists service_select on public.__diesel_schema_migrations;
        create policy service_select on public.__diesel_schema_migrations for select to service_role
            using ((select auth.role()) = 'service_role');
        drop policy if exists backup_select on public.__diesel_schema_migrations;
        create policy backup_select on public.__diesel_schema_migrations for select to eyemotion_backup
            using ((select auth.role()) = 'eyemotion_backup');
    end if;
end
$$;
