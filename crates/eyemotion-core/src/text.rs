use serde::{Serialize, Serializer};
use std::fmt;

/// An e-mail address, normalised: trimmed and lower-cased. The one place where that is done, so
/// register, sign-in and every later lookup agree.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EmailAddress(String);

/// Not an address that mail could be sent to.
#[derive(Debug, thiserror::Error)]
#[error("must be an e-mail address such as name@example.com, at most 254 characters")]
pub struct InvalidEmail;

impl EmailAddress {
    /// Normalises and checks: one `@`, a local part of 1 to 64 characters and a dotted domain
    /// (RFC 5321 section 4.5.3.1), no white space, no control characters.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let email = text.trim().to_lowercase();
        let (local, domain) = email.rsplit_once('@').ok_or(InvalidEmail)?;
        let label = |l: &str| {
            !l.is_empty()
                && l.len() <= 63
                && !l.starts_with('-')
                && !l.ends_with('-')
                && l.chars().all(|c| c.is_alphanumeric() || c == '-')
        };
        let good_local = (1..=64).contains(&local.len())
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && local
                .chars()
                .all(|c| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c));
        if email.len() > 254
            || !good_local
            || !domain.contains('.')
            || !domain.split('.').all(label)
        {
            return Err(InvalidEmail);
        }
        Ok(Self(email))
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for EmailAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises_and_refuses() {
        assert_eq!(
            EmailAddress::parse(" Test@Example.COM ").unwrap().as_str(),
            "test@example.com"
        );
        assert!(EmailAddress::parse("a.b+tag@sub.example.co.th").is_ok());
        for bad in [
            "",
            "a",
            "@b.co",
            "a@",
            "a@b",
            "a@b..co",
            "a b@c.de",
            "a@b@c.de",
            ".a@b.co",
            "a@-b.co",
            "a\u{0}@b.co",
        ] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad:?}");
        }
        let once = EmailAddress::parse("ÄÖ@Example.com").unwrap();
        assert_eq!(EmailAddress::parse(once.as_str()).unwrap(), once);
    }
}
