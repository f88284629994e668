-- One-time tokens: a link and a short code each, at most one a person and purpose. What is used is deleted, so that it
-- cannot be used again and the table does not grow.

alter table auth.one_time_tokens
    drop column used_at,
    add column code_expires_at timestamptz not null,
    add constraint one_time_tokens_known_purpose check (
        purpose in ('email_confirmation', 'password_reset', 'email_change', 'magic_link', 'reauthentication')),
    add constraint one_time_tokens_few_attempts check (attempts <= 5),
    alter column code_hash set not null;
drop index auth.one_time_tokens_user_id_idx;
create unique index one_time_tokens_user_id_purpose_key on auth.one_time_tokens (user_id, purpose);
