-- Rules that hold whoever writes. Trigger functions run as the writer, under the writer's policies.

create or replace function public.touch() returns trigger
    language plpgsql set search_path = '' as $$
begin
    new.updated_at := now();
    return new;
end
$$;

-- The version is the ETag: every change of the row counts, so that a strong ETag tells the truth.
create or replace function public.touch_versioned() returns trigger
    language plpgsql set search_path = '' as $$
begin
    new.updated_at := now();
    new.version := old.version + 1;
    return new;
end
$$;

-- One thing may change in what is append-only: the name of a person who has left. Then auth.users.id is another, and what
-- refers to it follows inside a trigger, where nothing else does; or a function of 65_privacy.sql says that it is at work.
create or replace function public.refuse_change() returns trigger
    language plpgsql set search_path = '' as $$
begin
    if tg_op = 'UPDATE' then
        if current_setting('eyemotion.erasing', true) = 'on' then
            return new;
        end if;
        if pg_trigger_depth() > 1 and to_jsonb(old) - 'user_id' = to_jsonb(new) - 'user_id' then
            return jsonb_populate_record(
                new, replace(to_jsonb(new)::text, old.user_id::text, new.user_id::text)::jsonb);
        end if;
    end if;
    raise exception '%.% is append-only', tg_table_schema, tg_table_name
        using errcode = 'restrict_violation';
end
$$;

do $$
declare
    target regclass;
    versioned boolean;
begin
    foreach target in array array[
        'auth.users', 'public.user_profiles', 'public.subscription_plans', 'public.subscriptions',
        'public.credit_wallets', 'public.credit_lots', 'public.credit_holds', 'public.payment_transactions', 'public.projects',
        'public.project_files', 'public.storage_quotas', 'public.mail_outbox', 'public.stripe_customers',
        'public.payment_orders', 'public.payment_disputes', 'public.fraud_warnings', 'jobs.jobs', 'jobs.schedules'
    ]::regclass[] loop
        versioned := exists (
            select from pg_attribute where attrelid = target and attname = 'version' and not attisdropped);
        execute format(
            'create or replace trigger touch before update on %s for each row
             when (old.* is distinct from new.*) execute function public.%I()',
            target, case when versioned then 'touch_versioned' else 'touch' end);
    end loop;

    foreach target in array array[
        'public.credit_txns', 'public.credit_entries', 'public.credit_lot_moves', 'public.activity_logs',
        'public.subscription_history'
    ]::regclass[] loop
        execute format(
            'create or replace trigger append_only before update or delete on %s
             for each row execute function public.refuse_change()', target);
        execute format(
            'create or replace trigger append_only_whole before truncate on %s
             for each statement execute function public.refuse_change()', target);
    end loop;
end
$$;

-- Double entry: at commit, what a transaction posts adds up to nothing. A sum that the committer may not see is null
-- and refused too.
create or replace function public.credit_txn_must_balance() returns trigger
    language plpgsql set search_path = '' as $$
declare
    total bigint;
begin
    select sum(amount) into total from public.credit_entries where txn_id = new.txn_id;
    if total is distinct from 0 then
        raise exception 'credit transaction % does not balance', new.txn_id
            using errcode = 'check_violation', table = 'credit_entries', constraint = 'credit_entries_balance';
    end if;
    return null;
end
$$;
drop trigger if exists credit_entries_balance on public.credit_entries;
create constraint trigger credit_entries_balance after insert on public.credit_entries
    deferrable initially deferred for each row execute function public.credit_txn_must_balance();

create or replace function public.file_status_successors(from_status text) returns text[]
    language sql immutable parallel safe
    return case from_status
        when 'pending' then array['uploading', 'uploaded', 'expired', 'purged']
        when 'uploading' then array['pending', 'uploaded', 'expired', 'purged']
        when 'uploaded' then array['verifying', 'expired', 'purged']
        when 'verifying' then array['verified', 'rejected', 'quarantined', 'failed', 'purged']
        when 'verified' then array['processing', 'trashed', 'purged']
        when 'processing' then array['ready', 'failed', 'verified', 'rejected', 'purged']
        when 'ready' then array['processing', 'trashed', 'purged']
        when 'failed' then array['processing', 'verifying', 'trashed', 'purged']
        when 'rejected' then array['purged']
        when 'quarantined' then array['purged']
        when 'expired' then array['purged']
        when 'trashed' then array['ready', 'verified', 'failed', 'purged']
        else array[]::text[]
    end;

create or replace function public.check_file_transition() returns trigger
    language plpgsql set search_path = '' as $$
begin
    if new.processing_status <> all (public.file_status_successors(old.processing_status)) then
        raise exception 'a file that is % cannot become %', old.processing_status, new.processing_status
            using errcode = 'check_violation', table = 'project_files',
                  constraint = 'project_files_transition';
    end if;
    return new;
end
$$;
create or replace trigger transition before update of processing_status on public.project_files
    for each row when (old.processing_status is distinct from new.processing_status)
    execute function public.check_file_transition();

-- The only writer of file_count and total_duration_us.
create or replace function public.count_project_files() returns trigger
    language plpgsql set search_path = '' as $$
declare
    gone constant text[] := array['trashed', 'purged', 'rejected', 'expired'];
    was_counted boolean := tg_op <> 'INSERT'
        and old.confirmed_at is not null and old.processing_status <> all (gone);
    is_counted boolean := tg_op <> 'DELETE'
        and new.confirmed_at is not null and new.processing_status <> all (gone);
begin
    if was_counted and is_counted and old.project_id = new.project_id
        and old.duration_us is not distinct from new.duration_us then
        return null;
    end if;
    if was_counted then
        update public.projects
        set file_count = file_count - 1, total_duration_us = total_duration_us - coalesce(old.duration_us, 0)
        where id = old.project_id;
        if not found then
            raise exception 'project % is not visible to the writer of its file', old.project_id
                using errcode = 'insufficient_privilege';
        end if;
    end if;
    if is_counted then
        update public.projects
        set file_count = file_count + 1, total_duration_us = total_duration_us + coalesce(new.duration_us, 0)
        where id = new.project_id;
        if not found then
            raise exception 'project % is not visible to the writer of its file', new.project_id
                using errcode = 'insufficient_privilege';
        end if;
    end if;
    return null;
end
$$;
create or replace trigger count_files
    after insert or delete or update of processing_status, confirmed_at, duration_us, project_id
    on public.project_files for each row execute function public.count_project_files();

-- Every replica hears of progress and passes it on to those who watch.
create or replace function public.announce_file() returns trigger
    language plpgsql set search_path = '' as $$
begin
    perform pg_notify('files', json_build_object(
        'id', new.id, 'user_id', new.user_id,
        'status', new.processing_status, 'progress', new.processing_progress)::text);
    return null;
end
$$;
create or replace trigger announce
    after update of processing_status, processing_progress on public.project_files
    for each row when (
        old.processing_status is distinct from new.processing_status
        or old.processing_progress is distinct from new.processing_progress)
    execute function public.announce_file();

create or replace function jobs.announce() returns trigger
    language plpgsql set search_path = '' as $$
begin
    perform pg_notify('jobs', queue) from (select distinct queue from inserted) as queues;
    return null;
end
$$;
create or replace trigger announce after insert on jobs.jobs
    referencing new table as inserted for each statement execute function jobs.announce();

revoke all on function public.touch(), public.touch_versioned(), public.refuse_change(),
    public.credit_txn_must_balance(), public.check_file_transition(), public.count_project_files(),
    public.announce_file(), jobs.announce(), public.file_status_successors(text)
    from public;
grant execute on function public.file_status_successors(text) to authenticated, service_role;

-- A ban ends on a day that every reader knows, at the latest on the one that stands for "for good": not in PostgreSQL's
-- infinity.
create or replace function public.bound_ban() returns trigger
    language plpgsql set search_path = '' as $$
begin
    new.banned_until := case when new.banned_until > '-infinity' then least(new.banned_until, '9999-12-31 00:00+00') end;
    return new;
end
$$;
create or replace trigger bound_ban before insert or update of banned_until on auth.users for each row
    when (new.banned_until is not null) execute function public.bound_ban();
revoke all on function public.bound_ban() from public;
