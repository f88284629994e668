diesel::table! {
    idempotency_keys (user_id, operation, key) {
        user_id -> Uuid,
        operation -> Text,
        key -> Text,
        request_hash -> Bytea,
        response -> Nullable<Jsonb>,
        created_at -> Timestamptz,
    }
}
