//! SQL and nothing else: functions over a transaction, one file for each table.

pub(crate) mod account_overview;
pub(crate) mod admin_users;
pub(crate) mod api_keys;
pub(crate) mod claimed;
pub(crate) mod deletions;
pub(crate) mod identities;
pub(crate) mod imports;
pub(crate) mod oauth_flows;
pub(crate) mod one_time_tokens;
pub(crate) mod profiles;
pub(crate) mod sessions;
pub(crate) mod sign_in;
pub(crate) mod standing;
pub(crate) mod throttles;
pub(crate) mod users;

impl From<diesel::result::Error> for crate::error::AuthError {
    fn from(error: diesel::result::Error) -> Self {
        let error = eyemotion_db::DbError::from(error);
        if error.constraint() == Some("last_super_admin") {
            Self::LastSuperAdmin
        } else {
            Self::Db(error)
        }
    }
}

impl From<diesel::result::Error> for crate::federation::FederationError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Auth(error.into())
    }
}
