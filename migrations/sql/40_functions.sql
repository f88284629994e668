-- Maintenance and proofs, for service_role acting as the system.

-- Makes the log's partitions for the month of "now" and months_ahead more, drops those that ended keep_days ago.
-- Runs as the owner because only an owner makes and drops tables. Months are UTC's. A partition is made apart and then
-- attached, which does not stop writers; the triggers come with attaching.
create or replace function public.activity_logs_maintain(
    now timestamptz, months_ahead integer default 3, keep_days integer default 90)
    returns table (created text[], dropped text[])
    language plpgsql security definer
    set search_path = pg_catalog, pg_temp set timezone = 'UTC' set lock_timeout = '5s' as $$
declare
    month timestamptz;
    partition text;
    known record;
begin
    if months_ahead not between 0 and 24 or keep_days < 1 then
        raise exception 'months_ahead must be 0 to 24 and keep_days at least 1'
            using errcode = 'invalid_parameter_value';
    end if;
    -- One replica at a time.
    perform pg_advisory_xact_lock(hashtextextended('public.activity_logs', 0));
    created := '{}';
    dropped := '{}';

    for month in
        select generate_series(date_trunc('month', now),
            date_trunc('month', now) + make_interval(months => months_ahead), '1 month')
    loop
        partition := 'activity_logs_' || to_char(month, '"y"YYYY"m"MM');
        continue when to_regclass(format('public.%I', partition)) is not null;
        execute format(
            'create table public.%I (like public.activity_logs including defaults including constraints)', partition);
        execute format('alter table public.%I enable row level security', partition);
        execute format('alter table public.%I force row level security', partition);
        execute format('revoke all on table public.%I from public, anon, authenticated, service_role, eyemotion_backup',
            partition);
        execute format('alter table public.activity_logs attach partition public.%I for values from (%L) to (%L)',
            partition, month, month + interval '1 month');
        created := created || partition;
    end loop;

    for known in
        select c.relname, to_date(right(c.relname, 7), 'YYYY"m"MM')::timestamptz + interval '1 month' as ends
        from pg_inherits i
        join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'public.activity_logs'::regclass and c.relname ~ '^activity_logs_y\d{4}m\d{2}$'
        order by c.relname
    loop
        continue when known.ends > now - make_interval(days => keep_days);
        execute format('drop table public.%I', known.relname);
        dropped := dropped || known.relname::text;
    end loop;
    return next;
end
$$;

-- Projects whose counters differ from a recount. Empty when all is well.
create or replace function public.project_counter_drift()
    returns table (project_id uuid, file_count bigint, counted_files bigint,
                   total_duration_us bigint, counted_duration_us bigint)
    language sql stable set search_path = '' as $$
    select p.id, p.file_count::bigint, counted.files, p.total_duration_us, counted.duration_us
    from public.projects p
    cross join lateral (
        select count(*) as files, coalesce(sum(f.duration_us), 0)::bigint as duration_us
        from public.project_files f
        where f.project_id = p.id and f.confirmed_at is not null
            and f.processing_status not in ('trashed', 'purged', 'rejected', 'expired')
    ) as counted
    where (p.file_count, p.total_duration_us) is distinct from (counted.files, counted.duration_us)
$$;

-- Quotas that differ from what files and reservations say. Bytes of a confirmed file are used until it is purged or
-- rejected, then pending deletion until its object is gone, which clears storage_path (or deletes the row).
create or replace function public.storage_quota_drift()
    returns table (user_id uuid, used_bytes bigint, counted_used bigint, reserved_bytes bigint,
                   counted_reserved bigint, pending_delete_bytes bigint, counted_pending_delete bigint)
    language sql stable set search_path = '' as $$
    select q.user_id, q.used_bytes, files.used, q.reserved_bytes, reservations.bytes,
           q.pending_delete_bytes, files.pending
    from public.storage_quotas q
    cross join lateral (
        select coalesce(sum(f.file_size) filter (
                   where f.processing_status not in ('purged', 'rejected')), 0)::bigint as used,
               coalesce(sum(f.file_size) filter (
                   where f.processing_status in ('purged', 'rejected') and f.storage_path is not null),
                   0)::bigint as pending
        from public.project_files f
        where f.user_id = q.user_id and f.confirmed_at is not null
    ) as files
    cross join lateral (
        select coalesce(sum(r.bytes), 0)::bigint as bytes
        from public.storage_reservations r where r.user_id = q.user_id
    ) as reservations
    where (q.used_bytes, q.reserved_bytes, q.pending_delete_bytes)
        is distinct from (files.used, reservations.bytes, files.pending)
$$;

-- Wallets that differ from the sum of their entries, of their lots or of their holds. What is held of a frozen lot counts
-- as held. Dropped first because its columns have changed.
drop function if exists public.credit_ledger_drift();
create function public.credit_ledger_drift()
    returns table (user_id uuid, posted bigint, entered bigint, in_lots bigint,
                   held bigint, held_entered bigint, held_in_lots bigint, in_holds bigint,
                   frozen bigint, frozen_in_lots bigint, debt bigint, debt_entered bigint)
    language sql stable set search_path = '' as $$
    select w.user_id, w.posted, entries.posted, lots.remaining, w.held, entries.held, lots.held, holds.amount,
           w.frozen, lots.frozen, w.debt, entries.debt
    from public.credit_wallets w
    cross join lateral (
        select coalesce(sum(e.amount) filter (where e.account not like 'system:%'), 0)::bigint as posted,
               coalesce(sum(e.amount) filter (where e.account like 'user:%:held'), 0)::bigint as held,
               coalesce(-sum(e.amount) filter (where e.account = 'system:debt'), 0)::bigint as debt
        from public.credit_entries e
        where e.user_id = w.user_id
    ) as entries
    cross join lateral (
        select coalesce(sum(l.remaining), 0)::bigint as remaining, coalesce(sum(l.held), 0)::bigint as held,
               coalesce(sum(l.remaining - l.held) filter (where l.status = 'frozen'), 0)::bigint as frozen
        from public.credit_lots l
        where l.user_id = w.user_id
    ) as lots
    cross join lateral (
        select coalesce(sum(h.amount), 0)::bigint as amount
        from public.credit_holds h
        where h.user_id = w.user_id and h.status = 'pending'
    ) as holds
    where (w.posted, w.posted, w.held, w.held, w.held, w.frozen, w.debt)
        is distinct from (entries.posted, lots.remaining, entries.held, lots.held, holds.amount, lots.frozen,
            entries.debt)
$$;

revoke all on function public.activity_logs_maintain(timestamptz, integer, integer),
    public.project_counter_drift(), public.storage_quota_drift(), public.credit_ledger_drift() from public;
grant execute on function public.activity_logs_maintain(timestamptz, integer, integer),
    public.project_counter_drift(), public.storage_quota_drift(), public.credit_ledger_drift() to service_role;
