-- What every replica has to hear of the key-value store and of API keys, and the store's versions.

-- The clock may stand still for two changes, or be set back: a version grows nevertheless.
create or replace function public.touch_kv() returns trigger
    language plpgsql set search_path = '' as $$
begin
    new.updated_at := now();
    new.version := greatest(old.version + 1, (extract(epoch from clock_timestamp()) * 1000000)::bigint);
    return new;
end
$$;
create or replace trigger touch before update on public.kv_store for each row
    when (old.* is distinct from new.*) execute function public.touch_kv();

-- Who changes much is not told apart. What had expired was not to be seen before either. The flags are one entry of
-- the store, and have a topic of their own because every request reads them.
create or replace function public.announce_kv() returns trigger
    language plpgsql set search_path = '' as $$
begin
    if (select count(*) from (select from changed limit 101) as many) > 100 then
        perform public.announce_change('kv', null), public.announce_change('flags', null);
    else
        perform public.announce_change('kv', json_build_array(namespace, key)::text) from changed
        where tg_op <> 'DELETE' or expires_at is null or expires_at > now();
        perform public.announce_change('flags', null) from changed
        where namespace = 'default' and key = 'features:flags';
    end if;
    return null;
end
$$;
create or replace trigger announce_insert after insert on public.kv_store
    referencing new table as changed for each statement execute function public.announce_kv();
create or replace trigger announce_update after update on public.kv_store
    referencing new table as changed for each statement execute function public.announce_kv();
create or replace trigger announce_delete after delete on public.kv_store
    referencing old table as changed for each statement execute function public.announce_kv();

-- Not which one: they are few, and their hashes stay where they are.
create or replace function public.announce_api_keys() returns trigger
    language plpgsql set search_path = '' as $$
begin
    perform public.announce_change('api_keys', null);
    return null;
end
$$;
create or replace trigger announce after insert or delete or update of user_id, scopes, expires_at, revoked_at
    on public.api_keys for each statement execute function public.announce_api_keys();

revoke all on function public.touch_kv(), public.announce_kv(), public.announce_api_keys() from public;
