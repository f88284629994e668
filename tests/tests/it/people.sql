-- Two people with a row each in every table that has owners. Their ids end in their digit, and so do their rows'.
insert into auth.users (id, email, password_hash)
    select id, 'person' || n || '@example.com', 'hash' from people;
insert into auth.sessions (user_id, expires_at, idle_expires_at) select id, now(), now() from people;
insert into auth.identities (user_id, provider, issuer, subject) select id, 'google', 'google', n from people;
insert into auth.factors (user_id, kind, secret) select id, 'totp', 'secret' from people;
insert into auth.one_time_tokens (user_id, purpose, token_hash, code_hash, expires_at, code_expires_at)
    select id, 'password_reset', sha256(n::bytea), sha256(n::bytea), now(), now() from people;
insert into public.api_keys (user_id, name, prefix, token_hash, scopes)
    select id, 'Key ' || n, 'eye_sk_' || n, sha256(n::bytea), array['kv:read'] from people;
insert into auth.account_deletions (user_id, id_hash, due_at) select id, sha256(n::bytea), now() from people;
insert into auth.throttles (key, rule, spent, free_at, resets_at) values (sha256('t'), 'sign_in', 1, now(), now());
insert into auth.oauth_flows (state_hash, provider, nonce, pkce_verifier, redirect_uri, browser_hash, created_at, expires_at)
    values (sha256('s'), 'google', repeat('n', 16), repeat('v', 43), 'https://example.com/', sha256('b'), now(), now());
insert into public.user_profiles (id, full_name) select id, 'Person ' || n from people;
insert into public.subscriptions (id, user_id, plan_id, status, current_period_start, current_period_end)
    select id, id, (select id from public.subscription_plans where name = 'freemium'), 'active', now(), now() + '1 month'
    from people;
insert into public.subscription_mrr_daily (day, user_id, currency, subscription_id, plan_id, mrr_num, mrr_den,
        previous_num, previous_den, movement, paying_since)
    select current_date, id, 'THB', id, (select id from public.subscription_plans where name = 'creator'), 12, 12, 0, 12,
        'new', current_date
    from people;
insert into public.mrr_daily (day, currency, plan_id, mrr_den, mrr_num, subscribers)
    select current_date, 'THB', id, 12, 24, 2 from public.subscription_plans where name = 'creator';
insert into public.revenue_daily values (current_date, 'THB', 'credit_purchase', null, 1, 100, 0, 0, 0, 0, 0, 0, 0);
insert into public.credits_daily (day, account, amount) values (current_date, 'issued', -100);
insert into public.analytics_state (time_zone, last_day, as_of, built_at) values ('Asia/Bangkok', current_date, now(), now());
insert into public.credit_wallets (user_id, posted) select id, 100 from people;
insert into public.credit_lots (id, user_id, kind, granted, remaining, source_type, source_id)
    select id, id, 'included', 100, 100, 'subscription', n from people;
insert into public.credit_txns (id, user_id, kind, idem_key, request_hash, reason, actor)
    select id, id, 'grant', 'first', sha256('first'), 'plan', 'system' from people;
insert into public.credit_entries (txn_id, seq, user_id, account, amount)
    select id, 1, id, 'system:issued', -100 from people
    union all select id, 2, id, 'user:' || id || ':available', 100 from people;
insert into public.credit_lot_moves (txn_id, lot_id, user_id, amount) select id, id, id, 100 from people;
insert into public.credit_holds (id, user_id, amount, status, action, ref_type, ref_id, idem_key, expires_at, resolved_at)
    select id, id, 1, 'released', 'file_upload', 'file', n, 'upload:' || n, now(), now() from people;
insert into public.credit_hold_lines (hold_id, lot_id, user_id, amount) select id, id, id, 1 from people;
insert into public.payment_transactions (id, user_id, amount, transaction_type)
    select id, id, 29900, 'subscription' from people;
insert into public.stripe_customers (user_id, stripe_customer_id) select id, 'cus_' || n from people;
insert into public.payment_orders (user_id, kind, credits, amount, success_url, cancel_url, expires_at)
    select id, 'credits', 100, 5000, 'https://example.com/', 'https://example.com/', now() from people;
insert into public.subscription_changes (id, user_id, subscription_id, kind)
    select s.id, s.user_id, s.id, 'cancel' from public.subscriptions s;
insert into public.payment_disputes (stripe_dispute_id, user_id, payment_id, amount, currency, status)
    select 'dp_' || n, id, id, 29900, 'THB', 'needs_response' from people;
insert into public.fraud_warnings (stripe_id, user_id, payment_id, kind, open)
    select 'issfr_' || n, id, id, 'early_fraud_warning', true from people;
insert into public.stripe_events (id, type, livemode, body, source, occurred_at)
    values ('evt_1', 'invoice.paid', false, '{}', 'webhook', now());
insert into public.storage_quotas (user_id, limit_bytes) select id, 1 << 30 from people;
insert into public.projects (id, user_id, name) select id, id, 'Project ' || n from people;
insert into public.project_files (id, project_id, user_id, filename, original_name, file_type, mime_type, file_size)
    select id, id, id, 'clip.mp4', 'clip.mp4', 'video', 'video/mp4', 1000 from people;
insert into public.storage_reservations (file_id, user_id, bytes) select id, id, 1000 from people;
update public.storage_quotas set reserved_bytes = 1000;
insert into public.idempotency_keys (user_id, operation, key, request_hash) select id, 'create', 'k', sha256('k') from people;
insert into public.activity_logs (user_id, action) select id, 'signed_in' from people;
insert into public.mail_outbox (user_id, recipient, template, locale, data)
    select id, 'person' || n || '@example.com', 'password_changed', 'en', '{}' from people;
insert into jobs.jobs (kind, owner_id) select 'probe', id from people;
insert into public.kv_store (key, value) values ('features:flags', '{}');
insert into jobs.schedules (name, cron, kind, next_run_at) values ('sweep', '* * * * *', 'sweep', now());
