//! The mails that exist, and what each one shows: the contract with whoever posts them.

/// A mail that can be posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its name, [`eyemotion_ports::Mail::template`].
    pub name: &'static str,
    /// Members of the data without which it would say nothing.
    pub required: &'static [&'static str],
    /// Members that it shows if they are there.
    pub optional: &'static [&'static str],
}

const fn template(
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
) -> Template {
    Template {
        name,
        required,
        optional,
    }
}

/// Every mail. Members: `name` (the reader's), `link` (a whole URL), `code`, `minutes` and `days`
/// (how long it is good), `device`, `ip`, `at` (RFC 3339), `email`, `provider`, `role`, `amount`
/// (with its currency), `item` (what was bought).
pub const TEMPLATES: [Template; 21] = [
    template(
        "confirm_email",
        &["link"],
        &["name", "code", "minutes", "email"],
    ),
    template("account_exists", &[], &["name", "email", "link"]),
    template(
        "reset_password",
        &["link"],
        &["name", "code", "minutes", "ip", "device"],
    ),
    template(
        "password_changed",
        &[],
        &["name", "at", "ip", "device", "link"],
    ),
    template(
        "change_email",
        &["link"],
        &["name", "code", "minutes", "email"],
    ),
    template(
        "email_changed",
        &[],
        &["name", "email", "at", "ip", "device", "link"],
    ),
    template(
        "session_reuse_detected",
        &[],
        &["name", "at", "ip", "device", "link"],
    ),
    template("new_sign_in", &[], &["name", "at", "ip", "device", "link"]),
    template(
        "reauthentication_code",
        &["code"],
        &["name", "minutes", "ip", "device"],
    ),
    template(
        "account_deletion_scheduled",
        &[],
        &["name", "days", "at", "link"],
    ),
    template("account_deletion_cancelled", &[], &["name", "at"]),
    template("account_deleted", &[], &["name", "at"]),
    template("data_export_ready", &["link"], &["name", "days"]),
    template("role_changed", &["role"], &["name", "at"]),
    template(
        "identity_linked",
        &["provider"],
        &["name", "email", "at", "ip", "device", "link"],
    ),
    template(
        "identity_unlinked",
        &["provider"],
        &["name", "email", "at", "ip", "device", "link"],
    ),
    template(
        "magic_link",
        &["link"],
        &["name", "code", "minutes", "ip", "device"],
    ),
    template("payment_received", &["amount"], &["name", "item", "link"]),
    template("payment_failed", &["amount"], &["name", "link"]),
    template("payment_action_required", &["amount", "link"], &["name"]),
    template("trial_ends", &["at"], &["name"]),
];

/// The template of this name.
pub fn find(name: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.name == name)
}
