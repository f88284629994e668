//! The tables of storage, split by purpose where one has more columns than a query needs.

diesel::table! {
    /// What people see of a file.
    project_files (id) {
        id -> Uuid,
        project_id -> Uuid,
        user_id -> Uuid,
        filename -> Text,
        original_name -> Text,
        file_type -> Text,
        mime_type -> Text,
        file_size -> BigInt,
        thumbnail_status -> Text,
        duration_us -> Nullable<BigInt>,
        width -> Nullable<Integer>,
        height -> Nullable<Integer>,
        fps_num -> Nullable<Integer>,
        fps_den -> Nullable<Integer>,
        codec -> Nullable<Text>,
        bit_rate -> Nullable<BigInt>,
        media -> Jsonb,
        sha256 -> Nullable<Bytea>,
        processing_status -> Text,
        processing_error -> Nullable<Text>,
        processing_progress -> SmallInt,
        credits_cost -> BigInt,
        upload_expires_at -> Nullable<Timestamptz>,
        confirmed_at -> Nullable<Timestamptz>,
        trashed_at -> Nullable<Timestamptz>,
        metadata -> Jsonb,
        tags -> Array<Text>,
        is_favorite -> Bool,
        version -> BigInt,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    /// The same table: what storing, processing and deleting work with.
    #[sql_name = "project_files"]
    stored_files (id) {
        id -> Uuid,
        project_id -> Uuid,
        user_id -> Uuid,
        filename -> Text,
        original_name -> Text,
        file_type -> Text,
        mime_type -> Text,
        file_size -> BigInt,
        storage_path -> Nullable<Text>,
        thumbnail_path -> Nullable<Text>,
        thumbnail_status -> Text,
        duration_us -> Nullable<BigInt>,
        width -> Nullable<Integer>,
        height -> Nullable<Integer>,
        fps_num -> Nullable<Integer>,
        fps_den -> Nullable<Integer>,
        codec -> Nullable<Text>,
        bit_rate -> Nullable<BigInt>,
        media -> Jsonb,
        declared_sha256 -> Nullable<Bytea>,
        sha256 -> Nullable<Bytea>,
        received_bytes -> BigInt,
        processing_status -> Text,
        processing_error -> Nullable<Text>,
        processing_progress -> SmallInt,
        credits_cost -> BigInt,
        upload_expires_at -> Nullable<Timestamptz>,
        upload_lease_until -> Nullable<Timestamptz>,
        upload_lease_token -> Nullable<Uuid>,
        confirmed_at -> Nullable<Timestamptz>,
        trashed_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    storage_quotas (user_id) {
        user_id -> Uuid,
        used_bytes -> BigInt,
        reserved_bytes -> BigInt,
        pending_delete_bytes -> BigInt,
        limit_bytes -> BigInt,
    }
}

diesel::table! {
    storage_reservations (file_id) {
        file_id -> Uuid,
        user_id -> Uuid,
        bytes -> BigInt,
    }
}

diesel::table! {
    /// Locked before its files, as those who delete a project do: a trigger counts on it.
    projects (id) {
        id -> Uuid,
    }
}
