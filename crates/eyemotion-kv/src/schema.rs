diesel::table! {
    kv_store (namespace, key) {
        namespace -> Text,
        key -> Text,
        value -> Jsonb,
        version -> Int8,
        expires_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}
