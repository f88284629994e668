-- anon and authenticated: every right they have is on this page. Columns that give rights or money (role, plan, credits,
-- quota, owner, a file's status and size) are in no write grant. Admins read more, and write through service_role.

-- Accounts
grant select (id, email, email_confirmed_at, banned_until, ban_reason, created_at, last_sign_in_at, deleted_at)
    on auth.users to authenticated;
create policy people_select on auth.users for select to authenticated
    using (id = (select auth.uid()) or (select auth.is_admin()));

grant select (id, user_id, created_at, refreshed_at, expires_at, idle_expires_at, revoked_at, revoked_reason, ip,
    user_agent, aal, authenticated_at) on auth.sessions to authenticated;
create policy people_select on auth.sessions for select to authenticated
    using (user_id = (select auth.uid()));

-- Whether one is about to leave is asked with what one reads.
grant select (user_id) on auth.account_deletions to authenticated;
create policy people_select on auth.account_deletions for select to authenticated
    using (user_id = (select auth.uid()));

grant select (id, user_id, provider, email, email_verified, created_at, last_sign_in_at) on auth.identities
    to authenticated;
create policy people_select on auth.identities for select to authenticated
    using (user_id = (select auth.uid()));

grant select (id, user_id, kind, friendly_name, status, created_at, last_used_at) on auth.factors to authenticated;
create policy people_select on auth.factors for select to authenticated
    using (user_id = (select auth.uid()));

grant select on public.user_profiles to authenticated;
grant update (full_name, company_name, industry, country, phone, avatar_url, preferences, onboarding_completed)
    on public.user_profiles to authenticated;
create policy people_select on public.user_profiles for select to authenticated
    using (id = (select auth.uid()) or (select auth.is_admin()));
create policy people_update on public.user_profiles for update to authenticated
    using (id = (select auth.uid())) with check (id = (select auth.uid()));

-- Billing: to read only
grant select on public.subscription_plans to anon, authenticated;
create policy anon_select on public.subscription_plans for select to anon
    using (is_active and (select auth.role()) = 'anon');
-- A person may be on a plan that is sold no more.
create policy people_select on public.subscription_plans for select to authenticated
    using ((select auth.uid()) is not null);

grant select on public.subscriptions, public.credit_wallets, public.credit_lots, public.credit_entries,
    public.credit_lot_moves, public.payment_transactions, public.user_subscriptions, public.credits_usage
    to authenticated;
grant select on public.credit_holds, public.credit_hold_lines, public.action_prices to authenticated;
grant select (id, user_id, kind, reason, ref_type, ref_id, subscription_id, details, created_at, price_id, quantity)
    on public.credit_txns to authenticated;
create policy people_select on public.subscriptions for select to authenticated
    using (user_id = (select auth.uid()) or (select auth.is_admin()));
create policy people_select on public.credit_wallets for select to authenticated
    using (user_id = (select auth.uid()) or (select auth.is_admin()));
create policy people_select on public.credit_lots for select to authenticated
    using (user_id = (select auth.uid()) or (select auth.is_admin()));
create policy people_select on public.credit_txns for select to authenticated
    using (user_id = (select auth.uid()) or (select auth.is_admin()));
create policy people_select on public.credit_entries for select to authenticated
    using (user_id = (select auth.uid()) or (select auth.is_admin()));
create policy people_select on public.credit_lot_moves for select to authenticated
    using (user_id = (select auth.uid()) or (select auth.is_admin()));
create policy people_select on public.credit_holds for select to authenticated
    using (user_id = (select auth.uid()) or (select auth.is_admin()));
create policy people_select on public.credit_hold_lines for select to authenticated
    using (user_id = (select auth.uid()) or (select auth.is_admin()));
-- Who pays may know what for.
create policy people_select on public.action_prices for select to authenticated
    using ((select auth.uid()) is not null);
create policy people_select on public.payment_transactions for select to authenticated
    using (user_id = (select auth.uid()) or (select auth.is_admin()));
grant select on public.stripe_customers, public.payment_orders, public.payment_disputes, public.fraud_warnings
    to authenticated;
create policy people_select on public.stripe_customers for select to authenticated
    using (user_id = (select auth.uid()) or (select auth.is_admin()));
create policy people_select on public.payment_orders for select to authenticated
    using (user_id = (select auth.uid()) or (select auth.is_admin()));
grant select on public.subscription_changes to authenticated;
create policy people_select on public.subscription_changes for select to authenticated
    using (user_id = (select auth.uid()) or (select auth.is_admin()));
create policy people_select on public.payment_disputes for select to authenticated
    using (user_id = (select auth.uid()) or (select auth.is_admin()));
-- The operators' queue: who is suspected is not told so.
create policy people_select on public.fraud_warnings for select to authenticated
    using ((select auth.is_admin()));

grant select on public.subscription_history to authenticated;
create policy people_select on public.subscription_history for select to authenticated
    using (user_id = (select auth.uid()) or (select auth.is_admin()));
-- The figures of the business.
grant select on public.subscription_mrr_daily, public.mrr_daily, public.revenue_daily, public.credits_daily,
    public.analytics_state to authenticated;
create policy people_select on public.subscription_mrr_daily for select to authenticated
    using ((select auth.is_admin()));
create policy people_select on public.mrr_daily for select to authenticated using ((select auth.is_admin()));
create policy people_select on public.revenue_daily for select to authenticated using ((select auth.is_admin()));
create policy people_select on public.credits_daily for select to authenticated using ((select auth.is_admin()));
create policy people_select on public.analytics_state for select to authenticated using ((select auth.is_admin()));

-- Projects and files
grant select on public.projects, public.storage_quotas, public.storage_reservations to authenticated;
grant insert (id, user_id, name, description, type, settings, collaboration_settings, thumbnail_url)
    on public.projects to authenticated;
grant update (name, description, type, status, settings, collaboration_settings, thumbnail_url, last_opened_at)
    on public.projects to authenticated;
create policy people_select on public.projects for select to authenticated
    using (user_id = (select auth.uid()) or (select auth.is_admin()));
create policy people_insert on public.projects for insert to authenticated
    with check (user_id = (select auth.uid()));
create policy people_update on public.projects for update to authenticated
    using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));

-- Not the lease token: it is the uploading worker's.
grant select (id, project_id, user_id, filename, original_name, file_type, mime_type, file_size, storage_path,
    thumbnail_path, thumbnail_status, duration_us, width, height, fps_num, fps_den, codec, bit_rate, media,
    declared_sha256, sha256, received_bytes, processing_status, processing_error, processing_progress, credits_cost,
    upload_expires_at, confirmed_at, trashed_at, metadata, tags, is_favorite, version, created_at, updated_at)
    on public.project_files to authenticated;
create policy people_select on public.project_files for select to authenticated
    using (user_id = (select auth.uid()) or (select auth.is_admin()));
create policy people_select on public.storage_quotas for select to authenticated
    using (user_id = (select auth.uid()) or (select auth.is_admin()));
create policy people_select on public.storage_reservations for select to authenticated
    using (user_id = (select auth.uid()) or (select auth.is_admin()));

-- Requests. The log is the platform's to write: what people did is not theirs to say.
grant select on public.activity_logs, public.idempotency_keys to authenticated;
grant insert (user_id, operation, key, request_hash, response) on public.idempotency_keys to authenticated;
create policy people_select on public.activity_logs for select to authenticated
    using (user_id = (select auth.uid()) or (select auth.is_admin()));
-- The answer is stored once, by the transaction that claimed the key.
grant update (response) on public.idempotency_keys to authenticated;
create policy people_update on public.idempotency_keys for update to authenticated
    using (user_id = (select auth.uid()) and response is null) with check (user_id = (select auth.uid()));
create policy people_select on public.idempotency_keys for select to authenticated
    using (user_id = (select auth.uid()));
create policy people_insert on public.idempotency_keys for insert to authenticated
    with check (user_id = (select auth.uid()));
