drop index auth.one_time_tokens_user_id_purpose_key;
create index one_time_tokens_user_id_idx on auth.one_time_tokens (user_id, purpose);
alter table auth.one_time_tokens
    alter column code_hash drop not null,
    drop constraint one_time_tokens_few_attempts,
    drop constraint one_time_tokens_known_purpose,
    drop column code_expires_at,
    add column used_at timestamptz;
