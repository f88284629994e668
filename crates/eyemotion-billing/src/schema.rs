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
        stripe_price_id -> Nullable<Text>,
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
        trial_start -> Nullable<Timestamptz>,
        trial_end -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
        past_due_since -> Nullable<Timestamptz>,
        pending_plan_id -> Nullable<Uuid>,
        stripe_schedule_id -> Nullable<Text>,
        stripe_price_id -> Nullable<Text>,
        latest_invoice_id -> Nullable<Text>,
        recurring_amount -> BigInt,
        recurring_currency -> Text,
        recurring_interval -> Text,
        recurring_interval_count -> Integer,
        state_since -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    stripe_customers (user_id) {
        user_id -> Uuid,
        stripe_customer_id -> Nullable<Text>,
        card -> Nullable<Jsonb>,
        deleted_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    payment_orders (id) {
        id -> Uuid,
        user_id -> Uuid,
        kind -> Text,
        plan_id -> Nullable<Uuid>,
        credits -> Nullable<BigInt>,
        amount -> BigInt,
        currency -> Text,
        status -> Text,
        success_url -> Text,
        cancel_url -> Text,
        stripe_checkout_session_id -> Nullable<Text>,
        checkout_url -> Nullable<Text>,
        stripe_payment_intent_id -> Nullable<Text>,
        expires_at -> Timestamptz,
        paid_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    payment_transactions (id) {
        id -> Uuid,
        user_id -> Uuid,
        subscription_id -> Nullable<Uuid>,
        stripe_payment_intent_id -> Nullable<Text>,
        stripe_invoice_id -> Nullable<Text>,
        stripe_checkout_session_id -> Nullable<Text>,
        stripe_charge_id -> Nullable<Text>,
        stripe_refund_id -> Nullable<Text>,
        amount -> BigInt,
        currency -> Text,
        status -> Text,
        transaction_type -> Text,
        description -> Text,
        invoice_url -> Nullable<Text>,
        receipt_url -> Nullable<Text>,
        metadata -> Jsonb,
        processed_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        order_id -> Nullable<Uuid>,
        plan_id -> Nullable<Uuid>,
        payment_id -> Nullable<Uuid>,
        tax_amount -> BigInt,
        refunded_amount -> BigInt,
        disputed_amount -> BigInt,
        invoice_pdf -> Nullable<Text>,
        failure_message -> Nullable<Text>,
    }
}

diesel::table! {
    subscription_changes (id) {
        id -> Uuid,
        user_id -> Uuid,
        subscription_id -> Uuid,
        kind -> Text,
        plan_id -> Nullable<Uuid>,
        status -> Text,
        created_at -> Timestamptz,
        settled_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    payment_disputes (stripe_dispute_id) {
        stripe_dispute_id -> Text,
        user_id -> Uuid,
        payment_id -> Uuid,
        amount -> BigInt,
        currency -> Text,
        status -> Text,
        reason -> Text,
        evidence_due_at -> Nullable<Timestamptz>,
        withdrawn -> Bool,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    fraud_warnings (stripe_id) {
        stripe_id -> Text,
        user_id -> Uuid,
        payment_id -> Nullable<Uuid>,
        kind -> Text,
        open -> Bool,
        reason -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    stripe_events (id) {
        id -> Text,
        #[sql_name = "type"]
        kind -> Text,
        livemode -> Bool,
        object_type -> Nullable<Text>,
        object_id -> Nullable<Text>,
        body -> Bytea,
        source -> Text,
        status -> Text,
        attempts -> Integer,
        last_error -> Nullable<Text>,
        occurred_at -> Timestamptz,
        received_at -> Timestamptz,
        processed_at -> Nullable<Timestamptz>,
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
        frozen -> BigInt,
        debt -> BigInt,
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
        kind -> Text,
        idem_key -> Text,
        request_hash -> Bytea,
        ref_type -> Nullable<Text>,
        ref_id -> Nullable<Text>,
        details -> Jsonb,
    }
}

diesel::table! {
    credit_entries (txn_id, seq) {
        txn_id -> Uuid,
        seq -> SmallInt,
        account -> Text,
        amount -> BigInt,
    }
}

diesel::table! {
    credit_holds (id) {
        id -> Uuid,
        user_id -> Uuid,
        amount -> BigInt,
        captured -> BigInt,
        status -> Text,
        action -> Text,
        ref_type -> Text,
        ref_id -> Text,
        idem_key -> Text,
        price_id -> Nullable<Uuid>,
        quantity -> Nullable<BigInt>,
        expires_at -> Timestamptz,
        resolved_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    credit_hold_lines (hold_id, lot_id) {
        hold_id -> Uuid,
        lot_id -> Uuid,
        user_id -> Uuid,
        amount -> BigInt,
    }
}

diesel::table! {
    action_prices (id) {
        id -> Uuid,
        action -> Text,
        unit -> Text,
        credits_per_unit -> BigInt,
        min -> BigInt,
        valid_from -> Timestamptz,
        valid_to -> Nullable<Timestamptz>,
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

diesel::table! {
    mrr_daily (day, currency, plan_id, mrr_den) {
        day -> Date,
        currency -> Text,
        plan_id -> Uuid,
        mrr_den -> BigInt,
        mrr_num -> BigInt,
        subscribers -> BigInt,
    }
}

diesel::table! {
    revenue_daily (day, currency, kind) {
        day -> Date,
        currency -> Text,
        kind -> Text,
        plan_id -> Nullable<Uuid>,
        payments -> BigInt,
        gross -> BigInt,
        tax -> BigInt,
        refunds -> BigInt,
        refunded -> BigInt,
        refunded_tax -> BigInt,
        disputes -> BigInt,
        disputed -> BigInt,
        disputed_tax -> BigInt,
    }
}

diesel::table! {
    analytics_state (id) {
        id -> SmallInt,
        time_zone -> Text,
        last_day -> Date,
        as_of -> Timestamptz,
    }
}

diesel::joinable!(credit_entries -> credit_txns (txn_id));
diesel::joinable!(credit_hold_lines -> credit_lots (lot_id));
diesel::allow_tables_to_appear_in_same_query!(credit_entries, credit_txns);
diesel::allow_tables_to_appear_in_same_query!(credit_wallets, credit_txns, credit_lots);
diesel::allow_tables_to_appear_in_same_query!(credit_hold_lines, credit_lots);
diesel::joinable!(subscriptions -> subscription_plans (plan_id));
diesel::joinable!(payment_transactions -> subscription_plans (plan_id));
diesel::allow_tables_to_appear_in_same_query!(payment_transactions, subscription_plans);
diesel::joinable!(user_subscriptions -> subscription_plans (plan_id));
diesel::allow_tables_to_appear_in_same_query!(
    subscription_plans,
    subscriptions,
    user_subscriptions
);
