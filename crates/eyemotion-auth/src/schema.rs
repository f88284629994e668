diesel::table! {
    auth.users (id) {
        id -> Uuid,
        email -> Text,
        password_hash -> Nullable<Text>,
        email_confirmed_at -> Nullable<Timestamptz>,
        banned_until -> Nullable<Timestamptz>,
        ban_reason -> Nullable<Text>,
        created_at -> Timestamptz,
        last_sign_in_at -> Nullable<Timestamptz>,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    auth.sessions (id) {
        id -> Uuid,
        user_id -> Uuid,
        created_at -> Timestamptz,
        refreshed_at -> Nullable<Timestamptz>,
        counter -> Int8,
        rotated_at -> Nullable<Timestamptz>,
        expires_at -> Timestamptz,
        idle_expires_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
        revoked_reason -> Nullable<Text>,
        ip -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        authenticated_at -> Timestamptz,
    }
}

diesel::table! {
    auth.throttles (key) {
        key -> Bytea,
        rule -> Text,
        spent -> Int4,
        free_at -> Timestamptz,
        resets_at -> Timestamptz,
    }
}

diesel::table! {
    auth.identities (id) {
        id -> Uuid,
        user_id -> Uuid,
        provider -> Text,
        issuer -> Text,
        subject -> Text,
        email -> Nullable<Text>,
        email_verified -> Bool,
        created_at -> Timestamptz,
        last_sign_in_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    auth.factors (id) {
        id -> Uuid,
        user_id -> Uuid,
    }
}

diesel::table! {
    auth.oauth_flows (state_hash) {
        state_hash -> Bytea,
        provider -> Text,
        nonce -> Text,
        pkce_verifier -> Text,
        redirect_uri -> Text,
        redirect_to -> Nullable<Text>,
        browser_hash -> Nullable<Bytea>,
        client_challenge -> Nullable<Text>,
        link_session -> Nullable<Uuid>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
    }
}

diesel::table! {
    auth.one_time_tokens (id) {
        id -> Uuid,
        user_id -> Uuid,
        purpose -> Text,
        token_hash -> Bytea,
        code_hash -> Bytea,
        attempts -> Int4,
        expires_at -> Timestamptz,
        created_at -> Timestamptz,
        payload -> Jsonb,
        code_expires_at -> Timestamptz,
    }
}

diesel::table! {
    auth.account_deletions (id) {
        id -> Uuid,
        user_id -> Nullable<Uuid>,
        id_hash -> Bytea,
        pseudonym -> Nullable<Uuid>,
        state -> Text,
        step -> Nullable<Text>,
        undo_hash -> Nullable<Bytea>,
        language -> Nullable<Text>,
        requested_at -> Timestamptz,
        due_at -> Timestamptz,
        started_at -> Nullable<Timestamptz>,
        erased_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    user_profiles (id) {
        id -> Uuid,
        full_name -> Text,
        company_name -> Nullable<Text>,
        industry -> Text,
        country -> Text,
        phone -> Nullable<Text>,
        avatar_url -> Nullable<Text>,
        role -> Text,
        preferences -> Jsonb,
        onboarding_completed -> Bool,
        email_verified -> Bool,
        last_login_at -> Nullable<Timestamptz>,
        version -> Int8,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    /// A view.
    admin_users (id) {
        id -> Uuid,
        email -> Text,
        full_name -> Text,
        company_name -> Nullable<Text>,
        country -> Text,
        role -> Text,
        email_confirmed_at -> Nullable<Timestamptz>,
        banned_until -> Nullable<Timestamptz>,
        ban_reason -> Nullable<Text>,
        deleted_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        last_sign_in_at -> Nullable<Timestamptz>,
        plan_name -> Nullable<Text>,
        subscription_status -> Nullable<Text>,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Uuid,
        user_id -> Uuid,
        name -> Text,
        prefix -> Text,
        token_hash -> Bytea,
        scopes -> Array<Text>,
        expires_at -> Nullable<Timestamptz>,
        last_used_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::joinable!(api_keys -> users (user_id));
diesel::joinable!(user_profiles -> users (id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(one_time_tokens -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(
    api_keys,
    one_time_tokens,
    users,
    sessions,
    user_profiles
);
diesel::allow_tables_to_appear_in_same_query!(account_deletions, users);
diesel::allow_tables_to_appear_in_same_query!(account_deletions, user_profiles);
diesel::allow_tables_to_appear_in_same_query!(account_deletions, sessions);
