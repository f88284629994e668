//! What accounts themselves keep about people.

use async_trait::async_trait;
use eyemotion_core::Ctx;
use eyemotion_db::personal::{Fate, PersonalTable};
use eyemotion_db::{DbError, Tx};
use eyemotion_ports::{AccountLifecycle, Erasure, Leaver, erase_rows};

/// The account: last to go, when nothing else needs the person.
pub(crate) const ACCOUNT: PersonalTable = PersonalTable {
    section: "account",
    table: "auth.users",
    owner: "id",
    key: &[("id", "uuid")],
    exported: &[
        "id",
        "email",
        "email_confirmed_at",
        "banned_until",
        "ban_reason",
        "is_anonymous",
        "created_at",
        "updated_at",
        "last_sign_in_at",
        "deleted_at",
    ],
    withheld: &[("password_hash", "a secret")],
    fate: Fate::Pseudonymised("the books refer to it"),
};

pub(crate) const PROFILE: PersonalTable = PersonalTable {
    section: "profile",
    table: "public.user_profiles",
    owner: "id",
    key: &[("id", "uuid")],
    exported: &[
        "id",
        "full_name",
        "company_name",
        "industry",
        "country",
        "phone",
        "avatar_url",
        "role",
        "preferences",
        "onboarding_completed",
        "email_verified",
        "last_login_at",
        "created_at",
        "updated_at",
    ],
    withheld: &[("version", "bookkeeping of our own")],
    fate: Fate::Deleted,
};

const SESSIONS: PersonalTable = PersonalTable {
    section: "sessions",
    table: "auth.sessions",
    owner: "user_id",
    key: &[("id", "uuid")],
    exported: &[
        "id",
        "user_id",
        "created_at",
        "refreshed_at",
        "expires_at",
        "idle_expires_at",
        "revoked_at",
        "revoked_reason",
        "ip",
        "user_agent",
        "aal",
        "authenticated_at",
    ],
    withheld: &[
        ("counter", "a part of the refresh token"),
        ("rotated_at", "a part of the refresh token"),
    ],
    fate: Fate::Deleted,
};

const IDENTITIES: PersonalTable = PersonalTable {
    section: "identities",
    table: "auth.identities",
    owner: "user_id",
    key: &[("id", "uuid")],
    exported: &[
        "id",
        "user_id",
        "provider",
        "issuer",
        "subject",
        "email",
        "email_verified",
        "data",
        "created_at",
        "last_sign_in_at",
    ],
    withheld: &[],
    fate: Fate::Deleted,
};

const FACTORS: PersonalTable = PersonalTable {
    section: "factors",
    table: "auth.factors",
    owner: "user_id",
    key: &[("id", "uuid")],
    exported: &[
        "id",
        "user_id",
        "kind",
        "friendly_name",
        "status",
        "created_at",
        "last_used_at",
    ],
    withheld: &[
        ("secret", "a secret"),
        ("last_used_step", "a part of the secret's use"),
    ],
    fate: Fate::Deleted,
};

const ONE_TIME_TOKENS: PersonalTable = PersonalTable {
    section: "one_time_tokens",
    table: "auth.one_time_tokens",
    owner: "user_id",
    key: &[("id", "uuid")],
    exported: &[
        "id",
        "user_id",
        "purpose",
        "attempts",
        "created_at",
        "expires_at",
        "code_expires_at",
    ],
    withheld: &[
        ("token_hash", "a secret"),
        ("code_hash", "a secret"),
        ("payload", "what the link would do"),
    ],
    fate: Fate::Deleted,
};

const DELETION: PersonalTable = PersonalTable {
    section: "account_deletion",
    table: "auth.account_deletions",
    owner: "user_id",
    key: &[("id", "uuid")],
    exported: &[
        "id",
        "user_id",
        "state",
        "requested_at",
        "due_at",
        "started_at",
        "language",
    ],
    withheld: &[
        ("id_hash", "bookkeeping of our own"),
        ("pseudonym", "would undo itself"),
        ("step", "bookkeeping of our own"),
        ("undo_hash", "a secret"),
        ("erased_at", "nobody is left to be told"),
    ],
    fate: Fate::Pseudonymised("a hash of the id keeps old backups from bringing the person back"),
};

const API_KEYS: PersonalTable = PersonalTable {
    section: "api_keys",
    table: "public.api_keys",
    owner: "user_id",
    key: &[("id", "uuid")],
    exported: &[
        "id",
        "user_id",
        "name",
        "prefix",
        "scopes",
        "expires_at",
        "last_used_at",
        "revoked_at",
        "created_at",
    ],
    withheld: &[("token_hash", "a secret")],
    fate: Fate::Deleted,
};

/// The accounts of people who leave. The row of `auth.users` itself is renamed by the job that asks
/// all the domains.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccountsOfPeople;

#[async_trait]
impl AccountLifecycle for AccountsOfPeople {
    fn domain(&self) -> &'static str {
        "account"
    }

    fn tables(&self) -> &'static [PersonalTable] {
        &[
            ACCOUNT,
            PROFILE,
            SESSIONS,
            IDENTITIES,
            FACTORS,
            ONE_TIME_TOKENS,
            API_KEYS,
            DELETION,
        ]
    }

    async fn erase(&self, tx: &mut Tx, _: &Ctx, leaver: &Leaver) -> Result<Erasure, DbError> {
        let tables = [
            SESSIONS,
            IDENTITIES,
            FACTORS,
            ONE_TIME_TOKENS,
            API_KEYS,
            PROFILE,
        ];
        erase_rows(tx, &tables, leaver.id).await
    }
}
