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

diesel::joinable!(user_profiles -> users (id));
diesel::joinable!(sessions -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(users, sessions, user_profiles);
