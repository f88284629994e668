-- What the caches of every process must forget. A trigger announces a change by topic and key; processes hear it on the
-- one channel "changes", and the process that commits it reads it from the setting before its COMMIT returns.

-- For the process that commits, and for it alone.
create or replace function public.list_change(change text) returns void
    language plpgsql set search_path = '' as $$
declare
    listed constant text := coalesce(current_setting('eyemotion.changes', true), '');
begin
    perform set_config('eyemotion.changes', case
        when listed = '' then change
        when listed = '*' or octet_length(listed) > 8000 then '*'
        when change = any(string_to_array(listed, E'\n')) then listed
        else listed || E'\n' || change
    end, true);
end
$$;

create or replace function public.announce_change(topic text, key text) returns void
    language plpgsql set search_path = '' as $$
declare
    -- A key that does not fit on a line is not named: the topic as a whole is forgotten.
    change constant text := case
        when key is null or octet_length(key) > 1000 or key ~ '[\n\r]' then topic
        else topic || ':' || key
    end;
begin
    perform pg_notify('changes', change);
    perform public.list_change(change);
end
$$;

revoke all on function public.announce_change(text, text), public.list_change(text) from public;
grant execute on function public.announce_change(text, text), public.list_change(text) to authenticated, service_role;
