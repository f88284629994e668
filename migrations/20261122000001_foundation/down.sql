drop function if exists public.touch() cascade;
drop function if exists public.touch_versioned() cascade;
drop function if exists public.refuse_change() cascade;
drop schema if exists jobs cascade;
drop schema if exists auth cascade;

-- A role that another database of the cluster still uses stays, with a notice.
do $$
declare
    made text;
begin
    foreach made in array array['anon', 'authenticated', 'service_role', 'eyemotion_backup'] loop
        continue when not exists (select from pg_roles where rolname = made);
        execute format('revoke all on schema public from %I', made);
        begin
            execute format('drop role %I', made);
        exception when dependent_objects_still_exist or insufficient_privilege or object_in_use then
            raise notice 'database role % stays: %', made, sqlerrm;
        end;
    end loop;
end
$$;
