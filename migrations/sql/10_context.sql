-- Who is asking: the RLS dialect of Supabase and PostgREST. The claims are transaction-local settings. After a
-- transaction such a setting is the empty string and not null, hence the nullif. Without a context all are null.
-- Bodies are bound at creation, so no search_path can redirect them, and the planner may still inline them.

create or replace function auth.jwt() returns jsonb
    language sql stable parallel safe
    return nullif(current_setting('request.jwt.claims', true), '')::jsonb;

create or replace function auth.uid() returns uuid
    language sql stable parallel safe
    return coalesce(
        nullif(current_setting('request.jwt.claim.sub', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid;

-- The database role of the token, not the person's: see auth.user_role().
create or replace function auth.role() returns text
    language sql stable parallel safe
    return coalesce(
        nullif(current_setting('request.jwt.claim.role', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role');

-- The person's own role: user, admin or super_admin.
create or replace function auth.user_role() returns text
    language sql stable parallel safe
    return coalesce(
        nullif(current_setting('request.jwt.claim.user_role', true), ''),
        nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'user_role');

create or replace function auth.is_admin() returns boolean
    language sql stable parallel safe
    return coalesce(auth.user_role() in ('admin', 'super_admin'), false);

-- service_role's two ways of acting: as the system, or for a person. Policies ask for them as (select auth.is_system()):
-- a bare boolean is taken as true half of the time, while a comparison with an unknown value is taken as almost never
-- true, and the planner then reads and sorts a whole queue instead of walking its index.
create or replace function auth.is_system() returns boolean
    language sql stable parallel safe
    return coalesce(auth.role() = 'service_role' and auth.uid() is null, false);

create or replace function auth.served_user() returns uuid
    language sql stable parallel safe
    return case when auth.role() = 'service_role' then auth.uid() end;

revoke all on function auth.jwt(), auth.uid(), auth.role(), auth.user_role(), auth.is_admin(), auth.is_system(),
    auth.served_user() from public;
grant usage on schema auth to anon, authenticated, service_role, eyemotion_backup;
grant usage on schema public to anon, authenticated, service_role, eyemotion_backup;
grant usage on schema jobs to service_role, eyemotion_backup;
grant execute on function auth.jwt(), auth.uid(), auth.role(), auth.user_role(), auth.is_admin(), auth.is_system(),
    auth.served_user() to anon, authenticated, service_role, eyemotion_backup;
