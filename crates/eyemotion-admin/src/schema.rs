diesel::table! {
    activity_logs (created_at, id) {
        id -> Uuid,
        user_id -> Nullable<Uuid>,
        action -> Text,
        resource_type -> Nullable<Text>,
        resource_id -> Nullable<Text>,
        details -> Jsonb,
        ip_address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        session_id -> Nullable<Uuid>,
        request_id -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    // A view for admins.
    admin_projects (id) {
        id -> Uuid,
        status -> Text,
    }
}
