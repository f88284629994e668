diesel::table! {
    projects (id) {
        id -> Uuid,
        user_id -> Uuid,
        name -> Text,
        description -> Text,
        #[sql_name = "type"]
        kind -> Text,
        status -> Text,
        settings -> Jsonb,
        collaboration_settings -> Jsonb,
        thumbnail_url -> Nullable<Text>,
        file_count -> Integer,
        total_duration_us -> BigInt,
        export_count -> Integer,
        last_opened_at -> Nullable<Timestamptz>,
        deleted_at -> Nullable<Timestamptz>,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}
