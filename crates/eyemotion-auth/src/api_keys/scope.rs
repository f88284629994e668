use std::fmt;
use std::str::FromStr;

/// The one namespace that a scope reaches only by its name: what the platform keeps for itself.
pub const RESTRICTED_NAMESPACE: &str = "system";

/// What a key may do: `kv:read`, `kv:write`, either with `:<namespace>`, `flags:read`,
/// `flags:write`. Writing does not include reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Read entries: of every namespace but the restricted one, or of one namespace.
    KvRead(Option<String>),
    /// Write and delete entries, likewise.
    KvWrite(Option<String>),
    /// Read the feature flags.
    FlagsRead,
    /// Change the feature flags.
    FlagsWrite,
}

/// A name that is no scope's.
#[derive(Debug, thiserror::Error)]
#[error(
    "must be kv:read, kv:write, kv:read:<namespace>, kv:write:<namespace>, flags:read or flags:write"
)]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let namespaced = |name: &str| {
            let namespace = text.strip_prefix(name)?.strip_prefix(':')?;
            is_namespace(namespace).then(|| Some(namespace.to_owned()))
        };
        match text {
            "kv:read" => Ok(Self::KvRead(None)),
            "kv:write" => Ok(Self::KvWrite(None)),
            "flags:read" => Ok(Self::FlagsRead),
            "flags:write" => Ok(Self::FlagsWrite),
            _ => namespaced("kv:read")
                .map(Self::KvRead)
                .or_else(|| namespaced("kv:write").map(Self::KvWrite))
                .ok_or(UnknownScope),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KvRead(None) => f.write_str("kv:read"),
            Self::KvRead(Some(namespace)) => write!(f, "kv:read:{namespace}"),
            Self::KvWrite(None) => f.write_str("kv:write"),
            Self::KvWrite(Some(namespace)) => write!(f, "kv:write:{namespace}"),
            Self::FlagsRead => f.write_str("flags:read"),
            Self::FlagsWrite => f.write_str("flags:write"),
        }
    }
}

/// As the store names them.
fn is_namespace(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission<'a> {
    /// Read entries of a namespace.
    ReadKv(&'a str),
    /// Write or delete entries of a namespace.
    WriteKv(&'a str),
    /// Read the feature flags.
    ReadFlags,
    /// Change the feature flags.
    WriteFlags,
}

impl fmt::Display for Permission<'_> {
    /// The narrowest scope that gives it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadKv(namespace) => write!(f, "kv:read:{namespace}"),
            Self::WriteKv(namespace) => write!(f, "kv:write:{namespace}"),
            Self::ReadFlags => f.write_str("flags:read"),
            Self::WriteFlags => f.write_str("flags:write"),
        }
    }
}

/// All that a key may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Of these names; one that is unknown gives nothing.
    pub fn read(names: &[String]) -> Self {
        Self(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// Whether one of them gives the permission.
    pub fn allow(&self, wanted: Permission<'_>) -> bool {
        let reaches = |scope: Option<&str>, namespace: &str| match scope {
            Some(named) => named == namespace,
            None => namespace != RESTRICTED_NAMESPACE,
        };
        self.0.iter().any(|scope| match (scope, wanted) {
            (Scope::KvRead(scope), Permission::ReadKv(namespace))
            | (Scope::KvWrite(scope), Permission::WriteKv(namespace)) => {
                reaches(scope.as_deref(), namespace)
            }
            (Scope::FlagsRead, Permission::ReadFlags)
            | (Scope::FlagsWrite, Permission::WriteFlags) => true,
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written_alike() {
        let long = format!("kv:read:{}", "a".repeat(64));
        for name in [
            "kv:read",
            "kv:write",
            "kv:read:default",
            "kv:write:a.B-c_9",
            &long,
            "flags:read",
            "flags:write",
        ] {
            assert_eq!(name.parse::<Scope>().unwrap().to_string(), name);
        }
        let too_long = format!("kv:read:{}", "a".repeat(65));
        for bad in [
            "",
            "kv",
            "kv:*",
            "kv:read:",
            "kv:read:a b",
            "kv:read:a:b",
            "kv:read:.a",
            "KV:read",
            "flags:read:x",
            "admin",
            "*",
            " kv:read",
            &too_long,
        ] {
            assert!(bad.parse::<Scope>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_scope_gives_what_it_says_and_nothing_else() {
        let permissions = [
            Permission::ReadKv("default"),
            Permission::ReadKv("system"),
            Permission::WriteKv("default"),
            Permission::WriteKv("system"),
            Permission::ReadFlags,
            Permission::WriteFlags,
        ];
        for (scope, given) in [
            ("kv:read", [true, false, false, false, false, false]),
            ("kv:read:system", [false, true, false, false, false, false]),
            ("kv:write", [false, false, true, false, false, false]),
            ("kv:write:system", [false, false, false, true, false, false]),
            ("flags:read", [false, false, false, false, true, false]),
            ("flags:write", [false, false, false, false, false, true]),
            ("nonsense", [false; 6]),
        ] {
            let scopes = Scopes::read(&[scope.to_owned()]);
            assert_eq!(
                permissions.map(|wanted| scopes.allow(wanted)),
                given,
                "{scope}"
            );
        }
    }
}
