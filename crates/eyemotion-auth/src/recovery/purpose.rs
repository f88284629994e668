use chrono::TimeDelta;

/// How long a code may be typed.
pub(crate) const CODE_TTL: TimeDelta = TimeDelta::minutes(10);

/// What a mailed token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    /// Proving a new account's address.
    EmailConfirmation,
    /// Setting a password without knowing the old one.
    PasswordReset,
    /// Proving the address that the account is to have.
    EmailChange,
    /// Signing in.
    MagicLink,
    /// Proving once more that it is the person who has signed in.
    Reauthentication,
}

impl Purpose {
    /// The name in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::EmailConfirmation => "email_confirmation",
            Self::PasswordReset => "password_reset",
            Self::EmailChange => "email_change",
            Self::MagicLink => "magic_link",
            Self::Reauthentication => "reauthentication",
        }
    }

    /// How long the link is good.
    pub(crate) const fn link_ttl(self) -> TimeDelta {
        match self {
            Self::EmailConfirmation | Self::EmailChange => TimeDelta::hours(24),
            Self::PasswordReset => TimeDelta::minutes(30),
            Self::MagicLink | Self::Reauthentication => CODE_TTL,
        }
    }

    /// The mail that carries it.
    pub(crate) const fn template(self) -> &'static str {
        match self {
            Self::EmailConfirmation => "confirm_email",
            Self::PasswordReset => "reset_password",
            Self::EmailChange => "change_email",
            Self::MagicLink => "magic_link",
            Self::Reauthentication => "reauthentication_code",
        }
    }

    /// The page that the link leads to; a code that is only typed has none.
    pub(crate) const fn page(self) -> Option<&'static str> {
        match self {
            Self::EmailConfirmation => Some("/auth/confirm"),
            Self::PasswordReset => Some("/auth/reset"),
            Self::EmailChange => Some("/auth/change-email"),
            Self::MagicLink => Some("/auth/magic-link"),
            Self::Reauthentication => None,
        }
    }
}
