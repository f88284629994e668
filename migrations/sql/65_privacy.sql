-- Taking a person's name out of what is append-only to everybody else. The two functions run as the owner, which the
-- policies here let through for the platform alone; the triggers of 20_triggers.sql let nobody else change a row.
-- (They say that they are at work by set_config: a SET clause of their own would need a superuser.)

create or replace function public.credit_txns_rename_actor(person uuid, pseudonym uuid) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform set_config('eyemotion.erasing', 'on', true);
    update public.credit_txns set actor = 'user:' || pseudonym::text where actor = 'user:' || person::text;
    perform set_config('eyemotion.erasing', 'off', true);
end
$$;

-- A batch of the lines that a person wrote or is named in; how many. What was done stays, and when.
create or replace function public.activity_logs_pseudonymise(
    person uuid, address text, pseudonym uuid, batch integer) returns bigint
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    lines bigint;
begin
    perform set_config('eyemotion.erasing', 'on', true);
    with named as (
        (select created_at, id, true as is_own from public.activity_logs where user_id = person limit batch)
        union
        (select created_at, id, true from public.activity_logs
         where details ? 'actor' and details ->> 'actor' = 'user:' || person::text limit batch)
        union
        -- About the person, by somebody else: only the name goes.
        (select created_at, id, false from public.activity_logs
         where resource_type = 'user' and resource_id = person::text and user_id is distinct from person
             and details ->> 'actor' is distinct from 'user:' || person::text limit batch)
    ), renamed as (
        update public.activity_logs log
        set user_id = case when log.user_id = person then pseudonym else log.user_id end,
            resource_id = replace(log.resource_id, person::text, pseudonym::text),
            details = case when log.user_id = person then '{}'
                else replace(replace(log.details::text, person::text, pseudonym::text),
                    to_json(address)::text, '"[deleted]"')::jsonb end,
            ip_address = case when not is_own then log.ip_address end,
            user_agent = case when not is_own then log.user_agent end,
            session_id = case when not is_own then log.session_id end,
            request_id = case when not is_own then log.request_id end
        from named where log.created_at = named.created_at and log.id = named.id
        returning 1
    )
    select count(*) into lines from renamed;
    perform set_config('eyemotion.erasing', 'off', true);
    return lines;
end
$$;

revoke all on function public.credit_txns_rename_actor(uuid, uuid),
    public.activity_logs_pseudonymise(uuid, text, uuid, integer) from public;
grant execute on function public.credit_txns_rename_actor(uuid, uuid),
    public.activity_logs_pseudonymise(uuid, text, uuid, integer) to service_role;

create policy erasing_select on public.credit_txns for select to current_user
    using ((select auth.is_system()) and current_setting('eyemotion.erasing', true) = 'on');
create policy erasing_update on public.credit_txns for update to current_user
    using ((select auth.is_system()) and current_setting('eyemotion.erasing', true) = 'on')
    with check ((select auth.is_system()) and current_setting('eyemotion.erasing', true) = 'on');
create policy erasing_select on public.activity_logs for select to current_user
    using ((select auth.is_system()) and current_setting('eyemotion.erasing', true) = 'on');
create policy erasing_update on public.activity_logs for update to current_user
    using ((select auth.is_system()) and current_setting('eyemotion.erasing', true) = 'on')
    with check ((select auth.is_system()) and current_setting('eyemotion.erasing', true) = 'on');
