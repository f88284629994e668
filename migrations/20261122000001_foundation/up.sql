-- Schemas and database roles. Roles belong to the cluster, so another database may have made them already.

do $$
declare
    wanted text;
    version int := current_setting('server_version_num')::int;
    me text := quote_ident(current_user);
    may_set boolean;
begin
    if exists (select from pg_namespace where nspname = 'auth') then
        raise exception 'this database already holds Supabase''s auth schema; use an empty database and '
            'bring the people over with eyemotion import supabase'
            using errcode = 'duplicate_schema';
    end if;

    if version < 150000 then
        raise exception 'PostgreSQL 15 or newer is needed, this is %', current_setting('server_version')
            using errcode = 'feature_not_supported';
    end if;

    if not has_database_privilege(current_database(), 'create')
        or not has_schema_privilege('public', 'create') then
        raise exception 'role % may not create schemas and tables here', me
            using errcode = 'insufficient_privilege',
                  hint = format(
                      'as the owner of the database run: grant create on database %I to %s; '
                      'grant create on schema public to %s;',
                      current_database(), me, me);
    end if;

    foreach wanted in array array['anon', 'authenticated', 'service_role', 'eyemotion_backup'] loop
        if not exists (select from pg_roles where rolname = wanted) then
            begin
                execute format(
                    'create role %I nologin noinherit nosuperuser nocreatedb nocreaterole', wanted);
            exception
                -- Another database of the cluster is being migrated at the same moment.
                when duplicate_object or unique_violation then null;
                when insufficient_privilege then
                    raise exception 'role % may not create the database role %', me, wanted
                        using errcode = 'insufficient_privilege',
                              hint = format(
                                  'as a superuser run: alter role %s createrole; or: '
                                  'create role anon nologin noinherit; create role authenticated nologin noinherit; '
                                  'create role service_role nologin noinherit; create role eyemotion_backup nologin noinherit bypassrls; '
                                  'grant anon, authenticated, service_role, eyemotion_backup to %s;', me, me);
            end;
        end if;

        -- From 16 on, membership and the right to SET ROLE are two things.
        may_set := pg_has_role(wanted, case when version >= 160000 then 'set' else 'member' end);
        -- A superuser passes every such test without being a member; that is enough.
        if not may_set then
            begin
                execute format('grant %I to %s', wanted, me)
                    || case when version >= 160000 then ' with set true, inherit false' else '' end;
            exception
                when unique_violation or internal_error then null;
                when insufficient_privilege then
                    raise exception 'role % may not become the database role %', me, wanted
                        using errcode = 'insufficient_privilege',
                              hint = format(
                                  'as a superuser run: '
                                  'grant anon, authenticated, service_role, eyemotion_backup to %s;', me);
            end;
        end if;
    end loop;

    -- The three that serve requests must never see past the policies, whoever made them.
    if exists (select from pg_roles
               where rolname in ('anon', 'authenticated', 'service_role') and (rolbypassrls or rolsuper)) then
        raise exception 'a database role among anon, authenticated, service_role bypasses row-level security'
            using errcode = 'invalid_authorization_specification',
                  hint = 'as a superuser run: alter role anon nobypassrls nosuperuser; and likewise the other two. '
                         'A cluster that serves Supabase as well needs those roles as they are: use another cluster';
    end if;

    -- A dump under policies would lose rows silently, so this one role sees past them where that can be granted.
    if not exists (select from pg_roles where rolname = 'eyemotion_backup' and rolbypassrls) then
        begin
            alter role eyemotion_backup bypassrls;
        exception when insufficient_privilege then
            raise notice 'eyemotion_backup is left without BYPASSRLS; it reads by policy instead';
        end;
    end if;
end
$$;

create schema auth;
create schema jobs;
