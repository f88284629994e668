-- Mails on their way: posted in the transaction of what they tell of, sent by a job. `data` holds secrets (links, codes):
-- a sent mail has none.

create table public.mail_outbox (
    id uuid primary key default gen_random_uuid(),
    -- A mail that says the account is gone outlives the account.
    user_id uuid references auth.users (id) on update cascade on delete set null,
    recipient text not null check (char_length(recipient) between 3 and 254),
    template text not null check (char_length(template) between 1 and 64),
    locale text not null check (char_length(locale) between 2 and 16),
    data jsonb check (jsonb_typeof(data) = 'object' and octet_length(data::text) <= 65536),
    state text not null default 'queued' check (state in ('queued', 'sent', 'failed')),
    attempts integer not null default 0 check (attempts >= 0),
    message_id text check (char_length(message_id) <= 512),
    last_error text check (char_length(last_error) <= 2000),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    sent_at timestamptz,
    check (state <> 'sent' or data is null and sent_at is not null),
    check (state <> 'queued' or data is not null)
);
create index mail_outbox_user_id_idx on public.mail_outbox (user_id);
create index mail_outbox_queued_idx on public.mail_outbox (created_at) where state = 'queued';
create index mail_outbox_created_at_idx on public.mail_outbox (created_at);

alter table public.mail_outbox enable row level security;
alter table public.mail_outbox force row level security;
