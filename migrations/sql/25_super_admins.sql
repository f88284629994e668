-- Somebody who can give roles must be left: neither demoting nor banning nor deleting takes the last super_admin away.
-- One at a time, so that of two who demote each other one sees what the other has done. The writer may act for one
-- person and then sees that person's rows only; the question is asked as the system, and the context put back.

create or replace function public.keep_a_super_admin() returns trigger
    language plpgsql set search_path = '' as $$
declare
    subject constant text := coalesce(current_setting('request.jwt.claim.sub', true), '');
    claims constant text := coalesce(current_setting('request.jwt.claims', true), '');
    is_one boolean := true;
    is_one_left boolean;
begin
    perform pg_advisory_xact_lock(hashtextextended('public.user_profiles.super_admin', 0));
    perform set_config('request.jwt.claim.sub', '', true), set_config('request.jwt.claims', '', true);
    if tg_table_name = 'users' then
        is_one := exists (select from public.user_profiles where id = new.id and role = 'super_admin');
    end if;
    is_one_left := exists (
        select from public.user_profiles p join auth.users u on u.id = p.id
        where p.role = 'super_admin' and u.deleted_at is null and (u.banned_until is null or u.banned_until <= now()));
    perform set_config('request.jwt.claim.sub', subject, true), set_config('request.jwt.claims', claims, true);
    if is_one and not is_one_left then
        raise exception 'the last super_admin cannot go'
            using errcode = 'check_violation', schema = 'public', table = 'user_profiles',
                  constraint = 'last_super_admin';
    end if;
    return null;
end
$$;

drop trigger if exists last_super_admin_demoted on public.user_profiles;
create constraint trigger last_super_admin_demoted after update on public.user_profiles
    for each row when (old.role = 'super_admin' and new.role <> 'super_admin')
    execute function public.keep_a_super_admin();
drop trigger if exists last_super_admin_removed on public.user_profiles;
create constraint trigger last_super_admin_removed after delete on public.user_profiles
    for each row when (old.role = 'super_admin') execute function public.keep_a_super_admin();
drop trigger if exists last_super_admin_barred on auth.users;
create constraint trigger last_super_admin_barred after update on auth.users
    for each row when (
        new.banned_until is distinct from old.banned_until or new.deleted_at is distinct from old.deleted_at)
    execute function public.keep_a_super_admin();

revoke all on function public.keep_a_super_admin() from public;
