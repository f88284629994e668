//! The table that this crate owns.

diesel::table! {
    mail_outbox (id) {
        id -> Uuid,
        user_id -> Nullable<Uuid>,
        recipient -> Text,
        template -> Text,
        locale -> Text,
        data -> Nullable<Jsonb>,
        state -> Text,
        attempts -> Int4,
        message_id -> Nullable<Text>,
        last_error -> Nullable<Text>,
        created_at -> Timestamptz,
        sent_at -> Nullable<Timestamptz>,
    }
}
