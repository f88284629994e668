//! The tables that this crate owns.

diesel::table! {
    jobs.jobs (id) {
        id -> Uuid,
        queue -> Text,
        kind -> Text,
        payload -> Jsonb,
        priority -> Int2,
        run_at -> Timestamptz,
        state -> Text,
        attempts -> Int4,
        max_attempts -> Int4,
        lease_until -> Nullable<Timestamptz>,
        worker -> Nullable<Text>,
        unique_key -> Nullable<Text>,
        owner_id -> Nullable<Uuid>,
        last_error -> Nullable<Text>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
    }
}

diesel::table! {
    jobs.schedules (name) {
        name -> Text,
        cron -> Text,
        kind -> Text,
        payload -> Jsonb,
        next_run_at -> Timestamptz,
        last_run_at -> Nullable<Timestamptz>,
    }
}
