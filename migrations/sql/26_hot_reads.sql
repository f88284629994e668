-- What is read with almost every request and kept in memory: whether a session lives ("sessions", by session), what a
-- person may do ("people", by person), what a client shows of an account ("accounts", by person). The columns listed
-- here are those that the caches read; a refresh, which only lets a session live longer, disturbs nobody.

-- Both are called with the topic. Of the new row and the old one, one is null when a row comes or goes.
create or replace function public.announce_by_id() returns trigger
    language plpgsql set search_path = '' as $$
begin
    perform public.announce_change(tg_argv[0], coalesce(new.id, old.id)::text);
    return null;
end
$$;

create or replace function public.announce_by_user() returns trigger
    language plpgsql set search_path = '' as $$
begin
    perform public.announce_change(tg_argv[0], coalesce(new.user_id, old.user_id)::text);
    return null;
end
$$;

create or replace function public.list_account() returns trigger
    language plpgsql set search_path = '' as $$
begin
    perform public.list_change('accounts:' || new.user_id::text);
    return null;
end
$$;

create or replace function public.announce_all() returns trigger
    language plpgsql set search_path = '' as $$
begin
    perform public.announce_change(tg_argv[0], null);
    return null;
end
$$;

create or replace trigger announce_end after update on auth.sessions for each row
    when (new.revoked_at is distinct from old.revoked_at or new.expires_at is distinct from old.expires_at
        or new.idle_expires_at < old.idle_expires_at or new.user_id is distinct from old.user_id)
    execute function public.announce_by_id('sessions');
create or replace trigger announce_removal after delete on auth.sessions for each row
    execute function public.announce_by_id('sessions');

create or replace trigger announce_standing after update on auth.users for each row
    when (new.banned_until is distinct from old.banned_until or new.deleted_at is distinct from old.deleted_at)
    execute function public.announce_by_id('people');
create or replace trigger announce_email after update on auth.users for each row
    when (new.email is distinct from old.email)
    execute function public.announce_by_id('accounts');
create or replace trigger announce_removal after delete on auth.users for each row
    execute function public.announce_by_id('people');

create or replace trigger announce after insert or update or delete on auth.account_deletions for each row
    execute function public.announce_by_user('people');

create or replace trigger announce_role after update on public.user_profiles for each row
    when (new.role is distinct from old.role)
    execute function public.announce_by_id('people');
create or replace trigger announce after insert or update or delete on public.user_profiles for each row
    execute function public.announce_by_id('accounts');

create or replace trigger announce after insert or update or delete on public.subscriptions for each row
    execute function public.announce_by_user('accounts');
create or replace trigger announce after insert or delete on public.credit_lots for each row
    execute function public.announce_by_user('accounts');
-- Every spending changes a lot, and transactions that notify commit one after the other, in the whole cluster. So other
-- processes are not told: they keep what shows credits for less than a second.
create or replace trigger list_change after update on public.credit_lots for each row
    execute function public.list_account();
create or replace trigger announce after insert or update or delete on public.storage_quotas for each row
    execute function public.announce_by_user('accounts');
-- Everybody on the plan; nobody counts them.
create or replace trigger announce after update on public.subscription_plans for each statement
    execute function public.announce_all('accounts');

revoke all on function public.announce_by_id(), public.announce_by_user(), public.announce_all(),
    public.list_account() from public;
