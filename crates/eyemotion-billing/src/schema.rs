diesel::table! {
    subscription_plans (id) {
        id -> Uuid,
        name -> Text,
        display_name -> Text,
        description -> Text,
        price -> BigInt,
        currency -> Text,
        billing_interval -> Text,
        credits_included -> BigInt,
        storage_gb -> Integer,
        features -> Jsonb,
        is_active -> Bool,
        sort_order -> Integer,
    }
}

diesel::table! {
    subscriptions (id) {
        id -> Uuid,
        user_id -> Uuid,
        plan_id -> Uuid,
        status -> Text,
        stripe_customer_id -> Nullable<Text>,
        stripe_subscription_id -> Nullable<Text>,
        current_period_start -> Timestamptz,
        current_period_end -> Timestamptz,
        cancel_at_period_end -> Bool,
        cancelled_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    payment_transactions (id) {
        id -> Uuid,
        user_id -> Uuid,
        description -> Text,
        invoice_url -> Nullable<Text>,
        receipt_url -> Nullable<Text>,
        metadata -> Jsonb,
    }
}

diesel::table! {
    // A view: subscriptions with what the ledger and the storage say of them.
    user_subscriptions (id) {
        id -> Uuid,
        user_id -> Uuid,
        plan_id -> Uuid,
        status -> Text,
        current_period_start -> Timestamptz,
        current_period_end -> Timestamptz,
        cancel_at_period_end -> Bool,
        cancelled_at -> Nullable<Timestamptz>,
        trial_end -> Nullable<Timestamptz>,
        credits_included -> BigInt,
        credits_used -> BigInt,
        extra_credits -> BigInt,
        credits_remaining -> BigInt,
        credits_change_at -> Nullable<Timestamptz>,
        storage_used_bytes -> BigInt,
        storage_limit_bytes -> BigInt,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    credit_wallets (user_id) {
        user_id -> Uuid,
    }
}

diesel::table! {
    credit_lots (id) {
        id -> Uuid,
        user_id -> Uuid,
        kind -> Text,
        granted -> BigInt,
        remaining -> BigInt,
        held -> BigInt,
        expires_at -> Nullable<Timestamptz>,
        source_type -> Text,
        source_id -> Text,
        status -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    credit_txns (id) {
        id -> Uuid,
        user_id -> Uuid,
        idem_key -> Text,
        request_hash -> Bytea,
        details -> Jsonb,
    }
}

diesel::table! {
    // A view: the ledger's spendings.
    credits_usage (id) {
        id -> Uuid,
        user_id -> Uuid,
        subscription_id -> Nullable<Uuid>,
        credits_used -> BigInt,
        action -> Text,
        resource_type -> Nullable<Text>,
        resource_id -> Nullable<Text>,
        details -> Jsonb,
        created_at -> Timestamptz,
    }
}

diesel::joinable!(subscriptions -> subscription_plans (plan_id));
diesel::joinable!(user_subscriptions -> subscription_plans (plan_id));
diesel::allow_tables_to_appear_in_same_query!(
    subscription_plans,
    subscriptions,
    user_subscriptions
);
