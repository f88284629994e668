-- Sign-ins that are on their way through a provider. What a browser holds is kept as a hash only; a row is used once.

create table auth.oauth_flows (
    state_hash bytea primary key check (octet_length(state_hash) = 32),
    provider text not null check (char_length(provider) between 1 and 64),
    nonce text not null check (char_length(nonce) between 16 and 128),
    pkce_verifier text not null check (char_length(pkce_verifier) between 43 and 128),
    redirect_uri text not null check (char_length(redirect_uri) <= 2048),
    redirect_to text check (char_length(redirect_to) <= 2048),
    browser_hash bytea check (octet_length(browser_hash) = 32),
    client_challenge text check (char_length(client_challenge) = 43),
    -- Of somebody who adds an identity while signed in.
    link_session uuid references auth.sessions (id) on delete cascade,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    check (browser_hash is not null or client_challenge is not null)
);
create index oauth_flows_link_session_idx on auth.oauth_flows (link_session);
create index oauth_flows_expires_at_idx on auth.oauth_flows (expires_at);

alter table auth.oauth_flows enable row level security;
alter table auth.oauth_flows force row level security;
